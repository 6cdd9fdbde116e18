import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Digest } from './digest.ts';

function digestOf(fill: (digest: Digest) => void): string {
  const digest = new Digest();
  fill(digest);
  return digest.toHex();
}

const integers = (...values: number[]): string =>
  digestOf((digest) => {
    for (const value of values) digest.addInteger(value);
  });

/** Number of bits in which two digests differ. */
function distance(left: string, right: string): number {
  let difference = BigInt(`0x${left}`) ^ BigInt(`0x${right}`);
  let count = 0;
  for (; difference !== 0n; difference &= difference - 1n) count++;
  return count;
}

describe('Digest', () => {
  it('is 16 hexadecimal digits, the same on every machine', () => {
    expect(digestOf(() => {})).toBe('466844b435876c86');
    expect(
      digestOf((digest) => {
        digest.addInteger(42);
        digest.addInteger(-(2 ** 40));
        digest.addFloat(0.1);
        digest.addText('tensor, žluť');
        digest.addBytes(new Uint8Array([1, 2, 3, 4, 5]));
      }),
    ).toBe('a65c1bb364c3bffc');
  });

  it('depends on order, on count and on every value', () => {
    const safe = fc.maxSafeInteger();
    fc.assert(
      fc.property(fc.array(safe, { maxLength: 8 }), fc.array(safe, { maxLength: 8 }), (left, right) => {
        const isSame = left.length === right.length && left.every((value, index) => value + 0 === right[index]! + 0);
        expect(integers(...left) === integers(...right)).toBe(isSame);
      }),
      { numRuns: 2000 },
    );
    expect(integers(1, 2)).not.toBe(integers(2, 1));
    expect(integers(0)).not.toBe(integers(0, 0));
    expect(integers(2 ** 32)).not.toBe(integers(0, 1));
    expect(integers(-1)).not.toBe(integers(4294967295));
    expect(integers(-0)).toBe(integers(0));
  });

  it('tells apart the exact bits of floats, and treats every NaN alike', () => {
    const float = (value: number): string => digestOf((digest) => digest.addFloat(value));
    expect(float(0)).not.toBe(float(-0));
    expect(float(1)).not.toBe(float(1 + Number.EPSILON));
    const otherNaN = new Float64Array(new BigInt64Array([0x7ff8000000000123n]).buffer)[0]!;
    expect(float(NaN)).toBe(float(otherNaN));
  });

  it('separates texts and bytes by their length', () => {
    const texts = (...values: string[]): string =>
      digestOf((digest) => {
        for (const value of values) digest.addText(value);
      });
    expect(texts('ab', 'c')).not.toBe(texts('a', 'bc'));
    expect(texts('', 'a')).not.toBe(texts('a', ''));
    expect(texts('a')).not.toBe(texts('a\0'));
    const bytes = (...values: number[]): string => digestOf((digest) => digest.addBytes(new Uint8Array(values)));
    expect(bytes(0)).not.toBe(bytes(0, 0));
    expect(bytes(1, 2, 3, 4)).not.toBe(bytes(1, 2, 3, 5));
  });

  it('avalanches: one bit of one integer changes about half of the digest, wherever it stands', () => {
    let total = 0;
    let least = 64;
    let trials = 0;
    for (let bit = 0; bit < 32; bit++) {
      for (let position = 0; position < 6; position++) {
        for (let sample = 0; sample < 10; sample++) {
          const values = Array.from(
            { length: 6 },
            (_, index) => Math.imul(sample * 6 + index + 1, 0x3c6ef372) >> (sample % 7),
          );
          const before = integers(...values);
          values[position] = values[position]! ^ (1 << bit);
          const flipped = distance(before, integers(...values));
          total += flipped;
          least = Math.min(least, flipped);
          trials++;
        }
      }
    }
    expect(total / trials).toBeGreaterThan(31);
    expect(total / trials).toBeLessThan(33);
    expect(least).toBeGreaterThan(12);
  });

  it('has no collision among 200,000 short sequences of small numbers', () => {
    const seen = new Set<string>();
    const digest = new Digest();
    const start = digest.save();
    let count = 0;
    for (let a = 0; a < 100; a++) {
      for (let b = 0; b < 100; b++) {
        for (let c = 0; c < 20; c++) {
          digest.restore(start);
          digest.addInteger(a << 25);
          digest.addInteger(b);
          digest.addInteger(c << 12);
          seen.add(digest.toHex());
          count++;
        }
      }
    }
    expect(seen.size).toBe(count);
  });

  it('goes on from a saved state as if it had never stopped', () => {
    const whole = new Digest();
    const restored = new Digest();
    whole.addText('before');
    restored.restore(JSON.parse(JSON.stringify(whole.save())));
    whole.addInteger(7);
    restored.addInteger(7);
    expect(restored.toHex()).toBe(whole.toHex());
  });
});
