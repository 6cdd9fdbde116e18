// Storage of pending events: typed arrays in which an event is a slot of 32 bytes, half a cache line, plus a link kept apart
// so that walking a list does not wait for the events themselves. A freed slot is the next one given out, while it is still
// in the cache. Order and lists are left to `EventQueue`.

import { assert } from '../../core/base/assert.ts';
import { compareEvents, eventOrder, sequenceLimit } from './event-order.ts';

/** Most pending events, 2²⁴. */
const slotLimit = 2 ** 24;
/** An event's generation is its sequence modulo this: with the slot it makes one exact number, the event's id. */
const generationLimit = 2 ** 29;

/** A pending event, for people. */
export interface PendingEvent {
  readonly timeMicros: number;
  readonly priority: number;
  readonly sequence: number;
  readonly meta: number;
  readonly target: number;
}

export class EventSlots {
  /** By slot: the slot after it in whatever list it stands in, −1 at the end. */
  nexts = new Int32Array(0);
  /** Doubles 4·slot and 4·slot + 1: time, and order, which is −1 for a slot that is free or whose event was cancelled. */
  doubles = new Float64Array(0);
  /** The same memory: integers 8·slot + 4 … + 7 are meta, target, parent, and 1 if there is a payload. */
  private integers = new Int32Array(0);
  private payloads: unknown[] = [];
  private capacity = 0;
  private freeSlot = -1;
  private sequence = 0;
  private generation = 0;

  /** Fills a slot with a new event, next in sequence, and returns the slot. */
  take(time: number, priority: number, meta: number, target: number, parent: number, payload: unknown): number {
    let slot = this.freeSlot;
    if (slot < 0) slot = this.grow();
    const { doubles, integers, sequence } = this;
    this.freeSlot = this.nexts[slot]!;
    this.sequence = sequence + 1;
    this.generation = (this.generation + 1) & (generationLimit - 1);
    doubles[slot * 4] = time;
    doubles[slot * 4 + 1] = eventOrder(priority, sequence);
    integers[slot * 8 + 4] = meta;
    integers[slot * 8 + 5] = target;
    integers[slot * 8 + 6] = parent;
    integers[slot * 8 + 7] = payload === undefined ? 0 : 1;
    if (payload !== undefined) this.payloads[slot] = payload;
    return slot;
  }

  /** The id of the event taken last, which stands in `slot`. */
  idOfLast(slot: number): number {
    return this.generation * slotLimit + slot;
  }

  /** The slot of the pending event of this id, −1 if it is pending no more. */
  find(id: number): number {
    const slot = id % slotLimit;
    if (!(slot >= 0 && slot < this.capacity)) return -1;
    const order = this.doubles[slot * 4 + 1]!;
    // The id was given out after the generation had gone on by one.
    const generation = (((order % sequenceLimit) + 1) % generationLimit) * slotLimit;
    return order >= 0 && generation + slot === id ? slot : -1;
  }

  /** Marks the event of a slot as cancelled; the slot stays in its list until {@link free}. */
  cancel(slot: number): void {
    this.doubles[slot * 4 + 1] = -1;
    this.payloads[slot] = undefined;
    this.integers[slot * 8 + 7] = 0;
  }

  /** Gives a slot back. What it holds can still be read until the next {@link take}. */
  free(slot: number): void {
    this.doubles[slot * 4 + 1] = -1;
    this.nexts[slot] = this.freeSlot;
    this.freeSlot = slot;
  }

  metaOf(slot: number): number {
    return this.integers[slot * 8 + 4]!;
  }

  targetOf(slot: number): number {
    return this.integers[slot * 8 + 5]!;
  }

  parentOf(slot: number): number {
    return this.integers[slot * 8 + 6]!;
  }

  /** The payload of a slot, which is then forgotten. */
  takePayload(slot: number): unknown {
    if (this.integers[slot * 8 + 7] === 0) return undefined;
    const payload = this.payloads[slot];
    this.payloads[slot] = undefined;
    return payload;
  }

  /** The first `limit` events in order. Looks at every slot. */
  first(limit: number): PendingEvent[] {
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

  private grow(): number {
    const before = this.capacity;
    const after = Math.min(Math.max(256, before * 2), slotLimit);
    assert(after > before, 'more than 2²⁴ pending events');
    const doubles = new Float64Array(after * 4);
    doubles.set(this.doubles);
    const nexts = new Int32Array(after);
    nexts.set(this.nexts);
    this.doubles = doubles;
    this.integers = new Int32Array(doubles.buffer);
    this.nexts = nexts;
    this.capacity = after;
    for (let slot = before; slot < after; slot++) this.payloads.push(undefined);
    for (let slot = after - 1; slot >= before; slot--) this.free(slot);
    return before;
  }
}
