// How features are distributed: what the network's inputs are standardized by, and the bounds beyond which a policy knows nothing.

import { binOf, distributionOf, type InputDistribution } from '../../core/policy/input-distribution.ts';
import type { PolicyFeature } from '../../core/policy/policy-manifest.ts';

export class FeatureScaler {
  readonly names: readonly string[];
  private count = 0;
  private readonly sums: Float64Array;
  private readonly squares: Float64Array;
  private readonly minima: Float64Array;
  private readonly maxima: Float64Array;
  /** Fixed by {@link freeze}; (value − mean)/deviation is what the network sees. */
  readonly means: Float64Array;
  readonly deviations: Float64Array;
  /** Rows of candidates that were chosen until {@link freeze}; from then on they are counted. */
  private chosen: Float64Array[] = [];
  private distributions: { readonly edges: readonly number[]; readonly counts: number[] }[] = [];

  constructor(names: readonly string[]) {
    this.names = names;
    this.sums = new Float64Array(names.length);
    this.squares = new Float64Array(names.length);
    this.minima = new Float64Array(names.length).fill(Number.POSITIVE_INFINITY);
    this.maxima = new Float64Array(names.length).fill(Number.NEGATIVE_INFINITY);
    this.means = new Float64Array(names.length);
    this.deviations = new Float64Array(names.length).fill(1);
  }

  /** Raw rows, row-major. */
  add(rows: Float64Array, count: number): void {
    const width = this.names.length;
    for (let place = 0; place < count * width; place++) {
      const feature = place % width;
      const value = rows[place]!;
      this.sums[feature]! += value;
      this.squares[feature]! += value * value;
      if (value < this.minima[feature]!) this.minima[feature] = value;
      if (value > this.maxima[feature]!) this.maxima[feature] = value;
    }
    this.count += count;
  }

  /** One raw row, of the candidate that was chosen: each task is, once. */
  addChosen(row: Float64Array): void {
    if (this.distributions.length === 0) {
      this.chosen.push(row.slice());
      return;
    }
    for (const [feature, { edges, counts }] of this.distributions.entries()) counts[binOf(edges, row[feature]!)]!++;
  }

  /** From now on means and deviations stay; bounds go on widening. A feature that never varies keeps deviation 1. */
  freeze(): void {
    for (let feature = 0; feature < this.names.length; feature++) {
      const mean = this.sums[feature]! / this.count;
      const variance = this.squares[feature]! / this.count - mean * mean;
      // As float32, so that what is trained is what is exported.
      this.means[feature] = Math.fround(mean);
      this.deviations[feature] = variance > 1e-8 ? Math.fround(Math.sqrt(variance)) : 1;
    }
    if (this.chosen.length === 0) return;
    this.distributions = this.names.map((_, feature) => {
      const { edges, counts } = distributionOf(this.chosen.map((row) => row[feature]!));
      return { edges, counts: [...counts] };
    });
    this.chosen = [];
  }

  /** Standardizes rows in place. */
  apply(rows: Float64Array, at: number, count: number): void {
    const width = this.names.length;
    for (let row = 0; row < count; row++) {
      for (let feature = 0; feature < width; feature++) {
        const place = at + row * width + feature;
        rows[place] = (rows[place]! - this.means[feature]!) / this.deviations[feature]!;
      }
    }
  }

  /** The distribution as an artifact tells it; bounds are widened by a tenth of a deviation. */
  features(): PolicyFeature[] {
    return this.names.map((name, feature) => ({
      name,
      mean: this.means[feature]!,
      deviation: this.deviations[feature]!,
      minimum: this.minima[feature]! - this.deviations[feature]! / 10,
      maximum: this.maxima[feature]! + this.deviations[feature]! / 10,
      ...this.distributionAt(feature),
    }));
  }

  save(): object {
    const columns = { sums: this.sums, squares: this.squares, minima: this.minima, maxima: this.maxima };
    const kept = { ...columns, means: this.means, deviations: this.deviations };
    return {
      count: this.count,
      distributions: this.distributions,
      ...Object.fromEntries(Object.entries(kept).map(([name, values]) => [name, [...values]])),
    };
  }

  restore(saved: object): void {
    const { count, distributions, ...columns } = saved as Saved;
    this.count = count;
    this.distributions = (distributions ?? []).map(({ edges, counts }) => ({ edges, counts: [...counts] }));
    for (const name of ['sums', 'squares', 'minima', 'maxima', 'means', 'deviations'] as const)
      (this[name] as Float64Array).set(columns[name]!);
  }

  private distributionAt(feature: number): { readonly distribution?: InputDistribution } {
    const counted = this.distributions[feature];
    return counted === undefined ? {} : { distribution: { edges: counted.edges, counts: [...counted.counts] } };
  }
}

type Saved = { readonly count: number; readonly distributions?: readonly InputDistribution[] } & Readonly<
  Record<ScalerColumn, readonly number[]>
>;
type ScalerColumn = 'sums' | 'squares' | 'minima' | 'maxima' | 'means' | 'deviations';
