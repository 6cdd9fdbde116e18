// The pending events of a simulation in the order (time, priority, sequence): a calendar queue over typed arrays that tunes
// itself. Days are unsorted lists, so that a push is one write to a list; a day is sorted when it comes, and one that turns
// out too full becomes a finer calendar of its own. Events beyond the year wait in one list, from which the next year is
// made, with days as wide as those events ask for (after Tang, Goh and Thng, "Ladder queue", TOMACS 2005).
// It promises exact order, some 40 bytes an event, and a bounded worst case: an event only ever moves to finer days, so at
// most once for each factor of 64 in 2⁵³ µs, and a full day of one timestamp is kept as one list a priority. Which events
// may be scheduled, and what they mean, it leaves to `Simulation`.

import { assert } from '../../core/base/assert.ts';
import { Calendar } from './calendar.ts';
import { EventSlots, type PendingEvent } from './event-slots.ts';
import { InstantLists } from './instant-lists.ts';
import { frontLimit, SortedFront } from './sorted-front.ts';

/** A day of more than this many becomes a calendar of its own. */
const dayLimit = 40;
/** Days are taken out until the front has this many: several lists walked at once hide each other's cache misses. */
const frontTarget = 16;
/** Days of a year for each event that it is made for: the far ones of a long tail leave most days empty. */
const daysPerEvent = 2;

/** What {@link EventQueue} learns of a list while turning it round. */
interface TurnedList {
  readonly oldest: number;
  readonly count: number;
  readonly min: number;
  readonly max: number;
}

export class EventQueue {
  /** What a popped slot holds can be read here until the next push. */
  readonly slots = new EventSlots();
  private live = 0;
  /** Cancelled events that still stand in a calendar or beyond. */
  private buried = 0;
  /** No event earlier than this may come. */
  private floor = 0;
  private steps = 0;

  // All events before `frontEnd` stand in the instant or in the front.
  // The instant's events are of time `floor`, and all of the front is later than the instant.
  private readonly instant = new InstantLists(this.slots);
  private readonly front = new SortedFront(this.slots);
  private frontEnd = 0;

  // The first `depth` calendars are in use, the coarsest first; each covers what is left of a day taken out of the one before.
  private readonly calendars: Calendar[] = [];
  private depth = 0;

  // Events at `beyondStart` or later, newest first; none of them before `beyondMin`.
  private beyondHead = -1;
  private beyondStart = 0;
  private beyondMin = Number.POSITIVE_INFINITY;

  /** Events waiting; cancelled ones do not count. */
  get size(): number {
    return this.live;
  }

  /** Elementary steps so far, beyond those that every push and pop takes: events moved, days passed over. Tests bound it. */
  get stepCount(): number {
    return this.steps;
  }

  /**
   * Adds an event and returns its id. `time` must be whole, and not before the last event popped or the last `until` that
   * was reached; that is checked by the caller.
   */
  push(time: number, priority: number, meta: number, target: number, parent: number, payload: unknown): number {
    const { slots } = this;
    const slot = slots.take(time, priority, meta, target, parent, payload);
    this.live += 1;
    if (time >= this.beyondStart) {
      slots.nexts[slot] = this.beyondHead;
      this.beyondHead = slot;
      if (time < this.beyondMin) this.beyondMin = time;
    } else if (time >= this.frontEnd) {
      this.pushCalendar(slot, time);
    } else {
      this.pushFront(slot, time);
    }
    return slots.idOfLast(slot);
  }

  /** Takes an event back. False if it was popped or cancelled before. */
  cancel(id: number): boolean {
    const { slots } = this;
    const slot = slots.find(id);
    if (slot < 0) return false;
    slots.cancel(slot);
    this.live -= 1;
    if (slots.doubles[slot * 4]! >= this.frontEnd) {
      this.buried += 1;
      if (this.buried > 1024 && this.buried > this.live && this.buried > this.daysLeft() / 8) this.exhume();
    }
    return true;
  }

