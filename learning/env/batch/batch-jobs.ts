// Batch jobs as columns: one typed array a property, in order of arrival.

import { readSwfJobs } from '../../../sim/workload/swf-jobs.ts';

export interface BatchJobs {
  readonly count: number;
  /** Seconds of the trace's clock, rising. */
  readonly submitSeconds: Float64Array;
  readonly runSeconds: Float64Array;
  /** What the scheduler is told. */
  readonly estimateSeconds: Float64Array;
  readonly processors: Int32Array;
}

/** All jobs of a trace in Standard Workload Format. Throws what `readSwfJobs` throws. */
export function readBatchJobs(file: string): BatchJobs {
  const { tasks } = readSwfJobs({ file, firstJob: 1, jobCount: 0 });
  const seconds = (pick: (task: (typeof tasks)[number]) => number): Float64Array =>
    Float64Array.from(tasks, (task) => pick(task) / 1e6);
  return {
    count: tasks.length,
    submitSeconds: seconds((task) => task.arrivalMicros),
    runSeconds: seconds((task) => task.durationMicros),
    estimateSeconds: seconds((task) => task.estimateMicros ?? task.durationMicros),
    processors: Int32Array.from(tasks, (task) => task.request.machineCount),
  };
}

/** `count` jobs from number `first`, counted from 0. */
export function sliceJobs(jobs: BatchJobs, first: number, count: number): BatchJobs {
  const end = first + count;
  return {
    count,
    submitSeconds: jobs.submitSeconds.subarray(first, end),
    runSeconds: jobs.runSeconds.subarray(first, end),
    estimateSeconds: jobs.estimateSeconds.subarray(first, end),
    processors: jobs.processors.subarray(first, end),
  };
}
