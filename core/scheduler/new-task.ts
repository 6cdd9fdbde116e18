// A task at the moment of its acceptance: waiting, never tried.

import type { Task } from './task.ts';

/** What is known of a task when it is accepted. */
export type NewTask = Pick<
  Task,
  | 'task'
  | 'submitter'
  | 'submission'
  | 'tenant'
  | 'kind'
  | 'submittedMicros'
  | 'estimateMicros'
  | 'priority'
  | 'checkpointMicros'
  | 'gangSize'
> & { readonly size?: number | undefined };

export function newTask(known: NewTask): Task {
  return {
    // Field by field, so that all tasks have one shape.
    task: known.task,
    submitter: known.submitter,
    submission: known.submission,
    tenant: known.tenant,
    kind: known.kind,
    submittedMicros: known.submittedMicros,
    estimateMicros: known.estimateMicros,
    priority: known.priority,
    checkpointMicros: known.checkpointMicros,
    gangSize: known.gangSize,
    size: known.size ?? 1,
    state: 'waiting',
    attempts: 0,
    preemptions: 0,
    progressMicros: 0,
    backoffs: 0,
    overtaken: 0,
    gang: undefined,
    explained: false,
    cancelled: false,
    queueKey: 0,
    queueIndex: -1,
  };
}
