// The baselines that every forecaster must beat: the last value, the value one season ago, and M4's Naive2, the last value after
// seasonal adjustment.

import { bounded, type Forecaster, type SeriesShape } from './forecaster.ts';
import { seasonalAdjustment } from './seasonal-adjustment.ts';

/** Persistence: the last value for ever. */
export const persistence: Forecaster = {
  name: 'persistence',
  lengthMin: () => 1,
  fit(series, shape) {
    let last = series[series.length - 1]!;
    return {
      forecast: (horizon) => bounded(new Float64Array(horizon).fill(last), shape),
      append(value) {
        last = value;
      },
      exported: () => [{ kind: 'season', weight: 1, season: Float64Array.of(last) }],
    };
  },
};

/** The value one season ago; `which` picks among the periods, 0 is the shortest. Persistence where there is no season. */
export function seasonalNaive(which = 0): Forecaster {
  const periodOf = (shape: SeriesShape): number => shape.periods[Math.min(which, shape.periods.length - 1)] ?? 1;
  return {
    name: which === 0 ? 'seasonal-naive' : `seasonal-naive-${which + 1}`,
    lengthMin: periodOf,
    fit(series, shape) {
      const period = periodOf(shape);
      const season = series.slice(series.length - period);
      let next = 0;
      return {
        forecast(horizon) {
          const result = new Float64Array(horizon);
          for (let step = 0; step < horizon; step++) result[step] = season[(next + step) % period]!;
          return bounded(result, shape);
        },
        append(value) {
          season[next] = value;
          next = (next + 1) % period;
        },
        exported: () => [{ kind: 'season', weight: 1, season: season.map((_, at) => season[(next + at) % period]!) }],
      };
    },
  };
}

/** M4's Naive2: persistence of the seasonally adjusted series. */
export const naive2: Forecaster = {
  name: 'naive-2',
  lengthMin: (shape) => shape.periods[0] ?? 1,
  fit(series, shape) {
    const season = seasonalAdjustment(series, shape.periods[0] ?? 1);
    let last = season.adjusted[series.length - 1]!;
    let count = series.length;
    return {
      forecast(horizon) {
        const result = new Float64Array(horizon);
        for (let step = 0; step < horizon; step++) result[step] = season.restore(last, count + step);
        return bounded(result, shape);
      },
      append(value) {
        last = season.adjust(value, count);
        count += 1;
      },
    };
  },
};
