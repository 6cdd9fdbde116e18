// The shape of an arrival process: it turns a prepared trace into a stream of tasks, the same each time it starts.

import type { Estimator } from './estimator.ts';
import type { TraceTask } from './trace.ts';
import type { WorkloadTask } from './workload.ts';

/** What every arrival process needs to know of the scenario. */
export interface StreamOptions {
  readonly endless: boolean;
  /** A fresh estimator, at the start of its random stream. */
  readonly startEstimates: () => Estimator;
  readonly seed: number;
}

export interface ArrivalStream {
  /** A fresh iteration of the same tasks. */
  start(): Generator<WorkloadTask, void, undefined>;
  /** One sentence each, for the report. */
  readonly notes: readonly string[];
}

/** The stream's task for a task of the trace. An endless task's estimate is that of its recorded run time. */
export function streamTask(
  task: TraceTask,
  arrivalMicros: number,
  endless: boolean,
  estimate: Estimator,
): WorkloadTask {
  const plain: WorkloadTask = {
    name: task.name,
    arrivalMicros,
    request: task.request,
    durationMicros: endless ? Number.POSITIVE_INFINITY : task.durationMicros,
    estimateMicros: estimate(task.durationMicros, task.estimateMicros),
    priority: task.priority,
    tenant: task.tenant,
  };
  const { checkpointMicros, gang, taskClass } = task;
  const more = checkpointMicros === undefined && gang === undefined ? plain : { ...plain, checkpointMicros, gang };
  return taskClass === undefined ? more : { ...more, taskClass };
}
