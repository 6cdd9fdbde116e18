// Queue order UNICEP (UNICEF in its source): long relative waits first, small jobs before large ones.

import { fixedLog2 } from '../../base/fixed-math.ts';
import type { QueueSortPlugin } from '../framework.ts';
import { processorsOf } from './processors.ts';

/** What stands for log2(n) of a single-processor job, which is 0: `floor` lets it count as 1, so that one processor weighs as
 *  two; `tiny` adds 1e-15 to n, as RLScheduler does, so that single-processor jobs come before all others. */
export type SingleProcessorRule = 'floor' | 'tiny';

/**
 * `−w/(log2(n)·r)`, smaller first: w the wait so far and r the requested time in seconds, n the processors. A requested time
 * below a second counts as one.
 * Source: Tang et al., "Fault-aware, utility-based job scheduling on Blue Gene/P systems", CLUSTER 2009, there UNICEF; with
 * `tiny` as in Zhang et al., "RLScheduler", SC 2020, which also adds 1e-15 to w.
 */
export function unicep(rule: SingleProcessorRule = 'floor'): QueueSortPlugin {
  const added = rule === 'tiny' ? 1e-15 : 0;
  const logarithmMin = rule === 'tiny' ? 0 : 1;
  return {
    name: rule === 'tiny' ? 'unicep-rlscheduler' : 'unicep',
    dynamic: true,
    key({ kind, estimateMicros, submittedMicros }, nowMicros) {
      const wait = (nowMicros - submittedMicros) / 1e6;
      const requested = Math.max(estimateMicros, 1e6) / 1e6;
      const size = Math.max(fixedLog2(Math.max(processorsOf(kind), 1) + added), logarithmMin);
      return -(wait + added) / (size * requested);
    },
  };
}
