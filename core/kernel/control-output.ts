// What the control machine needs of the kernel that it is part of.

import type { Effect, TaskEnded } from './effects.ts';

/** What the control machine hands to its composition. */
export interface ControlOutput {
  emit(effect: Effect): void;
  /** Publish the end of a task to its submitter's topic. */
  publishEnd(submitter: number, ended: TaskEnded): void;
  /** A submitter is new: what is published for it from now on must be kept until it has taken it. */
  openEnds(submitter: number): void;
  /** Nothing more is published for a submitter, unless it comes again; false, and nothing has changed, if it has ends to take. */
  forgetEnds(submitter: number): boolean;
}
