// Intervals without a model of the data: resamples what was seen (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993,
// ch. 13: percentile intervals). Paired differences are resampled as wholes; a series whose neighbours resemble each other is
// resampled in blocks (Künsch, "The jackknife and the bootstrap for general stationary observations", Ann. Stat. 1989). The same
// seed gives the same interval.

import { assert } from '../../core/base/assert.ts';
import { RandomStream } from '../../core/base/random.ts';

export interface BootstrapOptions {
  /** Resamples; 2,000 if left out. */
  readonly resamples?: number | undefined;
  readonly seed?: number | undefined;
  /** Probability that the interval is to cover the truth; 0.95 if left out. */
  readonly level?: number | undefined;
  /** Neighbours that are resampled together; 1 if left out. */
  readonly blockLength?: number | undefined;
}

export interface BootstrapInterval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** Share of resamples on the side of zero that is rarer, twice: how little "no difference" explains. */
  readonly pValue: number;
  readonly count: number;
}

/** Mean of `values` with its interval; undefined below two blocks of them. */
export function bootstrapMean(
  values: ArrayLike<number>,
  options: BootstrapOptions = {},
): BootstrapInterval | undefined {
  const { resamples = 2000, seed = 1, level = 0.95, blockLength = 1 } = options;
  const count = values.length;
  assert(Number.isInteger(blockLength) && blockLength >= 1, 'a block has a whole number of values');
  if (count < 2 * blockLength) return undefined;
  const sums = new Float64Array(count + 1);
  for (let index = 0; index < count; index++) sums[index + 1] = (sums[index] as number) + (values[index] as number);
  const random = new RandomStream(seed, 'bootstrap');
  const means = new Float64Array(resamples);
  const blocks = Math.ceil(count / blockLength);
  for (let resample = 0; resample < resamples; resample++) {
    let sum = 0;
    for (let block = 0; block < blocks; block++) {
      const start = random.nextBelow(count - blockLength + 1);
      sum += (sums[start + blockLength] as number) - (sums[start] as number);
    }
    means[resample] = sum / (blocks * blockLength);
  }
  means.sort((left, right) => left - right);
  const at = (share: number): number =>
    means[Math.min(resamples - 1, Math.max(0, Math.floor(share * resamples)))] as number;
  const below = means.reduce((sum, mean) => sum + (mean < 0 ? 1 : mean === 0 ? 0.5 : 0), 0) / resamples;
  return {
    mean: (sums[count] as number) / count,
    low: at((1 - level) / 2),
    high: at((1 + level) / 2),
    // No finer than the resamples can tell.
    pValue: Math.min(1, Math.max(2 / resamples, 2 * Math.min(below, 1 - below))),
    count,
  };
}

/** The same for the differences `treated − control`, pair by pair. */
export function pairedBootstrap(
  treated: readonly number[],
  control: readonly number[],
  options: BootstrapOptions = {},
): BootstrapInterval | undefined {
  assert(treated.length === control.length, 'paired samples have one length');
  return bootstrapMean(
    treated.map((value, index) => value - (control[index] as number)),
    options,
  );
}
