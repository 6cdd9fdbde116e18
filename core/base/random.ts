// Named, seeded streams of random numbers: xoshiro128** seeded by splitmix32 over a digest of the stream's name and the seed
// (Blackman and Vigna, "Scrambled linear pseudorandom number generators", TOMS 2021). The same (seed, name) gives the same
// bits on every machine, and a stream's state is four integers, so that it travels in a snapshot.

import { assert } from './assert.ts';
import { Digest } from './digest.ts';

/** State of one stream: four unsigned 32-bit integers. */
export type RandomState = readonly [number, number, number, number];

export class RandomStream {
  private s0 = 0;
  private s1 = 0;
  private s2 = 0;
  private s3 = 0;

  /** `seed` is any safe integer, `name` says what the stream is for: streams of different names are independent. */
  constructor(seed: number, name: string) {
    // 64 bits of name and seed reach the state: with 32, two streams of a large sweep could coincide.
    const digest = new Digest();
    digest.addText(name);
    digest.addInteger(seed);
    const [first, second] = digest.save();
    this.s0 = splitmix32(first, 1);
    this.s1 = splitmix32(second, 1);
    this.s2 = splitmix32(first, 2);
    this.s3 = splitmix32(second, 2) | 1;
  }

  /** The next unsigned 32-bit integer. */
  nextUint32(): number {
    const rotated = Math.imul(this.s1, 5);
    const result = Math.imul((rotated << 7) | (rotated >>> 25), 9) >>> 0;
    const shifted = this.s1 << 9;
    this.s2 ^= this.s0;
    this.s3 ^= this.s1;
    this.s1 ^= this.s2;
    this.s0 ^= this.s3;
    this.s2 ^= shifted;
    this.s3 = (this.s3 << 11) | (this.s3 >>> 21);
    return result;
  }

  /** A uniform number in [0, 1) with 53 random bits. */
  nextFloat(): number {
    const high = this.nextUint32() >>> 5;
    const low = this.nextUint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** A uniform integer in [0, bound), without modulo bias; `bound` in 1…2³². */
  nextBelow(bound: number): number {
    assert(bound >= 1 && bound <= 4294967296 && Math.floor(bound) === bound, 'a bound is a whole number from 1 to 2³²');
    const limit = 4294967296 - (4294967296 % bound);
    let value = this.nextUint32();
    while (value >= limit) value = this.nextUint32();
    return value % bound;
  }

  /** Shuffles `values` in place (Fisher and Yates). */
  shuffle<T>(values: T[]): T[] {
    for (let index = values.length - 1; index > 0; index--) {
      const other = this.nextBelow(index + 1);
      const held = values[index] as T;
      values[index] = values[other] as T;
      values[other] = held;
    }
    return values;
  }

  save(): RandomState {
    return [this.s0 >>> 0, this.s1 >>> 0, this.s2 >>> 0, this.s3 >>> 0];
  }

  restore(state: RandomState): void {
    [this.s0, this.s1, this.s2, this.s3] = state;
  }
}

/** The `step`-th output of splitmix32 started at `state`, as an unsigned 32-bit integer. */
function splitmix32(state: number, step: number): number {
  let mixed = (state + Math.imul(0x9e3779b9, step)) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
