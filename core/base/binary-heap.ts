// A bounded priority queue of (key, id), smallest key first and the smaller id among equal keys, so that its order depends
// on nothing else: not on the order of insertion, nor on what a snapshot kept. Each id is there at most once and can be
// looked up, moved or removed. Ids are small non-negative integers (slots, row numbers): memory is 4 bytes an id up to the
// largest one ever pushed.

import { assert } from './assert.ts';

/** A heap's content, in any order. */
export interface KeyedHeapState {
  readonly keys: readonly number[];
  readonly ids: readonly number[];
}

export class KeyedHeap {
  readonly lengthMax: number;
  private keys = new Float64Array(16);
  private ids = new Int32Array(16);
  /** 1 + the place of each id, 0 for those absent. */
  private places = new Int32Array(16);
  private count = 0;

  /** `lengthMax` in 1…2³⁰ entries. */
  constructor(lengthMax: number) {
    assert(Number.isInteger(lengthMax) && lengthMax >= 1 && lengthMax <= 2 ** 30, 'a heap holds 1 to 2^30 entries');
    this.lengthMax = lengthMax;
  }

  get length(): number {
    return this.count;
  }

  /** Adds `id` (0…2³⁰, not yet present) under `key` (not NaN); false, and nothing changed, when the heap is full. */
  push(key: number, id: number): boolean {
    assert(!Number.isNaN(key), 'a heap key is not NaN');
    assert(Number.isInteger(id) && id >= 0 && id <= 2 ** 30, 'a heap id is an integer in 0…2^30');
    assert(!this.has(id), 'an id is in a heap at most once');
    if (this.count === this.lengthMax) return false;
    if (this.count === this.ids.length) {
      this.keys = grown(this.keys, new Float64Array(this.count * 2));
      this.ids = grown(this.ids, new Int32Array(this.count * 2));
    }
    if (id >= this.places.length)
      this.places = grown(this.places, new Int32Array(Math.max(id + 1, this.places.length * 2)));
    this.count += 1;
    this.siftUp(this.count - 1, key, id);
    return true;
  }

  /** The id with the smallest (key, id), or −1 when the heap is empty. */
  peek(): number {
    return this.count === 0 ? -1 : this.ids[0];
  }

  /** The smallest key, or Infinity when the heap is empty. */
  peekKey(): number {
    return this.count === 0 ? Infinity : this.keys[0];
  }

  /** Takes the id with the smallest (key, id), or answers −1 when the heap is empty. */
  pop(): number {
    if (this.count === 0) return -1;
    const id = this.ids[0];
    this.removeAt(0);
    return id;
  }

  has(id: number): boolean {
    return id >= 0 && id < this.places.length && this.places[id] !== 0;
  }

  /** The key of `id`, or `undefined` when it is absent. */
  keyOf(id: number): number | undefined {
    return this.has(id) ? this.keys[this.places[id] - 1] : undefined;
  }

  /** Takes `id` out, wherever it stands; false when it is absent. */
  remove(id: number): boolean {
    if (!this.has(id)) return false;
    this.removeAt(this.places[id] - 1);
    return true;
  }

  /** Gives `id` another key; false when it is absent. */
  update(id: number, key: number): boolean {
    assert(!Number.isNaN(key), 'a heap key is not NaN');
    if (!this.has(id)) return false;
    const place = this.places[id] - 1;
    if (key <= this.keys[place]) this.siftUp(place, key, id);
    else this.siftDown(place, key, id);
    return true;
  }

  clear(): void {
    for (let place = 0; place < this.count; place++) this.places[this.ids[place]] = 0;
    this.count = 0;
  }

  save(): KeyedHeapState {
    return { keys: Array.from(this.keys.subarray(0, this.count)), ids: Array.from(this.ids.subarray(0, this.count)) };
  }

  restore(state: KeyedHeapState): void {
    this.clear();
    for (let index = 0; index < state.ids.length; index++) {
      assert(this.push(state.keys[index], state.ids[index]), 'a saved heap fits its bound');
    }
  }

  private removeAt(place: number): void {
    this.places[this.ids[place]] = 0;
    this.count -= 1;
    if (place === this.count) return;
    const key = this.keys[this.count];
    const id = this.ids[this.count];
    const parent = (place - 1) >> 1;
    if (place > 0 && isBefore(key, id, this.keys[parent], this.ids[parent])) this.siftUp(place, key, id);
    else this.siftDown(place, key, id);
  }

  private siftUp(from: number, key: number, id: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(key, id, this.keys[parent], this.ids[parent])) break;
      this.put(place, this.keys[parent], this.ids[parent]);
      place = parent;
    }
    this.put(place, key, id);
  }

  private siftDown(from: number, key: number, id: number): void {
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.count) break;
      const other = child + 1;
      if (other < this.count && isBefore(this.keys[other], this.ids[other], this.keys[child], this.ids[child]))
        child = other;
      if (!isBefore(this.keys[child], this.ids[child], key, id)) break;
      this.put(place, this.keys[child], this.ids[child]);
      place = child;
    }
    this.put(place, key, id);
  }

  private put(place: number, key: number, id: number): void {
    this.keys[place] = key;
    this.ids[place] = id;
    this.places[id] = place + 1;
  }
}

function isBefore(key: number, id: number, otherKey: number, otherId: number): boolean {
  return key < otherKey || (key === otherKey && id < otherId);
}

function grown<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
