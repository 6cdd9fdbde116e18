import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { overallWeightedAverage, pinballLoss, seasonalScale, symmetricError } from './accuracy.ts';
import { errorQuantile, fitConformal, stretchFactor } from './conformal.ts';
import type { SeriesShape } from './forecaster.ts';
import { persistence } from './naive.ts';
import { NormalEquations } from './ridge.ts';
import { rollOrigins } from './rolling-origin.ts';
import { isSeasonal } from './seasonal-adjustment.ts';

const plain: SeriesShape = { periods: [], lowerBound: Number.NEGATIVE_INFINITY };

function noise(length: number, spread: (index: number) => number, seed: number): Float64Array {
  const stream = new RandomStream(seed, 'noise');
  return Float64Array.from({ length }, (_, index) => spread(index) * (stream.nextFloat() - 0.5));
}

/** Share of the values that the intervals of 80% held, walking through the second half. */
function coverage(series: Float64Array, adaptation: number): number {
  const half = series.length / 2;
  const fitted = fitConformal(persistence, series.slice(0, half), plain, {
    horizon: 2,
    firstStep: 1,
    levels: [0.1, 0.9],
    calibrationLength: 300,
    stride: 1,
    stepWindow: 0,
    adaptation,
  });
  let held = 0;
  let count = 0;
  for (let index = half; index + 1 < series.length; index++) {
    const [low, high] = fitted.forecastQuantiles().quantiles as [Float64Array, Float64Array];
    const actual = series[index + 1]!;
    if (actual >= low[1]! && actual <= high[1]!) held += 1;
    count += 1;
    fitted.append(series[index]!);
  }
  return held / count;
}

describe('conformal intervals', () => {
  test('hold as often as they promise, whatever the distribution', () => {
    const even = noise(2000, () => 10, 1);
    const skewed = noise(2000, () => 1, 2).map((value) => (value + 0.5) ** 3 * 100);
    expect(coverage(even, 0)).toBeGreaterThan(0.77);
    expect(coverage(even, 0)).toBeLessThan(0.83);
    expect(coverage(skewed, 0.01)).toBeGreaterThan(0.77);
    expect(coverage(skewed, 0.01)).toBeLessThan(0.83);
  });

  test('adapt to a load that becomes three times as wild', () => {
    const wilder = noise(1600, (index) => (index < 800 ? 1 : 3 + index / 200), 3);
    expect(coverage(wilder, 0.02)).toBeGreaterThan(0.75);
    // The window of recent errors alone lags behind.
    expect(coverage(wilder, 0.02)).toBeGreaterThan(coverage(wilder, 0));
  });

  test('the quantile of a sample is the corrected order statistic', () => {
    const errors = Float64Array.from({ length: 9 }, (_, index) => index + 1);
    expect(errorQuantile(errors, 0.5)).toBe(5);
    expect(errorQuantile(errors, 0.8)).toBe(8);
    expect(errorQuantile(errors, 0.81)).toBe(9);
    expect(errorQuantile(errors, 0.99)).toBe(9);
    expect(errorQuantile(errors, 0.2)).toBe(2);
    expect(errorQuantile(errors, 0.01)).toBe(1);
  });

  test('stretching makes intervals that are twice too narrow twice as wide', () => {
    const misses = noise(5000, () => 20, 4);
    // The true quantile of 0.9 is 8; what was offered is 4.
    expect(stretchFactor(0.9, misses, new Float64Array(5000).fill(4))).toBeCloseTo(2, 1);
    expect(stretchFactor(0.1, misses, new Float64Array(5000).fill(-4))).toBeCloseTo(2, 1);
  });

  test('steps before the first have no quantiles, and quantiles keep the bound', () => {
    const series = noise(200, () => 2, 5).map((value) => value + 1);
    const fitted = fitConformal(
      persistence,
      series,
      { periods: [], lowerBound: 0 },
      {
        horizon: 3,
        firstStep: 3,
        levels: [0.05, 0.95],
        calibrationLength: 100,
        stride: 2,
        stepWindow: 0,
        adaptation: 0,
      },
    );
    const { point, quantiles } = fitted.forecastQuantiles();
    expect(point).toHaveLength(3);
    expect([...quantiles[0]!.slice(0, 2)]).toEqual([Number.NaN, Number.NaN]);
    expect(quantiles[0]![2]).toBeGreaterThanOrEqual(0);
    expect(quantiles[1]![2]).toBeGreaterThan(quantiles[0]![2]!);
  });
});

describe('measures', () => {
  test('by hand', () => {
    const actual = Float64Array.from([10, 20]);
    expect(symmetricError(actual, Float64Array.from([10, 30]))).toBeCloseTo((100 * (0 + 20 / 50)) / 2, 10);
    expect(symmetricError(Float64Array.from([0]), Float64Array.from([0]))).toBe(0);
    expect(seasonalScale(Float64Array.from([1, 5, 2, 8]), 2)).toBe(2);
    expect(overallWeightedAverage({ smape: 5, mase: 1 }, { smape: 10, mase: 4 })).toBe(0.375);
    expect(pinballLoss(actual, Float64Array.from([12, 16]), 0.9)).toBeCloseTo((0.1 * 2 + 0.9 * 4) / 2, 12);
  });

  test('the test for seasonality finds a season, and none in noise', () => {
    const stream = new RandomStream(8, 'season');
    const wave = Float64Array.from({ length: 120 }, (_, index) => (index % 6) + stream.nextFloat());
    expect(isSeasonal(wave, 6)).toBe(true);
    expect(
      isSeasonal(
        noise(120, () => 1, 9),
        6,
      ),
    ).toBe(false);
    expect(isSeasonal(wave.slice(0, 17), 6)).toBe(false);
    expect(isSeasonal(new Float64Array(120).fill(3), 6)).toBe(false);
  });

  test('rolling origins see all that lies before them, and nothing after', () => {
    const seen: number[][] = [];
    const origins = rollOrigins(
      persistence.fit(Float64Array.from([0]), plain),
      Float64Array.from([1, 2, 3, 4, 5]),
      { horizon: 2, stride: 2 },
      (forecast, actual) => seen.push([...forecast, ...actual]),
    );
    expect(origins).toBe(2);
    expect(seen).toEqual([
      [0, 0, 1, 2],
      [2, 2, 3, 4],
    ]);
  });

  test('ridge regression solves by hand: without penalty the line, with it the prior', () => {
    const equations = new NormalEquations(2, 1);
    for (const [one, two] of [
      [1, 0],
      [0, 1],
      [1, 1],
      [2, 1],
    ] as const)
      equations.add(Float64Array.from([one, two]), 0, Float64Array.from([3 * one - 2 * two]), 0);
    const free = equations.solve(1e-12);
    expect(free[0]).toBeCloseTo(3, 8);
    expect(free[1]).toBeCloseTo(-2, 8);
    const tied = equations.solveTowards(Float64Array.from([7, 5]), 1e9);
    expect(tied[0]).toBeCloseTo(7, 5);
    expect(tied[1]).toBeCloseTo(5, 5);
  });
});
