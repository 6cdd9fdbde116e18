import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Observations, poolObservations, SurvivalCurve } from './survival.ts';

function observations(values: readonly number[], censored: readonly number[] = values.map(() => 0)): Observations {
  return { values: Float64Array.from(values), censored: Uint8Array.from(censored) };
}

/** Weeks of remission under 6-mercaptopurine (Freireich et al., Blood 1963; the standard example of the estimator). */
const remission = observations(
  [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35],
  [0, 0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1],
);

describe('SurvivalCurve', () => {
  test('the published curve of the remission data', () => {
    const curve = new SurvivalCurve(remission);
    expect([...curve.times]).toEqual([6, 7, 10, 13, 16, 22, 23]);
    const published = [0.857, 0.807, 0.753, 0.69, 0.627, 0.538, 0.448];
    for (const [index, value] of published.entries()) expect(curve.survival[index]).toBeCloseTo(value, 3);
    expect(curve.censoredCount).toBe(12);
    expect(curve.largest).toBe(35);
    // Median 23; mean restricted to 35 weeks 23.3 (R, survfit with rmean = 35).
    expect(curve.quantile(0.5)).toBe(23);
    expect(curve.restrictedMean()).toBeCloseTo(23.29, 2);
  });

  test('by hand: two end, one is still waiting', () => {
    // At 1: 3 at risk, 1 ends: 2/3. At 2 one is censored. At 4: 1 at risk, 1 ends: 0.
    const curve = new SurvivalCurve(observations([4, 1, 2], [0, 0, 1]));
    expect([...curve.times]).toEqual([1, 4]);
    expect([...curve.survival]).toEqual([2 / 3, 0]);
    // 1 · 1 + 2/3 · 3.
    expect(curve.restrictedMean()).toBeCloseTo(3, 12);
    expect([0.3, 1 / 3, 0.34, 0.99].map((share) => curve.quantile(share))).toEqual([1, 1, 4, 4]);
  });

  test('at one value ends come before censorings, whatever their order', () => {
    const one = new SurvivalCurve(observations([5, 5], [1, 0]));
    const other = new SurvivalCurve(observations([5, 5], [0, 1]));
    expect([...one.survival]).toEqual([0.5]);
    expect([...other.survival]).toEqual([0.5]);
  });

  test('beyond the largest observation nothing is known: quantiles there are lower bounds', () => {
    const curve = new SurvivalCurve(observations([1, 2, 9, 9], [0, 0, 1, 1]));
    expect(curve.quantile(0.5)).toBe(2);
    expect(curve.quantile(0.99)).toBe(9);
    expect(curve.restrictedMean()).toBe(1 + 0.75 * 1 + 0.5 * 7);
    const nobody = new SurvivalCurve(observations([3, 7], [1, 1]));
    expect([nobody.quantile(0.5), nobody.restrictedMean(), nobody.times.length]).toEqual([7, 7, 0]);
  });

  test('no observations: nothing is known at all', () => {
    const curve = new SurvivalCurve(observations([]));
    expect(curve.restrictedMean()).toBeNaN();
    expect(curve.quantile(0.5)).toBeNaN();
  });

  const values = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 60 });

  test('property: without censoring it is the plain mean and the plain quantiles', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 99 }), (drawn, percent) => {
        const curve = new SurvivalCurve(observations(drawn));
        expect(curve.restrictedMean()).toBeCloseTo(drawn.reduce((sum, value) => sum + value, 0) / drawn.length, 9);
        const sorted = drawn.toSorted((left, right) => left - right);
        // The smallest value with at least this share at or below it.
        const rank = Math.ceil((percent * drawn.length) / 100 - 1e-9);
        expect(curve.quantile(percent / 100)).toBe(sorted[Math.max(1, rank) - 1]);
      }),
    );
  });

  test('property: a wait that is still going on never makes the mean smaller than the same wait ended', () => {
    fc.assert(
      fc.property(values, fc.infiniteStream(fc.boolean()), (drawn, stream) => {
        const censored = drawn.map(() => (stream.next().value ? 1 : 0));
        const known = new SurvivalCurve(observations(drawn)).restrictedMean();
        expect(new SurvivalCurve(observations(drawn, censored)).restrictedMean()).toBeGreaterThanOrEqual(known - 1e-9);
      }),
    );
  });

  test('property: pooled observations are those of all parts, in any grouping', () => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 4 }), (parts) => {
        const pooled = poolObservations(
          parts.map((part) =>
            observations(
              part,
              part.map((value) => value % 2),
            ),
          ),
        );
        expect([...pooled.values]).toEqual(parts.flat());
        expect([...pooled.censored]).toEqual(parts.flat().map((value) => value % 2));
      }),
    );
  });
});
