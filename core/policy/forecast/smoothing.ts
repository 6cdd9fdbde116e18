// The recursion of exponential smoothing with a damped trend, any number of additive seasons and a first-order autoregression of the
// errors (Taylor, Journal of the Operational Research Society 54, 2003; Gardner and McKenzie, 1985): the state after the values so far,
// and what it expects next. How its constants are found is not decided here.

import { fixedExp, fixedLog } from '../../base/fixed-math.ts';
import type { HoltWintersModel } from './forecaster-model.ts';
import type { RunningMember } from './running-member.ts';

/** Smoothing constants, each in [0, 1]: level, trend, damping, autoregression of the error, one for each season. */
export type SmoothingConstants = Float64Array;
export const levelAt = 0;
export const trendAt = 1;
export const dampingAt = 2;
export const errorAt = 3;
export const seasonAt = 4;

export class Smoothing {
  private readonly periods: readonly number[];
  private readonly seasons: readonly Float64Array[];
  private level = 0;
  private trend = 0;
  private lastError = 0;
  private count = 0;

  constructor(periods: readonly number[]) {
    this.periods = periods;
    this.seasons = periods.map((period) => new Float64Array(period));
  }

  /** Before the first value. */
  begin(level: number, seasons: readonly Float64Array[]): void {
    for (const [which, season] of this.seasons.entries()) season.set(seasons[which]!);
    this.level = level;
    this.trend = 0;
    this.lastError = 0;
    this.count = 0;
  }

  /** Takes the next value; answers by how much the expectation fell short of it. */
  step(value: number, constants: SmoothingConstants): number {
    const { periods, seasons, count } = this;
    const seasonCount = periods.length;
    let seasonal = 0;
    for (let which = 0; which < seasonCount; which++) seasonal += seasons[which]![count % periods[which]!]!;
    const drift = constants[dampingAt]! * this.trend;
    // What the smoothing alone missed, and what of it the autoregression had not expected.
    const missed = value - this.level - drift - seasonal;
    const error = missed - constants[errorAt]! * this.lastError;
    this.level += drift + constants[levelAt]! * error;
    this.trend = drift + constants[trendAt]! * constants[levelAt]! * error;
    for (let which = 0; which < seasonCount; which++) {
      const season = seasons[which]!;
      const at = count % periods[which]!;
      season[at] = season[at]! + constants[seasonAt + which]! * error;
    }
    this.lastError = missed;
    this.count = count + 1;
    return error;
  }

  forecast(constants: SmoothingConstants, horizon: number): Float64Array {
    const result = new Float64Array(horizon);
    let trendShare = 1;
    let trendSum = 0;
    let error = this.lastError;
    for (let step = 0; step < horizon; step++) {
      trendShare *= constants[dampingAt]!;
      trendSum += trendShare;
      error *= constants[errorAt]!;
      let value = this.level + trendSum * this.trend + error;
      for (const [which, period] of this.periods.entries())
        value += this.seasons[which]![(this.count + step) % period]!;
      result[step] = value;
    }
    return result;
  }

  /** Level, trend, last error, then the seasons one after the other. */
  state(): Float64Array {
    return Float64Array.from([
      this.level,
      this.trend,
      this.lastError,
      ...this.seasons.flatMap((season) => [...season]),
    ]);
  }

  resume(count: number, state: ArrayLike<number>): void {
    this.count = count;
    this.level = state[0]!;
    this.trend = state[1]!;
    this.lastError = state[2]!;
    let at = 3;
    for (const season of this.seasons) for (let index = 0; index < season.length; index++) season[index] = state[at++]!;
  }

  get taken(): number {
    return this.count;
  }
}

/** The smoothing of a fitted model, running. */
export class HoltWintersRunner implements RunningMember {
  readonly historyMin = 1;
  private readonly constants: HoltWintersModel;
  private readonly smoothing: Smoothing;

  /** `smoothing` of the series that it was fitted to, to go on with; from the model's state if left out. */
  constructor(model: HoltWintersModel, smoothing?: Smoothing) {
    this.constants = model;
    this.smoothing = smoothing ?? new Smoothing(model.periods);
    if (smoothing === undefined) this.smoothing.resume(model.count, model.state);
  }

  forecast(horizon: number): Float64Array {
    const result = this.smoothing.forecast(this.constants.constants, horizon);
    return this.constants.logarithm ? result.map(fixedExp) : result;
  }

  /** A value that has no logarithm stands for the least positive one seen. */
  append(value: number): void {
    const { logarithm, least, constants } = this.constants;
    this.smoothing.step(logarithm ? fixedLog(Math.max(value, least)) : value, constants);
  }

  model(weight = 1): HoltWintersModel {
    return { ...this.constants, weight, count: this.smoothing.taken, state: this.smoothing.state() };
  }

  save(): readonly number[] {
    return [this.smoothing.taken, ...this.smoothing.state()];
  }

  restore([count, ...state]: readonly number[]): void {
    this.smoothing.resume(count!, state);
  }
}
