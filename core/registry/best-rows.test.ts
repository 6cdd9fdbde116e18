import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BestRows } from './best-rows.ts';

test('keeps the best, ties by row, in whatever order they are offered', () => {
  const offers = fc.uniqueArray(fc.tuple(fc.nat(60), fc.integer({ min: -2, max: 2 })), {
    selector: ([row]) => row,
    maxLength: 40,
  });
  fc.assert(
    fc.property(offers, fc.nat(12), (ranked, limit) => {
      const best = new BestRows(limit);
      for (const [row, score] of ranked) best.offer(row, score);
      const expected = [...ranked].sort((left, right) => right[1] - left[1] || left[0] - right[0]).slice(0, limit);
      expect(best.sorted()).toEqual(expected.map(([row, score]) => ({ row, score })));
      expect(best.isFull).toBe(ranked.length >= limit);
    }),
    { numRuns: 300 },
  );
});
