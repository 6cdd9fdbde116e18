// How the values of one input are distributed, as a histogram, and how far other values are from that: the population stability
// index, Σ (qᵢ − pᵢ)·ln(qᵢ/pᵢ) over the bins (Siddiqi, "Credit Risk Scorecards", Wiley 2006: below 0.1 nothing has shifted, above
// 0.25 much has). Of n independent values from the same distribution it is about χ² of bins − 1 degrees of freedom, over n
// (Yurdakul and Naranjo, "Statistical properties of the population stability index", Journal of Risk Model Validation 2020).
// Whether a shift matters is decided elsewhere.

import { assert } from '../base/assert.ts';
import { fixedLog } from '../base/fixed-math.ts';

/** Bin i holds the values v with edges[i − 1] ≤ v < edges[i]; the first and the last are open to one side. */
export interface InputDistribution {
  /** Rising, at least one. */
  readonly edges: readonly number[];
  /** Values seen in each bin: one more than edges. */
  readonly counts: readonly number[];
}

/** As many bins as edges can tell apart, at most. */
export const distributionBinsMax = 32;

/** Values that a window is believed to have seen of the reference besides its own, so that an empty bin is no infinity. */
const referenceWeight = 5;

/** Tenths of what was seen, and a bin on either side for what never was; values that repeat often fill a bin of their own. */
export function distributionOf(values: readonly number[]): InputDistribution {
  assert(values.length > 0, 'a distribution is of something');
  const sorted = [...values].sort((left, right) => left - right);
  const edges: number[] = [];
  const cutAt = (edge: number): void => {
    if (edges.length === 0 || edge > (edges.at(-1) as number)) edges.push(edge);
  };
  let before = Number.NaN;
  for (let tenth = 0; tenth < 10; tenth++) {
    const value = sorted[Math.floor((tenth * sorted.length) / 10)] as number;
    cutAt(value === before ? justAbove(value) : value);
    before = value;
  }
  cutAt(justAbove(sorted.at(-1) as number));
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const value of values) counts[binOf(edges, value)] = (counts[binOf(edges, value)] as number) + 1;
  return { edges, counts };
}

function justAbove(value: number): number {
  return value + 1e-9 * Math.max(1, Math.abs(value));
}

/** The bin of a value. */
export function binOf(edges: readonly number[], value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value < (edges[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** How far `counts` over the bins of `reference` are from it. */
export function populationStability(reference: InputDistribution, counts: readonly number[]): number {
  const bins = reference.counts.length;
  assert(counts.length === bins, 'both have the same bins');
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const expectedTotal = sum(reference.counts) + bins / 2;
  const seenTotal = sum(counts) + referenceWeight;
  let index = 0;
  for (let bin = 0; bin < bins; bin++) {
    const expected = ((reference.counts[bin] as number) + 0.5) / expectedTotal;
    const seen = ((counts[bin] as number) + referenceWeight * expected) / seenTotal;
    index += (seen - expected) * fixedLog(seen / expected);
  }
  return index;
}

/** The values of a window over the bins of a distribution. */
export function countsOf({ edges }: InputDistribution, values: readonly number[]): number[] {
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const value of values) {
    const bin = binOf(edges, value);
    counts[bin] = (counts[bin] as number) + 1;
  }
  return counts;
}
