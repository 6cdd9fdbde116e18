// What one subscription was given and has not acknowledged: a ring of columns from the lowest unacknowledged offset to the
// next one to deliver, and the redelivery deadlines as one linked list for each wait of the schedule, threaded through the
// ring. Within a list deadlines never fall, since each wait is a constant and time does not run backwards; so setting,
// clearing and finding the earliest deadline cost a few steps, whatever the number in flight.

import { assert } from '../base/assert.ts';

const none = -1;

/** JSON-able state. Columns belong together; they list the unacknowledged offsets, rising. */
export interface DeliveryWindowState<Holder> {
  readonly floorOffset: number;
  readonly nextOffset: number;
  readonly offsets: readonly number[];
  readonly attempts: readonly number[];
  readonly holders: readonly Holder[];
  /** Offsets with a deadline, by wait, each list in its order. */
  readonly timers: readonly (readonly { readonly offset: number; readonly deadlineMicros: number }[])[];
}

export class DeliveryWindow<Holder> {
  /** Every offset below is acknowledged. */
  floorOffset: number;
  /** The next offset to be delivered for the first time. */
  nextOffset: number;
  /** Delivered and unacknowledged. */
  outstanding = 0;
  private schedule: readonly number[];
  private mask = 15;
  /** Deliveries so far; 0 once acknowledged. */
  private attempts = new Int32Array(16);
  private holders: (Holder | undefined)[] = new Array<Holder | undefined>(16).fill(undefined);
  /** Deadline of the redelivery, `none` if there is none. */
  private deadlines = new Float64Array(16).fill(none);
  /** Offsets of the neighbours in the list of the same wait. */
  private earlier = new Float64Array(16).fill(none);
  private later = new Float64Array(16).fill(none);
  /** First and last offset of each list. */
  private heads: number[];
  private tails: number[];
  /** Bit n: list n is not empty. */
  private occupied = 0;

  /** `schedule`: waits by attempt, in microseconds, as {@link redeliverySchedule} makes them. */
  constructor(schedule: readonly number[], startOffset: number) {
    this.schedule = schedule;
    this.floorOffset = startOffset;
    this.nextOffset = startOffset;
    this.heads = schedule.map(() => none);
    this.tails = schedule.map(() => none);
  }

  /** Earliest deadline, Infinity if there is none. */
  get earliestMicros(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (let bits = this.occupied; bits !== 0; bits &= bits - 1) {
      const head = this.heads[31 - Math.clz32(bits & -bits)] as number;
      const deadline = this.deadlines[head & this.mask] as number;
      if (deadline < earliest) earliest = deadline;
    }
    return earliest;
  }

  /** Offset of the earliest deadline, the lowest offset if several are equal; −1 if there is none. */
  get earliestOffset(): number {
    const earliest = this.earliestMicros;
    let lowest = none;
    for (let bits = this.occupied; bits !== 0; bits &= bits - 1) {
      const head = this.heads[31 - Math.clz32(bits & -bits)] as number;
      if (this.deadlines[head & this.mask] !== earliest) continue;
      if (lowest === none || head < lowest) lowest = head;
    }
    return lowest;
  }

  isUnacknowledged(offset: number): boolean {
    return offset >= this.floorOffset && offset < this.nextOffset && this.attempts[offset & this.mask] !== 0;
  }

  /** Who got an unacknowledged offset last. */
  holderOf(offset: number): Holder {
    return this.holders[offset & this.mask] as Holder;
  }

  /** First delivery of the next offset; returns it. */
  deliverNext(holder: Holder, nowMicros: number): number {
    const offset = this.nextOffset;
    if (offset - this.floorOffset > this.mask) this.grow();
    this.nextOffset = offset + 1;
    this.outstanding++;
    const slot = offset & this.mask;
    this.attempts[slot] = 1;
    this.holders[slot] = holder;
    this.setTimer(offset, slot, 0, nowMicros);
    return offset;
  }

  /** Another delivery of an unacknowledged offset; returns the attempt's number. */
  redeliver(offset: number, holder: Holder, nowMicros: number): number {
    this.clearTimer(offset);
    const slot = offset & this.mask;
    const attempt = (this.attempts[slot] as number) + 1;
    this.attempts[slot] = attempt;
    this.holders[slot] = holder;
    this.setTimer(offset, slot, this.waitOf(attempt), nowMicros);
    return attempt;
  }

  /** The offset waits for somebody to deliver to, not for a time. */
  clearTimer(offset: number): void {
    const slot = offset & this.mask;
    if (this.deadlines[slot] === none) return;
    const wait = this.waitOf(this.attempts[slot] as number);
    const earlier = this.earlier[slot] as number;
    const later = this.later[slot] as number;
    if (earlier === none) this.heads[wait] = later;
    else this.later[earlier & this.mask] = later;
    if (later === none) this.tails[wait] = earlier;
    else this.earlier[later & this.mask] = earlier;
    if (earlier === none && later === none) this.occupied &= ~(1 << wait);
    this.deadlines[slot] = none;
  }

  /** Settles a delivered offset; nothing happens if it was settled before. */
  acknowledge(offset: number): void {
    if (!this.isUnacknowledged(offset)) return;
    this.settle(offset);
    this.raiseFloor();
  }

  /** Settles every delivered offset up to `offset`. */
  acknowledgeThrough(offset: number): void {
    const end = Math.min(offset + 1, this.nextOffset);
    for (let settled = this.floorOffset; settled < end; settled++) {
      if (this.attempts[settled & this.mask] !== 0) this.settle(settled);
    }
    this.raiseFloor();
  }

