// From what a submission and the reports about it say to what the scheduler knows of a task.

import { newTask } from '../scheduler/new-task.ts';
import type { RequestKind } from '../scheduler/request.ts';
import type { Task } from '../scheduler/task.ts';
import type { TaskSubmitted } from './inputs.ts';

/** The accepted task, by the kernel's own number. */
export function submittedTask(input: TaskSubmitted, task: number, kind: RequestKind, nowMicros: number): Task {
  return newTask({
    task,
    submitter: input.submitter,
    submission: input.submission,
    tenant: input.tenant,
    kind,
    submittedMicros: nowMicros,
    estimateMicros: input.estimateMicros,
    priority: input.priority,
    checkpointMicros: input.checkpointMicros ?? 0,
    gangSize: input.gang?.size ?? 0,
    size: input.size,
  });
}

/** An agent reports a checkpoint. What none can hold is not believed, and progress never falls. */
export function noteProgress(task: Task, progressMicros: number): void {
  if (task.checkpointMicros > 0 && progressMicros > task.progressMicros && Number.isSafeInteger(progressMicros))
    task.progressMicros = progressMicros;
}
