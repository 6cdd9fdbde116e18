import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { absoluteError } from './accuracy.ts';
import { ensemble } from './ensemble.ts';
import type { Forecaster, SeriesShape } from './forecaster.ts';
import { holtWinters } from './holt-winters.ts';
import { everyStep, lagLinear } from './lag-linear.ts';
import { naive2, persistence, seasonalNaive } from './naive.ts';
import { theta } from './theta.ts';

const day: SeriesShape = { periods: [6], lowerBound: 0 };
const plain: SeriesShape = { periods: [], lowerBound: Number.NEGATIVE_INFINITY };

const linear = (loss: 'squared' | 'absolute'): Forecaster =>
  lagLinear({ steps: everyStep(6), shrinkage: 0.05, towards: 'seasonal-naive', stride: 1, logarithm: true, loss });
const mixed = ensemble({
  members: [seasonalNaive(), theta, holtWinters, linear('squared')],
  validationLength: 18,
  horizon: 6,
  stride: 2,
  sharpness: 2,
  loss: 'absolute',
  judged: 'every-step',
});
const all: readonly Forecaster[] = [
  persistence,
  seasonalNaive(),
  naive2,
  theta,
  holtWinters,
  linear('squared'),
  linear('absolute'),
  mixed,
];

/** A season of six on a slow climb, with noise. */
function load(length: number, noise: number, seed = 1): Float64Array {
  const stream = new RandomStream(seed, 'load');
  const season = [0, 4, 9, 7, 3, 1];
  return Float64Array.from(
    { length },
    (_, index) => 20 + 0.02 * index + season[index % 6]! + noise * (stream.nextFloat() - 0.5),
  );
}

describe('on cases small enough to check by hand', () => {
  const series = Float64Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
  const short: SeriesShape = { periods: [3], lowerBound: 0 };

  test('persistence and the seasonal naive forecast repeat', () => {
    expect([...persistence.fit(series, short).forecast(2)]).toEqual([8, 8]);
    expect([...seasonalNaive().fit(series, short).forecast(5)]).toEqual([6, 7, 8, 6, 7]);
    const fitted = seasonalNaive().fit(series, short);
    fitted.append(9);
    expect([...fitted.forecast(3)]).toEqual([7, 8, 9]);
  });

  test('Naive2 finds a season of factors exactly, and repeats the level', () => {
    const factors = [0.5, 1, 1.5];
    const seasonal = Float64Array.from({ length: 30 }, (_, index) => 10 * factors[index % 3]!);
    const forecast = naive2.fit(seasonal, short).forecast(4);
    for (const [step, value] of forecast.entries()) expect(value).toBeCloseTo(10 * factors[step % 3]!, 10);
  });

  test('Theta continues a line by half its slope, from where smoothing ends', () => {
    const line = Float64Array.from({ length: 200 }, (_, index) => 5 + 2 * index);
    const forecast = theta.fit(line, plain).forecast(3);
    expect(forecast[1]! - forecast[0]!).toBeCloseTo(1, 9);
    expect(forecast[2]! - forecast[1]!).toBeCloseTo(1, 9);
    expect(Math.abs(forecast[0]! - 405)).toBeLessThan(3);
  });

  test('Holt-Winters and the linear model find a season exactly', () => {
    const clean = load(120, 0).map((_, index) => 20 + [0, 4, 9, 7, 3, 1][index % 6]!);
    for (const forecaster of [holtWinters, linear('squared'), linear('absolute')]) {
      const forecast = forecaster.fit(clean, day).forecast(6);
      for (let step = 0; step < 6; step++) expect(forecast[step], forecaster.name).toBeCloseTo(clean[step]!, 4);
    }
  });

  test('the linear model learns a dependence that no season explains', () => {
    // Each value is the negative of half the last: alternating, decaying to noise that keeps it alive.
    const stream = new RandomStream(3, 'alternating');
    const values = new Float64Array(400);
    for (let index = 1; index < values.length; index++)
      values[index] = -0.8 * values[index - 1]! + stream.nextFloat() - 0.5;
    const model = lagLinear({
      steps: [1],
      shrinkage: 1e-4,
      towards: 'persistence',
      stride: 1,
      logarithm: false,
      loss: 'squared',
    });
    const fitted = model.fit(values, plain);
    expect(fitted.forecast(1)[0]! / values[399]!).toBeCloseTo(-0.8, 0);
  });

  test('steps without a regression of their own lie between those that have one', () => {
    const sparse = lagLinear({
      steps: [2, 6],
      shrinkage: 0.05,
      towards: 'seasonal-naive',
      stride: 1,
      logarithm: true,
      loss: 'squared',
    });
    const series = load(120, 1);
    const fitted = sparse.fit(series, day).forecast(8);
    const dense = linear('squared').fit(series, day).forecast(6);
    expect(fitted[1]).toBe(dense[1]);
    expect(fitted[5]).toBe(dense[5]);
    expect(fitted[3]).toBeCloseTo((fitted[1]! + fitted[5]!) / 2, 12);
    expect(fitted[0]).toBeCloseTo((series[119]! + fitted[1]!) / 2, 12);
    expect([fitted[6], fitted[7]]).toEqual([fitted[5], fitted[5]]);
  });
});

