// One-way network latency as the scenario states it.

import { fixedExp, fixedLog } from '../../core/base/fixed-math.ts';
import type { RandomStream } from '../../core/base/random.ts';
import type { LatencySpec } from '../experiment/scenario.ts';
import { nextNormal } from '../workload/estimator.ts';

/** Draws a latency in whole microseconds with the mean that the scenario states. */
export function sampleLatency(random: RandomStream, spec: LatencySpec): number {
  switch (spec.distribution) {
    case 'constant':
      return spec.meanMicros;
    case 'exponential':
      return Math.round(-spec.meanMicros * fixedLog(1 - random.nextFloat()));
    case 'lognormal':
      // The mean of a lognormal is exp(μ + σ²/2).
      return Math.round(spec.meanMicros * fixedExp(spec.sigma * nextNormal(random) - (spec.sigma * spec.sigma) / 2));
  }
}
