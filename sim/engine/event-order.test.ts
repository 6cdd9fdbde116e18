import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareEvents, eventOrder, sequenceLimit } from './event-order.ts';

const key = fc.record({
  time: fc.oneof(fc.nat(3), fc.maxSafeNat()),
  priority: fc.oneof(fc.nat(2), fc.nat(255)),
  sequence: fc.oneof(fc.nat(3), fc.integer({ min: 0, max: sequenceLimit - 1 })),
});

test('events are ordered by time, then priority, then sequence', () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      const fields = [a.time - b.time, a.priority - b.priority, a.sequence - b.sequence];
      const expected = Math.sign(fields.find((difference) => difference !== 0) ?? 0);
      const actual = compareEvents(
        a.time,
        eventOrder(a.priority, a.sequence),
        b.time,
        eventOrder(b.priority, b.sequence),
      );
      expect(Math.sign(actual)).toBe(expected);
    }),
    { numRuns: 2000 },
  );
});

test('an order is exact up to its last sequence', () => {
  expect(eventOrder(255, sequenceLimit - 1)).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
  expect(eventOrder(255, sequenceLimit - 1)).toBeGreaterThan(eventOrder(255, sequenceLimit - 2));
  expect(eventOrder(1, 0)).toBeGreaterThan(eventOrder(0, sequenceLimit - 1));
});
