// Several models at once, each weighted by how well it did on the last stretch of the series: fitted to what lies before, judged from
// rolling origins, then fitted again to everything. Weights fall with a power of the error, so that a model that is twice as wrong
// counts for little, and one that is no better than the others costs nothing (Bates and Granger, 1969; Stock and Watson, 2004).

import { assert } from '../../core/base/assert.ts';
import { fixedPow } from '../../core/base/fixed-math.ts';
import { absoluteError, squaredError } from './accuracy.ts';
import { bounded, type FittedForecaster, type Forecaster, type SeriesShape } from './forecaster.ts';
import { rollOrigins } from './rolling-origin.ts';

export interface EnsembleOptions {
  readonly members: readonly Forecaster[];
  /** Samples at the end of a series on which the members are judged. */
  readonly validationLength: number;
  readonly horizon: number;
  /** Samples between origins. */
  readonly stride: number;
  /** A weight is the error to the power of minus this. */
  readonly sharpness: number;
  /** Which error judges: `absolute` for forecasts of the median, `squared` (its root) for those of the mean. */
  readonly loss: 'absolute' | 'squared';
  /** Whether all steps of the horizon are judged, or the last one alone. */
  readonly judged: 'every-step' | 'last-step';
}

export interface FittedEnsemble extends FittedForecaster {
  /** By member, in their order; they sum to 1. */
  readonly weights: Float64Array;
}

export interface Ensemble extends Forecaster {
  fit(series: Float64Array, shape: SeriesShape): FittedEnsemble;
}

export function ensemble(options: EnsembleOptions): Ensemble {
  const { members, validationLength } = options;
  assert(
    members.length > 0 && validationLength >= options.horizon,
    'there is somebody to judge, and something to judge on',
  );
  return {
    name: 'ensemble',
    lengthMin: (shape) =>
      validationLength +
      members.reduce((least, member) => Math.min(least, member.lengthMin(shape)), Number.POSITIVE_INFINITY),
    fit(series, shape) {
      const weights = memberWeights(series, shape, options);
      const fitted = members.map((member, index) => (weights[index]! > 0 ? member.fit(series, shape) : undefined));
      return {
        weights,
        forecast(horizon) {
          const result = new Float64Array(horizon);
          for (const [index, one] of fitted.entries()) {
            if (one === undefined) continue;
            const values = one.forecast(horizon);
            for (let step = 0; step < horizon; step++) result[step] = result[step]! + weights[index]! * values[step]!;
          }
          return bounded(result, shape);
        },
        append(value) {
          for (const one of fitted) one?.append(value);
        },
        exported() {
          return fitted.flatMap((one, index) => {
            if (one === undefined) return [];
            const own = one.exported?.();
            assert(own?.length === 1, 'each member has an exported form');
            return [{ ...own[0]!, weight: weights[index]! }];
          });
        },
      };
    },
  };
}

/** Zero for members that the shortened series is too short for. */
function memberWeights(series: Float64Array, shape: SeriesShape, options: EnsembleOptions): Float64Array {
  const known = series.slice(0, series.length - options.validationLength);
  const meanError = options.loss === 'absolute' ? absoluteError : squaredError;
  const rest = series.subarray(known.length);
  const errors = options.members.map((member) => {
    if (known.length < member.lengthMin(shape)) return Number.POSITIVE_INFINITY;
    let sum = 0;
    const from = options.judged === 'every-step' ? 0 : options.horizon - 1;
    const origins = rollOrigins(member.fit(known, shape), rest, options, (forecast, actual) => {
      sum += meanError(actual.subarray(from), forecast.subarray(from));
    });
    return options.loss === 'absolute' ? sum / origins : Math.sqrt(sum / origins);
  });
  const best = errors.reduce((least, error) => Math.min(least, error), Number.POSITIVE_INFINITY);
  assert(best < Number.POSITIVE_INFINITY, 'some member can be fitted');
  // Relative to the best, so that no power overflows; where that one is without error, it alone counts.
  const weights = Float64Array.from(errors, (error) =>
    error === best
      ? 1
      : best === 0 || error === Number.POSITIVE_INFINITY
        ? 0
        : fixedPow(best / error, options.sharpness),
  );
  let total = 0;
  for (const weight of weights) total += weight;
  return weights.map((weight) => weight / total);
}
