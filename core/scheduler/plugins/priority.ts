// Queue order by priority.

import type { QueueSortPlugin } from '../framework.ts';

/** Larger priorities first; ties go by task number, which grows with submission. An evicted task keeps its number, and so its
 *  place. */
export function priority(): QueueSortPlugin {
  return { name: 'priority', dynamic: false, key: (task) => -task.priority };
}
