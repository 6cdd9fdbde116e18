// The M4 Hourly part of the page: every forecaster on the same split, the last 48 hours of each training series, with M4's measures
// against Naive2, and conformal intervals with the share of values that they held.

import { openTensorFlow } from '../../tensorflow/tensorflow.ts';
import { absoluteError, overallWeightedAverage, seasonalScale, symmetricError } from '../accuracy.ts';
import { fitConformal, type QuantileForecast, stretchFactor } from '../conformal.ts';
import { ensemble } from '../ensemble.ts';
import type { Forecaster, SeriesShape } from '../forecaster.ts';
import { gru } from '../gru.ts';
import { holtWinters } from '../holt-winters.ts';
import { everyStep, lagLinear } from '../lag-linear.ts';
import { naive2, persistence, seasonalNaive } from '../naive.ts';
import { theta } from '../theta.ts';
import { trainGru } from '../train-gru.ts';
import type { NamedSeries } from './m4.ts';

export const m4Shape: SeriesShape = { periods: [24, 168], lowerBound: 0 };
export const m4Horizon = 48;

/** Levels of the quantiles: both ends of an interval of 80% and of one of 95%. */
export const quantileLevels = [0.1, 0.9, 0.025, 0.975] as const;

export function m4Forecasters(): readonly Forecaster[] {
  const linear = lagLinear({
    steps: everyStep(m4Horizon),
    shrinkage: 0.2,
    towards: 'seasonal-naive',
    stride: 5,
    logarithm: true,
    loss: 'squared',
  });
  const members = [seasonalNaive(0), seasonalNaive(1), theta, holtWinters, linear];
  const all = ensemble({
    members,
    validationLength: 72,
    horizon: m4Horizon,
    stride: 6,
    sharpness: 2,
    loss: 'absolute',
    judged: 'every-step',
  });
  return [naive2, persistence, ...members, all];
}

/** The recurrent network, trained on all series but their last 48 hours; on wasm, whose bits do not depend on the processor. The
 *  ensemble does without it: it has seen the stretch on which the members are judged. */
export async function m4Gru(series: readonly NamedSeries[], onProgress: (share: number) => void): Promise<Forecaster> {
  const tf = await openTensorFlow('wasm');
  const epochs = 10;
  const { weights } = trainGru(
    tf,
    series.map(({ values }) => values.slice(0, values.length - m4Horizon)),
    {
      ...{ period: 24, seasonCount: 14, hiddenSize: 32, horizon: m4Horizon },
      ...{ stride: 13, epochs, batchSize: 128, learningRate: 0.003, seed: 1 },
      onEpoch(epoch) {
        onProgress((epoch + 1) / epochs);
        return true;
      },
    },
  );
  return gru(weights);
}

export interface M4Row {
  readonly name: string;
  readonly smape: number;
  readonly mase: number;
  readonly owa: number;
  /** Share of values within the intervals of 80% and of 95%; undefined without intervals. */
  readonly coverage80: number | undefined;
  readonly coverage95: number | undefined;
  /** Mean width of the 80% interval, in units of the seasonal naive's error in the sample. */
  readonly width80: number | undefined;
  /** Mean absolute error in the same unit, at each step ahead. */
  readonly errorBySteps: readonly number[];
}

/** A row for each of `forecasters`, of which the first is the reference; `onProgress` hears the share done. */
export function m4Table(
  series: readonly NamedSeries[],
  forecasters: readonly Forecaster[],
  onProgress: (share: number) => void,
): M4Row[] {
  const rows: M4Row[] = [];
  for (const [number, forecaster] of forecasters.entries()) {
    const withIntervals = forecaster.name === 'ensemble' || forecaster.name === 'lag-linear';
    const stretches = withIntervals ? stretchesOf(forecaster, series) : undefined;
    const sum = { smape: 0, mase: 0, inside80: 0, inside95: 0, width80: 0 };
    const errors = new Float64Array(m4Horizon);
    for (const [index, { values }] of series.entries()) {
      const known = values.slice(0, values.length - m4Horizon);
      const actual = values.slice(known.length);
      const scale = seasonalScale(known, 24);
      const quantiles = stretches === undefined ? undefined : intervals(forecaster, known, stretches);
      const point = quantiles?.point ?? forecaster.fit(known, m4Shape).forecast(m4Horizon);
      sum.smape += symmetricError(actual, point) / series.length;
      sum.mase += absoluteError(actual, point) / scale / series.length;
      for (let step = 0; step < m4Horizon; step++) {
        errors[step] = errors[step]! + Math.abs(actual[step]! - point[step]!) / scale / series.length;
        if (quantiles === undefined) continue;
        const [low80, high80, low95, high95] = quantiles.quantiles.map((row) => row[step]!) as [
          number,
          number,
          number,
          number,
        ];
        const share = 1 / (series.length * m4Horizon);
        if (actual[step]! >= low80 && actual[step]! <= high80) sum.inside80 += share;
        if (actual[step]! >= low95 && actual[step]! <= high95) sum.inside95 += share;
        sum.width80 += ((high80 - low80) / scale) * share;
      }
      onProgress((number + (index + 1) / series.length) / forecasters.length);
    }
    const reference = rows[0] ?? sum;
    rows.push({
      name: forecaster.name,
      smape: sum.smape,
      mase: sum.mase,
      owa: overallWeightedAverage(sum, reference),
      coverage80: withIntervals ? sum.inside80 : undefined,
      coverage95: withIntervals ? sum.inside95 : undefined,
      width80: withIntervals ? sum.width80 : undefined,
      errorBySteps: [...errors],
    });
  }
  return rows;
}

/** Calibrated on the six days before the test, from an origin every six hours; neighbouring steps share their errors. */
function intervals(forecaster: Forecaster, known: Float64Array, stretches?: readonly number[]): QuantileForecast {
  return fitConformal(forecaster, known, m4Shape, {
    horizon: m4Horizon,
    firstStep: 1,
    levels: quantileLevels,
    calibrationLength: 144,
    stride: 6,
    stepWindow: 3,
    adaptation: 0,
    stretches,
  }).forecastQuantiles();
}

/** How far intervals must be stretched, from how they fared on the 48 hours before the test in all series. */
function stretchesOf(forecaster: Forecaster, series: readonly NamedSeries[]): number[] {
  const misses = new Float64Array(series.length * m4Horizon);
  const offsets = quantileLevels.map(() => new Float64Array(misses.length));
  for (const [index, { values }] of series.entries()) {
    const end = values.length - m4Horizon;
    const { point, quantiles } = intervals(forecaster, values.slice(0, end - m4Horizon));
    for (let step = 0; step < m4Horizon; step++) {
      const at = index * m4Horizon + step;
      misses[at] = values[end - m4Horizon + step]! - point[step]!;
      for (const [which, row] of quantiles.entries()) offsets[which]![at] = row[step]! - point[step]!;
    }
  }
  return quantileLevels.map((level, which) => stretchFactor(level, misses, offsets[which]!));
}
