import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, nearestName } from './nearest-name.ts';

test('distance counts insertions, deletions, substitutions and swaps', () => {
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('polices', 'policies')).toBe(1);
  expect(editDistance('sefo', 'sfeo')).toBe(1);
});

test('distance is symmetric, zero only for equal words, and within the longer word', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (left, right) => {
      const distance = editDistance(left, right);
      expect(editDistance(right, left)).toBe(distance);
      expect(distance === 0).toBe(left === right);
      expect(distance).toBeLessThanOrEqual(Math.max(left.length, right.length));
    }),
  );
});

test('a likely slip finds its name, a strange word finds none', () => {
  const known = ['fgd', 'best-fit', 'worst-fit', 'gpu-packing'];
  expect(nearestName('bestfit', known)).toBe('best-fit');
  expect(nearestName('Best_Fit', known)).toBe('best-fit');
  expect(nearestName('gpu-paking', known)).toBe('gpu-packing');
  expect(nearestName('fdg', known)).toBe('fgd');
  expect(nearestName('boundedSlowdownMean', ['waitMean', 'slowdownMean'])).toBe('slowdownMean');
  expect(nearestName('utilization', ['waitMean', 'gpuUtilizationPercent'])).toBe('gpuUtilizationPercent');
  expect(nearestName('kubernetes', known)).toBeUndefined();
  expect(nearestName('xy', ['ab'])).toBeUndefined();
});
