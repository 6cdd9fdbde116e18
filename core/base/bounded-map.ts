// A map that refuses past its maximum, with the code and the reason that the caller can hand on. Iteration follows insertion,
// as in `Map`, so that it is the same in every run.

import { assert } from './assert.ts';
import { accepted, refused, type Status } from './status.ts';

export class BoundedMap<Key, Value> {
  readonly lengthMax: number;
  private readonly what: string;
  private readonly entriesByKey = new Map<Key, Value>();

  /** `what` names the entries in a refusal, in the plural: "agents", "topics". */
  constructor(what: string, lengthMax: number) {
    assert(Number.isInteger(lengthMax) && lengthMax >= 1, 'a bounded map holds at least one entry');
    this.what = what;
    this.lengthMax = lengthMax;
  }

  get size(): number {
    return this.entriesByKey.size;
  }

  has(key: Key): boolean {
    return this.entriesByKey.has(key);
  }

  get(key: Key): Value | undefined {
    return this.entriesByKey.get(key);
  }

  /** Adds or replaces; a new key beyond the maximum is refused with SIRA_QUEUE_FULL and changes nothing. */
  set(key: Key, value: Value): Status {
    if (this.entriesByKey.size >= this.lengthMax && !this.entriesByKey.has(key)) {
      return refused('SIRA_QUEUE_FULL', `there are already ${this.lengthMax} ${this.what}, the maximum`);
    }
    this.entriesByKey.set(key, value);
    return accepted;
  }

  delete(key: Key): boolean {
    return this.entriesByKey.delete(key);
  }

  clear(): void {
    this.entriesByKey.clear();
  }

  keys(): IterableIterator<Key> {
    return this.entriesByKey.keys();
  }

  values(): IterableIterator<Value> {
    return this.entriesByKey.values();
  }

  entries(): IterableIterator<[Key, Value]> {
    return this.entriesByKey.entries();
  }

  [Symbol.iterator](): IterableIterator<[Key, Value]> {
    return this.entriesByKey.entries();
  }
}
