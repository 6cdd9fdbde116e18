// Linear on lags: each step ahead is its own ridge regression on a few features of the past (lag-features.ts), the direct form, so
// that errors do not feed on themselves (Ben Taieb and others, Expert Systems with Applications 39, 2012, section 2). The coefficients
// are drawn towards a naive forecast, not towards zero. Series that are positive throughout are taken by their logarithm.

import { fixedLog } from '../../core/base/fixed-math.ts';
import type { LagLinearModel } from '../../core/policy/forecast/forecaster-model.ts';
import { LagFeatures } from '../../core/policy/forecast/lag-features.ts';
import { LagLinearRunner } from '../../core/policy/forecast/lag-linear-runner.ts';
import { bounded, type FittedForecaster, type Forecaster, type SeriesShape } from './forecaster.ts';
import { NormalEquations } from './ridge.ts';

export interface LagLinearOptions {
  /** Steps ahead that have a regression of their own, ascending from 1 or more; those between are interpolated. */
  readonly steps: readonly number[];
  /** How strongly the coefficients are drawn to those of `towards`, relative to the number of examples; above 0. */
  readonly shrinkage: number;
  readonly towards: 'seasonal-naive' | 'persistence';
  /** A training example begins every so many samples; best without a common divisor with the periods. */
  readonly stride: number;
  /** By the logarithm where all values are positive. */
  readonly logarithm: boolean;
  /** What the fit makes small: `squared` errors aim at the mean, `absolute` ones at the median. */
  readonly loss: 'squared' | 'absolute';
}

/** The steps 1 … `horizon`. */
export function everyStep(horizon: number): number[] {
  return Array.from({ length: horizon }, (_, index) => index + 1);
}

export function lagLinear(options: LagLinearOptions): Forecaster {
  return {
    name: 'lag-linear',
    lengthMin: (shape) => LagFeatures.historyOf(shape) + options.steps.at(-1)! + 2 * LagFeatures.countOf(shape),
    fit: (series, shape) => fitLags(series, shape, options),
  };
}

function fitLags(series: Float64Array, shape: SeriesShape, options: LagLinearOptions): FittedForecaster {
  const examples = new Examples(series, shape, options.logarithm);
  const { features, scale } = examples;
  const prior = new Float64Array(features.count);
  prior[options.towards === 'persistence' ? features.lastAt : 0] = 1;
  const coefficients = options.steps.map((step) => {
    const gathered = examples.gather(step, options.stride);
    return options.loss === 'squared'
      ? leastSquares(gathered, prior, options.shrinkage)
      : leastAbsolute(gathered, prior, options.shrinkage);
  });
  const model: LagLinearModel = {
    ...{ kind: 'lag-linear', weight: 1, periods: shape.periods, steps: options.steps },
    ...{ logarithm: examples.logarithm, least: examples.least, scale },
    ...{ coefficients: joined(coefficients), history: new Float64Array(0) },
  };
  const runner = new LagLinearRunner(model, features);
  return {
    forecast: (horizon) => bounded(runner.forecast(horizon), shape),
    append: (value) => runner.append(value),
    exported: () => [runner.model()],
  };
}

function joined(rows: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(rows.length * rows[0]!.length);
  for (const [index, row] of rows.entries()) all.set(row, index * row.length);
  return all;
}

/** Inputs row by row, and the target of each row. */
interface Gathered {
  readonly inputs: Float64Array;
  readonly targets: Float64Array;
}

function leastSquares({ inputs, targets }: Gathered, prior: Float64Array, shrinkage: number): Float64Array {
  const count = prior.length;
  const equations = new NormalEquations(count, 1);
  for (let row = 0; row < targets.length; row++) equations.add(inputs, row * count, targets, row);
  return equations.solveTowards(prior, shrinkage);
}

/** By least squares again and again, each row weighted by the inverse of its error before (Schlossmacher, Journal of the American
 *  Statistical Association 68, 1973). */
function leastAbsolute({ inputs, targets }: Gathered, prior: Float64Array, shrinkage: number): Float64Array {
  const count = prior.length;
  let coefficients = prior;
  for (let round = 0; round < 12; round++) {
    const equations = new NormalEquations(count, 1);
    for (let row = 0; row < targets.length; row++) {
      let miss = targets[row]!;
      for (let at = 0; at < count; at++) miss -= inputs[row * count + at]! * coefficients[at]!;
      equations.add(inputs, row * count, targets, row, 1 / Math.max(0.02, Math.abs(miss)));
    }
    coefficients = equations.solveTowards(prior, shrinkage);
  }
  return coefficients;
}

/** The examples that one series yields. */
class Examples {
  readonly features: LagFeatures;
  /** Mean absolute change over the shortest season; 1 of a series that never changes. */
  readonly scale: number;
  readonly logarithm: boolean;
  readonly least: number;

  constructor(series: Float64Array, shape: SeriesShape, logarithm: boolean) {
    this.least = series.reduce((lowest, value) => Math.min(lowest, value), Number.POSITIVE_INFINITY);
    this.logarithm = logarithm && this.least > 0;
    const values = this.logarithm ? series.map(fixedLog) : series;
    this.features = new LagFeatures(values, shape);
    const period = shape.periods[0] ?? 1;
    let sum = 0;
    for (let index = period; index < values.length; index++) sum += Math.abs(values[index]! - values[index - period]!);
    this.scale = sum > 0 ? sum / (values.length - period) : 1;
  }

  /** The examples for `step`, from the latest backwards. */
  gather(step: number, stride: number): Gathered {
    const { features, scale } = this;
    const { count } = features;
    const last = features.length - step;
    const rowCount = last < features.history ? 0 : Math.floor((last - features.history) / stride) + 1;
    const inputs = new Float64Array(rowCount * count);
    const targets = new Float64Array(rowCount);
    const row = new Float64Array(count);
    for (let index = 0; index < rowCount; index++) {
      const moment = last - index * stride;
      const level = features.level(moment);
      features.write(moment, step, level, scale, row);
      inputs.set(row, index * count);
      targets[index] = (features.valueAt(moment - 1 + step) - level) / scale;
    }
    return { inputs, targets };
  }
}
