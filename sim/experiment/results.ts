// The result document: what `sira run --json` prints and `results.json` holds. Its schema is published in
// scenarios/results.schema.json; a test holds both together.

/** A point estimate over seeds with its 95% interval (Student's t over the seeds). `low`/`high` are null below two seeds. */
export interface Estimate {
  /** Mean over the seeds that have the metric; null where none has. */
  readonly mean: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** One value a seed, in the order of `seeds`; null where the metric is undefined (no task finished). */
  readonly perSeed: readonly (number | null)[];
}

export type Better = 'higher' | 'lower' | 'neither';

export interface MetricSpec {
  /** camelCase with the unit last, such as `waitMeanSeconds`. */
  readonly name: string;
  /** For people, such as `mean wait`. */
  readonly title: string;
  /** `%`, `s`, `1` (a ratio), `tasks`, … */
  readonly unit: string;
  readonly better: Better;
  readonly description: string;
}

/** A bound that the scenario sets on a metric's mean over seeds, and the policies that broke it. */
export interface GuardResult {
  readonly metric: string;
  /** Inclusive bounds, in the metric's unit; null where there is none. */
  readonly atMost: number | null;
  readonly atLeast: number | null;
  readonly violations: readonly { readonly policy: string; readonly value: number }[];
}

/** One metric of one policy against the baseline, paired by seed. */
export interface Comparison {
  readonly policy: string;
  readonly baseline: string;
  readonly metric: string;
  /** policy − baseline: mean of the paired differences and 95% interval. */
  readonly difference: Estimate;
  /** Two-sided p of the paired t test, null below two seeds. */
  readonly pValue: number | null;
  /** After Holm's correction over the policies compared on this metric. */
  readonly pHolm: number | null;
  readonly verdict: 'better' | 'worse' | 'cannot tell';
}

/** A curve sampled at common times: one array a series, all as long as `timeSeconds`. Means over seeds. */
export interface TimeSeries {
  /** Seconds since the start of the run, warm-up included, ascending. */
  readonly timeSeconds: readonly number[];
  readonly gpuUtilizationPercent: readonly number[];
  readonly cpuUtilizationPercent: readonly number[];
  readonly queueLength: readonly number[];
  readonly runningTasks: readonly number[];
  /** Share of the free GPU milli that the typical task cannot use, percent of capacity; empty if there are no GPUs. */
  readonly fragmentationPercent: readonly number[];
  /** Watts drawn by all machines together; left out without a power model. */
  readonly powerWatts?: readonly number[];
}

/** An empirical distribution: `value[i]` is the quantile `probability[i]`, pooled over seeds. */
export interface Distribution {
  readonly probability: readonly number[];
  readonly value: readonly number[];
}

/** One bar of the Gantt view, of the first seed: seconds since the start of measurement. */
export interface GanttBar {
  readonly machine: string;
  readonly task: string;
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly gpuMilli: number;
}

export interface SlowTask {
  readonly task: string;
  /** Number to give to `sira explain RUN --task ID`. */
  readonly id: number;
  readonly seed: number;
  readonly waitSeconds: number;
  readonly runSeconds: number;
  readonly request: string;
  /** Why it waited, one sentence. */
  readonly reason: string;
}

export interface RunDigest {
  readonly seed: number;
  /** Running digest over all effects, 16 hex digits. */
  readonly digest: string;
  readonly placements: number;
  readonly kernelInputs: number;
  readonly kernelTimers: number;
  readonly kernelEffects: number;
  readonly simulatedEvents: number;
  readonly wallSeconds: number;
}

export interface PolicyResult {
  readonly name: string;
  /** One line for people: `FCFS order, fgd placement, unplaced tasks are skipped`. */
  readonly description: string;
  readonly metrics: Readonly<Record<string, Estimate>>;
  readonly runs: readonly RunDigest[];
  readonly series: TimeSeries;
  readonly wait: Distribution;
  readonly slowdown: Distribution;
  readonly completion: Distribution;
  readonly gantt: readonly GanttBar[];
  readonly slowest: readonly SlowTask[];
  /** False if the queue still grew over the measured window (mean over seeds); then waits depend on the horizon. */
  readonly stationary: boolean;
}

export interface ResultDocument {
  readonly format: 'sira-results';
  readonly formatVersion: 1;
  readonly siraVersion: string;
  readonly createdAt: string;
  /** The command that makes this document again. */
  readonly command: string;
  readonly scenario: {
    readonly name: string;
    readonly description: string;
    /** Path as given. */
    readonly file: string;
    /** The YAML as text. */
    readonly source: string;
    /** SHA-256 over the scenario and every file it names, hex. */
    readonly contentHash: string;
  };
  readonly seeds: readonly number[];
  readonly cluster: {
    readonly machines: number;
    readonly gpus: number;
    readonly cpuCores: number;
    readonly models: Readonly<Record<string, number>>;
  };
  readonly notes: readonly string[];
  readonly warmUpSeconds: number;
  readonly measuredSeconds: number;
  readonly metrics: readonly MetricSpec[];
  /** Metric that ranks policies. */
  readonly objective: string;
  readonly baseline: string;
  readonly policies: readonly PolicyResult[];
  readonly comparisons: readonly Comparison[];
  /** Every guard of the scenario, kept or broken. */
  readonly guards: readonly GuardResult[];
  readonly wallSeconds: number;
}
