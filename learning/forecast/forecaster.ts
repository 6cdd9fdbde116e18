// What every forecaster promises: fitted to a series of evenly spaced values, it says what comes next, as plain arithmetic in a fixed
// order, so that the same series gives the same bits on every machine. Intervals are not a model's own affair: conformal.ts adds
// them to any model, calibrated on what that model got wrong before.

/** What is known about a series besides its values. */
export interface SeriesShape {
  /** Samples per season, shortest first, such as 24 and 168 for hours; empty if there is none. */
  readonly periods: readonly number[];
  /** Forecasts are cut at this value, such as 0 for a demand; −Infinity if anything is possible. */
  readonly lowerBound: number;
}

/** A model fitted to one series. */
export interface FittedForecaster {
  /** The next `horizon` values, in the unit of the series. */
  forecast(horizon: number): Float64Array;
  /** Takes the value that came next: the state moves on, what was fitted stays. */
  append(value: number): void;
}

export interface Forecaster {
  /** Standard name, in kebab-case. */
  readonly name: string;
  /** Fewest values that it can be fitted to. */
  lengthMin(shape: SeriesShape): number;
  /** Fits to `series`, oldest value first, all finite. Never keeps nor changes the array. */
  fit(series: Float64Array, shape: SeriesShape): FittedForecaster;
}

/** Cuts `values` at the series' bound, in place. */
export function bounded(values: Float64Array, shape: SeriesShape): Float64Array {
  for (let index = 0; index < values.length; index++)
    if (values[index]! < shape.lowerBound) values[index] = shape.lowerBound;
  return values;
}
