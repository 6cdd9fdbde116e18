// The one order of simultaneous and successive events: by time, then by priority, then by sequence. Everything in the engine
// that compares events calls `compareEvents`.

/** Sequences are below this: enough for 35 million million events of one run. */
export const sequenceLimit = 2 ** 45;

/** Packs priority (0…255) and sequence (0…2⁴⁵−1) into one exact number that orders as the pair does. */
export function eventOrder(priority: number, sequence: number): number {
  return priority * sequenceLimit + sequence;
}

/** Negative if the event (time A, order A) runs first, where an order is priority and sequence packed by {@link eventOrder}. */
export function compareEvents(timeA: number, orderA: number, timeB: number, orderB: number): number {
  return timeA === timeB ? orderA - orderB : timeA - timeB;
}