  /** Other waits from now on: what waits already is due as if they had held when it was delivered. */
  setSchedule(schedule: readonly number[]): void {
    const former = this.schedule;
    const waiting: { readonly offset: number; readonly deadlineMicros: number }[] = [];
    for (let offset = this.floorOffset; offset < this.nextOffset; offset++) {
      const slot = offset & this.mask;
      if (!this.isUnacknowledged(offset) || this.deadlines[slot] === none) continue;
      const attempts = this.attempts[slot] as number;
      const wait = former[Math.min(attempts, former.length) - 1] as number;
      const next = schedule[Math.min(attempts, schedule.length) - 1] as number;
      waiting.push({ offset, deadlineMicros: (this.deadlines[slot] as number) - wait + next });
    }
    this.schedule = schedule;
    this.heads = schedule.map(() => none);
    this.tails = schedule.map(() => none);
    this.occupied = 0;
    waiting.sort((left, right) => left.deadlineMicros - right.deadlineMicros || left.offset - right.offset);
    for (const { offset, deadlineMicros } of waiting) {
      const slot = offset & this.mask;
      this.link(offset, slot, this.waitOf(this.attempts[slot] as number), deadlineMicros);
    }
  }

  /** Adds `byMicros` to every deadline. */
  shiftTimers(byMicros: number): void {
    for (let slot = 0; slot <= this.mask; slot++) {
      if (this.deadlines[slot] !== none) this.deadlines[slot] = (this.deadlines[slot] as number) + byMicros;
    }
  }

  save<Saved>(saveHolder: (holder: Holder) => Saved): DeliveryWindowState<Saved> {
    const offsets: number[] = [];
    const attempts: number[] = [];
    const holders: Saved[] = [];
    for (let offset = this.floorOffset; offset < this.nextOffset; offset++) {
      if (!this.isUnacknowledged(offset)) continue;
      offsets.push(offset);
      attempts.push(this.attempts[offset & this.mask] as number);
      holders.push(saveHolder(this.holderOf(offset)));
    }
    const timers = this.heads.map((head) => {
      const list: { offset: number; deadlineMicros: number }[] = [];
      for (let offset = head; offset !== none; offset = this.later[offset & this.mask] as number) {
        list.push({ offset, deadlineMicros: this.deadlines[offset & this.mask] as number });
      }
      return list;
    });
    return { floorOffset: this.floorOffset, nextOffset: this.nextOffset, offsets, attempts, holders, timers };
  }

  /** On a fresh window of the same schedule. */
  restore<Saved>(state: DeliveryWindowState<Saved>, restoreHolder: (saved: Saved) => Holder): void {
    this.floorOffset = state.floorOffset;
    this.nextOffset = state.nextOffset;
    while (this.nextOffset - this.floorOffset > this.mask + 1) this.grow();
    this.outstanding = state.offsets.length;
    state.offsets.forEach((offset, index) => {
      this.attempts[offset & this.mask] = state.attempts[index] as number;
      this.holders[offset & this.mask] = restoreHolder(state.holders[index] as Saved);
    });
    state.timers.forEach((list, wait) => {
      for (const { offset, deadlineMicros } of list) this.link(offset, offset & this.mask, wait, deadlineMicros);
    });
  }

  private waitOf(attempt: number): number {
    return Math.min(attempt, this.schedule.length) - 1;
  }

  private setTimer(offset: number, slot: number, wait: number, nowMicros: number): void {
    this.link(offset, slot, wait, nowMicros + (this.schedule[wait] as number));
  }

  private link(offset: number, slot: number, wait: number, deadlineMicros: number): void {
    const tail = this.tails[wait] as number;
    this.deadlines[slot] = deadlineMicros;
    this.earlier[slot] = tail;
    this.later[slot] = none;
    if (tail === none) {
      this.heads[wait] = offset;
      this.occupied |= 1 << wait;
    } else {
      assert((this.deadlines[tail & this.mask] as number) <= deadlineMicros, 'time ran backwards');
      this.later[tail & this.mask] = offset;
    }
    this.tails[wait] = offset;
  }

  private settle(offset: number): void {
    this.clearTimer(offset);
    this.attempts[offset & this.mask] = 0;
    this.outstanding--;
  }

  private raiseFloor(): void {
    while (this.floorOffset < this.nextOffset && this.attempts[this.floorOffset & this.mask] === 0) this.floorOffset++;
  }

  private grow(): void {
    const former = this.mask;
    const mask = former * 2 + 1;
    const attempts = new Int32Array(mask + 1);
    const holders = new Array<Holder | undefined>(mask + 1).fill(undefined);
    const deadlines = new Float64Array(mask + 1).fill(none);
    const earlier = new Float64Array(mask + 1).fill(none);
    const later = new Float64Array(mask + 1).fill(none);
    const end = Math.min(this.nextOffset, this.floorOffset + former + 1);
    for (let offset = this.floorOffset; offset < end; offset++) {
      const from = offset & former;
      const to = offset & mask;
      attempts[to] = this.attempts[from] as number;
      holders[to] = this.holders[from];
      deadlines[to] = this.deadlines[from] as number;
      earlier[to] = this.earlier[from] as number;
      later[to] = this.later[from] as number;
    }
    this.attempts = attempts;
    this.holders = holders;
    this.deadlines = deadlines;
    this.earlier = earlier;
    this.later = later;
    this.mask = mask;
  }
}
