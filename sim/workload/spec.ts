// The `cluster` and `workload` parts of a scenario, as validated values: durations are whole microseconds, paths absolute.

/** Where the machines come from. */
export type ClusterSpec =
  | {
      /** Alibaba openb node list (CSV `sn,cpu_milli,memory_mib,gpu,model`). */
      readonly format: 'openb';
      readonly file: string;
      /** Leave out machines without a GPU. */
      readonly gpuOnly: boolean;
      /** Share of the machines kept, (0, 1]: seeded, the same mix of models by largest remainder. */
      readonly sample: number;
      /** Machines in an order drawn by seed instead of the file's, which moves the tie-break; not with `order`. */
      readonly shuffle?: boolean | undefined;
      /** File (text or .gz) with node numbers in tie-break order, or undefined for the file's order; `{seed}` in its name
       *  stands for the run's seed. */
      readonly order?: string | undefined;
    }
  | {
      /** Groups of equal machines, written in the scenario. */
      readonly format: 'groups';
      readonly groups: readonly MachineGroup[];
    };

export interface MachineGroup {
  readonly name: string;
  readonly count: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly gpuCount: number;
  readonly gpuModel: string;
}

/** When tasks arrive. */
export type ArrivalSpec =
  /** As the trace says; time 0 is the first arrival, or with `origin: 'trace'` the trace's own time 0, for orders that look at
   *  the hour of submission (F1). */
  | { readonly kind: 'trace'; readonly origin?: 'first' | 'trace' | undefined }
  /** The trace's own gaps, stretched so that the offered load of `resource` is `load`. */
  | { readonly kind: 'scaled'; readonly load: number; readonly resource: 'cpu' | 'gpu' }
  /** Tasks drawn from the trace with replacement, Poisson arrivals, at an offered load of `load`; endless. */
  | { readonly kind: 'resampled'; readonly load: number; readonly resource: 'cpu' | 'gpu' }
  /** FGD's protocol: all at time 0 in order, shuffled by seed, drawn with replacement until the GPUs asked for reach
   *  `ratio` of the cluster's; `order` (a file of pod numbers, `{seed}` in its name stands for the run's seed) replaces the draw. */
  | { readonly kind: 'inflated'; readonly ratio: number; readonly order?: string | undefined };

/** What the kernel is told about run times. */
export type EstimateSpec =
  /** The trace's own (SWF requested time, Batsim walltime); the true run time where the trace has none. */
  | { readonly kind: 'trace' }
  /** The true run time: an oracle, for published tables. */
  | { readonly kind: 'exact' }
  /** True run time × exp(σ·z), z standard normal by task: a median-unbiased guess with a multiplicative error. */
  | { readonly kind: 'lognormal'; readonly sigma: number };

export interface DurationSpec {
  readonly capMicros: number;
  readonly minimumMicros: number;
  /** Tasks never end by themselves (FGD's table). */
  readonly endless: boolean;
}

/** How the columns of somebody's CSV map to a task. Each value is a column's name; numbers are read in the unit named. */
export interface CsvColumns {
  readonly name?: string | undefined;
  readonly arrival: string;
  /** Unit of `arrival`, `duration` and `estimate`. */
  readonly timeUnit: 's' | 'ms' | 'us';
  readonly duration: string;
  readonly estimate?: string | undefined;
  readonly cpuMilli?: string | undefined;
  readonly cpuCores?: string | undefined;
  readonly memoryMib?: string | undefined;
  readonly gpuCount?: string | undefined;
  readonly gpuMilli?: string | undefined;
  readonly gpuModels?: string | undefined;
  readonly machineCount?: string | undefined;
  readonly priority?: string | undefined;
  readonly tenant?: string | undefined;
  /** What kind of work a task is: agents are measured by it, and durations forecast. */
  readonly taskClass?: string | undefined;
  /** Name of the gang, empty for none, and its size: tasks that start together. Resampled tasks have none. */
  readonly gang?: string | undefined;
  readonly gangSize?: string | undefined;
  /** Service between two checkpoints, in `timeUnit`. */
  readonly checkpoint?: string | undefined;
}

/** Where the tasks come from. */
export type WorkloadSource =
  | { readonly format: 'openb'; readonly file: string }
  /** `firstJob` (1-based, over the jobs that ran for some time, by job number; a published window that counts from 0 begins
   *  one later) and `jobCount` cut a window; 0 jobs means all. With `{seed}` the run's seed names the first job, so that the
   *  seeds of a scenario are its windows. Each processor is a machine. */
  | { readonly format: 'swf'; readonly file: string; readonly firstJob: number | '{seed}'; readonly jobCount: number }
  /** Requests become tasks of a share of one GPU: `gpuMilli`, and prompt and output tokens over the two speeds as run time. */
  | {
      readonly format: 'azure-llm';
      readonly file: string;
      readonly gpuMilli: number;
      readonly memoryMib: number;
      readonly promptTokensPerSecond: number;
      readonly outputTokensPerSecond: number;
    }
  | { readonly format: 'batsim'; readonly file: string }
  | { readonly format: 'csv'; readonly file: string; readonly columns: CsvColumns }
  | {
      readonly format: 'synthetic';
      /** Mean gap between arrivals, microseconds (of the on-state for `bursty`). */
      readonly gapMicros: number;
      readonly pattern: 'poisson' | 'bursty' | 'diurnal' | 'constant';
      readonly service: {
        readonly distribution: 'exponential' | 'lognormal' | 'pareto' | 'constant';
        readonly meanMicros: number;
        readonly shape: number;
      };
      /** Requests and their relative weights. */
      readonly mix: readonly {
        readonly weight: number;
        readonly cpuMilli: number;
        readonly memoryMib: number;
        readonly gpuCount: number;
        readonly gpuMilli: number;
        readonly gpuModels: readonly string[];
        readonly machineCount: number;
      }[];
      /** Tasks in all; 0 means endless. */
      readonly count: number;
    };

export interface WorkloadSpec {
  readonly source: WorkloadSource;
  readonly arrivals: ArrivalSpec;
  readonly durations: DurationSpec;
  readonly estimates: EstimateSpec;
}
