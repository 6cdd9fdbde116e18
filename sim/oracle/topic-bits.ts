// A growing set of whole numbers in which almost everything below some floor is contained: the offsets that a group is done with,
// the sequences of a producer that are stored. A bit a number above the floor, nothing below it, so that a billion messages
// pass through a few kilobytes. Memory follows the distance from the floor to the highest number.

import { assert } from '../../core/base/assert.ts';

export class TopicBits {
  /** Every number below is contained. */
  floor: number;
  /** Exclusive: no number at or above is contained. */
  end: number;
  private bits = new Int32Array(4);
  private mask = 127;

  constructor(floor: number) {
    this.floor = floor;
    this.end = floor;
  }

  has(number: number): boolean {
    if (number < this.floor) return true;
    if (number >= this.end) return false;
    return this.isSet(number);
  }

  /** Adds a number; false if it was contained. */
  add(number: number): boolean {
    if (number === this.floor && number === this.end) {
      this.floor++;
      this.end++;
      return true;
    }
    if (this.has(number)) return false;
    while (number - this.floor > this.mask) this.grow();
    if (number >= this.end) this.end = number + 1;
    const at = number & this.mask;
    this.bits[at >> 5] = this.bits[at >> 5]! | (1 << (at & 31));
    while (this.floor < this.end && this.isSet(this.floor)) {
      const first = this.floor++ & this.mask;
      this.bits[first >> 5] = this.bits[first >> 5]! & ~(1 << (first & 31));
    }
    return true;
  }

  /** Adds every number below `end`; how many of them were not contained. */
  addBelow(end: number): number {
    if (end <= this.floor) return 0;
    let added = 0;
    const last = Math.min(end, this.end);
    for (let number = this.floor; number < last; number++) {
      if (!this.isSet(number)) added++;
      else {
        const at = number & this.mask;
        this.bits[at >> 5] = this.bits[at >> 5]! & ~(1 << (at & 31));
      }
    }
    if (end > this.end) {
      added += end - Math.max(this.floor, this.end);
      this.end = end;
    }
    this.floor = end;
    while (this.floor < this.end && this.isSet(this.floor)) {
      const first = this.floor++ & this.mask;
      this.bits[first >> 5] = this.bits[first >> 5]! & ~(1 << (first & 31));
    }
    return added;
  }

  /** Forgets everything at or above `floor`, and contains what is below. */
  reset(floor: number): void {
    this.bits.fill(0);
    this.floor = floor;
    this.end = floor;
  }

  /** The lowest number at or above `from` that is not contained. */
  nextMissing(from: number): number {
    let number = Math.max(from, this.floor);
    while (number < this.end && this.isSet(number)) number++;
    return number;
  }

  private isSet(number: number): boolean {
    const at = number & this.mask;
    return (this.bits[at >> 5]! & (1 << (at & 31))) !== 0;
  }

  private grow(): void {
    assert(this.mask < 2 ** 30, 'a set of numbers grows without end');
    const former = this.bits;
    const formerMask = this.mask;
    this.mask = formerMask * 2 + 1;
    this.bits = new Int32Array((this.mask + 1) >> 5);
    for (let number = this.floor; number < this.end; number++) {
      const at = number & formerMask;
      if ((former[at >> 5]! & (1 << (at & 31))) === 0) continue;
      const to = number & this.mask;
      this.bits[to >> 5] = this.bits[to >> 5]! | (1 << (to & 31));
    }
  }
}
