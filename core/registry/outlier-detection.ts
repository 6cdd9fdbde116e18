// Agents whose results are worse than their peers': tasks that fail one after the other, or run far slower than their estimates
// say while the same estimates hold elsewhere. After Envoy's outlier detection (`OutlierDetection` of its cluster configuration):
// consecutive_5xx, interval, base_ejection_time, max_ejection_time, success_rate_minimum_hosts, success_rate_request_volume; the
// success rate's deviation is replaced by the median of run time over estimate against the fleet's median of those medians.
// It only judges; who keeps work away, and how many may be out at once (max_ejection_percent), is not decided here.

/** Times in microseconds. */
export interface OutlierRules {
  /** Failures in a row at which an agent is ejected (consecutive_5xx); 0 for never. */
  readonly failuresMax: number;
  /** How many times the fleet's median an agent's may be; 0 for no bound. */
  readonly slowFactor: number;
  /** Results that an agent must have, of the last 32 (success_rate_request_volume). */
  readonly samplesMin: number;
  /** Agents with as many results that there must be (success_rate_minimum_hosts). */
  readonly agentsMin: number;
  /** Length of the first ejection (base_ejection_time), of each further one so much more, up to `ejectionMaxMicros`. */
  readonly ejectionFirstMicros: number;
  readonly ejectionMaxMicros: number;
}

const samplesKept = 32;

interface Results {
  /** Run time over estimate of the last completed tasks. */
  ratios: number[];
  failures: number;
  /** Grows with each ejection, falls with each check that finds nothing wrong (Envoy's ejection multiplier). */
  ejections: number;
}

export interface OutlierDetectionState {
  readonly agents: readonly ({ readonly row: number } & Readonly<Results>)[];
}

export class OutlierDetection {
  private readonly agents = new Map<number, Results>();

  /** A task completed after `ratio` times its estimate. */
  completed(row: number, ratio: number): void {
    const results = this.resultsOf(row);
    results.failures = 0;
    results.ratios.push(ratio);
    if (results.ratios.length > samplesKept) results.ratios.shift();
  }

  /** A task failed by itself. True if that is one too many in a row. */
  failed(row: number, rules: OutlierRules): boolean {
    const results = this.resultsOf(row);
    results.failures++;
    return rules.failuresMax > 0 && results.failures >= rules.failuresMax;
  }

  /** The agents that are too slow, the slowest first, ties by row. `isJudged`: those that take part at all. */
  slow(rules: OutlierRules, isJudged: (row: number) => boolean): number[] {
    if (rules.slowFactor === 0) return [];
    const medians: { readonly row: number; readonly median: number }[] = [];
    for (const [row, { ratios }] of this.agents)
      if (ratios.length >= rules.samplesMin && isJudged(row)) medians.push({ row, median: medianOf(ratios) });
    if (medians.length < rules.agentsMin) return [];
    const bound = rules.slowFactor * medianOf(medians.map(({ median }) => median));
    return medians
      .filter(({ median }) => median > bound)
      .sort((left, right) => right.median - left.median || left.row - right.row)
      .map(({ row }) => row);
  }

  /** The agent is ejected: it starts from nothing when it is back. Returns for how long. */
  eject(row: number, rules: OutlierRules): number {
    const results = this.resultsOf(row);
    results.ratios = [];
    results.failures = 0;
    results.ejections++;
    return Math.min(rules.ejectionFirstMicros * results.ejections, rules.ejectionMaxMicros);
  }

  /** A check has found nothing wrong with those that `isSound` names. */
  forgive(isSound: (row: number) => boolean): void {
    for (const [row, results] of this.agents) if (results.ejections > 0 && isSound(row)) results.ejections--;
  }

  save(): OutlierDetectionState {
    return { agents: [...this.agents].map(([row, results]) => ({ row, ...results, ratios: [...results.ratios] })) };
  }

  restore(state: OutlierDetectionState): void {
    for (const { row, ...results } of state.agents) this.agents.set(row, { ...results, ratios: [...results.ratios] });
  }

  private resultsOf(row: number): Results {
    let results = this.agents.get(row);
    if (results === undefined) {
      results = { ratios: [], failures: 0, ejections: 0 };
      this.agents.set(row, results);
    }
    return results;
  }
}

/** The lower one of two. */
function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[(sorted.length - 1) >> 1] as number;
}
