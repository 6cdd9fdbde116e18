import { describe, expect, test } from 'vitest';
import type { Effect } from '../../core/kernel/effects.ts';
import {
  checkpointDistance,
  EffectTrace,
  firstDifferingEffect,
  firstDifferingStretch,
  type Trail,
} from './effect-trace.ts';

const count = 2 * checkpointDistance + 300;

/** `count` effects, of which number `changed` is another one, or comes a microsecond later. */
function trailOf(options: { changed?: number; late?: number; count?: number; wordsFrom?: number } = {}): Trail {
  const trace = new EffectTrace(options.wordsFrom ?? -1);
  for (let number = 0; number < (options.count ?? count); number++) {
    const batch = number === options.changed ? -1 : number;
    const effect: Effect = { kind: 'heartbeatsRecorded', gateway: 0, batch };
    trace.kernelEffect(effect, number === options.late ? number + 1 : number);
  }
  return trace.trail();
}

describe('EffectTrace', () => {
  test('the same effects at the same times leave the same trail', () => {
    expect(trailOf()).toEqual(trailOf());
    expect(firstDifferingStretch(trailOf(), trailOf())).toBeUndefined();
    expect(trailOf().effects).toBe(count);
    expect(trailOf().checkpoints).toHaveLength(3);
  });

  test.each([0, 999, 1000, 1999, 2000, count - 1])(
    'a difference at effect %i is found in its stretch, and then itself',
    (changed) => {
      const stretch = firstDifferingStretch(trailOf(), trailOf({ changed }));
      expect(stretch).toBe(Math.floor(changed / checkpointDistance) * checkpointDistance);
      const words = firstDifferingEffect(
        trailOf({ wordsFrom: stretch as number }),
        trailOf({ changed, wordsFrom: stretch as number }),
      );
      expect(words).toEqual([
        `effect ${changed} at ${changed} µs: {"kind":"heartbeatsRecorded","gateway":0,"batch":${changed}}`,
        `effect ${changed} at ${changed} µs: {"kind":"heartbeatsRecorded","gateway":0,"batch":-1}`,
      ]);
    },
  );

  test('the same effect at another time is a difference', () => {
    expect(firstDifferingStretch(trailOf(), trailOf({ late: 1500 }))).toBe(1000);
  });

  test('a trail that ends early differs where it ends', () => {
    for (const shorter of [count - 1, 2 * checkpointDistance, 1500]) {
      const stretch = firstDifferingStretch(trailOf(), trailOf({ count: shorter })) as number;
      expect(stretch).toBe(Math.floor(shorter / checkpointDistance) * checkpointDistance);
      const left = trailOf({ wordsFrom: stretch });
      const [one, other] = firstDifferingEffect(left, trailOf({ count: shorter, wordsFrom: stretch })) ?? [];
      expect(one).toMatch(new RegExp(`^effect ${shorter} `));
      expect(other).toBe('no further effect');
    }
  });

  test('only the stretch asked for is kept in words', () => {
    const { words } = trailOf({ wordsFrom: 1000 });
    expect(words).toHaveLength(checkpointDistance);
    expect(words[0]).toMatch(/^effect 1000 /);
    expect(trailOf().words).toEqual([]);
  });
});
