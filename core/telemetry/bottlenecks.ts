// Where the time of tasks went, and what kept them: from the rows of `tasks` and `agent_load` alone, whichever store or run they come
// from. Each part of a task's time is told apart; the time in which it waited is put down to what kept it; and over time, the
// mean number of tasks in each part (Little's law: their time in a window, divided by the window) shows when what was short.

import type { TelemetryBatch } from './rows.ts';
import { numbersOf, textsOf } from './rows.ts';
import { behindOthers } from './task-life.ts';

/** In the order in which a task goes through them. Where an attempt was lost, its time and the waiting after it come before the last. */
export const timeParts = ['queue', 'lost', 'retry', 'dispatch', 'transfer', 'service'] as const;
export type TimePart = (typeof timeParts)[number];

export const partMeanings: Readonly<Record<TimePart, string>> = {
  queue: 'waiting for the first placement',
  lost: 'attempts that came to nothing',
  retry: 'waiting again after a lost attempt',
  dispatch: 'from the placement to the begin of the work',
  transfer: 'at the agent beside the work: data and messages on their way',
  service: 'the work itself',
};

export const resourceNames = ['CPU', 'memory', 'GPU'] as const;
export type ResourceName = (typeof resourceNames)[number];

export interface ShareOfTime {
  readonly name: string;
  readonly seconds: number;
  /** Of all that the list adds up to, 0…1. */
  readonly share: number;
}

export interface GroupOfTasks {
  readonly tenant: string;
  readonly taskClass: string;
  readonly tasks: number;
  readonly meanSeconds: Readonly<Record<TimePart, number>>;
  readonly totalMeanSeconds: number;
}

export interface Bottlenecks {
  readonly tasks: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** All tasks' time, in the order of {@link timeParts}. */
  readonly parts: readonly ShareOfTime[];
  /** What kept tasks while they waited (queue and retry), the longest first. */
  readonly reasons: readonly ShareOfTime[];
  /** By tenant and class, those with most time in all first, at most twenty. */
  readonly groups: readonly GroupOfTasks[];
  /** Share of capacity in use, over time and while at least one task waited; undefined where there is no such capacity. */
  readonly resources: readonly {
    readonly name: ResourceName;
    readonly used: number | undefined;
    readonly usedWhileWaiting: number | undefined;
  }[];
  /** What limits: one sentence, and the name in it (a resource, a reason, or `service`). */
  readonly limit: { readonly name: string; readonly sentence: string };
  readonly windows: {
    readonly fromMicros: number;
    readonly widthMicros: number;
    /** Mean number of tasks in each part, by window. */
    readonly parts: Readonly<Record<TimePart, readonly number[]>>;
    /** Mean number of tasks that waited, by reason and window. */
    readonly reasons: Readonly<Record<string, readonly number[]>>;
    /** Share in use, by resource and window; NaN where nothing is known. */
    readonly used: Readonly<Record<ResourceName, readonly number[]>>;
  };
}

const windowCount = 120;
const groupsMax = 20;
const microsPerSecond = 1_000_000;

const resourceColumns: Readonly<Record<ResourceName, readonly [used: string, capacity: string]>> = {
  CPU: ['cpu_used_milli', 'cpu_capacity_milli'],
  memory: ['memory_used_mib', 'memory_capacity_mib'],
  GPU: ['gpu_used_milli', 'gpu_capacity_milli'],
};

/** Reasons that name a resource. */
const resourceOfReason: Readonly<Record<string, ResourceName>> = {
  CPU: 'CPU',
  memory: 'memory',
  'too few GPUs free': 'GPU',
};

interface TaskTimes {
  readonly endMicros: number;
  readonly reason: string;
  /** Microseconds, in the order of {@link timeParts}. */
  readonly micros: readonly number[];
}

interface Loads {
  readonly times: number[];
  readonly agents: string[];
  readonly values: number[][];
}

/** Takes rows of `tasks` and `agent_load` in any order of tables, each in the order of its key. */
export class BottleneckAnalysis {
  private readonly tasks: TaskTimes[] = [];
  private readonly outcomes = new Map<string, number>();
  private readonly groups = new Map<string, { tenant: string; taskClass: string; tasks: number; micros: number[] }>();
  private readonly loads: Loads = { times: [], agents: [], values: [] };

  add(batch: TelemetryBatch): void {
    if (batch.table === 'tasks') this.addTasks(batch);
    else if (batch.table === 'agent_load') this.addLoads(batch);
  }

