// The pending events of a simulation in the order (time, priority, sequence): a calendar queue over typed arrays that tunes
// itself. Buckets of a year are unsorted lists, so that a push is one write to a list; a bucket is sorted when its day comes,
// and one that turns out too full becomes a finer calendar of its own. Events beyond the year wait in one list, from which
// the next year is made, with days as wide as those events ask for (Tang, Goh and Thng, "Ladder queue", TOMACS 2005).
// It promises exact order, memory of 32 bytes an event, and a bounded worst case: days are powers of two wide, an event
// moves only to finer days, so at most once for each factor of 64 in 2⁵³ µs, and a full day of one microsecond is kept as
// one first-in-first-out list a priority. Which events may be scheduled, and what they mean, it leaves to `Simulation`.

import { assert } from '../../core/base/assert.ts';
import { compareEvents, eventOrder, sequenceLimit } from './event-order.ts';

/** One calendar: `heads[i]` is the newest event of the day that starts at `start + i · width`, −1 if it has none. */
interface Calendar {
  start: number;
  /** A power of two; `start` is a multiple of it. The last day may be cut short by `end`. */
  width: number;
  inverseWidth: number;
  end: number;
  dayCount: number;
  /** The first day that has not been taken out. */
  day: number;
  heads: Int32Array;
}

/** Most events in the sorted front, and so the most that a push there compares and moves. */
const frontLimit = 64;
/** A day of more than this many becomes a calendar of its own. */
const dayLimit = 40;
/** Days are taken out until the front has this many: several lists walked at once hide each other's cache misses. */
const frontTarget = 8;
const dayCountMin = 64;
const dayCountMax = 2 ** 20;
const slotBits = 24;
const slotLimit = 2 ** slotBits;
/** An event's generation is its sequence modulo this: with the slot it fits one exact number, the event's id. */
const generationLimit = 2 ** 29;
const noTime = -1;

/** A pending event, for people. */
export interface PendingEvent {
  readonly timeMicros: number;
  readonly priority: number;
  readonly sequence: number;
  readonly meta: number;
  readonly target: number;
}

export class EventQueue {
  // A slot is 32 bytes: time and order (−1: free or cancelled) as doubles, then next slot, meta, target and parent as integers.
  private doubles = new Float64Array(0);
  private integers = new Int32Array(0);
  private payloads: unknown[] = [];
  private capacity = 0;
  private freeSlot = -1;
  private sequence = 0;
  private generation = 0;
  private live = 0;
  /** Cancelled events that still stand in a calendar or beyond. */
  private buried = 0;
  /** No event earlier than this may come. */
  private floor = 0;
  private work = 0;

  // All events before `frontEnd` stand in the front, ascending from `frontHead` to `frontTail`, or in the instant.
  private readonly frontTimes = new Float64Array(2 * frontLimit);
  private readonly frontSlots = new Int32Array(2 * frontLimit);
  private frontHead = 0;
  private frontTail = 0;
  private frontEnd = 0;

  // The instant: many events of time `floor`, as one list a priority, and a bit for each priority that has any.
  private instantTime = noTime;
  private instantCount = 0;
  private readonly instantHeads = new Int32Array(256).fill(-1);
  private readonly instantTails = new Int32Array(256);
  private readonly instantBits = new Int32Array(8);

  // Calendars, the coarsest first; each covers the part of a day of the one before that has not been taken out.
  private readonly calendars: Calendar[] = [];
  private depth = 0;

  // Events at `beyondStart` or later, newest first.
  private beyondHead = -1;
  private beyondStart = 0;
  private beyondMin = Number.POSITIVE_INFINITY;

  /** Events waiting; cancelled ones do not count. */
  get size(): number {
    return this.live;
  }

  /** Elementary steps so far beyond one for each push and pop: events moved, days skipped. For tests of the worst case. */
  get stepCount(): number {
    return this.work;
  }

