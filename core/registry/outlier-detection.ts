// Agents whose results are worse than their peers': tasks that fail one after the other, or run far slower than the same work does
// elsewhere. After Envoy's outlier detection (`OutlierDetection` of its cluster configuration): consecutive_5xx, interval,
// base_ejection_time, max_ejection_time, success_rate_minimum_hosts, success_rate_request_volume; the success rate's deviation is
// replaced by the median of the latest run times over their estimates, each as is usual of its class of tasks, against the fleet's
// median of those medians. The latest count alone: an agent's better days do not excuse it. Work that runs still and is overdue
// counts already, with the time that it has taken so far: it will not have taken less.
// It only judges; who keeps work away, and how many may be out at once (max_ejection_percent), is not decided here.

/** Times in microseconds. */
export interface OutlierRules {
  /** Failures in a row at which an agent is ejected (consecutive_5xx); 0 for never. */
  readonly failuresMax: number;
  /** How many times the fleet's median an agent's may be; 0 for no bound. */
  readonly slowFactor: number;
  /** The latest results that an agent is judged by, if it has as many; up to 32 (success_rate_request_volume). */
  readonly samplesMin: number;
  /** Agents with as many results that there must be (success_rate_minimum_hosts). */
  readonly agentsMin: number;
  /** Length of the first ejection (base_ejection_time), of each further one so much more, up to `ejectionMaxMicros`. */
  readonly ejectionFirstMicros: number;
  readonly ejectionMaxMicros: number;
}

const samplesKept = 32;

/** How long a task took from its placement on, or has taken so far, over its estimate. */
export interface RunTime {
  /** Estimates are compared within a class alone. */
  readonly taskClass: number;
  readonly ratio: number;
}

interface Results {
  /** Of the last completed tasks. */
  times: RunTime[];
  failures: number;
  /** Grows with each ejection, falls with each check that finds nothing wrong (Envoy's ejection multiplier). */
  ejections: number;
}

export interface OutlierDetectionState {
  readonly agents: readonly ({ readonly row: number } & Readonly<Results>)[];
}

export class OutlierDetection {
  private readonly agents = new Map<number, Results>();

  /** A task completed. */
  completed(row: number, time: RunTime): void {
    const results = this.resultsOf(row);
    results.failures = 0;
    results.times.push(time);
    if (results.times.length > samplesKept) results.times.shift();
  }

  /** A task failed by itself. True if that is one too many in a row. */
  failed(row: number, rules: OutlierRules): boolean {
    const results = this.resultsOf(row);
    results.failures++;
    return rules.failuresMax > 0 && results.failures >= rules.failuresMax;
  }

  /** The agents that are too slow, the slowest first, ties by row. `isJudged`: those that take part at all. `running`: what has
   *  not ended yet, by row. */
  slow(
    rules: OutlierRules,
    isJudged: (row: number) => boolean,
    running: ReadonlyMap<number, readonly RunTime[]> = new Map(),
  ): number[] {
    const { samplesMin, slowFactor } = rules;
    if (slowFactor === 0) return [];
    const latest = new Map<number, readonly RunTime[]>();
    for (const [row, { times }] of this.agents) if (isJudged(row)) latest.set(row, times.slice(-samplesMin));
    const usual = usualRatios(latest.values());
    // Of a class that nobody has completed nothing is known.
    const relative = (times: readonly RunTime[]): number[] =>
      times
        .filter(({ taskClass }) => usual.has(taskClass))
        .map((time) => time.ratio / (usual.get(time.taskClass) ?? 1));
    const medians: number[] = [];
    for (const times of latest.values()) if (times.length >= samplesMin) medians.push(medianOf(relative(times)));
    if (medians.length < rules.agentsMin) return [];
    const bound = slowFactor * medianOf(medians);
    const slow: { readonly row: number; readonly median: number }[] = [];
    for (const [row, times] of latest) {
      const overdue = relative(running.get(row) ?? []).filter((ratio) => ratio > bound);
      const ratios = [...relative(times), ...overdue].slice(-samplesMin);
      const median = ratios.length < samplesMin ? 0 : medianOf(ratios);
      if (median > bound) slow.push({ row, median });
    }
    return slow.sort((left, right) => right.median - left.median || left.row - right.row).map(({ row }) => row);
  }

  /** The agent is ejected: it starts from nothing when it is back. Returns for how long. */
  eject(row: number, rules: OutlierRules): number {
    const results = this.resultsOf(row);
    results.times = [];
    results.failures = 0;
    results.ejections++;
    return Math.min(rules.ejectionFirstMicros * results.ejections, rules.ejectionMaxMicros);
  }

  /** A check has found nothing wrong with those that `isSound` names. Who has done nothing since it was ejected has proven nothing. */
  forgive(isSound: (row: number) => boolean): void {
    for (const [row, results] of this.agents)
      if (results.ejections > 0 && results.times.length > 0 && isSound(row)) results.ejections--;
  }

  save(): OutlierDetectionState {
    return { agents: [...this.agents].map(([row, results]) => ({ row, ...results, times: [...results.times] })) };
  }

  restore(state: OutlierDetectionState): void {
    // Snapshots of before had ratios without classes.
    for (const { row, failures, ejections, times = [] } of state.agents)
      this.agents.set(row, { times: [...times], failures, ejections });
  }

  private resultsOf(row: number): Results {
    let results = this.agents.get(row);
    if (results === undefined) {
      results = { times: [], failures: 0, ejections: 0 };
      this.agents.set(row, results);
    }
    return results;
  }
}

/** By class, the median over the agents of each one's median. */
function usualRatios(agents: Iterable<readonly RunTime[]>): Map<number, number> {
  const medians = new Map<number, number[]>();
  for (const times of agents) {
    const own = new Map<number, number[]>();
    for (const { taskClass, ratio } of times) gather(own, taskClass, ratio);
    for (const [taskClass, ratios] of own) gather(medians, taskClass, medianOf(ratios));
  }
  const usual = new Map<number, number>();
  // What takes no time at all is compared with nothing.
  for (const [taskClass, ratios] of medians) usual.set(taskClass, Math.max(Number.MIN_VALUE, medianOf(ratios)));
  return usual;
}

function gather(lists: Map<number, number[]>, key: number, value: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** The lower one of two. */
function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[(sorted.length - 1) >> 1] as number;
}
