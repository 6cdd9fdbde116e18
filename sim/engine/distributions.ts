// Random variates drawn from a `RandomStream`, with fixed elementary functions so that a seed gives the same bits on every
// machine. Each draw takes a fixed number of uniforms where the method allows it, so that streams stay in step when a
// parameter changes (common random numbers). Rounding to microseconds is left to the caller.

import { assert } from '../../core/base/assert.ts';
import { fixedExp, fixedLog, fixedPow } from '../../core/base/fixed-math.ts';
import type { RandomStream } from '../../core/base/random.ts';

/** A uniform number in (0, 1]: its logarithm is finite. */
function nextPositive(random: RandomStream): number {
  return 1 - random.nextFloat();
}

/** Uniform in [low, high). One uniform. */
export function sampleUniform(random: RandomStream, low: number, high: number): number {
  assert(low <= high, 'a uniform distribution needs low ≤ high');
  return low + (high - low) * random.nextFloat();
}

/** Exponential with the given mean, ≥ 0, by inversion. One uniform. */
export function sampleExponential(random: RandomStream, mean: number): number {
  assert(mean >= 0, 'an exponential distribution needs a mean that is not negative');
  return -mean * fixedLog(nextPositive(random));
}

/** Normal with the given mean and standard deviation ≥ 0: Marsaglia's polar method (SIAM Review 6(3), 1964), one of the pair, so that no
 *  state is kept. Two uniforms a trial, 1.27 trials on average. */
export function sampleNormal(random: RandomStream, mean: number, deviation: number): number {
  assert(deviation >= 0, 'a normal distribution needs a deviation that is not negative');
  for (;;) {
    const x = 2 * random.nextFloat() - 1;
    const y = 2 * random.nextFloat() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return mean + deviation * (x * Math.sqrt((-2 * fixedLog(square)) / square));
  }
}

/** Lognormal: exp of a normal with mean `mu` and standard deviation `sigma` ≥ 0. Its median is exp(mu), its mean exp(mu + sigma²/2). */
export function sampleLognormal(random: RandomStream, mu: number, sigma: number): number {
  return fixedExp(sampleNormal(random, mu, sigma));
}

/** Lognormal with the given mean > 0 and coefficient of variation ≥ 0 (deviation over mean): the form in which latencies are measured. */
export function sampleLognormalByMean(random: RandomStream, mean: number, variation: number): number {
  assert(mean > 0, 'a lognormal distribution needs a positive mean');
  const variance = fixedLog(1 + variation * variation);
  return sampleLognormal(random, fixedLog(mean) - variance / 2, Math.sqrt(variance));
}

/** Pareto of type I: at least `scale` > 0, P(X > x) = (scale/x)^shape, by inversion. Its mean, for shape > 1, is scale·shape/(shape − 1). One uniform. */
export function samplePareto(random: RandomStream, scale: number, shape: number): number {
  assert(scale > 0 && shape > 0, 'a Pareto distribution needs a positive scale and shape');
  return scale * fixedPow(nextPositive(random), -1 / shape);
}

/** Weibull with scale > 0 and shape > 0, by inversion: shape below 1 is burstier than exponential. One uniform. */
export function sampleWeibull(random: RandomStream, scale: number, shape: number): number {
  assert(scale > 0 && shape > 0, 'a Weibull distribution needs a positive scale and shape');
  return scale * fixedPow(-fixedLog(nextPositive(random)), 1 / shape);
}
