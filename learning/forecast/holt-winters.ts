// Holt-Winters' exponential smoothing with a damped trend and any number of additive seasons (Taylor, "Short-term electricity demand
// forecasting using double seasonal exponential smoothing", Journal of the Operational Research Society 54, 2003, with the damping of
// Gardner and McKenzie, 1985, and the first-order autoregression of the errors). The smoothing constants minimize the squared error one
// step ahead, by a coordinate search in a fixed order. Series that are positive throughout are taken by their logarithm, which makes
// the seasons factors.

import { fixedLog } from '../../core/base/fixed-math.ts';
import {
  dampingAt,
  errorAt,
  HoltWintersRunner,
  levelAt,
  Smoothing,
  type SmoothingConstants,
  seasonAt,
  trendAt,
} from '../../core/policy/forecast/smoothing.ts';
import { bounded, type Forecaster } from './forecaster.ts';

export const holtWinters: Forecaster = {
  name: 'holt-winters',
  lengthMin: (shape) => 2 * (shape.periods.at(-1) ?? 1) + 8,
  fit(series, shape) {
    const least = series.reduce((lowest, value) => Math.min(lowest, value), Number.POSITIVE_INFINITY);
    const logarithm = least > 0;
    const fit = new SmoothingFit(logarithm ? series.map(fixedLog) : series, shape.periods);
    const constants = searchConstants(fit, shape.periods.length);
    fit.run(constants);
    const { periods } = shape;
    const none = { count: 0, state: new Float64Array(0) };
    const model = { kind: 'holt-winters', weight: 1, periods, logarithm, least, constants, ...none } as const;
    const runner = new HoltWintersRunner(model, fit.smoothing);
    return {
      forecast: (horizon) => bounded(runner.forecast(horizon), shape),
      append: (value) => runner.append(value),
      exported: () => [runner.model()],
    };
  },
};

/** The recursion over one series, from its first value on. */
class SmoothingFit {
  readonly smoothing: Smoothing;
  private readonly values: Float64Array;
  private readonly periods: readonly number[];
  private readonly initialSeasons: readonly Float64Array[];
  private readonly initialLevel: number;

  constructor(values: Float64Array, periods: readonly number[]) {
    this.values = values;
    this.periods = periods;
    this.smoothing = new Smoothing(periods);
    const longest = periods.at(-1) ?? 1;
    let sum = 0;
    for (let index = 0; index < longest; index++) sum += values[index]!;
    this.initialLevel = sum / longest;
    this.initialSeasons = initialSeasons(values, periods);
  }

  /** Runs through the series; answers the sum of squared errors one step ahead, those of the first season not counted. */
  run(constants: SmoothingConstants): number {
    const { smoothing, values } = this;
    smoothing.begin(this.initialLevel, this.initialSeasons);
    const start = this.periods[0] ?? 1;
    let squares = 0;
    for (let index = 0; index < values.length; index++) {
      const error = smoothing.step(values[index]!, constants);
      if (index >= start) squares += error * error;
    }
    return squares;
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
function searchConstants(state: SmoothingFit, seasonCount: number): SmoothingConstants {
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
