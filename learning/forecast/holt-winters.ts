// Holt-Winters' exponential smoothing with a damped trend and any number of additive seasons (Taylor, "Short-term electricity demand
// forecasting using double seasonal exponential smoothing", Journal of the Operational Research Society 54, 2003, with the damping of
// Gardner and McKenzie, 1985, and the first-order autoregression of the errors). The smoothing constants minimize the squared error one
// step ahead, by a coordinate search in a fixed order. Series that are positive throughout are taken by their logarithm, which makes
// the seasons factors.

import { fixedExp, fixedLog } from '../../core/base/fixed-math.ts';
import { bounded, type Forecaster } from './forecaster.ts';

/** Smoothing constants, each in [0, 1]: level, trend, damping, autoregression of the error, one for each season. */
type Constants = Float64Array;
const levelAt = 0;
const trendAt = 1;
const dampingAt = 2;
const errorAt = 3;
const seasonAt = 4;

export const holtWinters: Forecaster = {
  name: 'holt-winters',
  lengthMin: (shape) => 2 * (shape.periods.at(-1) ?? 1) + 8,
  fit(series, shape) {
    const least = series.reduce((lowest, value) => Math.min(lowest, value), Number.POSITIVE_INFINITY);
    const logarithm = least > 0;
    const values = logarithm ? series.map(fixedLog) : series;
    const state = new Smoothing(values, shape.periods);
    const constants = searchConstants(state, shape.periods.length);
    state.run(constants);
    return {
      forecast(horizon) {
        const result = state.forecast(constants, horizon);
        return bounded(logarithm ? result.map(fixedExp) : result, shape);
      },
      append(value) {
        // A value that has no logarithm stands for the least positive one seen.
        state.step(logarithm ? fixedLog(Math.max(value, least)) : value, constants);
      },
    };
  },
};

/** The recursion over one series, and where it ends. */
class Smoothing {
  private readonly values: Float64Array;
  private readonly periods: readonly number[];
  private readonly initialSeasons: readonly Float64Array[];
  private readonly seasons: readonly Float64Array[];
  private readonly initialLevel: number;
  private level = 0;
  private trend = 0;
  private lastError = 0;
  private count = 0;

  constructor(values: Float64Array, periods: readonly number[]) {
    this.values = values;
    this.periods = periods;
    const longest = periods.at(-1) ?? 1;
    let sum = 0;
    for (let index = 0; index < longest; index++) sum += values[index]!;
    this.initialLevel = sum / longest;
    this.initialSeasons = initialSeasons(values, periods);
    this.seasons = this.initialSeasons.map((season) => season.slice());
  }

  /** Runs through the series; answers the sum of squared errors one step ahead, those of the first season not counted. */
  run(constants: Constants): number {
    for (const [which, season] of this.seasons.entries()) season.set(this.initialSeasons[which]!);
    this.level = this.initialLevel;
    this.trend = 0;
    this.lastError = 0;
    this.count = 0;
    const start = this.periods[0] ?? 1;
    let squares = 0;
    for (let index = 0; index < this.values.length; index++) {
      const error = this.step(this.values[index]!, constants);
      if (index >= start) squares += error * error;
    }
    return squares;
  }

  /** Takes the next value; answers by how much the expectation fell short of it. */
  step(value: number, constants: Constants): number {
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

  forecast(constants: Constants, horizon: number): Float64Array {
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
}

/** Mean departures by phase: of the shortest season first, then of what it leaves. */
function initialSeasons(values: Float64Array, periods: readonly number[]): Float64Array[] {
  const longest = periods.at(-1) ?? 1;
  // Whole cycles of the longest season, so that no phase is favoured.
  const count = Math.min(4, Math.floor(values.length / longest)) * longest;
  const rest = values.slice(0, count);
  let mean = 0;
  for (let index = 0; index < count; index++) mean += rest[index]! / count;
  for (let index = 0; index < count; index++) rest[index] = rest[index]! - mean;
  return periods.map((period) => {
    const season = new Float64Array(period);
    const cycles = new Float64Array(period);
    for (let index = 0; index < count; index++) {
      season[index % period] = season[index % period]! + rest[index]!;
      cycles[index % period] = cycles[index % period]! + 1;
    }
    for (let at = 0; at < period; at++) season[at] = season[at]! / cycles[at]!;
    for (let index = 0; index < count; index++) rest[index] = rest[index]! - season[index % period]!;
    return season;
  });
}

/** Coordinate search: each constant in turn is moved by a step, which is halved when no move helps. */
function searchConstants(state: Smoothing, seasonCount: number): Constants {
  const constants = new Float64Array(seasonAt + seasonCount).fill(0.1);
  constants[levelAt] = 0.2;
  constants[trendAt] = 0.05;
  constants[dampingAt] = 0.9;
  constants[errorAt] = 0.3;
  let best = state.run(constants);
  for (let step = 0.2; step >= 0.012; step /= 2) {
    let helped = true;
    for (let round = 0; helped && round < 8; round++) {
      helped = false;
      for (let which = 0; which < constants.length; which++) {
        for (const move of [step, -step]) {
          const before = constants[which]!;
          constants[which] = Math.min(which === dampingAt ? 0.98 : 0.99, Math.max(0, before + move));
          const squares = constants[which] === before ? best : state.run(constants);
          if (squares < best) {
            best = squares;
            helped = true;
            break;
          }
          constants[which] = before;
        }
      }
    }
  }
  return constants;
}