  /** Undefined if no task has ended. */
  result(): Bottlenecks | undefined {
    if (this.tasks.length === 0) return undefined;
    const span = this.span();
    const windows = this.attribute(span);
    const load = this.utilization(span, windows);
    const parts = timeParts.map((name, index) => ({
      name,
      seconds: this.tasks.reduce((sum, { micros }) => sum + (micros[index] as number), 0) / microsPerSecond,
    }));
    const reasons = new Map<string, number>();
    for (const { reason, micros } of this.tasks) {
      const waited = ((micros[0] as number) + (micros[2] as number)) / microsPerSecond;
      if (waited > 0) reasons.set(reason, (reasons.get(reason) ?? 0) + waited);
    }
    const shares = withShares(parts);
    const kept = withShares([...reasons].map(([name, seconds]) => ({ name, seconds }))).sort(
      (left, right) => right.seconds - left.seconds,
    );
    return {
      tasks: this.tasks.length,
      outcomes: Object.fromEntries(this.outcomes),
      parts: shares,
      reasons: kept,
      groups: this.groupsOfTasks(),
      resources: load.resources,
      limit: limitOf(shares, kept, load.resources),
      windows: { ...span, parts: windows.parts, reasons: windows.reasons, used: load.used },
    };
  }

  private addTasks(batch: TelemetryBatch): void {
    const times = numbersOf(batch, 'time');
    const columns = timeParts.map((part) => numbersOf(batch, `${part}_seconds`));
    const reasons = textsOf(batch, 'wait_reason');
    const outcomes = textsOf(batch, 'outcome');
    const tenants = textsOf(batch, 'tenant');
    const classes = textsOf(batch, 'task_class');
    for (let row = 0; row < batch.count; row++) {
      const micros = columns.map((column) => Math.max(0, (column[row] as number) * microsPerSecond) || 0);
      const reason = reasons[row] === '' ? behindOthers : (reasons[row] as string);
      this.tasks.push({ endMicros: times[row] as number, reason, micros });
      const outcome = outcomes[row] as string;
      this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
      const [tenant, taskClass] = [tenants[row] as string, classes[row] as string];
      const key = `${tenant}\n${taskClass}`;
      let group = this.groups.get(key);
      if (group === undefined) {
        group = { tenant, taskClass, tasks: 0, micros: timeParts.map(() => 0) };
        this.groups.set(key, group);
      }
      group.tasks++;
      for (let part = 0; part < timeParts.length; part++)
        group.micros[part] = (group.micros[part] as number) + (micros[part] as number);
    }
  }

  private addLoads(batch: TelemetryBatch): void {
    const { times, agents, values } = this.loads;
    const columns = resourceNames.flatMap((name) => resourceColumns[name].map((column) => numbersOf(batch, column)));
    const states = textsOf(batch, 'state');
    const rowTimes = numbersOf(batch, 'time');
    const names = textsOf(batch, 'agent');
    for (let row = 0; row < batch.count; row++) {
      times.push(rowTimes[row] as number);
      agents.push(names[row] as string);
      // The capacity of a dead agent is none.
      values.push(columns.map((column) => (states[row] === 'dead' ? 0 : (column[row] as number) || 0)));
    }
  }

  private span(): { readonly fromMicros: number; readonly widthMicros: number } {
    let from = Number.POSITIVE_INFINITY;
    let to = Number.NEGATIVE_INFINITY;
    for (const { endMicros, micros } of this.tasks) {
      from = Math.min(from, endMicros - total(micros));
      to = Math.max(to, endMicros);
    }
    return { fromMicros: from, widthMicros: Math.max(1, (to - from) / windowCount) };
  }

  /** Lays the parts of each task behind one another and spreads them over the windows. */
  private attribute({ fromMicros, widthMicros }: { readonly fromMicros: number; readonly widthMicros: number }) {
    const parts = timeParts.map(() => new Array<number>(windowCount).fill(0));
    const reasons = new Map<string, number[]>();
    for (const { endMicros, reason, micros } of this.tasks) {
      let at = endMicros - total(micros);
      for (let part = 0; part < timeParts.length; part++) {
        const until = at + (micros[part] as number);
        spread(parts[part] as number[], at, until, fromMicros, widthMicros);
        if (part === 0 || part === 2) {
          let own = reasons.get(reason);
          if (own === undefined) {
            own = new Array<number>(windowCount).fill(0);
            reasons.set(reason, own);
          }
          spread(own, at, until, fromMicros, widthMicros);
        }
        at = until;
      }
    }
    return {
      parts: Object.fromEntries(timeParts.map((name, index) => [name, parts[index]])) as Record<TimePart, number[]>,
      reasons: Object.fromEntries(reasons),
    };
  }

