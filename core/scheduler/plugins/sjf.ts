// Queue order shortest job first, by the submitter's estimate.

import type { QueueSortPlugin } from '../framework.ts';

/** The key is the estimated run time in microseconds; equal estimates run in order of submission. */
export function sjf(): QueueSortPlugin {
  return { name: 'sjf', dynamic: false, key: (task) => task.estimateMicros };
}
