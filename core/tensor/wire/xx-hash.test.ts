import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { xxHash32 } from './xx-hash.ts';

/** XXH32 as its specification words it, with exact integers. */
function slow(bytes: Uint8Array, seed: number): number {
  const [p1, p2, p3, p4, p5] = [0x9e3779b1n, 0x85ebca77n, 0xc2b2ae3dn, 0x27d4eb2fn, 0x165667b1n] as const;
  const wrap = (value: bigint): bigint => BigInt.asUintN(32, value);
  const rotate = (value: bigint, bits: bigint): bigint => wrap((value << bits) | (wrap(value) >> (32n - bits)));
  const word = (at: number): bigint => BigInt(Buffer.from(bytes).readUInt32LE(at));
  const start = BigInt(seed);
  const lanes = [start + p1 + p2, start + p2, start, start - p1].map(wrap);
  let at = 0;
  for (; at + 16 <= bytes.length; at += 16)
    for (let lane = 0; lane < 4; lane++)
      lanes[lane] = wrap(rotate(wrap(lanes[lane]! + word(at + 4 * lane) * p2), 13n) * p1);
  const [a, b, c, d] = lanes as [bigint, bigint, bigint, bigint];
  let hash =
    bytes.length < 16 ? wrap(start + p5) : wrap(rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n));
  hash = wrap(hash + BigInt(bytes.length));
  for (; at + 4 <= bytes.length; at += 4) hash = wrap(rotate(wrap(hash + word(at) * p3), 17n) * p4);
  for (; at < bytes.length; at++) hash = wrap(rotate(wrap(hash + BigInt(bytes[at]!) * p5), 11n) * p1);
  hash = wrap((hash ^ (hash >> 15n)) * p2);
  hash = wrap((hash ^ (hash >> 13n)) * p3);
  return Number(hash ^ (hash >> 16n));
}

describe('XXH32', () => {
  it('gives the published values', () => {
    expect(xxHash32(new Uint8Array(0))).toBe(0x02cc5d05);
    expect(xxHash32(new Uint8Array(0), 0x9e3779b1)).toBe(0x36b78ae7);
    expect(xxHash32(Buffer.from('abc'))).toBe(0x32d153ff);
    expect(xxHash32(Buffer.from('Nobody inspects the spammish repetition'))).toBe(0xe2293b2f);
  });

  it('agrees with its definition, wherever the bytes lie', () => {
    const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600, size: 'max' }), seeds, fc.nat({ max: 5 }), (bytes, seed, shift) => {
        const moved = new Uint8Array(bytes.length + shift).subarray(shift);
        moved.set(bytes);
        expect(xxHash32(moved, seed)).toBe(slow(bytes, seed));
      }),
    );
  });
});
