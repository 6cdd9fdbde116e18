// Statistics over seeds and tasks: means with Student-t intervals, the paired t test, Holm's correction, quantiles and
// thinned empirical distributions. Keeps the promise that an undefined answer is null, never NaN, so that a result document
// is valid JSON. What is compared with what is comparison.ts's business.

import studentCdf from '@stdlib/stats-base-dists-t-cdf';
import studentQuantile from '@stdlib/stats-base-dists-t-quantile';
import { quantileSorted, mean as sampleMean, sampleStandardDeviation } from 'simple-statistics';
import { assert } from '../../core/base/assert.ts';
import type { Distribution, Estimate } from './results.ts';

/** Points that a thinned distribution keeps at most. */
export const distributionPointsMax = 200;

/** Arithmetic mean (compensated sum), or null for no values. */
export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : sampleMean(values as number[]);
}

/** Sample standard deviation (n − 1), or null below two values. */
export function standardDeviation(values: readonly number[]): number | null {
  return values.length < 2 ? null : sampleStandardDeviation(values as number[]);
}

/**
 * Mean over seeds with its 95% interval, mean ± t₀.₉₇₅,ₙ₋₁ · s/√n. Seeds where the metric is undefined (null) are left out;
 * the interval is null below two defined seeds.
 */
export function estimate(perSeed: readonly (number | null)[]): Estimate {
  const defined = perSeed.filter((value): value is number => value !== null);
  for (const value of defined) assert(Number.isFinite(value), 'a metric is a finite number or null');
  const center = mean(defined);
  const deviation = standardDeviation(defined);
  if (center === null || deviation === null) return { mean: center, low: null, high: null, perSeed: [...perSeed] };
  const half = (studentQuantile(0.975, defined.length - 1) * deviation) / Math.sqrt(defined.length);
  return { mean: center, low: center - half, high: center + half, perSeed: [...perSeed] };
}

/** The paired differences `treated − control` and the two-sided p of the paired t test. */
export interface PairedTest {
  readonly difference: Estimate;
  /** Null below two pairs. 1 if every difference is zero; 0 if all are the same and not zero. */
  readonly pValue: number | null;
}

/** Paired t test; a pair with a null on either side is left out (null in `difference.perSeed`). Both arrays have one length. */
export function pairedTest(treated: readonly (number | null)[], control: readonly (number | null)[]): PairedTest {
  assert(treated.length === control.length, 'paired samples have one length');
  const differences = treated.map((value, seed) => {
    const other = control[seed];
    return value === null || other === null ? null : value - other;
  });
  const difference = estimate(differences);
  const defined = differences.filter((value): value is number => value !== null);
  const deviation = standardDeviation(defined);
  if (difference.mean === null || deviation === null) return { difference, pValue: null };
  if (deviation === 0) return { difference, pValue: difference.mean === 0 ? 1 : 0 };
  const t = (difference.mean * Math.sqrt(defined.length)) / deviation;
  return { difference, pValue: Math.min(1, 2 * studentCdf(-Math.abs(t), defined.length - 1)) };
}

/**
 * Holm's step-down correction (Holm 1979): the i-th smallest of m p-values is multiplied by m − i + 1, made monotone and
 * capped at 1. Nulls (nothing tested) stay null and do not count.
 */
export function holm(pValues: readonly (number | null)[]): (number | null)[] {
  const order = pValues
    .map((pValue, index) => ({ pValue, index }))
    .filter((entry): entry is { pValue: number; index: number } => entry.pValue !== null)
    .sort((a, b) => a.pValue - b.pValue || a.index - b.index);
  const corrected: (number | null)[] = pValues.map(() => null);
  let largest = 0;
  for (let rank = 0; rank < order.length; rank++) {
    const { pValue, index } = order[rank];
    largest = Math.max(largest, Math.min(1, pValue * (order.length - rank)));
    corrected[index] = largest;
  }
  return corrected;
}

/** The `probability` quantile of values in ascending order, interpolated linearly (Hyndman and Fan 1996, type 7), or null for no values. */
export function quantile(ascending: ArrayLike<number>, probability: number): number | null {
  assert(probability >= 0 && probability <= 1, 'a probability is in [0, 1]');
  return ascending.length === 0 ? null : quantileSorted(ascending as number[], probability);
}

/** Ascending copy, as a typed array. Infinite or undefined values are a programmer's error. */
export function ascending(values: ArrayLike<number>): Float64Array {
  const sorted = Float64Array.from(values);
  for (let index = 0; index < sorted.length; index++) assert(Number.isFinite(sorted[index]), 'a sample is finite');
  return sorted.sort((a, b) => a - b);
}

/**
 * Empirical distribution of `values`, thinned to at most `pointsMax` points: `value[i]` is the order statistic of rank
 * r and `probability[i]` is r/n. Half of the points are evenly spaced in probability; the rest approach each end
 * geometrically, so that both tails (the last task of a hundred thousand) survive. First and last value are always kept.
 */
export function distributionOf(values: ArrayLike<number>, pointsMax: number = distributionPointsMax): Distribution {
  assert(pointsMax >= 8, 'a distribution keeps at least 8 points');
  const sorted = ascending(values);
  const count = sorted.length;
  const ranks: number[] = [];
  if (count <= pointsMax) {
    for (let rank = 1; rank <= count; rank++) ranks.push(rank);
  } else {
    const tail = Math.floor(pointsMax / 4);
    const body = pointsMax - 2 * tail;
    const kept = new Set<number>();
    for (let index = 0; index < body; index++) kept.add(1 + Math.round((index * (count - 1)) / (body - 1)));
    // Halving the distance to the end again and again, `tail` steps spread over its octaves.
    let octaves = 0;
    for (let reach = 1; reach < count && octaves < tail; reach *= 2) octaves++;
    const stepsAnOctave = Math.floor(tail / octaves);
    for (let octave = 0, reach = 1; octave < octaves; octave++, reach *= 2) {
      for (let step = 0; step < stepsAnOctave; step++) {
        const depth = Math.floor(reach * (1 + step / stepsAnOctave));
        if (depth >= count) continue;
        kept.add(1 + depth);
        kept.add(count - depth);
      }
    }
    ranks.push(...kept);
    ranks.sort((a, b) => a - b);
  }
  return { probability: ranks.map((rank) => rank / count), value: ranks.map((rank) => sorted[rank - 1]) };
}
