// Deadlines that all lie the same time ahead (leases, heartbeats, retries): then they come in order, and a queue does in a
// few steps what a heap does in many. Adding an id again renews it; a renewed or cancelled deadline stays in the queue as a
// husk that is skipped when it is met, and swept when husks are more than half.
// Ids are small non-negative integers (slots, row numbers): memory is 8 bytes an id up to the largest one ever added.

import { assert } from './assert.ts';

/** The live deadlines in the order in which they were added. */
export interface DeadlineQueueState {
  readonly ids: readonly number[];
  readonly deadlines: readonly number[];
}

export class DeadlineQueue {
  readonly lengthMax: number;
  private ids = new Int32Array(16);
  private deadlines = new Float64Array(16);
  /** Running number of the first entry; entry n lies at n modulo the size. */
  private first = 0;
  private end = 0;
  /** 1 + the running number of each id's live entry, 0 for those absent. */
  private entryOf = new Float64Array(16);
  private live = 0;
  private latestDeadline = -Infinity;

  /** `lengthMax` in 1…2²⁹ live deadlines. */
  constructor(lengthMax: number) {
    assert(
      Number.isInteger(lengthMax) && lengthMax >= 1 && lengthMax <= 2 ** 29,
      'a deadline queue holds 1 to 2^29 entries',
    );
    this.lengthMax = lengthMax;
  }

  /** Number of live deadlines. */
  get length(): number {
    return this.live;
  }

  has(id: number): boolean {
    return id >= 0 && id < this.entryOf.length && this.entryOf[id] !== 0;
  }

  /** The deadline of `id`, or `undefined` when it has none. */
  deadlineOf(id: number): number | undefined {
    return this.has(id) ? this.deadlines[(this.entryOf[id] - 1) & (this.ids.length - 1)] : undefined;
  }

  /**
   * Sets the deadline of `id` (0…2³⁰), renewing it if it has one. Deadlines never decrease from one call to the next.
   * False, and nothing changed, when the queue is full.
   */
  add(id: number, deadline: number): boolean {
    assert(Number.isInteger(id) && id >= 0 && id <= 2 ** 30, 'a deadline id is an integer in 0…2^30');
    assert(deadline >= this.latestDeadline, 'deadlines are added in order');
    if (id >= this.entryOf.length) {
      const entryOf = new Float64Array(Math.max(id + 1, this.entryOf.length * 2));
      entryOf.set(this.entryOf);
      this.entryOf = entryOf;
    }
    if (this.entryOf[id] === 0) {
      if (this.live === this.lengthMax) return false;
      this.live += 1;
    }
    if (this.end - this.first === this.ids.length) this.makeRoom();
    const slot = this.end & (this.ids.length - 1);
    this.ids[slot] = id;
    this.deadlines[slot] = deadline;
    this.end += 1;
    this.entryOf[id] = this.end;
    this.latestDeadline = deadline;
    return true;
  }

  /** Drops the deadline of `id`; false when it has none. */
  cancel(id: number): boolean {
    if (!this.has(id)) return false;
    this.entryOf[id] = 0;
    this.live -= 1;
    return true;
  }

  /** The earliest deadline, or Infinity when there is none. */
  nextDeadline(): number {
    this.skipHusks();
    return this.live === 0 ? Infinity : this.deadlines[this.first & (this.ids.length - 1)];
  }

  /** Takes the earliest id whose deadline is at or before `now`, in the order of adding; −1 when none is due. */
  popDue(now: number): number {
    if (this.nextDeadline() > now || this.live === 0) return -1;
    const id = this.ids[this.first & (this.ids.length - 1)];
    this.first += 1;
    this.entryOf[id] = 0;
    this.live -= 1;
    return id;
  }

  save(): DeadlineQueueState {
    const ids: number[] = [];
    const deadlines: number[] = [];
    for (let entry = this.first; entry < this.end; entry++) {
      const slot = entry & (this.ids.length - 1);
      if (this.entryOf[this.ids[slot]] !== entry + 1) continue;
      ids.push(this.ids[slot]);
      deadlines.push(this.deadlines[slot]);
    }
    return { ids, deadlines };
  }

  restore(state: DeadlineQueueState): void {
    this.first = 0;
    this.end = 0;
    this.live = 0;
    this.latestDeadline = -Infinity;
    this.entryOf.fill(0);
    for (let index = 0; index < state.ids.length; index++) {
      assert(this.add(state.ids[index], state.deadlines[index]), 'a saved deadline queue fits its bound');
    }
  }

  private skipHusks(): void {
    const mask = this.ids.length - 1;
    while (this.first < this.end && this.entryOf[this.ids[this.first & mask]] !== this.first + 1) this.first += 1;
  }

  /** Packs the live entries to the front of arrays that leave at least as much room again. */
  private makeRoom(): void {
    const size = this.live * 2 > this.ids.length ? this.ids.length * 2 : this.ids.length;
    const ids = new Int32Array(size);
    const deadlines = new Float64Array(size);
    let count = 0;
    for (let entry = this.first; entry < this.end; entry++) {
      const slot = entry & (this.ids.length - 1);
      const id = this.ids[slot];
      if (this.entryOf[id] !== entry + 1) continue;
      ids[count] = id;
      deadlines[count] = this.deadlines[slot];
      count += 1;
      this.entryOf[id] = count;
    }
    this.ids = ids;
    this.deadlines = deadlines;
    this.first = 0;
    this.end = count;
  }
}
