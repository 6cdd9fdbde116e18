// What a model gets wrong when time moves on (Tashman, "Out-of-sample tests of forecasting accuracy", International Journal of
// Forecasting 16, 2000): it is fitted to the beginning of a series and forecasts from one origin after the other in the rest, seeing
// every value before each.

import { assert } from '../../core/base/assert.ts';
import type { FittedForecaster } from './forecaster.ts';

export interface RollingOrigin {
  /** Steps ahead. */
  readonly horizon: number;
  /** Samples between origins. */
  readonly stride: number;
}

/** Calls `visit` at each origin in `rest`, the values that follow those that `fitted` was fitted to, where a whole horizon lies
 *  ahead: with the forecast, and what came, in a view that is valid during the call. Answers the number of origins; `fitted` has
 *  then seen all of `rest`. */
export function rollOrigins(
  fitted: FittedForecaster,
  rest: Float64Array,
  { horizon, stride }: RollingOrigin,
  visit: (forecast: Float64Array, actual: Float64Array) => void,
): number {
  assert(horizon > 0 && stride > 0, 'origins move on, and look ahead');
  let origins = 0;
  for (let origin = 0; origin < rest.length; origin++) {
    if (origin % stride === 0 && origin + horizon <= rest.length) {
      visit(fitted.forecast(horizon), rest.subarray(origin, origin + horizon));
      origins += 1;
    }
    fitted.append(rest[origin]!);
  }
  return origins;
}
