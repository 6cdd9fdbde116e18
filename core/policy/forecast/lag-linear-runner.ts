// Linear on lags, running: the features of now times the coefficients of each step ahead, put back into the unit of the series, and
// straight between the steps that have coefficients.

import { fixedExp, fixedLog } from '../../base/fixed-math.ts';
import type { LagLinearModel } from './forecaster-model.ts';
import { LagFeatures, type LagFeaturesState } from './lag-features.ts';
import type { RunningMember } from './running-member.ts';

export class LagLinearRunner implements RunningMember {
  readonly historyMin: number;
  private readonly constants: LagLinearModel;
  private readonly features: LagFeatures;
  private readonly inputs: Float64Array;

  /** `features` of the series that it was fitted to, to go on with; from the model's history if left out. */
  constructor(model: LagLinearModel, features = LagFeatures.resume(model.history, model)) {
    this.constants = model;
    this.features = features;
    this.historyMin = features.history;
    this.inputs = new Float64Array(features.count);
  }

  forecast(horizon: number): Float64Array {
    const { features, inputs } = this;
    const { steps, scale, coefficients } = this.constants;
    const moment = features.length;
    const level = features.level(moment);
    const points = steps.map((step, which) => {
      features.write(moment, step, level, scale, inputs);
      const first = which * inputs.length;
      let sum = 0;
      for (let at = 0; at < inputs.length; at++) sum += inputs[at]! * coefficients[first + at]!;
      return this.unscaled(level + scale * sum);
    });
    const last = this.unscaled(features.valueAt(moment - 1));
    return interpolate(last, steps, points, horizon);
  }

  /** A value that has no logarithm stands for the least positive one seen. */
  append(value: number): void {
    const { logarithm, least } = this.constants;
    this.features.append(logarithm ? fixedLog(Math.max(value, least)) : value);
  }

  model(weight = 1): LagLinearModel {
    return { ...this.constants, weight, history: this.features.compact() };
  }

  save(): LagFeaturesState {
    return this.features.save();
  }

  restore(state: LagFeaturesState): void {
    this.features.restore(state);
  }

  private unscaled(value: number): number {
    return this.constants.logarithm ? fixedExp(value) : value;
  }
}

/** Values at 1 … `horizon` through the `points` at `steps`, straight between them from `last` on, level after the last one. */
function interpolate(last: number, steps: readonly number[], points: readonly number[], horizon: number): Float64Array {
  const result = new Float64Array(horizon);
  let next = 0;
  let before = 0;
  let from = last;
  for (let step = 1; step <= horizon; step++) {
    while (next < steps.length && steps[next]! < step) {
      before = steps[next]!;
      from = points[next]!;
      next += 1;
    }
    const to = points[next] ?? from;
    const share = next < steps.length ? (step - before) / (steps[next]! - before) : 1;
    result[step - 1] = from + (to - from) * share;
  }
  return result;
}