  /** Adds an event and returns its id. `time` must not lie before the last event popped or the last `until`; all are checked by the caller. */
  push(time: number, priority: number, meta: number, target: number, parent: number, payload: unknown): number {
    let slot = this.freeSlot;
    if (slot < 0) slot = this.grow();
    const { doubles, integers } = this;
    const at = slot * 8 + 4;
    this.freeSlot = integers[at]!;
    const sequence = this.sequence;
    const { generation } = this;
    this.sequence = sequence + 1;
    this.generation = (generation + 1) & (generationLimit - 1);
    doubles[slot * 4] = time;
    doubles[slot * 4 + 1] = eventOrder(priority, sequence);
    integers[at + 1] = meta;
    integers[at + 2] = target;
    integers[at + 3] = parent;
    if (payload !== undefined) this.payloads[slot] = payload;
    this.live += 1;
    if (time >= this.beyondStart) {
      integers[at] = this.beyondHead;
      this.beyondHead = slot;
      if (time < this.beyondMin) this.beyondMin = time;
    } else if (time < this.frontEnd) {
      this.pushFront(slot, time);
    } else {
      this.pushCalendar(slot, time);
    }
    return generation * slotLimit + slot;
  }

  /** Takes an event back. False if it was popped or cancelled before. */
  cancel(id: number): boolean {
    const slot = id % slotLimit;
    if (!(slot < this.capacity)) return false;
    const order = this.doubles[slot * 4 + 1]!;
    if (order < 0 || (order % sequenceLimit) % generationLimit !== Math.floor(id / slotLimit)) return false;
    this.doubles[slot * 4 + 1] = -1;
    this.payloads[slot] = undefined;
    this.live -= 1;
    if (this.doubles[slot * 4]! >= this.frontEnd) {
      this.buried += 1;
      if (this.buried > 1024 && this.buried > this.live && this.buried > this.daysLeft() / 8) this.exhume();
    }
    return true;
  }

  /**
   * Removes the first event if its time is at most `until` and returns its slot, else −1; then no event before `until` may come.
   * What the slot holds can be read until the next push; its payload must be taken with {@link takePayload}.
   */
  popUntil(until: number): number {
    for (;;) {
      let slot: number;
      if (this.instantCount > 0) {
        slot = this.popInstant();
      } else if (this.frontHead < this.frontTail) {
        const head = this.frontHead;
        if (this.frontTimes[head]! > until) break;
        slot = this.frontSlots[head]!;
        this.frontHead = head + 1;
      } else if (this.refill(until)) {
        continue;
      } else {
        break;
      }
      const cancelled = this.doubles[slot * 4 + 1]! < 0;
      this.free(slot);
      if (cancelled) continue;
      this.live -= 1;
      this.floor = this.doubles[slot * 4]!;
      return slot;
    }
    if (until > this.floor) this.floor = until;
    return -1;
  }

  timeOf(slot: number): number {
    return this.doubles[slot * 4]!;
  }

  metaOf(slot: number): number {
    return this.integers[slot * 8 + 5]!;
  }

  targetOf(slot: number): number {
    return this.integers[slot * 8 + 6]!;
  }

  parentOf(slot: number): number {
    return this.integers[slot * 8 + 7]!;
  }

  /** The payload of a slot just popped, which the queue then forgets. */
  takePayload(slot: number): unknown {
    const payload = this.payloads[slot];
    if (payload !== undefined) this.payloads[slot] = undefined;
    return payload;
  }

  /** The next `limit` events, in order. Costs a look at every slot: for dumps. */
  next(limit: number): PendingEvent[] {
    const { doubles } = this;
    const slots: number[] = [];
    for (let slot = 0; slot < this.capacity; slot++) if (doubles[slot * 4 + 1]! >= 0) slots.push(slot);
    slots.sort((a, b) => compareEvents(doubles[a * 4]!, doubles[a * 4 + 1]!, doubles[b * 4]!, doubles[b * 4 + 1]!));
    return slots.slice(0, limit).map((slot) => ({
      timeMicros: doubles[slot * 4]!,
      priority: Math.floor(doubles[slot * 4 + 1]! / sequenceLimit),
      sequence: doubles[slot * 4 + 1]! % sequenceLimit,
      meta: this.metaOf(slot),
      target: this.targetOf(slot),
    }));
  }

  private free(slot: number): void {
    this.doubles[slot * 4 + 1] = -1;
    this.integers[slot * 8 + 4] = this.freeSlot;
    this.freeSlot = slot;
  }

  private grow(): number {
    const before = this.capacity;
    const after = Math.min(Math.max(256, before * 2), slotLimit);
    assert(after > before, 'more than 2²⁴ pending events');
    const doubles = new Float64Array(after * 4);
    doubles.set(this.doubles);
    this.doubles = doubles;
    this.integers = new Int32Array(doubles.buffer);
    this.capacity = after;
    for (let slot = after - 1; slot >= before; slot--) {
      this.free(slot);
      this.payloads[slot] = undefined;
    }
    return before;
  }

