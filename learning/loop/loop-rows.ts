// The rows of telemetry that the loop learns from, read from whichever store holds them: tasks that ended, and samples of agents.
// Their content hash does not depend on the store, so that two runs can tell whether they learned from the same.

import { createHash } from 'node:crypto';
import { rowsOf } from '../../core/telemetry/rows.ts';
import type { TelemetryStore } from '../../core/telemetry/telemetry-store.ts';

/** A task that ended; times in seconds, `submittedMicros` and `endedMicros` since 1970. */
export interface TaskRow {
  readonly submittedMicros: number;
  readonly endedMicros: number;
  readonly taskClass: string;
  readonly outcome: string;
  readonly agent: string;
  readonly attempts: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly estimateSeconds: number;
  readonly queueSeconds: number;
  readonly serviceSeconds: number;
  readonly totalSeconds: number;
}

export interface AgentRow {
  readonly atMicros: number;
  readonly agent: string;
  readonly state: string;
  readonly cpuCapacityMilli: number;
  readonly memoryCapacityMib: number;
}

export interface LoopRows {
  /** In the order of their ends. */
  readonly tasks: readonly TaskRow[];
  readonly agents: readonly AgentRow[];
  /** SHA-256, hex, over all of them. */
  readonly sha256: string;
}

export interface RowsQuery {
  readonly run: string;
  readonly fromMicros?: number | undefined;
  readonly toMicros?: number | undefined;
}

/** Rejects with what the store rejects with. */
export async function readLoopRows(store: TelemetryStore, query: RowsQuery): Promise<LoopRows> {
  const hash = createHash('sha256');
  const tasks: TaskRow[] = [];
  const agents: AgentRow[] = [];
  const read = async (table: 'tasks' | 'agent_load', take: (row: Row) => object): Promise<void> => {
    for await (const batch of store.read({ table, ...query }))
      for (const row of rowsOf(batch)) hash.update(`${JSON.stringify(take(row))}\n`);
  };
  await read('tasks', (row) => {
    const task: TaskRow = {
      ...{ submittedMicros: numberOf(row, 'submitted_micros'), endedMicros: numberOf(row, 'time') },
      ...{ taskClass: textOf(row, 'task_class'), outcome: textOf(row, 'outcome'), agent: textOf(row, 'agent') },
      ...{ attempts: numberOf(row, 'attempts'), cpuMilli: numberOf(row, 'cpu_milli') },
      ...{ memoryMib: numberOf(row, 'memory_mib'), estimateSeconds: numberOf(row, 'estimate_seconds') },
      ...{ queueSeconds: numberOf(row, 'queue_seconds'), serviceSeconds: numberOf(row, 'service_seconds') },
      totalSeconds: numberOf(row, 'total_seconds'),
    };
    tasks.push(task);
    return task;
  });
  await read('agent_load', (row) => {
    const agent: AgentRow = {
      ...{ atMicros: numberOf(row, 'time'), agent: textOf(row, 'agent'), state: textOf(row, 'state') },
      ...{
        cpuCapacityMilli: numberOf(row, 'cpu_capacity_milli'),
        memoryCapacityMib: numberOf(row, 'memory_capacity_mib'),
      },
    };
    agents.push(agent);
    return agent;
  });
  return { tasks, agents, sha256: hash.digest('hex') };
}

/** Placements in the order of time. */
export async function readDecisions(
  store: TelemetryStore,
  query: RowsQuery,
): Promise<{ readonly atMicros: number; readonly version: number }[]> {
  const decisions: { readonly atMicros: number; readonly version: number }[] = [];
  for await (const batch of store.read({ table: 'decisions', ...query }))
    for (const row of rowsOf(batch))
      if (row.outcome === 'placed')
        decisions.push({ atMicros: numberOf(row, 'time'), version: numberOf(row, 'policy_version') });
  return decisions;
}

type Row = Readonly<Record<string, number | string>>;

/** What is missing is 0. */
function numberOf(row: Row, name: string): number {
  const value = row[name];
  return typeof value === 'number' ? value : 0;
}

function textOf(row: Row, name: string): string {
  return String(row[name] ?? '');
}
