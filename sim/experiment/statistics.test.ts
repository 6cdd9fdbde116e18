import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  distributionOf,
  distributionPointsMax,
  estimate,
  holm,
  mean,
  pairedTest,
  quantile,
  standardDeviation,
} from './statistics.ts';

describe('estimate', () => {
  it('is the mean with a Student-t interval over seeds', () => {
    // Mean 3, s = √2.5, t(0.975; 4) = 2.776445105: half width 2.776445105 · √2.5 / √5 = 1.963243.
    const result = estimate([1, 2, 3, 4, 5]);
    expect(result.mean).toBe(3);
    expect(result.low).toBeCloseTo(3 - 1.963243, 6);
    expect(result.high).toBeCloseTo(3 + 1.963243, 6);
    expect(result.perSeed).toEqual([1, 2, 3, 4, 5]);
  });

  it('leaves undefined seeds out and keeps their places', () => {
    // 2 and 4: s = √2, t(0.975; 1) = 12.70620: half width 12.70620 · √2 / √2.
    const result = estimate([2, null, 4]);
    expect(result.mean).toBe(3);
    expect(result.high).toBeCloseTo(3 + 12.7062, 4);
    expect(result.perSeed).toEqual([2, null, 4]);
  });

  it('has no interval below two seeds and no mean below one', () => {
    expect(estimate([7])).toEqual({ mean: 7, low: null, high: null, perSeed: [7] });
    expect(estimate([null])).toEqual({ mean: null, low: null, high: null, perSeed: [null] });
    expect(estimate([])).toEqual({ mean: null, low: null, high: null, perSeed: [] });
  });

  it('refuses NaN and infinity', () => {
    expect(() => estimate([1, Number.NaN])).toThrow('finite');
    expect(() => estimate([1, Number.POSITIVE_INFINITY])).toThrow('finite');
  });
});

describe('mean and standard deviation', () => {
  it('divide by n and by n − 1', () => {
    expect(mean([2, 4, 4, 4, 5, 5, 7, 9])).toBe(5);
    expect(standardDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7), 12);
    expect(mean([])).toBeNull();
    expect(standardDeviation([1])).toBeNull();
  });
});

