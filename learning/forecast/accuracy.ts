// How good forecasts are, by the measures of the M4 competition (Makridakis, Spiliotis and Assimakopoulos, International Journal of
// Forecasting 36, 2020, section 2.3), and by those of intervals. Sums run in order of time.

import { assert } from '../../core/base/assert.ts';

/** Symmetric mean absolute percentage error in percent, 0 to 200; a value forecast as zero that is zero counts as right. */
export function symmetricError(actual: Float64Array, forecast: Float64Array): number {
  assert(actual.length === forecast.length && actual.length > 0, 'a forecast for each value');
  let sum = 0;
  for (let index = 0; index < actual.length; index++) {
    const size = Math.abs(actual[index]!) + Math.abs(forecast[index]!);
    if (size > 0) sum += (2 * Math.abs(actual[index]! - forecast[index]!)) / size;
  }
  return (100 * sum) / actual.length;
}

/** Mean absolute error. */
export function absoluteError(actual: Float64Array, forecast: Float64Array): number {
  assert(actual.length === forecast.length && actual.length > 0, 'a forecast for each value');
  let sum = 0;
  for (let index = 0; index < actual.length; index++) sum += Math.abs(actual[index]! - forecast[index]!);
  return sum / actual.length;
}

/** Mean squared error. */
export function squaredError(actual: Float64Array, forecast: Float64Array): number {
  assert(actual.length === forecast.length && actual.length > 0, 'a forecast for each value');
  let sum = 0;
  for (let index = 0; index < actual.length; index++)
    sum += (actual[index]! - forecast[index]!) * (actual[index]! - forecast[index]!);
  return sum / actual.length;
}

/** The in-sample mean absolute error of the seasonal naive forecast: what a MASE of 1 amounts to (Hyndman and Koehler, 2006). */
export function seasonalScale(series: Float64Array, period: number): number {
  let sum = 0;
  for (let index = period; index < series.length; index++) sum += Math.abs(series[index]! - series[index - period]!);
  return sum / (series.length - period);
}

/** Overall weighted average: the mean of both errors' ratios to those of the reference, which is Naive2 in M4. */
export function overallWeightedAverage(
  errors: { readonly smape: number; readonly mase: number },
  reference: { readonly smape: number; readonly mase: number },
): number {
  return (errors.smape / reference.smape + errors.mase / reference.mase) / 2;
}

/** Pinball loss of a forecast of the quantile `level`, mean over the values (Koenker and Bassett, 1978). */
export function pinballLoss(actual: Float64Array, forecast: Float64Array, level: number): number {
  let sum = 0;
  for (let index = 0; index < actual.length; index++) {
    const miss = actual[index]! - forecast[index]!;
    sum += miss >= 0 ? level * miss : (level - 1) * miss;
  }
  return sum / actual.length;
}
