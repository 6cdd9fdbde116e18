// Queue order F1: a function of run time, size and age found by regression over simulated schedules.

import { fixedLog10 } from '../../base/fixed-math.ts';
import type { QueueSortPlugin } from '../framework.ts';
import { processorsOf } from './processors.ts';

/**
 * `log10(r)·n + 870·log10(s)`, smaller first: r the requested time and s the submit time in seconds, n the processors; an r
 * or s that is not positive counts as 0.1, as in RLScheduler. The submit time is the clock's own, so a schedule depends on
 * the clock's origin: published tables count from the start of the trace, not of the window.
 * Source: F1 of Carastan-Santos and Camargo, "Obtaining dynamic scheduling policies with simulation and machine learning",
 * SC 2017, Table 3; as in Zhang et al., "RLScheduler", SC 2020.
 */
export function f1(): QueueSortPlugin {
  return {
    name: 'f1',
    dynamic: false,
    key({ kind, estimateMicros, submittedMicros }) {
      const requested = estimateMicros > 0 ? estimateMicros / 1e6 : 0.1;
      const submitted = submittedMicros > 0 ? submittedMicros / 1e6 : 0.1;
      return fixedLog10(requested) * processorsOf(kind) + 870 * fixedLog10(submitted);
    },
  };
}