  /** Removes the first event if its time is at most `until` and returns its slot, else −1; then no event before `until` may come. */
  popUntil(until: number): number {
    const { slots, instant, front } = this;
    for (;;) {
      let slot: number;
      if (instant.count > 0) {
        slot = instant.shift();
      } else if (front.head < front.tail) {
        const { head } = front;
        if (front.times[head]! > until) break;
        slot = front.members[head]!;
        front.head = head + 1;
      } else if (this.refill(until)) {
        continue;
      } else {
        break;
      }
      const cancelled = slots.doubles[slot * 4 + 1]! < 0;
      slots.free(slot);
      if (cancelled) continue;
      this.live -= 1;
      this.floor = slots.doubles[slot * 4]!;
      return slot;
    }
    if (until > this.floor) this.floor = until;
    return -1;
  }

  /** The first `limit` events, in order. Looks at every slot: for dumps. */
  first(limit: number): PendingEvent[] {
    return this.slots.first(limit);
  }

  private pushCalendar(slot: number, time: number): void {
    const { calendars } = this;
    let level = this.depth - 1;
    while (time >= calendars[level]!.end) level--;
    calendars[level]!.add(slot, time, this.slots.nexts);
  }

  private pushFront(slot: number, time: number): void {
    const { instant, front } = this;
    if (time !== instant.time && front.tail - front.head >= frontLimit) {
      this.relieveFront();
      if (time >= this.frontEnd) {
        this.pushCalendar(slot, time);
        return;
      }
    }
    if (time === instant.time) instant.append(slot);
    else this.steps += front.insert(slot, time);
  }

  /** The front is full: its events of this very instant go to the instant's lists; if it has none, all of it to a finer calendar. */
  private relieveFront(): void {
    const { floor, instant, slots } = this;
    const { times, members, head, tail } = this.front;
    let at = head;
    if (times[at] === floor) {
      instant.time = floor;
      while (at < tail && times[at] === floor) instant.append(members[at++]!);
      this.front.head = at;
      return;
    }
    const calendar = this.openCalendar(floor, this.frontEnd, frontLimit);
    this.frontEnd = floor + 1;
    // Ascending, so that of events of equal time and priority the newest ends up first, as in every list of a day.
    for (; at < tail; at++) {
      const slot = members[at]!;
      calendar.add(slot, times[at]!, slots.nexts);
      if (slots.doubles[slot * 4 + 1]! < 0) this.buried += 1;
    }
    this.steps += tail - head;
    this.front.clear();
  }

  /** A calendar for about `count` events from `from` to before `to`, where the next coarser one goes on. */
  private openCalendar(from: number, to: number, count: number): Calendar {
    if (this.depth === this.calendars.length) this.calendars.push(new Calendar());
    const calendar = this.calendars[this.depth]!;
    calendar.open(from, to, count);
    this.depth += 1;
    return calendar;
  }

