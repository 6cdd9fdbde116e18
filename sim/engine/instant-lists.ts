// Many events of one timestamp: one first-in-first-out list for each of the 256 priorities, and a bit for each that is not
// empty, so that a burst costs the same for each event however large it is.

import { sequenceLimit } from './event-order.ts';
import type { EventSlots } from './event-slots.ts';

export class InstantLists {
  /** The timestamp of the events here, or of those that were here last; −1 at first. */
  time = -1;
  count = 0;
  private readonly slots: EventSlots;
  private readonly heads = new Int32Array(256).fill(-1);
  private readonly tails = new Int32Array(256);
  private readonly bits = new Int32Array(8);

  constructor(slots: EventSlots) {
    this.slots = slots;
  }

  /** Adds an event of time {@link time}, later in sequence than those of its priority that are here. */
  append(slot: number): void {
    const { nexts, doubles } = this.slots;
    const order = doubles[slot * 4 + 1]!;
    // A cancelled event may come this way; where it stands does not matter.
    const priority = order < 0 ? 0 : Math.floor(order / sequenceLimit);
    nexts[slot] = -1;
    if (this.heads[priority]! < 0) {
      this.heads[priority] = slot;
      this.bits[priority >> 5]! |= 1 << (priority & 31);
    } else {
      nexts[this.tails[priority]!] = slot;
    }
    this.tails[priority] = slot;
    this.count += 1;
  }

  /** Removes the first event; there must be one. */
  shift(): number {
    const { bits, heads } = this;
    let word = 0;
    while (bits[word] === 0) word++;
    const set = bits[word]!;
    const priority = word * 32 + 31 - Math.clz32(set & -set);
    const slot = heads[priority]!;
    const after = this.slots.nexts[slot]!;
    heads[priority] = after;
    if (after < 0) bits[word] = set & (set - 1);
    this.count -= 1;
    return slot;
  }
}
