// Runs of a placement policy that are judged as a whole: what evolution trains on. A run is a seed; the policy comes as the artifact that
// the kernel would be given, or not at all, and then the placement that it falls back to decides alone.

/** Metrics of one run by name; the first is what is judged. */
export type RunMetrics = Readonly<Record<string, number>>;

/** Takes one row of `placement/1`. */
export type TakeRow = (row: Float64Array) => void;

export interface WholeRuns {
  /** Placement that the policy corrects, and falls back to. */
  readonly fallback: string;
  /** Whether more of the metric is better. */
  readonly isMoreBetter: boolean;
  /** `artifact`: base64. */
  play(seed: number, artifact: string | undefined): RunMetrics;
  /** Rows that the fallback meets in that run: some of the machines that could take some of the tasks. */
  measure(seed: number, take: TakeRow): void;
  /** Runs that no training sees. */
  readonly tests: readonly TestRun[];
  /** Absolute; what the runs are made of. */
  readonly files: readonly string[];
}

export interface TestRun {
  readonly name: string;
  play(artifact: string | undefined): RunMetrics;
}
