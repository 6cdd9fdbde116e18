// What every forecaster promises once it is fitted: it takes the values of an evenly spaced series as they come, and says what comes
// next, as plain arithmetic in a fixed order, so that the same series gives the same bits on every machine: where it was fitted, and in
// the kernel that runs it. How models are fitted is not decided here.

import type { MemberModel } from './forecaster-model.ts';

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
  /** What a kernel needs to go on exactly as this one does, itself included: the members and their weights. Left out by models that
   *  have no exported form. */
  exported?(): readonly MemberModel[];
}

/** Cuts `values` at the series' bound, in place. */
export function bounded(values: Float64Array, shape: Pick<SeriesShape, 'lowerBound'>): Float64Array {
  for (let index = 0; index < values.length; index++)
    if (values[index]! < shape.lowerBound) values[index] = shape.lowerBound;
  return values;
}
