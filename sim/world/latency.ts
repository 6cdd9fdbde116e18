// One-way network latency as a scenario states it.

import type { RandomStream } from '../../core/base/random.ts';
import { sampleExponential, sampleLognormal } from '../engine/distributions.ts';

/** A distribution of one-way network latency, microseconds. */
export interface LatencySpec {
  readonly distribution: 'constant' | 'exponential' | 'lognormal';
  readonly meanMicros: number;
  /** Lognormal only: σ of the logarithm. */
  readonly sigma: number;
}

/** Draws a latency in whole microseconds with the mean that the scenario states. */
export function sampleLatency(random: RandomStream, spec: LatencySpec): number {
  switch (spec.distribution) {
    case 'constant':
      return spec.meanMicros;
    case 'exponential':
      return Math.round(sampleExponential(random, spec.meanMicros));
    case 'lognormal':
      // The mean of a lognormal is exp(μ + σ²/2).
      return Math.round(spec.meanMicros * sampleLognormal(random, -(spec.sigma * spec.sigma) / 2, spec.sigma));
  }
}
