// The recurrent forecaster: the network of core/policy/forecast/gru-network.ts over a series, with level, spread and logarithm taken
// off before and put back after. train-gru.ts trains it.

import type { GruWeights } from '../../core/policy/forecast/gru-network.ts';
import { GruRunner } from '../../core/policy/forecast/gru-runner.ts';
import { bounded, type Forecaster } from './forecaster.ts';

/** The forecaster with these weights. It knows one season, `weights.period`, whatever the shape says. */
export function gru(weights: GruWeights): Forecaster {
  const length = weights.period * weights.seasonCount;
  return {
    name: 'gru',
    lengthMin: () => length,
    fit(series, shape) {
      const least = series.reduce((lowest, value) => Math.min(lowest, value), Number.POSITIVE_INFINITY);
      const window = series.slice(series.length - length);
      const runner = new GruRunner({ kind: 'gru', weight: 1, logarithm: least > 0, least, network: weights, window });
      return {
        forecast: (horizon) => bounded(runner.forecast(horizon), shape),
        append: (value) => runner.append(value),
        exported: () => [runner.model()],
      };
    },
  };
}
