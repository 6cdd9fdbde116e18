// The load part of the page: demand some time ahead, from one origin after the other through a stretch that nothing was fitted to.
// Two questions, two answers: how much on average (squared errors; an ensemble), and how much as a rule (absolute errors; a median).
// Each stands beside persistence and the seasonal naive forecast.

import { fitConformal } from '../conformal.ts';
import { ensemble } from '../ensemble.ts';
import type { FittedForecaster, Forecaster, SeriesShape } from '../forecaster.ts';
import { holtWinters } from '../holt-winters.ts';
import { lagLinear } from '../lag-linear.ts';
import { persistence, seasonalNaive } from '../naive.ts';
import type { NamedSeries } from './m4.ts';
import { quantileLevels } from './m4-table.ts';

export interface LoadTask {
  readonly series: NamedSeries;
  /** Samples of a season. */
  readonly period: number;
  /** Samples at the end that nothing is fitted to. */
  readonly testLength: number;
  /** Samples before those on which intervals are calibrated, and before those again on which the ensemble is judged. */
  readonly calibrationLength: number;
  readonly validationLength: number;
  /** Samples between origins. */
  readonly originStride: number;
  /** Samples between training examples. */
  readonly trainingStride: number;
  /** Steps ahead. */
  readonly horizon: number;
}

export interface LoadRow {
  readonly series: string;
  readonly horizon: number;
  readonly origins: number;
  /** Root mean squared error. */
  readonly squared: { readonly persistence: number; readonly seasonalNaive: number; readonly ensemble: number };
  /** Mean absolute error. */
  readonly absolute: { readonly persistence: number; readonly seasonalNaive: number; readonly median: number };
  readonly coverage80: number;
  readonly coverage95: number;
  /** Mean width of the 80% interval of the ensemble, in the unit of the series. */
  readonly width80: number;
}

const plain: SeriesShape = { periods: [], lowerBound: 0 };

/** A forecaster that takes the series for one of another shape. */
function asShape(forecaster: Forecaster, shape: SeriesShape): Forecaster {
  return {
    name: forecaster.name,
    lengthMin: () => forecaster.lengthMin(shape),
    fit: (series) => forecaster.fit(series, shape),
  };
}

function linear(task: LoadTask, loss: 'squared' | 'absolute'): Forecaster {
  return lagLinear({
    steps: [task.horizon],
    shrinkage: 0.03,
    towards: 'persistence',
    stride: task.trainingStride,
    logarithm: false,
    loss,
  });
}

export function loadRow(task: LoadTask): LoadRow {
  const { horizon, originStride: stride } = task;
  const { values } = task.series;
  const seasonal: SeriesShape = { periods: [task.period], lowerBound: 0 };
  const known = values.slice(0, values.length - task.testLength);
  const rest = values.subarray(known.length);
  const average = ensemble({
    members: [
      persistence,
      asShape(linear(task, 'squared'), plain),
      asShape(linear(task, 'squared'), seasonal),
      asShape(holtWinters, plain),
    ],
    validationLength: task.validationLength,
    horizon,
    stride,
    sharpness: 2,
    loss: 'squared',
    judged: 'last-step',
  });
  const fitted = fitConformal(average, known, seasonal, {
    horizon,
    firstStep: horizon,
    levels: quantileLevels,
    calibrationLength: task.calibrationLength,
    stride,
    stepWindow: 0,
    adaptation: 0.01,
  });
  const others: readonly FittedForecaster[] = [
    persistence.fit(known, seasonal),
    seasonalNaive().fit(known, seasonal),
    linear(task, 'absolute').fit(known, plain),
  ];
  const squares = [0, 0, 0, 0];
  const absolutes = [0, 0, 0, 0];
  let origins = 0;
  let inside80 = 0;
  let inside95 = 0;
  let width80 = 0;
  for (let origin = 0; origin < rest.length; origin++) {
    if (origin % stride === 0 && origin + horizon <= rest.length) {
      const actual = rest[origin + horizon - 1]!;
      const { point, quantiles } = fitted.forecastQuantiles();
      const points = [...others.map((other) => other.forecast(horizon)), point];
      for (const [index, forecast] of points.entries()) {
        const miss = actual - forecast[horizon - 1]!;
        squares[index] = squares[index]! + miss * miss;
        absolutes[index] = absolutes[index]! + Math.abs(miss);
      }
      const [low80, high80, low95, high95] = quantiles.map((row) => row[horizon - 1]!) as [
        number,
        number,
        number,
        number,
      ];
      if (actual >= low80 && actual <= high80) inside80 += 1;
      if (actual >= low95 && actual <= high95) inside95 += 1;
      width80 += high80 - low80;
      origins += 1;
    }
    for (const one of [fitted, ...others]) one.append(rest[origin]!);
  }
  const root = (index: number): number => Math.sqrt(squares[index]! / origins);
  const mean = (index: number): number => absolutes[index]! / origins;
  return {
    series: task.series.name,
    horizon,
    origins,
    squared: { persistence: root(0), seasonalNaive: root(1), ensemble: root(3) },
    absolute: { persistence: mean(0), seasonalNaive: mean(1), median: mean(2) },
    coverage80: inside80 / origins,
    coverage95: inside95 / origins,
    width80: width80 / origins,
  };
}
