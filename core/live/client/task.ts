// A task as submitters describe it, and how it ended.

import type { ResourceRequest } from '../../scheduler/request.ts';
import type { TaskOutcome } from '../../scheduler/task.ts';
import type { Tensors } from './tensors.ts';
import type { Parameters } from './work.ts';

/** A task to be done. */
export interface TaskDescription {
  /** It runs on agents that have this function. */
  readonly function: string;
  readonly parameters?: Parameters | undefined;
  readonly inputs?: Tensors | undefined;
  /** Default: a tenth of a core. */
  readonly request?: Partial<ResourceRequest> | undefined;
  /** Expected time of the work; default: one second. */
  readonly estimateMicros?: number | undefined;
  /** Amount of work in the function's own unit, by which measured times are compared; 1 if left out. */
  readonly size?: number | undefined;
  readonly priority?: number | undefined;
  readonly tenant?: string | undefined;
  readonly gang?: { readonly name: string; readonly size: number } | undefined;
  /** Service between two checkpoints that the work saves. */
  readonly checkpointMicros?: number | undefined;
}

/** How a task ended. */
export interface TaskEnd {
  readonly submission: number;
  readonly task: number;
  readonly outcome: TaskOutcome;
  readonly attempts: number;
  /** Of the last attempt, empty if there was none. */
  readonly agent: string;
  readonly outputs: Tensors;
  readonly queueMicros: number;
  readonly serviceMicros: number;
  readonly joules: number;
  /** Why it failed. */
  readonly failure: string;
}

/** A task that the kernel has on its disk. */
export interface SubmittedTask {
  readonly submission: number;
  /** The kernel's number of it; 0 if its acceptance had to be asked for again. */
  readonly task: number;
  /** Its end; never rejected because of how the task ended. */
  readonly ended: Promise<TaskEnd>;
  /** It is wanted no longer. Its end comes as any other. */
  cancel(): void;
}
