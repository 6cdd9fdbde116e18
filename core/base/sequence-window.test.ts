import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SequenceWindow, sequenceWindowMax } from './sequence-window.ts';

describe('SequenceWindow', () => {
  test('numbers in any order are new once', () => {
    const window = new SequenceWindow();
    for (const number of [2, 1, 3, 5]) {
      expect(window.look(number)).toBe('new');
      window.note(number);
      expect(window.look(number)).toBe('duplicate');
    }
    expect(window.look(4)).toBe('new');
    expect(window.look(0)).toBe('duplicate');
    expect(window.look(-1)).toBe('duplicate');
  });

  test('what is too far ahead waits until the gap closes', () => {
    const window = new SequenceWindow();
    expect(window.look(sequenceWindowMax)).toBe('new');
    expect(window.look(sequenceWindowMax + 1)).toBe('tooFarAhead');
    window.note(1);
    expect(window.look(sequenceWindowMax + 1)).toBe('new');
  });

  test('after clear the sender counts from 1 again', () => {
    const window = new SequenceWindow();
    for (const number of [1, 2, 4]) window.note(number);
    window.clear();
    for (const number of [1, 2, 4]) expect(window.look(number)).toBe('new');
  });

  test('property: equal to a set of all numbers seen, also when restored from text on the way', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant('restore' as const)), { maxLength: 120 }),
        (script) => {
          let window = new SequenceWindow();
          const seen = new Set<number>();
          for (const step of script) {
            if (step === 'restore') {
              const text = JSON.stringify(window.save());
              window = new SequenceWindow();
              window.restore(JSON.parse(text));
              continue;
            }
            expect(window.look(step)).toBe(seen.has(step) ? 'duplicate' : 'new');
            if (!seen.has(step)) window.note(step);
            seen.add(step);
          }
          // What is below the first gap takes no memory.
          let gap = 1;
          while (seen.has(gap)) gap++;
          expect(window.save()).toEqual({
            watermark: gap - 1,
            early: [...seen].filter((number) => number > gap).sort((left, right) => left - right),
          });
        },
      ),
    );
  });
});