  private pushFront(slot: number, time: number): void {
    if (time === this.instantTime) {
      this.appendInstant(slot);
      return;
    }
    if (this.frontTail - this.frontHead >= frontLimit) {
      this.relieveFront();
      if (time === this.instantTime) {
        this.appendInstant(slot);
        return;
      }
      if (time >= this.frontEnd) {
        this.pushCalendar(slot, time);
        return;
      }
    }
    const { frontTimes, frontSlots } = this;
    if (this.frontHead === this.frontTail) this.frontHead = this.frontTail = frontLimit;
    const order = this.doubles[slot * 4 + 1]!;
    const { frontTail } = this;
    let at = this.frontHead;
    while (at < frontTail && this.precedesFront(at, time, order)) {
      frontTimes[at - 1] = frontTimes[at]!;
      frontSlots[at - 1] = frontSlots[at]!;
      at++;
    }
    frontTimes[at - 1] = time;
    frontSlots[at - 1] = slot;
    this.work += at - this.frontHead;
    this.frontHead -= 1;
  }

  /** Whether the event at `at` of the front comes before (time, order). An order is read only where times are equal: the slot may be far in memory. */
  private precedesFront(at: number, time: number, order: number): boolean {
    const other = this.frontTimes[at]!;
    return compareEvents(other, other === time ? this.doubles[this.frontSlots[at]! * 4 + 1]! : 0, time, order) < 0;
  }

  private pushCalendar(slot: number, time: number): void {
    const { calendars } = this;
    let level = this.depth - 1;
    while (time >= calendars[level]!.end) level--;
    const calendar = calendars[level]!;
    const day = ((time - calendar.start) * calendar.inverseWidth) | 0;
    this.integers[slot * 8 + 4] = calendar.heads[day]!;
    calendar.heads[day] = slot;
  }

  /** The front is full: its events of this very instant go to the instant's lists, or else all of it to a finer calendar. */
  private relieveFront(): void {
    const { frontTimes, frontSlots, floor } = this;
    if (this.instantCount === 0 && frontTimes[this.frontHead] === floor) {
      this.instantTime = floor;
      while (this.frontHead < this.frontTail && frontTimes[this.frontHead] === floor) {
        this.appendInstant(frontSlots[this.frontHead]!);
        this.frontHead += 1;
      }
      return;
    }
    const calendar = this.openCalendar(floor, this.frontEnd, frontLimit);
    this.frontEnd = floor + 1;
    // Ascending, so that of equal times and priorities the newest ends up first.
    for (let at = this.frontHead; at < this.frontTail; at++) {
      const slot = frontSlots[at]!;
      const day = ((frontTimes[at]! - calendar.start) * calendar.inverseWidth) | 0;
      this.integers[slot * 8 + 4] = calendar.heads[day]!;
      calendar.heads[day] = slot;
      // A cancelled one was in the front and is in a calendar now.
      if (this.doubles[slot * 4 + 1]! < 0) this.buried += 1;
    }
    this.work += this.frontTail - this.frontHead;
    this.frontHead = this.frontTail = frontLimit;
  }

  /** A calendar for about `count` events from `from` to before `to`, where the next coarser calendar goes on. */
  private openCalendar(from: number, to: number, count: number): Calendar {
    const wanted = Math.min(Math.max(powerOfTwoAtLeast(count), dayCountMin), dayCountMax);
    const width = powerOfTwoAtLeast(Math.ceil((to - from) / wanted));
    const start = Math.floor(from / width) * width;
    const dayCount = Math.ceil((to - start) / width);
    let calendar = this.calendars[this.depth];
    if (calendar === undefined) {
      calendar = { start: 0, width: 1, inverseWidth: 1, end: 0, dayCount: 0, day: 0, heads: new Int32Array(0) };
      this.calendars.push(calendar);
    }
    // A calendar that was closed has no events left, so its heads are all −1.
    if (calendar.heads.length < dayCount) calendar.heads = new Int32Array(powerOfTwoAtLeast(dayCount)).fill(-1);
    calendar.start = start;
    calendar.width = width;
    calendar.inverseWidth = 1 / width;
    calendar.end = to;
    calendar.dayCount = dayCount;
    calendar.day = 0;
    this.depth += 1;
    return calendar;
  }

