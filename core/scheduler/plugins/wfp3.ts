// Queue order WFP3: long relative waits first, large jobs before small ones.

import type { QueueSortPlugin } from '../framework.ts';
import { processorsOf } from './processors.ts';

/**
 * `−(w/r)³·n`, smaller first: w the wait so far and r the requested time, n the processors. A requested time below a
 * second counts as one.
 * Source: Tang et al., "Fault-aware, utility-based job scheduling on Blue Gene/P systems", CLUSTER 2009.
 */
export function wfp3(): QueueSortPlugin {
  return {
    name: 'wfp3',
    dynamic: true,
    key({ kind, estimateMicros, submittedMicros }, nowMicros) {
      const relativeWait = (nowMicros - submittedMicros) / Math.max(estimateMicros, 1e6);
      return -(relativeWait * relativeWait * relativeWait) * processorsOf(kind);
    },
  };
}
