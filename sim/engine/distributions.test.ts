import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../core/base/assert.ts';
import { RandomStream } from '../../core/base/random.ts';
import * as distributions from './distributions.ts';

const draws = 200_000;

function samples(draw: (random: RandomStream) => number): number[] {
  const random = new RandomStream(20240607, 'distributions-test');
  return Array.from({ length: draws }, () => draw(random));
}

function mean(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Mean within 5 standard errors, where the error comes from the known deviation. */
function expectMean(values: readonly number[], expected: number, deviation: number): void {
  expect(Math.abs(mean(values) - expected)).toBeLessThan((5 * deviation) / Math.sqrt(values.length));
}

/** Largest distance between the empirical and the true distribution function (Kolmogorov and Smirnov), times √n: above 1.95 for one sample in a thousand. */
function kolmogorov(values: number[], cumulative: (value: number) => number): number {
  values.sort((a, b) => a - b);
  let largest = 0;
  values.forEach((value, index) => {
    const expected = cumulative(value);
    largest = Math.max(
      largest,
      Math.abs(expected - index / values.length),
      Math.abs(expected - (index + 1) / values.length),
    );
  });
  return largest * Math.sqrt(values.length);
}

/** Abramowitz and Stegun 7.1.26, error below 1.5·10⁻⁷. */
function normalCumulative(value: number): number {
  const x = Math.abs(value) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const erf = 1 - poly * Math.exp(-x * x);
  return value < 0 ? (1 - erf) / 2 : (1 + erf) / 2;
}

const criticalDistance = 1.95;

describe('moments and distribution functions', () => {
  test('exponential', () => {
    const values = samples((random) => distributions.sampleExponential(random, 250));
    expectMean(values, 250, 250);
    expectMean(
      values.map((value) => value * value),
      2 * 250 ** 2,
      Math.sqrt(20) * 250 ** 2,
    );
    expect(kolmogorov(values, (value) => 1 - Math.exp(-value / 250))).toBeLessThan(criticalDistance);
  });

  test('normal', () => {
    const values = samples((random) => distributions.sampleNormal(random, 3, 2));
    expectMean(values, 3, 2);
    const standard = values.map((value) => (value - 3) / 2);
    expectMean(
      standard.map((z) => z ** 2),
      1,
      Math.sqrt(2),
    );
    expectMean(
      standard.map((z) => z ** 3),
      0,
      Math.sqrt(15),
    );
    expectMean(
      standard.map((z) => z ** 4),
      3,
      Math.sqrt(96),
    );
    expect(kolmogorov(standard, normalCumulative)).toBeLessThan(criticalDistance);
  });

  test('lognormal, by its logarithm and by its mean', () => {
    const byLog = samples((random) => distributions.sampleLognormal(random, 1, 0.5));
    expectMean(byLog, Math.exp(1.125), Math.exp(1.125) * Math.sqrt(Math.exp(0.25) - 1));
    expect(kolmogorov(byLog, (value) => normalCumulative((Math.log(value) - 1) / 0.5))).toBeLessThan(criticalDistance);
    const byMean = samples((random) => distributions.sampleLognormalByMean(random, 40, 0.3));
    expectMean(byMean, 40, 12);
    expect(Math.sqrt(mean(byMean.map((value) => (value - 40) ** 2)))).toBeCloseTo(12, 0);
  });

  test('Pareto', () => {
    const values = samples((random) => distributions.samplePareto(random, 2, 3));
    expectMean(values, 3, Math.sqrt(3));
    expect(Math.min(...values.slice(0, 1000))).toBeGreaterThanOrEqual(2);
    expect(kolmogorov(values, (value) => 1 - (2 / value) ** 3)).toBeLessThan(criticalDistance);
  });

  test('Weibull', () => {
    const values = samples((random) => distributions.sampleWeibull(random, 5, 0.5));
    expectMean(values, 10, Math.sqrt(20) * 5);
    expect(kolmogorov(values, (value) => 1 - Math.exp(-Math.sqrt(value / 5)))).toBeLessThan(criticalDistance);
  });

  test('uniform', () => {
    const values = samples((random) => distributions.sampleUniform(random, -1, 3));
    expect(kolmogorov(values, (value) => (value + 1) / 4)).toBeLessThan(criticalDistance);
  });
});

test('a draw takes the same number of uniforms whatever its parameters', () => {
  const after = (draw: (random: RandomStream) => void): number => {
    const random = new RandomStream(1, 'step');
    draw(random);
    return random.nextUint32();
  };
  expect(after((random) => distributions.sampleNormal(random, 0, 1))).toBe(
    after((random) => distributions.sampleNormal(random, 9, 100)),
  );
  expect(after((random) => distributions.samplePareto(random, 1, 1))).toBe(
    after((random) => distributions.sampleExponential(random, 5)),
  );
});

test('the first draws of a seed are the same bits everywhere', () => {
  const random = new RandomStream(42, 'golden');
  const first = [
    distributions.sampleExponential(random, 1),
    distributions.sampleNormal(random, 0, 1),
    distributions.sampleLognormal(random, 0, 1),
    distributions.samplePareto(random, 1, 1.5),
  ];
  expect(first).toMatchInlineSnapshot(`
    [
      0.19122995496451956,
      -0.2566642703883726,
      0.2754465961683798,
      2.234146269393065,
    ]
  `);
});

test('impossible parameters are assertions', () => {
  const random = new RandomStream(1, 'wrong');
  expect(() => distributions.sampleExponential(random, -1)).toThrow(AssertionError);
  expect(() => distributions.sampleNormal(random, 0, -1)).toThrow(AssertionError);
  expect(() => distributions.samplePareto(random, 0, 1)).toThrow(AssertionError);
  expect(() => distributions.sampleLognormalByMean(random, 0, 1)).toThrow(AssertionError);
});
