import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PackedReader, PackedWriter } from '../base/packed-values.ts';
import {
  type EffectMarks,
  firstDifference,
  groupLength,
  markEffects,
  marksBytesMax,
  readMarks,
  writeMarks,
} from './effect-marks.ts';
import type { Effect } from './effects.ts';

const digest = '0123456789abcdef';

function wakes(count: number): Effect[] {
  return Array.from({ length: count }, (_, index) => ({ kind: 'wakeAt', timeMicros: 1000 + index }));
}

const words = [0x01234567, 0x89abcdef | 0] as const;

function written(effects: readonly Effect[]): Uint8Array {
  const writer = new PackedWriter();
  writeMarks(writer, effects, words);
  return writer.written.slice();
}

test('property: what is written is read, in few bytes however many effects there are', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5000 }), (count) => {
      const marks = markEffects(wakes(count), digest);
      const bytes = written(wakes(count));
      expect(bytes.length).toBeLessThanOrEqual(marksBytesMax);
      const reader = new PackedReader(bytes);
      expect(readMarks(reader)).toEqual(marks);
      expect(reader.fault).toBeUndefined();
      expect(reader.isAtEnd).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('property: the first effect that differs is named, or the group that holds it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), (count, at) => {
      const index = at % count;
      const effects = wakes(count);
      const other = effects.with(index, { kind: 'wakeAt', timeMicros: 5 });
      const found = firstDifference(markEffects(effects, digest), markEffects(other, 'fedcba9876543210'));
      expect(found).toBeDefined();
      expect(index).toBeGreaterThanOrEqual(found!.from);
      expect(index).toBeLessThanOrEqual(found!.to);
      expect(found!.to - found!.from + 1).toBe(groupLength(count));
    }),
    { seed: 1 },
  );
});

test('an effect less, an effect more, and kernels that had parted before', () => {
  const marks = (count: number, over = digest): EffectMarks => markEffects(wakes(count), over);
  const other = 'fedcba9876543210';
  expect(firstDifference(marks(3), marks(3))).toBeUndefined();
  expect(firstDifference(marks(3), marks(2, other))).toEqual({ from: 2, to: 2 });
  expect(firstDifference(marks(2), marks(3, other))).toEqual({ from: 2, to: 2 });
  expect(firstDifference(marks(2), marks(2, other))).toEqual({ from: 0, to: 1 });
});

test('bytes that no marks have are no marks', () => {
  for (const bytes of [new Uint8Array(0), written(wakes(3)).subarray(0, -1)]) {
    const reader = new PackedReader(bytes);
    readMarks(reader);
    expect(reader.fault).toBeDefined();
  }
});
