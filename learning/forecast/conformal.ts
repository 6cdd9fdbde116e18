// Intervals for any model: how wide they must be is read off the model's own errors on a stretch that it was not fitted to, step by
// step (split conformal prediction; Lei and others, Journal of the American Statistical Association 113, 2018; per step of the horizon
// as in Stankevičiūtė, Alaa and van der Schaar, NeurIPS 2021). If errors keep behaving as on that stretch, an interval of 90% holds 90%
// of what comes; nothing is assumed of their distribution.

import { assert } from '../../core/base/assert.ts';
import { bounded, type FittedForecaster, type Forecaster, type SeriesShape } from './forecaster.ts';
import { rollOrigins } from './rolling-origin.ts';

export interface ConformalOptions {
  readonly horizon: number;
  /** Samples at the end of a series that the errors come from. */
  readonly calibrationLength: number;
  /** Samples between origins. */
  readonly stride: number;
  /** Steps on either side whose errors count for a step too, where origins are few. */
  readonly stepWindow: number;
}

export interface QuantileForecast {
  /** What the model says. */
  readonly point: Float64Array;
  /** One row for each level asked for, in that order. */
  readonly quantiles: readonly Float64Array[];
}

export interface ConformalForecaster extends FittedForecaster {
  /** The next `horizon` values with quantiles of the `levels`, each in (0, 1). */
  forecastQuantiles(horizon: number, levels: readonly number[]): QuantileForecast;
}

/** Fits `forecaster` to all but the last stretch of `series`, gathers its errors there, then fits it to everything. */
export function fitConformal(
  forecaster: Forecaster,
  series: Float64Array,
  shape: SeriesShape,
  options: ConformalOptions,
): ConformalForecaster {
  const { horizon, calibrationLength, stepWindow } = options;
  assert(
    calibrationLength >= horizon && calibrationLength < series.length,
    'a stretch for calibration, and one before it',
  );
  const known = series.slice(0, series.length - calibrationLength);
  const bySteps: number[][] = Array.from({ length: horizon }, () => []);
  rollOrigins(forecaster.fit(known, shape), series.subarray(known.length), options, (forecast, actual) => {
    for (let step = 0; step < horizon; step++) bySteps[step]!.push(actual[step]! - forecast[step]!);
  });
  const errors = bySteps.map((_, step) =>
    Float64Array.from(bySteps.slice(Math.max(0, step - stepWindow), step + stepWindow + 1).flat()).sort(),
  );
  const fitted = forecaster.fit(series, shape);
  return {
    forecast: (steps) => fitted.forecast(steps),
    append: (value) => fitted.append(value),
    forecastQuantiles(steps, levels) {
      assert(steps <= horizon, 'calibrated for as many steps');
      const point = fitted.forecast(steps);
      const quantiles = levels.map((level) =>
        bounded(
          point.map((value, step) => value + errorQuantile(errors[step]!, level)),
          shape,
        ),
      );
      return { point, quantiles };
    },
  };
}

/** The quantile of sorted `errors` with the finite-sample correction: of n errors the ⌈(n + 1) · level⌉-th for levels above one half,
 *  and by symmetry below; the extreme one where n is too small. */
export function errorQuantile(errors: Float64Array, level: number): number {
  assert(level > 0 && level < 1 && errors.length > 0, 'a level between 0 and 1, of some errors');
  const count = errors.length;
  const rank = level >= 0.5 ? Math.ceil((count + 1) * level) : Math.floor((count + 1) * level);
  return errors[Math.min(count, Math.max(1, rank)) - 1]!;
}