  /** Brings the next events to the front or the instant. False if none of them can be due by `until`. */
  private refill(until: number): boolean {
    for (;;) {
      if (this.depth === 0) {
        if (this.beyondHead < 0 || this.beyondMin > until) return false;
        if (this.openYear()) return true;
        continue;
      }
      const calendar = this.calendars[this.depth - 1]!;
      const { heads, dayCount } = calendar;
      let { day } = calendar;
      const from = day;
      while (day < dayCount && heads[day]! < 0) day++;
      this.work += day - from;
      calendar.day = day;
      const dayStart = Math.min(calendar.start + day * calendar.width, calendar.end);
      if (dayStart > this.frontEnd) this.frontEnd = dayStart;
      if (day === dayCount) {
        this.depth -= 1;
        continue;
      }
      if (dayStart > until) return false;
      if (this.takeDays(calendar, until)) return true;
    }
  }

  /** Moves days to the front until it holds enough. A day that is too full becomes a calendar, or the instant; false if nothing was brought. */
  private takeDays(calendar: Calendar, until: number): boolean {
    const { heads, dayCount, width } = calendar;
    let { day } = calendar;
    const last = Math.min(dayCount, Math.floor((until - calendar.start) / width) + 1);
    this.frontHead = this.frontTail = frontLimit;
    while (day < last && this.frontTail < frontLimit + frontTarget) {
      const head = heads[day]!;
      if (head >= 0 && !this.takeList(head)) {
        // Too full. What came before it is enough for now.
        if (this.frontTail > frontLimit) break;
        heads[day] = -1;
        calendar.day = day + 1;
        const dayStart = calendar.start + day * width;
        return this.splitDay(head, dayStart, Math.min(dayStart + width, calendar.end), until);
      }
      heads[day] = -1;
      day++;
    }
    this.work += day - calendar.day;
    calendar.day = day;
    this.frontEnd = Math.min(calendar.start + day * width, calendar.end);
    return this.frontTail > frontLimit;
  }

  /** Sorts a list of events into the tail of the front; false, and nothing done, if they are too many. */
  private takeList(head: number): boolean {
    const { doubles, integers, frontTimes, frontSlots } = this;
    const before = this.frontTail;
    let tail = before;
    let cancelled = 0;
    for (let slot = head; slot >= 0; slot = integers[slot * 8 + 4]!) {
      if (tail - before + cancelled >= dayLimit) return false;
      const order = doubles[slot * 4 + 1]!;
      if (order < 0) {
        cancelled++;
        continue;
      }
      const time = doubles[slot * 4]!;
      let at = tail++;
      while (at > before && !this.precedesFront(at - 1, time, order)) {
        frontTimes[at] = frontTimes[at - 1]!;
        frontSlots[at] = frontSlots[at - 1]!;
        at--;
      }
      frontTimes[at] = time;
      frontSlots[at] = slot;
    }
    if (cancelled > 0) this.freeCancelled(head);
    this.work += tail - before;
    this.frontTail = tail;
    return true;
  }

  private freeCancelled(head: number): void {
    for (let slot = head; slot >= 0; ) {
      const after = this.integers[slot * 8 + 4]!;
      if (this.doubles[slot * 4 + 1]! < 0) {
        this.free(slot);
        this.buried -= 1;
      }
      slot = after;
    }
  }

  /** Turns a list that is too long for the front into a finer calendar, or into the instant if it is one and due. */
  private splitDay(newest: number, dayStart: number, dayEnd: number, until: number): boolean {
    const list = this.turn(newest);
    if (list.count === 0) {
      this.frontEnd = dayEnd;
      return false;
    }
    if (list.min === list.max && list.min <= until) {
      this.frontEnd = dayEnd;
      this.instantTime = list.min;
      for (let slot = list.oldest; slot >= 0; ) {
        const after = this.integers[slot * 8 + 4]!;
        this.appendInstant(slot);
        slot = after;
      }
      return true;
    }
    this.frontEnd = Math.max(this.frontEnd, dayStart);
    this.spread(list.oldest, this.openCalendar(dayStart, dayEnd, list.count));
    return false;
  }

