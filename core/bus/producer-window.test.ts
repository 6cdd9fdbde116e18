import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProducerWindow } from './producer-window.ts';

test('in order, out of order, beyond the window', () => {
  const window = new ProducerWindow(32);
  for (const sequence of [1, 2, 4, 34]) {
    expect(window.standing(sequence)).toBe('new');
    window.note(sequence);
  }
  expect([1, 2, 3, 4, 33, 34, 35].map((sequence) => window.standing(sequence))).toEqual([
    'duplicate',
    'duplicate',
    'new',
    'duplicate',
    'new',
    'duplicate',
    'beyond',
  ]);
  window.note(3);
  expect(window.watermark).toBe(4);
  expect(window.standing(36)).toBe('new');
});

test('what is given up counts as a duplicate, and lets the window move', () => {
  const window = new ProducerWindow(32);
  window.note(2);
  window.note(3);
  window.settle(1);
  expect(window.watermark).toBe(3);
  window.settle(1_000_000);
  expect([1_000_000, 1_000_001, 1_000_032, 1_000_033].map((sequence) => window.standing(sequence))).toEqual([
    'duplicate',
    'new',
    'new',
    'beyond',
  ]);
});

test('agrees with a set of numbers, also after a restore in between', () => {
  const width = 32;
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ note: fc.integer({ min: 1, max: 45 }) }) },
    // Close to the watermark, so that it moves around the ring of bits more than once.
    { weight: 8, arbitrary: fc.record({ note: fc.integer({ min: 6, max: 7 }) }) },
    { weight: 1, arbitrary: fc.record({ settle: fc.integer({ min: 0, max: 45 }) }) },
    { weight: 1, arbitrary: fc.constant('restore' as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      let window = new ProducerWindow(width);
      const stored = new Set<number>();
      let watermark = 0;
      for (const one of steps) {
        if (one === 'restore') {
          const state = JSON.parse(JSON.stringify(window.save()));
          window = new ProducerWindow(width);
          window.restore(state);
        } else if ('settle' in one) {
          // Relative to the watermark, so that long runs go on moving.
          const settled = watermark + one.settle - 20;
          window.settle(settled);
          for (let sequence = watermark + 1; sequence <= settled; sequence++) stored.add(sequence);
        } else {
          const sequence = watermark + one.note - 5;
          const expected =
            sequence <= watermark || stored.has(sequence)
              ? 'duplicate'
              : sequence > watermark + width
                ? 'beyond'
                : 'new';
          expect(window.standing(sequence)).toBe(expected);
          if (expected === 'new') {
            window.note(sequence);
            stored.add(sequence);
          }
        }
        while (stored.has(watermark + 1)) watermark++;
        expect(window.watermark).toBe(watermark);
      }
    }),
    { numRuns: 300 },
  );
});
