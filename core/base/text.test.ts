import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance } from './nearest-name.ts';
import { closestNames, compareText } from './text.ts';

/** The definition, by recursion over prefixes. */
function distanceByDefinition(left: string, right: string): number {
  const of = (i: number, j: number): number => {
    if (i === 0 || j === 0) return i + j;
    let best = Math.min(of(i - 1, j) + 1, of(i, j - 1) + 1, of(i - 1, j - 1) + (left[i - 1] === right[j - 1] ? 0 : 1));
    if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1])
      best = Math.min(best, of(i - 2, j - 2) + 1);
    return best;
  };
  return of(left.length, right.length);
}

describe('text', () => {
  it('orders by code units, whatever the locale', () => {
    expect(['b', 'a', 'B', 'ä', 'a1', ''].sort(compareText)).toEqual(['', 'B', 'a', 'a1', 'b', 'ä']);
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        (left, right) => compareText(left, right) === -compareText(right, left) + 0,
      ),
    );
  });

  it('measures the distance that its definition gives', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 });
    fc.assert(
      fc.property(word, word, (left, right) => editDistance(left, right) === distanceByDefinition(left, right)),
    );
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('ca', 'abc')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
  });

  it('names what may have been meant, nearest first', () => {
    const names = ['best-fit', 'worst-fit', 'random', 'fgd', 'dot-product', 'gpu-packing', 'gpu-clustering', 'spread'];
    expect(closestNames('bestfit', names)).toEqual(['best-fit']);
    expect(closestNames('Best-Fti', names)).toEqual(['best-fit']);
    expect(closestNames('fdg', names)).toEqual(['fgd']);
    expect(closestNames('gpu', names)).toEqual(['gpu-clustering', 'gpu-packing']);
    expect(closestNames('zzzzzz', names)).toEqual([]);
    expect(closestNames('rst-fit', names, 1)).toHaveLength(1);
  });
});
