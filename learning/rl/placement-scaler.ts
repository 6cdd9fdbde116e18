// How the features of `placement/1` are distributed. Each of them belongs to one class of requests and is 0 for the others, so it is
// measured on the rows of its own class alone, and scaled without being shifted: 0 goes on saying "not of this class".

import {
  placementColumnCount,
  placementFeatureCount,
  placementFeatureNames,
} from '../../core/policy/placement-features.ts';
import type { PolicyFeature } from '../../core/policy/policy-manifest.ts';

/** A feature that varies by less does not vary. */
const deviationMin = 1e-6;
/** Bounds are widened by so many deviations. */
const margin = 0.5;

export class PlacementScaler {
  private readonly counts = new Float64Array(placementFeatureCount);
  private readonly sums = new Float64Array(placementFeatureCount);
  private readonly squares = new Float64Array(placementFeatureCount);
  private readonly minima = new Float64Array(placementFeatureCount);
  private readonly maxima = new Float64Array(placementFeatureCount);

  add(row: Float64Array): void {
    const first = classOf(row) * placementColumnCount;
    for (let feature = first; feature < first + placementColumnCount; feature++) {
      const value = row[feature]!;
      this.counts[feature]!++;
      this.sums[feature]! += value;
      this.squares[feature]! += value * value;
      if (value < this.minima[feature]!) this.minima[feature] = value;
      if (value > this.maxima[feature]!) this.maxima[feature] = value;
    }
  }

  /** Features that vary, by index: the others can tell no two machines apart. */
  get varying(): number[] {
    return placementFeatureNames.flatMap((_, feature) => (this.deviation(feature) > deviationMin ? [feature] : []));
  }

  features(): PolicyFeature[] {
    return placementFeatureNames.map((name, feature) => {
      const measured = this.deviation(feature);
      const deviation = measured > deviationMin ? Math.fround(measured) : 1;
      return {
        name,
        mean: 0,
        deviation,
        minimum: this.minima[feature]! - margin * deviation,
        maximum: this.maxima[feature]! + margin * deviation,
      };
    });
  }

  private deviation(feature: number): number {
    const count = this.counts[feature]!;
    if (count === 0) return 0;
    const mean = this.sums[feature]! / count;
    return Math.sqrt(Math.max(0, this.squares[feature]! / count - mean * mean));
  }
}

/** The class whose columns are not all 0: that of `gangRoom`, which is above 0 for a machine that fits. */
function classOf(row: Float64Array): number {
  const room = placementFeatureNames.findIndex((name) => name.endsWith('.gangRoom'));
  for (let at = room; at < placementFeatureCount; at += placementColumnCount)
    if (row[at]! > 0) return Math.floor(at / placementColumnCount);
  return 0;
}
