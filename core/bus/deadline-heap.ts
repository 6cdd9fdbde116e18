// A binary heap of things with a deadline, earliest first, ties by id. Entries carry their own place in the heap, so that one
// can be removed or moved without a search, and ids may grow for ever (the heap of core/base keeps a column by id).

import { assert } from '../base/assert.ts';

export interface DeadlineEntry {
  /** Breaks ties; unique in the heap. */
  readonly id: number;
  /** Deadline in microseconds; the heap's to write while the entry is in it. */
  heapKey: number;
  /** Index in the heap, −1 outside. */
  heapIndex: number;
}

export class DeadlineHeap<Entry extends DeadlineEntry> {
  private readonly entries: Entry[] = [];

  get size(): number {
    return this.entries.length;
  }

  /** The earliest entry, or undefined. */
  get first(): Entry | undefined {
    return this.entries[0];
  }

  add(entry: Entry, key: number): void {
    assert(entry.heapIndex === -1, 'the entry is in the heap already');
    entry.heapKey = key;
    this.entries.push(entry);
    this.siftUp(entry, this.entries.length - 1);
  }

  /** Gives an entry of the heap another deadline. */
  move(entry: Entry, key: number): void {
    const earlier = key < entry.heapKey;
    entry.heapKey = key;
    if (earlier) this.siftUp(entry, entry.heapIndex);
    else this.siftDown(entry, entry.heapIndex);
  }

  remove(entry: Entry): void {
    const index = entry.heapIndex;
    assert(this.entries[index] === entry, 'the entry is not in the heap');
    const last = this.entries.pop() as Entry;
    entry.heapIndex = -1;
    if (last === entry) return;
    last.heapIndex = index;
    this.entries[index] = last;
    this.siftUp(last, index);
    this.siftDown(last, last.heapIndex);
  }

  /** Adds `byMicros` to every deadline; the order stays. */
  shift(byMicros: number): void {
    for (const entry of this.entries) entry.heapKey += byMicros;
  }

  private siftUp(entry: Entry, from: number): void {
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.entries[parentIndex] as Entry;
      if (!before(entry, parent)) break;
      this.entries[index] = parent;
      parent.heapIndex = index;
      index = parentIndex;
    }
    this.entries[index] = entry;
    entry.heapIndex = index;
  }

  private siftDown(entry: Entry, from: number): void {
    const count = this.entries.length;
    let index = from;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= count) break;
      let child = this.entries[childIndex] as Entry;
      if (childIndex + 1 < count && before(this.entries[childIndex + 1] as Entry, child)) {
        childIndex++;
        child = this.entries[childIndex] as Entry;
      }
      if (!before(child, entry)) break;
      this.entries[index] = child;
      child.heapIndex = index;
      index = childIndex;
    }
    this.entries[index] = entry;
    entry.heapIndex = index;
  }
}

function before(left: DeadlineEntry, right: DeadlineEntry): boolean {
  return left.heapKey < right.heapKey || (left.heapKey === right.heapKey && left.id < right.id);
}
