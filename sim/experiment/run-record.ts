// What one simulated run leaves: plain data that a worker thread hands over.

import type { KernelCounts } from '../../core/kernel/kernel.ts';
import type { GanttBar, SlowTask } from './results.ts';
import type { Observations } from './survival.ts';

/** State at one sample time, and averages since the sample before. */
export interface Samples {
  readonly timeSeconds: number[];
  readonly gpuUtilizationPercent: number[];
  readonly cpuUtilizationPercent: number[];
  readonly queueLength: number[];
  readonly runningTasks: number[];
  readonly fragmentationPercent: number[];
  /** All machines together; empty without a power model. */
  readonly powerWatts: number[];
}

export interface RunRecord {
  readonly policy: string;
  readonly seed: number;
  readonly digest: string;
  readonly counts: KernelCounts;
  readonly simulatedEvents: number;
  readonly wallSeconds: number;
  /** By metric name; null where the run has none. */
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly samples: Samples;
  /** Seconds; tasks that arrived in the measured window. */
  readonly wait: Observations;
  readonly slowdown: Observations;
  readonly completion: Observations;
  readonly gantt: readonly GanttBar[];
  readonly slowest: readonly SlowTask[];
  readonly notes: readonly string[];
  readonly cluster: {
    readonly machines: number;
    readonly gpus: number;
    readonly cpuCores: number;
    readonly models: Readonly<Record<string, number>>;
  };
}