describe('what all forecasters promise', () => {
  test.each(all.map((forecaster) => [forecaster.name, forecaster] as const))(
    '%s: same bits, series untouched, bound kept',
    (_, forecaster) => {
      const series = load(96, 3);
      const before = series.slice();
      const first = forecaster.fit(series, day).forecast(6);
      expect(series).toEqual(before);
      expect(forecaster.fit(series, day).forecast(6)).toEqual(first);
      const falling = Float64Array.from({ length: 96 }, (_, index) => Math.max(0, 40 - index));
      for (const value of forecaster.fit(falling, day).forecast(6)) expect(value).toBeGreaterThanOrEqual(0);
      expect(first.every(Number.isFinite)).toBe(true);
    },
  );

  test('finite on anything finite, at the shortest length, after more values, and a constant stays', () => {
    const shapes = [day, plain];
    fc.assert(
      fc.property(
        fc.constantFrom(...all),
        fc.constantFrom(...shapes),
        fc.array(fc.constantFrom(0, 1, 2, 50, 1e6, 0.001), { minLength: 160, maxLength: 160 }),
        fc.nat(60),
        (forecaster, shape, values, extra) => {
          const length = Math.min(forecaster.lengthMin(shape) + extra, 120);
          fc.pre(length >= forecaster.lengthMin(shape));
          const fitted = forecaster.fit(Float64Array.from(values.slice(0, length)), shape);
          for (const value of values.slice(length)) fitted.append(value);
          expect(fitted.forecast(6).every(Number.isFinite)).toBe(true);
          const constant = forecaster.fit(new Float64Array(length).fill(7), shape);
          for (const value of constant.forecast(6)) expect(value).toBeCloseTo(7, 6);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('values appended move the state as if they had been there', () => {
    const series = load(120, 2);
    for (const forecaster of [persistence, seasonalNaive()]) {
      const fitted = forecaster.fit(series.slice(0, 100), day);
      for (const value of series.subarray(100)) fitted.append(value);
      expect(fitted.forecast(6)).toEqual(forecaster.fit(series, day).forecast(6));
    }
    // Of the others the parameters stay those of the shorter series, so that the forecasts are near, not equal.
    for (const forecaster of [naive2, theta, holtWinters, linear('squared'), mixed]) {
      const fitted = forecaster.fit(series.slice(0, 100), day);
      const stale = fitted.forecast(6);
      for (const value of series.subarray(100)) fitted.append(value);
      const fresh = forecaster.fit(series, day).forecast(6);
      expect(absoluteError(fresh, fitted.forecast(6)), forecaster.name).toBeLessThan(1);
      expect(absoluteError(fresh, stale), forecaster.name).toBeGreaterThan(1.5);
    }
  });

  test('the linear model forgets what lies too far back, and still knows what it needs', () => {
    const model = linear('squared');
    const series = load(2000, 2);
    const fitted = model.fit(series.slice(0, 100), day);
    for (const value of series.subarray(100)) fitted.append(value);
    const actual = load(2006, 2).subarray(2000);
    expect(absoluteError(actual, fitted.forecast(6))).toBeLessThan(1);
  });

  test('each beats persistence on a load with a season', () => {
    for (const forecaster of all.slice(1)) {
      let errors = 0;
      let naiveErrors = 0;
      for (let seed = 1; seed <= 10; seed++) {
        const series = load(126, 2, seed);
        const known = series.slice(0, 120);
        const actual = series.slice(120);
        errors += absoluteError(actual, forecaster.fit(known, day).forecast(6));
        naiveErrors += absoluteError(actual, persistence.fit(known, day).forecast(6));
      }
      expect(errors, forecaster.name).toBeLessThan(naiveErrors / 2);
    }
  });
});

describe('the ensemble', () => {
  test('weighs by error: who is right counts most, and weights sum to 1', () => {
    const series = Float64Array.from({ length: 96 }, (_, index) => [3, 8, 1, 9, 4, 7][index % 6]!);
    const judge = ensemble({
      members: [persistence, seasonalNaive()],
      validationLength: 18,
      horizon: 6,
      stride: 1,
      sharpness: 2,
      loss: 'squared',
      judged: 'every-step',
    });
    expect([...judge.fit(series, day).weights]).toEqual([0, 1]);
    const noisy = load(96, 4);
    const { weights } = judge.fit(noisy, day);
    expect(weights[0]! + weights[1]!).toBeCloseTo(1, 12);
    expect(weights[1]).toBeGreaterThan(weights[0]! * 2);
  });

  test('members that the series is too short for are left out', () => {
    const { weights } = mixed.fit(load(36, 1), day);
    expect(weights[3]).toBe(0);
    expect(weights[0]).toBeGreaterThan(0);
  });
});
