// The queue is full: an error that says when to come again.

import { SiraError } from '../../base/errors.ts';

/** Every place in the queue is taken by a task at least as important. */
export class QueueFullError extends SiraError {
  /** When a new submission may find room. */
  readonly retryAfterMicros: number;

  constructor(reason: string, retryAfterMicros: number) {
    super('SIRA_QUEUE_FULL', `${reason}; try again in ${Math.ceil(retryAfterMicros / 1000)} ms`);
    this.retryAfterMicros = retryAfterMicros;
  }
}
