// The schema of telemetry: what the live kernel and the simulator write, the same in every store. Each table has a key that
// begins with its time; a row that comes twice under one key is one row (so that whoever is not sure sends again). Where a row
// stems from one input of the kernel, its key is the input's sequence and the row's place among that input's rows. Stores and
// readers take names, kinds and keys from here alone.

/**
 * - `time`: microseconds since 1970 (live) or since the run began (simulated).
 * - `symbol`: text of few values, never longer than 200 characters. `text`: any other text. Empty is missing.
 * - `integer`: up to 2^53 either way. `real`: a double. NaN is missing.
 */
export type ColumnKind = 'time' | 'symbol' | 'text' | 'integer' | 'real';

export interface TelemetryColumn {
  readonly name: string;
  readonly kind: ColumnKind;
}

interface TableShape {
  readonly meaning: string;
  /** The first is always `time`, the second `run`: which kernel, or which simulated run. What is added comes last: tables of older
   *  versions get it so. */
  readonly columns: readonly TelemetryColumn[];
  /** Names of the columns that make a row one row. */
  readonly key: readonly string[];
}

const time = { name: 'time', kind: 'time' } as const;
const run = { name: 'run', kind: 'symbol' } as const;
const sequence = { name: 'sequence', kind: 'integer' } as const;
/** Counts the rows of one input in one table, from 0. */
const part = { name: 'part', kind: 'integer' } as const;
const symbol = <Name extends string>(name: Name) => ({ name, kind: 'symbol' }) as const;
const text = <Name extends string>(name: Name) => ({ name, kind: 'text' }) as const;
const integer = <Name extends string>(name: Name) => ({ name, kind: 'integer' }) as const;
const real = <Name extends string>(name: Name) => ({ name, kind: 'real' }) as const;

const ofInput = ['time', 'run', 'sequence', 'part'] as const;

export const telemetryTables = {
  agent_load: {
    meaning: 'What each agent has and what of it is taken, whenever that changed since the sample before',
    columns: [
      ...[time, run, symbol('agent'), symbol('state'), integer('running')],
      ...[integer('cpu_capacity_milli'), integer('cpu_used_milli')],
      ...[integer('memory_capacity_mib'), integer('memory_used_mib')],
      ...[integer('gpu_capacity_milli'), integer('gpu_used_milli')],
    ],
    key: ['time', 'run', 'agent'],
  },
  task_events: {
    meaning: 'The life of tasks: submitted, refused, placed, started, finished, evicted, lost, ended',
    columns: [
      ...[time, run, sequence, part, symbol('event'), integer('submitter'), integer('submission'), integer('task')],
      ...[integer('attempt'), symbol('agent'), symbol('tenant'), symbol('task_class'), symbol('outcome')],
      ...[real('estimate_seconds'), real('service_seconds'), real('joules')],
    ],
    key: ofInput,
  },
  tasks: {
    meaning: 'Every task that ended, with where its time went: the parts add up to total_seconds',
    columns: [
      ...[time, run, integer('submitter'), integer('submission'), integer('task'), symbol('outcome')],
      ...[symbol('agent'), symbol('tenant'), symbol('task_class'), integer('priority')],
      ...[integer('cpu_milli'), integer('memory_mib'), integer('gpu_count'), integer('gpu_milli')],
      ...[integer('machine_count'), integer('attempts'), integer('submitted_micros'), real('estimate_seconds')],
      // Waiting before the first placement, and after an attempt that was lost or evicted; from each placement to the agent's
      // taking it; attempts that came to nothing; of the last attempt, the agent's own work and all the rest of its time.
      ...[real('queue_seconds'), real('retry_seconds'), real('dispatch_seconds'), real('lost_seconds')],
      ...[real('service_seconds'), real('transfer_seconds'), real('total_seconds'), real('joules')],
      // Why most machines were ruled out when it was last tried in vain, or `behind others`.
      symbol('wait_reason'),
    ],
    key: ['time', 'run', 'submitter', 'submission'],
  },
  decisions: {
    meaning: 'Every decision of the scheduler, with its propensity',
    columns: [
      ...[time, run, sequence, part, integer('decision'), integer('submitter'), integer('submission'), integer('task')],
      ...[
        integer('attempt'),
        symbol('outcome'),
        symbol('rule'),
        symbol('agent'),
        symbol('tenant'),
        symbol('task_class'),
      ],
      // Names of all machines; `name:score` of winner and runners-up, best first; `reason:count` of machines ruled out.
      ...[text('agents'), text('ranked'), text('reasons'), integer('feasible'), integer('ties'), real('propensity')],
      ...[symbol('policy'), integer('policy_version'), integer('queue_length'), real('shadow_seconds')],
      // 1 if it was drawn to learn from it; where the policy in the shadow would have placed the task.
      ...[integer('explored'), symbol('shadow_agent')],
    ],
    key: ofInput,
  },
  links: {
    meaning: 'How good the link to each agent is',
    columns: [
      ...[time, run, symbol('agent'), real('round_trip_seconds'), real('round_trip_least_seconds')],
      ...[real('jitter_seconds'), real('loss'), real('bytes_per_second'), integer('echoes'), symbol('anomalies')],
    ],
    key: ['time', 'run', 'agent'],
  },
  energy: {
    meaning:
      'Joules by agent and source: task (with its attempt), idle, sleep, wake, or machine (a meter over all of them)',
    columns: [
      ...[time, run, symbol('agent'), symbol('source'), integer('attempt'), integer('task'), symbol('task_class')],
      ...[real('joules'), real('watts'), real('seconds')],
    ],
    key: ['time', 'run', 'agent', 'source', 'attempt'],
  },
  setting_changes: {
    meaning: 'Changes of the configuration, and those refused',
    columns: [
      ...[time, run, sequence, part, integer('version'), symbol('setting'), text('value'), text('previous')],
      ...[text('who'), text('why'), text('refusal')],
    ],
    key: ofInput,
  },
  promotions: {
    meaning: 'Steps of policy rollouts: from which stage to which, and why',
    columns: [
      ...[time, run, sequence, part, text('rollout'), symbol('candidate'), symbol('incumbent'), symbol('from_stage')],
      ...[symbol('to_stage'), symbol('verdict'), text('reason'), text('who'), integer('tasks'), real('harm')],
    ],
    key: ofInput,
  },
} as const satisfies Record<string, TableShape>;

