// A variance that is measured while it is already needed: a weighted mean of unbiased measurements and of what was believed
// before the first, within bounds. Weights are those of a forward decay, so the caller says what one is worth now.

import type { VariancePrior } from './skill-settings.ts';

export class MeasuredVariance {
  value: number;
  private sum = 0;
  private weight = 0;
  private readonly prior: VariancePrior;

  constructor(prior: VariancePrior) {
    this.prior = prior;
    this.value = prior.variance;
  }

  /** An unbiased measurement, of weight `scale`; one surprise counts no more than the largest variance. */
  add(square: number, scale: number): void {
    this.sum += scale * Math.min(this.prior.max, square);
    this.weight += scale;
    this.update(scale);
  }

  /** One measurement is worth `scale` now: older ones count the less. */
  update(scale: number): void {
    const { variance, weight, min, max } = this.prior;
    const value = (this.sum + scale * weight * variance) / (this.weight + scale * weight);
    this.value = Math.min(max, Math.max(min, value));
  }

  rescale(factor: number): void {
    this.sum *= factor;
    this.weight *= factor;
  }

  save(): number[] {
    return [this.sum, this.weight, this.value];
  }

  restore([sum, weight, value]: readonly number[]): void {
    this.sum = sum as number;
    this.weight = weight as number;
    this.value = value as number;
  }
}
