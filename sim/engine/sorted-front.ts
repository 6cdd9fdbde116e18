// The few events that come next, sorted: times and slots side by side, so that sorting and inserting touch little memory.
// Which events belong here is decided by `EventQueue`.

import { compareEvents } from './event-order.ts';
import type { EventSlots } from './event-slots.ts';

/** Most events in the front, and so the most that an insertion compares and moves. */
export const frontLimit = 64;

export class SortedFront {
  // Ascending from `head` to before `tail`. It is filled from the middle; insertions make room towards the beginning.
  readonly times = new Float64Array(2 * frontLimit);
  readonly members = new Int32Array(2 * frontLimit);
  head = frontLimit;
  tail = frontLimit;
  /** Cancelled events that the last {@link appendList} left out. */
  cancelled = 0;
  private readonly slots: EventSlots;

  constructor(slots: EventSlots) {
    this.slots = slots;
  }

  clear(): void {
    this.head = this.tail = frontLimit;
  }

  /** Adds an event; there must be fewer than {@link frontLimit}. Returns how many had to move. */
  insert(slot: number, time: number): number {
    const { times, members } = this;
    if (this.head === this.tail) this.head = this.tail = frontLimit;
    const { head, tail } = this;
    const order = this.slots.doubles[slot * 4 + 1]!;
    let at = head;
    while (at < tail && this.precedes(at, time, order)) {
      times[at - 1] = times[at]!;
      members[at - 1] = members[at]!;
      at++;
    }
    times[at - 1] = time;
    members[at - 1] = slot;
    this.head = head - 1;
    return at - head;
  }

  /**
   * Sorts a list of events, none of them due before those that are here, in at the tail; cancelled ones are left out and
   * counted in {@link cancelled}. Returns how many steps it took, or −1, and nothing done, if the list is longer than `limit`.
   */
  appendList(head: number, limit: number): number {
    const { times, members, tail: from } = this;
    const { doubles, nexts } = this.slots;
    const end = from + limit;
    let tail = from;
    let cancelled = 0;
    let moves = 0;
    for (let slot = head; slot >= 0; slot = nexts[slot]!) {
      if (tail + cancelled === end) return -1;
      const order = doubles[slot * 4 + 1]!;
      if (order < 0) {
        cancelled++;
        continue;
      }
      times[tail] = doubles[slot * 4]!;
      members[tail] = slot;
      tail++;
    }
    // Sorted only when all are here: the walk above waits for no comparison, so its cache misses overlap.
    for (let next = from + 1; next < tail; next++) {
      const time = times[next]!;
      const slot = members[next]!;
      const order = doubles[slot * 4 + 1]!;
      let at = next;
      while (at > from && !this.precedes(at - 1, time, order)) {
        times[at] = times[at - 1]!;
        members[at] = members[at - 1]!;
        at--;
      }
      times[at] = time;
      members[at] = slot;
      moves += next - at;
    }
    this.tail = tail;
    this.cancelled = cancelled;
    return moves + cancelled;
  }

  /** Whether the event at `at` comes before (time, order). Its order is read only if it matters: it may be far in memory. */
  private precedes(at: number, time: number, order: number): boolean {
    const other = this.times[at]!;
    return compareEvents(other, other === time ? this.slots.doubles[this.members[at]! * 4 + 1]! : 0, time, order) < 0;
  }
}
