// Intervals for any model: how wide they must be is read off the model's own errors on a stretch that it was not fitted to, step by
// step (split conformal prediction; Lei and others, Journal of the American Statistical Association 113, 2018; per step of the horizon
// as in Stankevičiūtė, Alaa and van der Schaar, NeurIPS 2021). Nothing is assumed of their distribution but that they keep behaving as
// they did; since loads do not, the errors are the latest ones, and each level is moved by how often it held (adaptive conformal
// inference; Gibbs and Candès, NeurIPS 2021, equation 2, for each quantile by itself).

import { assert } from '../../core/base/assert.ts';
import { bounded, type FittedForecaster, type Forecaster, type SeriesShape } from './forecaster.ts';

export interface ConformalOptions {
  readonly horizon: number;
  /** The first step ahead that gets quantiles, from 1: those before cost nothing. */
  readonly firstStep: number;
  /** Levels of the quantiles, each in (0, 1). */
  readonly levels: readonly number[];
  /** Samples at the end of a series that the errors come from. */
  readonly calibrationLength: number;
  /** Samples between the origins whose errors count. */
  readonly stride: number;
  /** Steps on either side whose errors count for a step too, where origins are few. */
  readonly stepWindow: number;
  /** By how much one miss moves a level, such as 0.01; 0 keeps the levels. */
  readonly adaptation: number;
  /** By how much the error at each level is stretched, from `stretchFactor` over many series; 1 if absent. */
  readonly stretches?: readonly number[] | undefined;
}

export interface QuantileForecast {
  /** What the model says for step 1 … horizon. */
  readonly point: Float64Array;
  /** A row for each level, in the order of the levels; NaN before the first step that has quantiles. */
  readonly quantiles: readonly Float64Array[];
}

export interface ConformalForecaster extends FittedForecaster {
  forecastQuantiles(): QuantileForecast;
}

/** Fits `forecaster` to all but the last stretch of `series`, gathers its errors there, then fits it to everything. */
export function fitConformal(
  forecaster: Forecaster,
  series: Float64Array,
  shape: SeriesShape,
  options: ConformalOptions,
): ConformalForecaster {
  const { horizon, firstStep, calibrationLength, levels } = options;
  assert(firstStep >= 1 && firstStep <= horizon && horizon <= calibrationLength, 'each step has an error');
  assert(
    levels.every((level) => level > 0 && level < 1),
    'a level lies between 0 and 1',
  );
  const known = series.slice(0, series.length - calibrationLength);
  const conformal = new Conformal(forecaster.fit(known, shape), shape, options);
  for (let index = known.length; index < series.length; index++) conformal.append(series[index]!);
  conformal.begin(forecaster.fit(series, shape));
  return conformal;
}

/** A forecast that waits for what comes. */
interface Pending {
  readonly forecast: QuantileForecast;
  age: number;
}

class Conformal implements ConformalForecaster {
  private fitted: FittedForecaster;
  private readonly shape: SeriesShape;
  private readonly options: ConformalOptions;
  /** Whether the errors of the calibration are complete. */
  private begun = false;
  private pending: Pending[] = [];
  private untilOrigin = 0;
  /** The latest errors of each step, oldest first. */
  private readonly errors: number[][];
  private readonly errorCountMax: number;
  /** Where each level stands now: levels × steps. */
  private readonly moved: Float64Array[];

  constructor(fitted: FittedForecaster, shape: SeriesShape, options: ConformalOptions) {
    this.fitted = fitted;
    this.shape = shape;
    this.options = options;
    this.errors = Array.from({ length: options.horizon }, () => []);
    this.errorCountMax = Math.ceil(options.calibrationLength / options.stride);
    this.moved = options.levels.map((level) => new Float64Array(options.horizon).fill(level));
  }

  /** Ends the calibration; `fitted` knows everything so far. */
  begin(fitted: FittedForecaster): void {
    this.fitted = fitted;
    this.pending = [];
    this.begun = true;
  }

  forecast(horizon: number): Float64Array {
    return this.fitted.forecast(horizon);
  }

  forecastQuantiles(): QuantileForecast {
    const { horizon, firstStep, levels, stepWindow } = this.options;
    const point = this.fitted.forecast(horizon);
    const quantiles = levels.map(() => new Float64Array(horizon).fill(Number.NaN));
    const { stretches } = this.options;
    for (let step = firstStep - 1; step < horizon; step++) {
      const near = this.errors.slice(Math.max(firstStep - 1, step - stepWindow), step + stepWindow + 1);
      const sorted = Float64Array.from(near.flat()).sort((left, right) => left - right);
      for (const [which, row] of quantiles.entries())
        row[step] = point[step]! + (stretches?.[which] ?? 1) * errorQuantile(sorted, this.moved[which]![step]!);
    }
    for (const row of quantiles) bounded(row, this.shape);
    return { point, quantiles };
  }

  append(value: number): void {
    const { horizon, firstStep, stride } = this.options;
    if (this.untilOrigin === 0) {
      const forecast = this.begun ? this.forecastQuantiles() : { point: this.fitted.forecast(horizon), quantiles: [] };
      this.pending.push({ forecast, age: 0 });
      this.untilOrigin = stride;
    }
    this.untilOrigin -= 1;
    for (const one of this.pending) {
      const step = one.age;
      one.age += 1;
      if (step >= firstStep - 1) this.learn(one.forecast, step, value);
    }
    // None waits where origins are farther apart than the horizon.
    if ((this.pending[0]?.age ?? 0) >= horizon) this.pending.shift();
    this.fitted.append(value);
  }

  private learn({ point, quantiles }: QuantileForecast, step: number, actual: number): void {
    const errors = this.errors[step]!;
    errors.push(actual - point[step]!);
    if (errors.length > this.errorCountMax) errors.shift();
    for (const [which, row] of quantiles.entries()) {
      const level = this.options.levels[which]!;
      const moved = this.moved[which]!;
      const held = actual <= row[step]! ? 1 : 0;
      moved[step] = Math.min(1, Math.max(0, moved[step]! + this.options.adaptation * (level - held)));
    }
  }
}

/** The quantile of sorted `errors` with the finite-sample correction: of n errors the ⌈(n + 1) · level⌉-th for levels above one half,
 *  and by symmetry below; the extreme one where n is too small. */
export function errorQuantile(errors: Float64Array, level: number): number {
  assert(errors.length > 0, 'some errors to read it off');
  const count = errors.length;
  const rank = level >= 0.5 ? Math.ceil((count + 1) * level) : Math.floor((count + 1) * level);
  return errors[Math.min(count, Math.max(1, rank)) - 1]!;
}

/** By how much the errors at `level` must be stretched to hold as often as they promise, from what came in many series: the few
 *  overlapping origins of one series understate its errors, and other series show by how much. `misses` are what came less the point
 *  forecasts, `offsets` the quantiles less the point forecasts, of all series and steps. */
export function stretchFactor(level: number, misses: Float64Array, offsets: Float64Array): number {
  assert(misses.length === offsets.length && misses.length > 0, 'a quantile for each miss');
  const side = level >= 0.5 ? 1 : -1;
  const ratios = misses.map((miss, index) => {
    const reach = side * offsets[index]!;
    if (reach > 0) return Math.max(0, (side * miss) / reach);
    return side * miss <= reach ? 0 : Number.POSITIVE_INFINITY;
  });
  return errorQuantile(
    ratios.sort((left, right) => left - right),
    level >= 0.5 ? level : 1 - level,
  );
}