export type TableName = keyof typeof telemetryTables;

export const tableNames = Object.keys(telemetryTables) as readonly TableName[];

type ColumnOf<Table extends TableName> = (typeof telemetryTables)[Table]['columns'][number];

/** A row by column names; what is left out is missing. */
export type TelemetryRow<Table extends TableName> = {
  readonly [Column in ColumnOf<Table> as Column['name']]?:
    | (Column['kind'] extends 'symbol' | 'text' ? string : number)
    | undefined;
};

/** How one column of a rollup is made of the raw rows of its minute. */
export interface RollupMeasure {
  readonly name: string;
  readonly aggregate: 'count' | 'sum' | 'mean' | 'max';
  /** The raw column; of `count`, any. */
  readonly of: string;
}

export interface Rollup {
  readonly meaning: string;
  readonly from: TableName;
  /** Beside the minute and the run. Its key is all of these. */
  readonly by: readonly string[];
  readonly measures: readonly RollupMeasure[];
}

const sum = (of: string): RollupMeasure => ({ name: of, aggregate: 'sum', of });
const mean = (of: string): RollupMeasure => ({ name: `${of}_mean`, aggregate: 'mean', of });
const most = (of: string): RollupMeasure => ({ name: `${of}_max`, aggregate: 'max', of });
const count = (name: string): RollupMeasure => ({ name, aggregate: 'count', of: 'time' });

/** Raw rows by the minute: they stay when the raw rows have gone. */
export const telemetryRollups = {
  event_minutes: {
    meaning: 'Events of tasks a minute: arrivals are those of the event submitted',
    from: 'task_events',
    by: ['event', 'tenant', 'task_class'],
    measures: [count('events'), sum('service_seconds'), sum('joules')],
  },
  task_minutes: {
    meaning: 'Ended tasks a minute, and where their time went',
    from: 'tasks',
    by: ['outcome', 'tenant', 'task_class', 'wait_reason'],
    measures: [
      ...[count('tasks'), sum('queue_seconds'), sum('retry_seconds'), sum('dispatch_seconds'), sum('lost_seconds')],
      ...[sum('service_seconds'), sum('transfer_seconds'), sum('total_seconds'), most('total_seconds'), sum('joules')],
    ],
  },
  load_minutes: {
    meaning: 'Load of each agent a minute, over the samples that it has',
    from: 'agent_load',
    by: ['agent'],
    measures: [
      ...[
        count('samples'),
        mean('running'),
        mean('cpu_used_milli'),
        most('cpu_used_milli'),
        most('cpu_capacity_milli'),
      ],
      ...[mean('memory_used_mib'), most('memory_capacity_mib'), mean('gpu_used_milli'), most('gpu_used_milli')],
      most('gpu_capacity_milli'),
    ],
  },
  decision_minutes: {
    meaning: 'Decisions a minute',
    from: 'decisions',
    by: ['outcome', 'rule', 'policy'],
    measures: [count('decisions'), mean('queue_length'), most('queue_length'), mean('feasible'), mean('propensity')],
  },
} as const satisfies Record<string, Rollup>;

export type RollupName = keyof typeof telemetryRollups;

export const rollupNames = Object.keys(telemetryRollups) as readonly RollupName[];

/** The columns of a raw table or a rollup. */
export function columnsOf(name: TableName | RollupName): readonly TelemetryColumn[] {
  if (!isRollup(name)) return telemetryTables[name].columns;
  const { from, by, measures } = telemetryRollups[name];
  const raw: readonly TelemetryColumn[] = telemetryTables[from].columns;
  const kindOf = (column: string): ColumnKind => raw.find((one) => one.name === column)?.kind ?? 'real';
  return [
    ...[time, run, ...by.map((column) => ({ name: column, kind: kindOf(column) }))],
    ...measures.map(({ name: measure, aggregate }) => ({
      name: measure,
      kind: aggregate === 'count' ? ('integer' as const) : ('real' as const),
    })),
  ];
}

/** The columns that make a row one row. */
export function keyOf(name: TableName | RollupName): readonly string[] {
  return isRollup(name) ? ['time', 'run', ...telemetryRollups[name].by] : telemetryTables[name].key;
}

export function isRollup(name: string): name is RollupName {
  return Object.hasOwn(telemetryRollups, name);
}
