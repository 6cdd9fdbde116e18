// The pending events of a simulation, ordered by (time, priority, sequence).

import { assert } from '../../core/base/assert.ts';

const sequenceLimit = 2 ** 45;
const slotLimit = 2 ** 24;
const generationLimit = 2 ** 29;

/** Packs priority (0…255) and sequence (0…2⁴⁵−1) into one exact number that orders as the pair does. */
export function eventOrder(priority: number, sequence: number): number {
  return priority * sequenceLimit + sequence;
}

/** The one order of events: by time, then by priority, then by sequence (the last two packed by {@link eventOrder}). Negative: a first. */
export function compareEvents(timeA: number, orderA: number, timeB: number, orderB: number): number {
  return timeA === timeB ? orderA - orderB : timeA - timeB;
}

interface Entry {
  id: number;
  time: number;
  order: number;
  meta: number;
  target: number;
  parentRun: number;
  payload: unknown;
}

export class EventQueue {
  private readonly heap: Entry[] = [];
  private readonly live = new Map<number, Entry>();
  private sequence = 0;
  poppedTime = 0;
  poppedMeta = 0;
  poppedTarget = 0;
  poppedParentRun = 0;
  poppedPayload: unknown = undefined;

  get size(): number {
    return this.live.size;
  }

  push(time: number, priority: number, meta: number, target: number, parentRun: number, payload: unknown): number {
    const sequence = this.sequence++;
    const id = (sequence % generationLimit) * slotLimit;
    const entry = { id, time, order: eventOrder(priority, sequence), meta, target, parentRun, payload };
    this.live.set(id, entry);
    const { heap } = this;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (compare(heap[parent]!, heap[index]!) < 0) break;
      swap(heap, index, parent);
      index = parent;
    }
    return id;
  }

  cancel(id: number): boolean {
    return this.live.delete(id);
  }

  popUntil(until: number): boolean {
    const { heap } = this;
    while (heap.length > 0) {
      const first = heap[0]!;
      const alive = this.live.has(first.id);
      if (alive && first.time > until) return false;
      const last = heap.pop()!;
      if (heap.length > 0) {
        heap[0] = last;
        let index = 0;
        for (;;) {
          let child = 2 * index + 1;
          if (child >= heap.length) break;
          if (child + 1 < heap.length && compare(heap[child + 1]!, heap[child]!) < 0) child++;
          if (compare(heap[index]!, heap[child]!) < 0) break;
          swap(heap, index, child);
          index = child;
        }
      }
      if (!alive) continue;
      this.live.delete(first.id);
      this.poppedTime = first.time;
      this.poppedMeta = first.meta;
      this.poppedTarget = first.target;
      this.poppedParentRun = first.parentRun;
      this.poppedPayload = first.payload;
      return true;
    }
    return false;
  }

  /** The next `limit` events, in order. */
  next(limit: number): { timeMicros: number; priority: number; sequence: number; meta: number; target: number }[] {
    assert(limit >= 0, 'limit is negative');
    return [...this.live.values()]
      .sort(compare)
      .slice(0, limit)
      .map((entry) => ({
        timeMicros: entry.time,
        priority: Math.floor(entry.order / sequenceLimit),
        sequence: entry.order % sequenceLimit,
        meta: entry.meta,
        target: entry.target,
      }));
  }
}

function compare(a: Entry, b: Entry): number {
  return compareEvents(a.time, a.order, b.time, b.order);
}
function swap(heap: Entry[], a: number, b: number): void {
  const held = heap[a]!;
  heap[a] = heap[b]!;
  heap[b] = held;
}