describe('pairedTest', () => {
  it('equals the closed form for three degrees of freedom', () => {
    // Differences 1, 2, 3, 4: mean 2.5, s = √(5/3), t = √15. With 3 degrees of freedom and θ = atan(t/√3) = atan(√5):
    // p = 1 − (2/π)(θ + sin θ cos θ), sin θ cos θ = √5/6.
    const expected = 1 - (2 / Math.PI) * (Math.atan(Math.sqrt(5)) + Math.sqrt(5) / 6);
    const test = pairedTest([5, 7, 9, 11], [4, 5, 6, 7]);
    expect(test.difference.mean).toBe(2.5);
    expect(test.pValue).toBeCloseTo(expected, 10);
    expect(test.pValue).toBeCloseTo(0.030466, 5);
  });

  it('gives 1 for no difference at all, 0 for the same difference in every pair, null below two pairs', () => {
    expect(pairedTest([1, 2, 3], [1, 2, 3]).pValue).toBe(1);
    expect(pairedTest([2, 3, 4], [1, 2, 3]).pValue).toBe(0);
    expect(pairedTest([2, null], [1, 4]).pValue).toBeNull();
    expect(pairedTest([2, null], [1, 4]).difference.perSeed).toEqual([1, null]);
  });

  it('does not depend on the order of the sides', () => {
    const samples = fc.array(
      fc.tuple(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.double({ min: -1e6, max: 1e6, noNaN: true })),
      { minLength: 2, maxLength: 12 },
    );
    fc.assert(
      fc.property(samples, (pairs) => {
        const left = pairs.map(([a]) => a);
        const right = pairs.map(([, b]) => b);
        const forward = pairedTest(left, right);
        const backward = pairedTest(right, left);
        expect(forward.pValue).toBeCloseTo(backward.pValue!, 9);
        expect(forward.pValue!).toBeGreaterThanOrEqual(0);
        expect(forward.pValue!).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('holm', () => {
  it('equals the worked example', () => {
    // 0.005·4, 0.01·3, 0.03·2, then 0.04·1 = 0.04 raised to the 0.06 before it.
    const corrected = holm([0.01, 0.04, 0.03, 0.005]);
    [0.03, 0.06, 0.06, 0.02].forEach((value, index) => {
      expect(corrected[index]).toBeCloseTo(value, 12);
    });
  });

  it('caps at 1 and does not count nulls', () => {
    expect(holm([0.8, null, 0.6])).toEqual([1, null, 1]);
    expect(holm([null, 0.02])).toEqual([null, 0.02]);
    expect(holm([])).toEqual([]);
  });

  it('never lowers a p-value and keeps their order', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 }), (pValues) => {
        const corrected = holm(pValues) as number[];
        for (let i = 0; i < pValues.length; i++) {
          expect(corrected[i]).toBeGreaterThanOrEqual(pValues[i]);
          for (let j = 0; j < pValues.length; j++)
            if (pValues[i] < pValues[j]) expect(corrected[i]).toBeLessThanOrEqual(corrected[j]);
        }
      }),
    );
  });
});

describe('quantile', () => {
  it('interpolates linearly between order statistics', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([1, 2, 3, 4, 5], 0.5)).toBe(3);
    expect(quantile([1, 2, 3, 4, 5], 0.95)).toBeCloseTo(4.8, 12);
    expect(quantile(Float64Array.of(1, 3), 0.25)).toBe(1.5);
    expect(quantile([], 0.5)).toBeNull();
    expect(() => quantile([1], 1.5)).toThrow('probability');
  });
});

describe('distributionOf', () => {
  it('is the whole empirical distribution where that is small enough', () => {
    expect(distributionOf([3, 1, 2, 2])).toEqual({ probability: [0.25, 0.5, 0.75, 1], value: [1, 2, 2, 3] });
    expect(distributionOf([])).toEqual({ probability: [], value: [] });
  });

  it('keeps the tails of a large sample', () => {
    const count = 100_000;
    const values = Array.from({ length: count }, (_, index) => (index * 7919) % count);
    const { probability, value } = distributionOf(values);
    expect(value.length).toBeLessThanOrEqual(distributionPointsMax);
    expect(value.length).toBeGreaterThan(distributionPointsMax / 2);
    expect(value.slice(0, 3)).toEqual([0, 1, 2]);
    expect(value.slice(-3)).toEqual([count - 3, count - 2, count - 1]);
    expect(probability.at(-1)).toBe(1);
    // Value v has rank v + 1 here, so that every point can be checked.
    value.forEach((v, index) => {
      expect(probability[index]).toBe((v + 1) / count);
    });
    expect(value.some((v) => Math.abs(v / count - 0.5) < 0.01)).toBe(true);
    expect(value.filter((v) => v >= 0.99 * count).length).toBeGreaterThanOrEqual(20);
  });

  it('is ascending, within the limit, and ends at the extremes, whatever the sample', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 900 }),
        fc.integer({ min: 8, max: 64 }),
        (values, pointsMax) => {
          const { probability, value } = distributionOf(values, pointsMax);
          expect(value.length).toBe(Math.min(value.length, pointsMax));
          expect(probability.length).toBe(value.length);
          for (let i = 1; i < value.length; i++) {
            expect(value[i]).toBeGreaterThanOrEqual(value[i - 1]);
            expect(probability[i]).toBeGreaterThan(probability[i - 1]);
          }
          expect(value[0]).toBe(Math.min(...values));
          expect(value.at(-1)).toBe(Math.max(...values));
          expect(probability.at(-1)).toBe(1);
        },
      ),
    );
  });
});