  /** Makes the next year out of what lies beyond the last; true if that was so little that it all went to the front. */
  private openYear(): boolean {
    const list = this.turn(this.beyondHead);
    this.beyondHead = -1;
    this.beyondMin = Number.POSITIVE_INFINITY;
    if (list.count === 0) return false;
    if (list.count <= dayLimit) {
      this.frontHead = this.frontTail = frontLimit;
      this.takeList(list.oldest);
      this.frontEnd = this.beyondStart = list.max + 1;
      return true;
    }
    const calendar = this.openCalendar(list.min, list.max + 1, list.count);
    this.beyondStart = calendar.end;
    this.spread(list.oldest, calendar);
    return false;
  }

  /** Reverses a list so that its oldest event comes first, frees the cancelled, and measures it. */
  private turn(newest: number): { oldest: number; count: number; min: number; max: number } {
    const { doubles, integers } = this;
    let oldest = -1;
    let count = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = 0;
    for (let slot = newest; slot >= 0; ) {
      const after = integers[slot * 8 + 4]!;
      if (doubles[slot * 4 + 1]! < 0) {
        this.free(slot);
        this.buried -= 1;
      } else {
        const time = doubles[slot * 4]!;
        if (time < min) min = time;
        if (time > max) max = time;
        integers[slot * 8 + 4] = oldest;
        oldest = slot;
        count++;
      }
      slot = after;
    }
    this.work += count;
    return { oldest, count, min, max };
  }

  /** Hands a list, oldest first, out to the days of a calendar. */
  private spread(oldest: number, calendar: Calendar): void {
    const { doubles, integers } = this;
    const { heads, start, inverseWidth } = calendar;
    let count = 0;
    for (let slot = oldest; slot >= 0; ) {
      const after = integers[slot * 8 + 4]!;
      const day = ((doubles[slot * 4]! - start) * inverseWidth) | 0;
      integers[slot * 8 + 4] = heads[day]!;
      heads[day] = slot;
      count++;
      slot = after;
    }
    this.work += count;
  }

  private appendInstant(slot: number): void {
    const order = this.doubles[slot * 4 + 1]!;
    // A cancelled event of a full front comes this way; where it stands does not matter.
    const priority = order < 0 ? 0 : Math.floor(order / sequenceLimit);
    this.integers[slot * 8 + 4] = -1;
    if (this.instantHeads[priority]! < 0) {
      this.instantHeads[priority] = slot;
      this.instantBits[priority >> 5]! |= 1 << (priority & 31);
    } else {
      this.integers[this.instantTails[priority]! * 8 + 4] = slot;
    }
    this.instantTails[priority] = slot;
    this.instantCount += 1;
  }

  private popInstant(): number {
    const { instantBits } = this;
    let word = 0;
    while (instantBits[word] === 0) word++;
    const bits = instantBits[word]!;
    const priority = word * 32 + 31 - Math.clz32(bits & -bits);
    const slot = this.instantHeads[priority]!;
    const after = this.integers[slot * 8 + 4]!;
    this.instantHeads[priority] = after;
    if (after < 0) instantBits[word] = bits & (bits - 1);
    this.instantCount -= 1;
    if (this.instantCount === 0) this.instantTime = noTime;
    return slot;
  }

  /** Frees the cancelled events of all lists, so that timers set and taken back do not pile up. */
  private exhume(): void {
    for (let level = 0; level < this.depth; level++) {
      const { heads, dayCount, day: from } = this.calendars[level]!;
      for (let day = from; day < dayCount; day++) if (heads[day]! >= 0) heads[day] = this.withoutCancelled(heads[day]!);
      this.work += dayCount - from;
    }
    this.beyondHead = this.withoutCancelled(this.beyondHead);
    assert(this.buried === 0, 'a cancelled event was lost');
  }

  private daysLeft(): number {
    let days = 0;
    for (let level = 0; level < this.depth; level++)
      days += this.calendars[level]!.dayCount - this.calendars[level]!.day;
    return days;
  }

  private withoutCancelled(head: number): number {
    const { doubles, integers } = this;
    let first = -1;
    let last = -1;
    for (let slot = head; slot >= 0; ) {
      const after = integers[slot * 8 + 4]!;
      if (doubles[slot * 4 + 1]! < 0) {
        this.free(slot);
        this.buried -= 1;
      } else {
        if (last < 0) first = slot;
        else integers[last * 8 + 4] = slot;
        last = slot;
      }
      slot = after;
    }
    if (last >= 0) integers[last * 8 + 4] = -1;
    return first;
  }
}

/** The least power of two that is not below `value`, at least 1. */
function powerOfTwoAtLeast(value: number): number {
  let power = 1;
  while (power < value) power *= 2;
  return power;
}
