// What every model promises before it is fitted. What it promises after is core/policy/forecast/forecaster.ts's: a kernel runs it too.
// Intervals are not a model's own affair: conformal.ts adds them to any model, calibrated on what that model got wrong before.

import type { FittedForecaster, SeriesShape } from '../../core/policy/forecast/forecaster.ts';

export { bounded, type FittedForecaster, type SeriesShape } from '../../core/policy/forecast/forecaster.ts';

export interface Forecaster {
  /** Standard name, in kebab-case. */
  readonly name: string;
  /** Fewest values that it can be fitted to. */
  lengthMin(shape: SeriesShape): number;
  /** Fits to `series`, oldest value first, all finite. Never keeps nor changes the array. */
  fit(series: Float64Array, shape: SeriesShape): FittedForecaster;
}
