// Queue order first come, first served.

import type { QueueSortPlugin } from '../framework.ts';

/** The key is 0: ties go by task number, which grows with submission. */
export function fcfs(): QueueSortPlugin {
  return { name: 'fcfs', dynamic: false, key: () => 0 };
}
