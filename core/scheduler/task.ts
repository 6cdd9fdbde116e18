// A task as the scheduler holds it from acceptance to its end. The record is the kernel's own; what leaves the kernel is a
// message made from it.

import type { QueuedTask } from './framework.ts';
import type { Gang } from './gangs.ts';
import type { RequestKind } from './request.ts';

/** `waiting` covers the three parts of the queue; `placed` lasts from the dispatch to the result. */
export type TaskState = 'waiting' | 'placed' | 'ended';

/** How a task ended. `dropped`: the policy gave it up unplaced; `failed`: its attempts are used up. */
export type TaskOutcome = 'completed' | 'failed' | 'dropped' | 'cancelled';

export interface Task extends QueuedTask {
  readonly task: number;
  /** Who submitted it, and that submitter's own number for it: together they identify the work. */
  readonly submitter: number;
  readonly submission: number;
  readonly tenant: string;
  readonly kind: RequestKind;
  readonly submittedMicros: number;
  readonly estimateMicros: number;
  readonly priority: number;
  /** Service between two checkpoints, microseconds; 0 means none: the task begins anew when it is placed again. */
  readonly checkpointMicros: number;
  /** Members of the gang that it belongs to or once started with; 0 if none. */
  readonly gangSize: number;
  /** How much work it is, in the unit of its class. */
  readonly size: number;
  state: TaskState;
  /** Attempts begun so far. */
  attempts: number;
  /** Attempts that were evicted for a task of higher priority: they do not count as failures. */
  preemptions: number;
  /** Service that its latest known checkpoint holds, microseconds. */
  progressMicros: number;
  /** Times that it backed off unplaced. */
  backoffs: number;
  /** Placements of later tasks while this one stood first in the queue (see `overtakeMax`). */
  overtaken: number;
  /** The gang that it must start with; undefined once that has started. */
  gang: Gang | undefined;
  /** True once a decision record says why it waits. */
  explained: boolean;
  /** Its submitter wants it no longer; it ends when its attempt has stopped. */
  cancelled: boolean;
  /** Key of the queue order as last computed. */
  queueKey: number;
  /** Position in its heap, −1 outside. */
  queueIndex: number;
}

/** One placement of a task: it owns its machines' resources from reservation until it is released. */
export interface Attempt {
  /** Number over all attempts of all tasks: a fencing token, larger is later. */
  readonly attempt: number;
  readonly task: Task;
  readonly kind: RequestKind;
  /** Machine rows; the first one's agent leads and runs the work. */
  readonly machines: readonly number[];
  /** Devices taken on each machine, a bit mask each. */
  readonly deviceMasks: readonly number[];
  /** The how-manieth attempt that the leading agent was given in its present incarnation, from 1. */
  order: number;
  readonly placedMicros: number;
  /** Service done by earlier attempts, from whose checkpoint this one goes on. */
  readonly resumeMicros: number;
  /** When the agent said that it began; −1 before. */
  startedMicros: number;
  /** `cancelling`: no longer the task's current attempt, but its resources are held until the agent says that it stopped or is dead. */
  state: 'dispatched' | 'running' | 'cancelling';
}

/** Order of the queue: the policy's key, then the task's number. The one comparator of waiting tasks. */
export function runsBefore(left: Task, right: Task): boolean {
  return left.queueKey < right.queueKey || (left.queueKey === right.queueKey && left.task < right.task);
}