  /** Brings the next events to the front or the instant. False if none can be due by `until`. */
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
      this.steps += day - from;
      calendar.day = day;
      const dayStart = calendar.startOf(day);
      if (dayStart > this.frontEnd) this.frontEnd = dayStart;
      if (day === dayCount) this.depth -= 1;
      else if (dayStart > until) return false;
      else if (this.takeDays(calendar, until)) return true;
    }
  }

  /** Moves days to the front until it holds enough. A day that is too full becomes a calendar, or the instant. False if nothing was brought. */
  private takeDays(calendar: Calendar, until: number): boolean {
    const { front } = this;
    const { heads } = calendar;
    const from = calendar.day;
    const last = Math.min(calendar.dayCount, Math.floor((until - calendar.start) * calendar.inverseWidth) + 1);
    let day = from;
    front.clear();
    while (day < last && front.tail < frontLimit + frontTarget) {
      const head = heads[day]!;
      if (head >= 0 && !this.takeList(head)) break;
      heads[day] = -1;
      day++;
    }
    this.steps += day - from;
    calendar.day = day;
    this.frontEnd = calendar.startOf(day);
    if (front.tail > frontLimit) return true;
    if (day === last || heads[day]! < 0) return false;
    const head = heads[day]!;
    heads[day] = -1;
    calendar.day = day + 1;
    return this.splitDay(head, calendar.startOf(day), calendar.startOf(day + 1), until);
  }

  /** Sorts a list of events into the tail of the front. False, and nothing done, if they are too many. */
  private takeList(head: number): boolean {
    const { front } = this;
    const steps = front.appendList(head, dayLimit);
    if (steps < 0) return false;
    if (front.cancelled > 0) this.withoutCancelled(head);
    this.steps += steps;
    return true;
  }

  /** Turns a list that is too long for the front into a finer calendar, or into the instant if all of it is due at one time. */
  private splitDay(newest: number, dayStart: number, dayEnd: number, until: number): boolean {
    const { instant } = this;
    const list = this.turn(newest);
    if (list.min === list.max && list.min <= until) {
      this.frontEnd = dayEnd;
      instant.time = list.min;
      for (let slot = list.oldest; slot >= 0; ) {
        const after = this.slots.nexts[slot]!;
        instant.append(slot);
        slot = after;
      }
      return true;
    }
    this.spread(list.oldest, this.openCalendar(dayStart, dayEnd, list.count));
    return false;
  }

  /** Makes the next year out of what lies beyond the last. True if that was so little that it all went to the front. */
  private openYear(): boolean {
    const list = this.turn(this.beyondHead);
    this.beyondHead = -1;
    this.beyondMin = Number.POSITIVE_INFINITY;
    if (list.count === 0) return false;
    this.beyondStart = list.max + 1;
    if (list.count <= dayLimit) {
      this.front.clear();
      this.frontEnd = this.beyondStart;
      return this.takeList(list.oldest);
    }
    this.spread(list.oldest, this.openCalendar(list.min, this.beyondStart, list.count * daysPerEvent));
    return false;
  }

  /** Turns a list round, so that its oldest event comes first, frees the cancelled, and measures it. */
  private turn(newest: number): TurnedList {
    const { slots } = this;
    const { doubles, nexts } = slots;
    let oldest = -1;
    let count = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = 0;
    for (let slot = newest; slot >= 0; ) {
      const after = nexts[slot]!;
      if (doubles[slot * 4 + 1]! < 0) {
        slots.free(slot);
        this.buried -= 1;
      } else {
        const time = doubles[slot * 4]!;
        if (time < min) min = time;
        if (time > max) max = time;
        nexts[slot] = oldest;
        oldest = slot;
        count++;
      }
      slot = after;
    }
    this.steps += count;
    return { oldest, count, min, max };
  }

  /** Hands out a list, oldest first, to the days of a calendar. */
  private spread(oldest: number, calendar: Calendar): void {
    const { doubles, nexts } = this.slots;
    let count = 0;
    for (let slot = oldest; slot >= 0; ) {
      const after = nexts[slot]!;
      calendar.add(slot, doubles[slot * 4]!, nexts);
      count++;
      slot = after;
    }
    this.steps += count;
  }

  private daysLeft(): number {
    let days = 0;
    for (let level = 0; level < this.depth; level++)
      days += this.calendars[level]!.dayCount - this.calendars[level]!.day;
    return days;
  }

  /** Frees the cancelled events of all lists, so that timers that are set and taken back do not pile up. */
  private exhume(): void {
    this.steps += this.live + this.buried + this.daysLeft();
    for (let level = 0; level < this.depth; level++) {
      const { heads, dayCount, day: from } = this.calendars[level]!;
      for (let day = from; day < dayCount; day++) if (heads[day]! >= 0) heads[day] = this.withoutCancelled(heads[day]!);
    }
    this.beyondHead = this.withoutCancelled(this.beyondHead);
    assert(this.buried === 0, 'a cancelled event was lost');
  }

  /** Frees the cancelled events of a list and returns its new head, −1 if none are left. */
  private withoutCancelled(head: number): number {
    const { slots } = this;
    const { doubles, nexts } = slots;
    let first = -1;
    let last = -1;
    for (let slot = head; slot >= 0; ) {
      const after = nexts[slot]!;
      if (doubles[slot * 4 + 1]! < 0) {
        slots.free(slot);
        this.buried -= 1;
      } else {
        if (last < 0) first = slot;
        else nexts[last] = slot;
        last = slot;
      }
      slot = after;
    }
    if (last >= 0) nexts[last] = -1;
    return first;
  }
}