  private utilization(
    { fromMicros, widthMicros }: { readonly fromMicros: number; readonly widthMicros: number },
    windows: { readonly parts: Readonly<Record<TimePart, readonly number[]>> },
  ) {
    const columnCount = resourceNames.length * 2;
    const sums = Array.from({ length: columnCount }, () => new Array<number>(windowCount).fill(0));
    const now = new Array<number>(columnCount).fill(0);
    const latest = new Map<string, readonly number[]>();
    const { times, agents, values } = this.loads;
    const endMicros = fromMicros + widthMicros * windowCount;
    for (let row = 0; row < times.length; row++) {
      const before = latest.get(agents[row] as string);
      const next = values[row] as readonly number[];
      latest.set(agents[row] as string, next);
      for (let column = 0; column < columnCount; column++)
        now[column] = (now[column] as number) + (next[column] as number) - (before?.[column] ?? 0);
      // From this row to the next nothing changes.
      const until = row + 1 < times.length ? (times[row + 1] as number) : endMicros;
      for (let column = 0; column < columnCount; column++)
        spread(sums[column] as number[], times[row] as number, until, fromMicros, widthMicros, now[column]);
    }
    const waiting = windows.parts.queue.map((queue, index) => queue + (windows.parts.retry[index] as number));
    const share = (resource: number, among: (window: number) => boolean): number | undefined => {
      let used = 0;
      let capacity = 0;
      for (let window = 0; window < windowCount; window++) {
        if (!among(window)) continue;
        used += sums[resource * 2]?.[window] as number;
        capacity += sums[resource * 2 + 1]?.[window] as number;
      }
      return capacity > 0 ? used / capacity : undefined;
    };
    const used = resourceNames.map((_, resource) =>
      (sums[resource * 2] as number[]).map((sum, window) => {
        const capacity = sums[resource * 2 + 1]?.[window] as number;
        return capacity > 0 ? sum / capacity : Number.NaN;
      }),
    );
    return {
      resources: resourceNames.map((name, resource) => ({
        name,
        used: share(resource, () => true),
        usedWhileWaiting: share(resource, (window) => (waiting[window] as number) >= 1),
      })),
      used: Object.fromEntries(resourceNames.map((name, index) => [name, used[index]])) as Record<
        ResourceName,
        number[]
      >,
    };
  }

  private groupsOfTasks(): GroupOfTasks[] {
    return [...this.groups.values()]
      .sort((left, right) => total(right.micros) - total(left.micros))
      .slice(0, groupsMax)
      .map(({ tenant, taskClass, tasks, micros }) => {
        const mean = (part: number): number => (micros[part] as number) / tasks / microsPerSecond;
        return {
          ...{ tenant, taskClass, tasks, totalMeanSeconds: total(micros) / tasks / microsPerSecond },
          meanSeconds: Object.fromEntries(timeParts.map((name, part) => [name, mean(part)])) as Record<
            TimePart,
            number
          >,
        };
      });
  }
}

/** The largest part says what kind of limit it is; of waiting, its largest reason says which. */
function limitOf(
  parts: readonly ShareOfTime[],
  reasons: readonly ShareOfTime[],
  resources: Bottlenecks['resources'],
): Bottlenecks['limit'] {
  const largest = parts.reduce((best, part) => (part.seconds > best.seconds ? part : best));
  const percent = (share: number): string => `${Math.round(share * 100)}%`;
  if (largest.name !== 'queue' && largest.name !== 'retry')
    return {
      name: largest.name,
      sentence: `${percent(largest.share)} of the tasks' time is ${partMeanings[largest.name as TimePart]}: more machines would not shorten it.`,
    };
  const named = reasons.filter(({ name }) => name !== behindOthers);
  const [first] = named;
  const begin = `${percent(largest.share)} of the tasks' time is ${partMeanings[largest.name as TimePart]}`;
  if (first === undefined)
    return {
      name: behindOthers,
      sentence: `${begin}, behind other tasks: the order of the queue, or its head, keeps them, not a resource.`,
    };
  const resource = resourceOfReason[first.name];
  const use = resources.find(({ name }) => name === resource)?.usedWhileWaiting;
  const limits = `${begin}, ${percent(first.share)} of the waiting for want of: ${first.name}`;
  return {
    name: resource ?? first.name,
    sentence: use === undefined ? `${limits}.` : `${limits} (${percent(use)} in use while tasks waited).`,
  };
}

function withShares(entries: readonly { readonly name: string; readonly seconds: number }[]): ShareOfTime[] {
  const all = entries.reduce((sum, { seconds }) => sum + seconds, 0);
  return entries.map(({ name, seconds }) => ({ name, seconds, share: all > 0 ? seconds / all : 0 }));
}

/** Adds `height` times the part of [from, until) that lies in each window, over the window's width. */
function spread(
  windows: number[],
  from: number,
  until: number,
  originMicros: number,
  widthMicros: number,
  height = 1,
): void {
  if (until <= from || height === 0) return;
  const first = Math.max(0, Math.floor((from - originMicros) / widthMicros));
  const last = Math.min(windowCount - 1, Math.floor((until - originMicros) / widthMicros));
  for (let window = first; window <= last; window++) {
    const begin = originMicros + window * widthMicros;
    const overlap = Math.min(until, begin + widthMicros) - Math.max(from, begin);
    if (overlap > 0) windows[window] = (windows[window] as number) + (height * overlap) / widthMicros;
  }
}

function total(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
