// What keeps a learned policy from doing harm at run time. A network may decide only where its inputs are like those of its
// training, within its budget of operations, and if its answers are numbers; otherwise the fallback decides, and it is
// counted which of these it was.

import type { PolicyFeature, PolicyShield } from './policy-manifest.ts';

/** Decisions since the policy was installed. */
export interface ShieldCounts {
  decisions: number;
  /** Inputs outside of the training's distribution. */
  outside: number;
  /** The budget of operations would not have been enough. */
  overBudget: number;
  /** A score that is no number. */
  broken: number;
}

export class Shield {
  readonly counts: ShieldCounts = { decisions: 0, outside: 0, overBudget: 0, broken: 0 };
  private readonly shield: PolicyShield;
  private readonly minima: Float64Array;
  private readonly maxima: Float64Array;

  constructor(shield: PolicyShield, features: readonly PolicyFeature[]) {
    this.shield = shield;
    this.minima = Float64Array.from(features, ({ minimum }) => minimum);
    this.maxima = Float64Array.from(features, ({ maximum }) => maximum);
  }

  /** Counts a decision; true if the network may look at its inputs: `count` rows of raw features, row-major. */
  admits(features: Float64Array, count: number, operations: number): boolean {
    this.counts.decisions++;
    if (operations > this.shield.operationsMax) {
      this.counts.overBudget++;
      return false;
    }
    let candidatesOutside = 0;
    for (let candidate = 0; candidate < count; candidate++)
      if (this.isOutside(features, candidate)) candidatesOutside++;
    return this.admitsShare(count, candidatesOutside);
  }

  /** As {@link admits}, for candidates that were looked at before: `outside` of them were outside. */
  admitsCandidates(count: number, outside: number, operations: number): boolean {
    this.counts.decisions++;
    if (operations > this.shield.operationsMax) {
      this.counts.overBudget++;
      return false;
    }
    return this.admitsShare(count, outside);
  }

  /** Whether row number `candidate` is outside of the training's distribution. */
  isOutside(features: Float64Array, candidate: number): boolean {
    const width = this.minima.length;
    let featuresOutside = 0;
    for (let feature = 0; feature < width; feature++) {
      const value = features[candidate * width + feature] as number;
      if (!(value >= (this.minima[feature] as number) && value <= (this.maxima[feature] as number))) featuresOutside++;
    }
    return featuresOutside > this.shield.featuresOutsideMax * width;
  }

  private admitsShare(count: number, outside: number): boolean {
    if (outside <= this.shield.candidatesOutsideMax * count) return true;
    this.counts.outside++;
    return false;
  }

  /** True if all scores are finite; otherwise the decision is counted as broken. */
  accepts(scores: Float64Array, count: number): boolean {
    for (let candidate = 0; candidate < count; candidate++) {
      if (Number.isFinite(scores[candidate] as number)) continue;
      this.counts.broken++;
      return false;
    }
    return true;
  }
}
