import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from './random.ts';

/** xoshiro128** as its authors wrote it, in 32-bit BigInt arithmetic. */
function reference(state: readonly number[], count: number): number[] {
  const mask = 0xffffffffn;
  const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (32n - by))) & mask;
  const s = state.map(BigInt) as [bigint, bigint, bigint, bigint];
  return Array.from({ length: count }, () => {
    const result = (rotate((s[1] * 5n) & mask, 7n) * 9n) & mask;
    const t = (s[1] << 9n) & mask;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 11n);
    return Number(result);
  });
}

describe('RandomStream', () => {
  it('is xoshiro128**, and goes on from a saved state', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.string(), (seed, name) => {
        const stream = new RandomStream(seed, name);
        const expected = reference(stream.save(), 20);
        const other = new RandomStream(0, '');
        other.restore(JSON.parse(JSON.stringify(stream.save())));
        expect(Array.from({ length: 20 }, () => stream.nextUint32())).toEqual(expected);
        expect(Array.from({ length: 20 }, () => other.nextUint32())).toEqual(expected);
      }),
    );
  });

  it('gives other numbers for another seed or name, also for negative and large seeds', () => {
    const seen = new Set<string>();
    const seeds = [2 ** 32, 2 ** 32 + 1, 2 ** 33, 2 ** 40 + 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
    for (let seed = -2000; seed < 2000; seed++) seeds.push(seed);
    for (const seed of seeds)
      for (const name of ['arrivals', 'faults', '']) seen.add(new RandomStream(seed, name).save().join());
    expect(seen.size).toBe(seeds.length * 3);
  });

  it('gives first numbers that are uniform over neighbouring seeds', () => {
    const bins = new Array<number>(16).fill(0);
    for (let seed = 0; seed < 16_000; seed++) bins[Math.floor(new RandomStream(seed, 'gaps').nextFloat() * 16)]! += 1;
    // Chi-squared with 15 degrees of freedom at the 0.001 level.
    expect(bins.reduce((total, count) => total + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(37.7);
  });

  it('is uniform in [0, 1) and below a bound', () => {
    const stream = new RandomStream(1, 'test');
    const bins = new Array<number>(10).fill(0);
    const below = new Array<number>(7).fill(0);
    let sum = 0;
    let least = 1;
    let most = 0;
    for (let index = 0; index < 100_000; index++) {
      const value = stream.nextFloat();
      least = Math.min(least, value);
      most = Math.max(most, value);
      bins[Math.floor(value * 10)]! += 1;
      sum += value;
      below[stream.nextBelow(7)]! += 1;
    }
    expect(least).toBeGreaterThanOrEqual(0);
    expect(most).toBeLessThan(1);
    expect(sum / 100_000).toBeCloseTo(0.5, 2);
    // Chi-squared with 9 and 6 degrees of freedom at the 0.001 level.
    expect(bins.reduce((total, count) => total + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(27.9);
    const mean = 100_000 / 7;
    expect(below.reduce((total, count) => total + (count - mean) ** 2 / mean, 0)).toBeLessThan(22.5);
  });

  it('shuffles into every order equally often', () => {
    const stream = new RandomStream(3, 'shuffle');
    const counts = new Map<string, number>();
    for (let index = 0; index < 24_000; index++) {
      const order = stream.shuffle([1, 2, 3, 4]).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const chiSquared = [...counts.values()].reduce((total, count) => total + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquared).toBeLessThan(49.7);
  });
});
