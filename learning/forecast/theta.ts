// The Theta method (Assimakopoulos and Nikolopoulos, International Journal of Forecasting 16, 2000), as M4's benchmark has it: the
// series is seasonally adjusted, one line continues its linear trend, the other, of doubled curvature, is smoothed exponentially, and
// the forecast is their mean. Here the seasons may be several, adjusted one after the other, and the smoothing constant minimizes the
// squared error one step ahead. Hyndman and Billah (2003) show that this is smoothing with a drift of half the trend's slope.

import { bounded, type Forecaster } from './forecaster.ts';
import { seasonalAdjustment } from './seasonal-adjustment.ts';

export const theta: Forecaster = {
  name: 'theta',
  lengthMin: (shape) => Math.max(3, ...shape.periods),
  fit(series, shape) {
    // The longest season first: it holds the shorter ones where it is a multiple of them, and they then find nothing left.
    let adjusted = series;
    const seasons = shape.periods.toReversed().map((period) => {
      const season = seasonalAdjustment(adjusted, period);
      adjusted = season.adjusted;
      return season;
    });
    const slope = trendSlope(adjusted);
    const smoothing = bestSmoothing(adjusted);
    const { rate } = smoothing;
    // (1 − (1 − α)ⁿ)/α: what the smoothed line of doubled curvature still lags behind.
    const lag = (1 - power(1 - rate, adjusted.length)) / rate;
    let { level } = smoothing;
    let count = series.length;
    return {
      forecast(horizon) {
        const result = new Float64Array(horizon);
        for (let step = 0; step < horizon; step++) {
          const line = level + (slope / 2) * (step + lag);
          result[step] = seasons.reduceRight((value, season) => season.restore(value, count + step), line);
        }
        return bounded(result, shape);
      },
      append(value) {
        const plain = seasons.reduce((rest, season) => season.adjust(rest, count), value);
        level += rate * (plain - level);
        count += 1;
      },
    };
  },
};

/** Slope of the least-squares line over the index. */
function trendSlope(values: Float64Array): number {
  const count = values.length;
  const middle = (count - 1) / 2;
  let cross = 0;
  let squares = 0;
  for (let index = 0; index < count; index++) {
    cross += (index - middle) * values[index]!;
    squares += (index - middle) * (index - middle);
  }
  return squares > 0 ? cross / squares : 0;
}

/** The smoothing constant of 0.05, 0.1 … 0.95, then finer, that errs least one step ahead, and the level that it ends with. */
function bestSmoothing(values: Float64Array): { rate: number; level: number } {
  let best = { rate: 0.05, ...smooth(values, 0.05) };
  const consider = (rate: number): void => {
    const run = smooth(values, rate);
    if (run.squares < best.squares) best = { rate, ...run };
  };
  for (let twentieth = 2; twentieth <= 19; twentieth++) consider(twentieth / 20);
  const coarse = best.rate;
  for (let hundredth = -4; hundredth <= 4; hundredth++) consider(coarse + hundredth / 100);
  return best;
}

function smooth(values: Float64Array, rate: number): { squares: number; level: number } {
  let level = values[0]!;
  let squares = 0;
  for (let index = 1; index < values.length; index++) {
    const error = values[index]! - level;
    squares += error * error;
    level += rate * error;
  }
  return { squares, level };
}

/** `base` to a whole power, by repeated multiplication in a fixed order. */
function power(base: number, exponent: number): number {
  let result = 1;
  for (let count = 0; count < exponent; count++) result *= base;
  return result;
}
