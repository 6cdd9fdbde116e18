import { expect, test } from 'vitest';
import { samplePolicy } from './sample-policy.ts';
import { Shield } from './shield.ts';

const { manifest } = samplePolicy([2, 1]);
const features = manifest.features.map((feature) => ({ ...feature, minimum: 0, maximum: 10 }));
const shield = { ...manifest.shield, featuresOutsideMax: 0.5, candidatesOutsideMax: 0.5, operationsMax: 100 };

test('inputs within their bounds, shares of them outside, numbers that are none', () => {
  const guard = new Shield(shield, features);
  const admits = (...rows: number[]): boolean => guard.admits(Float64Array.from(rows), rows.length / 2, 100);
  expect(admits(0, 10, 5, 5)).toBe(true);
  // Half of the features of every candidate are outside: as many as may be.
  expect(admits(-1, 5, 11, 5)).toBe(true);
  // Both features of one of two candidates, then of both.
  expect(admits(-1, 11, 5, 5)).toBe(true);
  expect(admits(-1, 11, 11, -1)).toBe(false);
  expect(admits(Number.NaN, Number.NaN)).toBe(false);
  expect(guard.counts).toEqual({ decisions: 5, outside: 2, overBudget: 0, broken: 0 });
});

test('the budget, and scores', () => {
  const guard = new Shield(shield, features);
  expect(guard.admits(Float64Array.of(5, 5), 1, 101)).toBe(false);
  expect(guard.accepts(Float64Array.of(1, 2, Number.NaN), 2)).toBe(true);
  expect(guard.accepts(Float64Array.of(1, Number.POSITIVE_INFINITY), 2)).toBe(false);
  expect(guard.counts).toEqual({ decisions: 1, outside: 0, overBudget: 1, broken: 1 });
});
