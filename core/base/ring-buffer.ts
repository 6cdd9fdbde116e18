// A bounded first-in-first-out queue. It refuses instead of growing past its bound; what to do then (slow down, drop, answer
// SIRA_QUEUE_FULL) is the caller's choice.

import { assert } from './assert.ts';

export class RingBuffer<T> {
  readonly lengthMax: number;
  // A power of two, doubled on demand, so that a large bound costs nothing until it is used.
  private slots: (T | undefined)[];
  private mask: number;
  private head = 0;
  private count = 0;

  /** `lengthMax` in 1…2³⁰ elements. */
  constructor(lengthMax: number) {
    assert(
      Number.isInteger(lengthMax) && lengthMax >= 1 && lengthMax <= 2 ** 30,
      'a ring buffer holds 1 to 2^30 elements',
    );
    this.lengthMax = lengthMax;
    this.slots = new Array<T | undefined>(8).fill(undefined);
    this.mask = 7;
  }

  get length(): number {
    return this.count;
  }

  get isFull(): boolean {
    return this.count === this.lengthMax;
  }

  /** Appends `value`; false, and nothing changed, when the buffer is full. */
  push(value: T): boolean {
    if (this.count === this.lengthMax) return false;
    if (this.count > this.mask) this.grow();
    this.slots[(this.head + this.count) & this.mask] = value;
    this.count += 1;
    return true;
  }

  /** Takes the oldest element, or `undefined` when there is none. */
  shift(): T | undefined {
    if (this.count === 0) return undefined;
    const value = this.slots[this.head];
    this.slots[this.head] = undefined;
    this.head = (this.head + 1) & this.mask;
    this.count -= 1;
    return value;
  }

  /** The oldest element, left where it is. */
  peek(): T | undefined {
    return this.count === 0 ? undefined : this.slots[this.head];
  }

  /** The element `index` places behind the oldest, 0 ≤ index < length. */
  at(index: number): T {
    assert(index >= 0 && index < this.count, 'index outside of the ring buffer');
    return this.slots[(this.head + index) & this.mask] as T;
  }

  clear(): void {
    this.slots.fill(undefined);
    this.head = 0;
    this.count = 0;
  }

  /** All elements, oldest first. */
  toArray(): T[] {
    const values: T[] = [];
    for (let index = 0; index < this.count; index++) values.push(this.slots[(this.head + index) & this.mask] as T);
    return values;
  }

  private grow(): void {
    const size = (this.mask + 1) * 2;
    const slots = new Array<T | undefined>(size).fill(undefined);
    for (let index = 0; index < this.count; index++) slots[index] = this.slots[(this.head + index) & this.mask];
    this.slots = slots;
    this.mask = size - 1;
    this.head = 0;
  }
}
