// From a fitted model to a file that a kernel runs: the members as they stand, and how far above the point forecasts the values came on
// a stretch that the model was not fitted to, step by step (split conformal prediction, as in conformal.ts).

import { assert } from '../../core/base/assert.ts';
import type {
  ForecasterLineage,
  ForecasterModel,
  ForecastTarget,
} from '../../core/policy/forecast/forecaster-model.ts';
import { forecasterFormat } from '../../core/policy/forecast/forecaster-model.ts';
import { errorQuantile } from './conformal.ts';
import type { Forecaster, SeriesShape } from './forecaster.ts';

export interface ExportOptions {
  readonly name: string;
  readonly target: ForecastTarget;
  readonly unit: string;
  readonly intervalMicros: number;
  readonly horizon: number;
  /** Rising, each in (0, 1). */
  readonly levels: readonly number[];
  /** Values at the end of the series whose errors make the quantiles. */
  readonly calibrationLength: number;
  readonly lineage: Omit<ForecasterLineage, 'evaluation'>;
}

/** Fits `forecaster` to `series` and exports it as it stands after its last value. */
export function exportForecaster(
  forecaster: Forecaster,
  series: Float64Array,
  shape: SeriesShape,
  options: ExportOptions,
): ForecasterModel {
  const { horizon, levels, calibrationLength, lineage, ...named } = options;
  assert(calibrationLength >= horizon && calibrationLength < series.length, 'there is a stretch to calibrate on');
  const { offsets, evaluation } = calibrate(forecaster, series, shape, options);
  const members = forecaster.fit(series, shape).exported?.();
  assert(members !== undefined, 'the model has an exported form');
  let mean = 0;
  for (const value of series) mean += value / series.length;
  let variance = 0;
  for (const value of series) variance += (value - mean) ** 2 / series.length;
  const minimum = series.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const maximum = series.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const input = { mean, deviation: Math.sqrt(variance), minimum, maximum };
  return {
    manifest: {
      ...{ format: forecasterFormat, ...named, horizon, lowerBound: shape.lowerBound, input, levels },
      lineage: { ...lineage, evaluation },
    },
    members,
    offsets,
  };
}

/** The errors on the last stretch: their quantiles, and how large they were at the last step beside persistence's. */
function calibrate(
  forecaster: Forecaster,
  series: Float64Array,
  shape: SeriesShape,
  { horizon, levels, calibrationLength }: ExportOptions,
): { readonly offsets: Float64Array; readonly evaluation: Record<string, number> } {
  const from = series.length - calibrationLength;
  const fitted = forecaster.fit(series.slice(0, from), shape);
  const errors: number[][] = Array.from({ length: horizon }, () => []);
  let squares = 0;
  let naiveSquares = 0;
  for (let origin = from; origin + horizon <= series.length; origin++) {
    const forecast = fitted.forecast(horizon);
    for (let step = 0; step < horizon; step++) errors[step]!.push(series[origin + step]! - forecast[step]!);
    const actual = series[origin + horizon - 1]!;
    squares += (actual - forecast[horizon - 1]!) ** 2;
    naiveSquares += (actual - series[origin - 1]!) ** 2;
    fitted.append(series[origin]!);
  }
  const offsets = new Float64Array(levels.length * horizon);
  for (let step = 0; step < horizon; step++) {
    const sorted = Float64Array.from(errors[step]!).sort((left, right) => left - right);
    for (const [which, level] of levels.entries()) offsets[which * horizon + step] = errorQuantile(sorted, level);
  }
  const count = errors[0]!.length;
  const evaluation = {
    rootMeanSquaredError: Math.sqrt(squares / count),
    persistenceRootMeanSquaredError: Math.sqrt(naiveSquares / count),
  };
  return { offsets, evaluation };
}
