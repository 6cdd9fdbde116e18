import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { compareEvents, eventOrder } from './event-order.ts';
import { EventQueue } from './event-queue.ts';

interface Expected {
  readonly id: number;
  readonly time: number;
  readonly order: number;
  readonly payload: unknown;
}

/** The definition of the queue: a sorted array. */
class Reference {
  private readonly events: Expected[] = [];
  private sequence = 0;

  get size(): number {
    return this.events.length;
  }

  push(id: number, time: number, priority: number, payload: unknown): void {
    const event = { id, time, order: eventOrder(priority, this.sequence++), payload };
    let low = 0;
    let high = this.events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.events[middle]!;
      if (compareEvents(other.time, other.order, time, event.order) < 0) low = middle + 1;
      else high = middle;
    }
    this.events.splice(low, 0, event);
  }

  cancel(id: number): boolean {
    const at = this.events.findIndex((event) => event.id === id);
    if (at >= 0) this.events.splice(at, 1);
    return at >= 0;
  }

  popUntil(until: number): Expected | undefined {
    const first = this.events[0];
    return first !== undefined && first.time <= until ? this.events.shift() : undefined;
  }
}

/** A target tells one event of a history from another. */
const targetModulus = 1_000_003;

/** `expect` is too slow for every operation of a long history. */
function check(holds: boolean, operation: number, what: string): void {
  if (!holds) throw new Error(`operation ${operation}: ${what}`);
}

/** Gaps from now to an event, each nasty in its own way to a queue that guesses the width of a day. */
const gapPatterns: Record<string, (random: RandomStream, now: number) => number> = {
  grid: (random, now) => 1_000_000 * (Math.floor(now / 1_000_000) + 1 + random.nextBelow(3)) - now,
  uniform: (random) => random.nextBelow(100_000),
  sameInstant: () => 0,
  fewInstants: (random) => random.nextBelow(3) * 1_000_000,
  mostlyZero: (random) => (random.nextBelow(10) === 0 ? random.nextBelow(50) : 0),
  heavyTail: (random) => Math.min(2 ** 50, Math.floor(10 / (random.nextFloat() ** 3 + 1e-15))),
  everyScale: (random) => Math.floor(2 ** (random.nextFloat() * 50)),
  twoScales: (random) => (random.nextBelow(8) === 0 ? 2 ** 45 + random.nextBelow(4) : random.nextBelow(20)),
  descending: (random) => Math.floor(2 ** 40 / (1 + random.nextBelow(1 << 20))),
  farFuture: (random) => 2 ** 51 + random.nextBelow(1000),
};
const patternNames = Object.keys(gapPatterns);

/** Runs one random history of both; throws at the first difference. */
function compareHistories(
  seed: number,
  patterns: string[],
  operations: number,
  popShare: number,
  cancelShare: number,
): void {
  const random = new RandomStream(seed, 'event-queue-test');
  const queue = new EventQueue();
  const reference = new Reference();
  const ids: number[] = [];
  let now = 0;
  for (let operation = 0; operation < operations; operation++) {
    const pattern = patterns[Math.floor((operation / operations) * patterns.length)]!;
    const draw = random.nextFloat();
    if (draw < popShare) {
      // Often a bound short of the next event, so that a push may come before what was looked at.
      const until =
        random.nextBelow(3) === 0
          ? now + Math.floor(gapPatterns[pattern]!(random, now) * random.nextFloat())
          : Number.MAX_SAFE_INTEGER;
      if (until === Number.MAX_SAFE_INTEGER && queue.size === 0) continue;
      const slot = queue.popUntil(until);
      const expected = reference.popUntil(until);
      check(slot < 0 === (expected === undefined), operation, 'one queue has an event that is due, the other none');
      if (expected === undefined) {
        now = until;
        continue;
      }
      now = expected.time;
      check(queue.slots.doubles[slot * 4] === expected.time, operation, 'times differ');
      check(queue.slots.targetOf(slot) === expected.order % targetModulus, operation, 'events differ');
      check(queue.slots.takePayload(slot) === expected.payload, operation, 'payloads differ');
    } else if (draw < popShare + cancelShare && ids.length > 0) {
      // One of the latest, which is likely pending still, or any, which is likely gone.
      const id =
        ids[ids.length - 1 - random.nextBelow(random.nextBelow(2) === 0 ? Math.min(ids.length, 2000) : ids.length)]!;
      check(queue.cancel(id) === reference.cancel(id), operation, 'cancellations differ');
    } else {
      const time = Math.min(Number.MAX_SAFE_INTEGER - 1, now + gapPatterns[pattern]!(random, now));
      const priority = random.nextBelow(4) === 0 ? random.nextBelow(256) : 10;
      const target = eventOrder(priority, ids.length) % targetModulus;
      const payload = random.nextBelow(2) === 0 ? { operation } : undefined;
      const id = queue.push(time, priority, 1, target, 0, payload);
      reference.push(id, time, priority, payload);
      ids.push(id);
    }
    check(queue.size === reference.size, operation, 'sizes differ');
  }
  let expected = reference.popUntil(Number.MAX_SAFE_INTEGER);
  while (expected !== undefined) {
    const slot = queue.popUntil(Number.MAX_SAFE_INTEGER);
    check(queue.slots.doubles[slot * 4] === expected.time, operations, 'times differ');
    check(queue.slots.targetOf(slot) === expected.order % targetModulus, operations, 'events differ');
    expected = reference.popUntil(Number.MAX_SAFE_INTEGER);
  }
  expect(queue.popUntil(now)).toBe(-1);
}

describe('the queue is a sorted array', () => {
  test('for short histories of any mixture', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(fc.constantFrom(...patternNames), { minLength: 1, maxLength: 3 }),
        fc.constantFrom(0.2, 0.45, 0.5),
        fc.constantFrom(0, 0.05, 0.3),
        (seed, patterns, popShare, cancelShare) => compareHistories(seed, patterns, 300, popShare, cancelShare),
      ),
      { numRuns: 300 },
    );
  });

  test.each(patternNames)('for long histories of %s', (pattern) => {
    compareHistories(1, [pattern], 6_000, 0.3, 0.1);
    compareHistories(2, [pattern, 'uniform', pattern], 6_000, 0.45, 0.02);
    compareHistories(3, [pattern], 6_000, 0.2, 0.6);
    compareHistories(4, [pattern, 'uniform', 'fewInstants'], 12_000, 0.12, 0.44);
  });
});

describe('the worst case is bounded', () => {
  // Steps for each event, beyond its push and its pop. 2⁵³ µs over 64 a level is 9 levels, each of two passes over a list;
  // sorting a day of at most 40 and passing over empty days come on top. A queue that collapses needs hundreds to thousands.
  const stepsPerEventMax = 30;

  /** A hold model: `pending` events, each of which, when it runs, is pushed again after a gap. */
  function hold(pending: number, events: number, gap: (random: RandomStream, now: number) => number): number {
    const random = new RandomStream(7, 'hold');
    const queue = new EventQueue();
    for (let count = 0; count < pending; count++) queue.push(gap(random, 0), 10, 0, 0, 0, undefined);
    for (let count = 0; count < events; count++) {
      const slot = queue.popUntil(Number.MAX_SAFE_INTEGER);
      const now = queue.slots.doubles[slot * 4]!;
      queue.push(now + (gap(random, now) % 2 ** 36), 10, 0, 0, 0, undefined);
    }
    return queue.stepCount / (pending + events);
  }

  test.each(patternNames)('with 20,000 pending events of %s', (pattern) => {
    expect(hold(20_000, 100_000, gapPatterns[pattern]!)).toBeLessThan(stepsPerEventMax);
  });

  test.each(patternNames)('with 50 pending events of %s', (pattern) => {
    expect(hold(50, 20_000, gapPatterns[pattern]!)).toBeLessThan(stepsPerEventMax);
  });

  test('when the load changes its scale by a million, again and again', () => {
    const queue = new EventQueue();
    const random = new RandomStream(3, 'scale');
    for (let count = 0; count < 5_000; count++) queue.push(random.nextBelow(1000), 10, 0, 0, 0, undefined);
    const events = 200_000;
    for (let count = 0; count < events; count++) {
      const scale = Math.floor(count / 10_000) % 2 === 0 ? 1_000 : 1_000_000_000;
      const slot = queue.popUntil(Number.MAX_SAFE_INTEGER);
      queue.push(queue.slots.doubles[slot * 4]! + random.nextBelow(scale), 10, 0, 0, 0, undefined);
    }
    expect(queue.stepCount / events).toBeLessThan(stepsPerEventMax);
  });

  test('when all events of a burst push others of several priorities at the same instant', () => {
    const queue = new EventQueue();
    const random = new RandomStream(4, 'burst');
    for (let count = 0; count < 20_000; count++) queue.push(5_000_000, random.nextBelow(256), 0, 0, 0, undefined);
    for (let count = 0; count < 100_000; count++) {
      queue.popUntil(Number.MAX_SAFE_INTEGER);
      queue.push(5_000_000, random.nextBelow(256), 0, 0, 0, undefined);
    }
    expect(queue.stepCount / 120_000).toBeLessThan(stepsPerEventMax);
  });

  test('when the clock goes forward in small steps before a far burst, with pushes in between', () => {
    const queue = new EventQueue();
    const random = new RandomStream(5, 'steps');
    for (let count = 0; count < 20_000; count++) queue.push(1_000_000_000, 10, 0, 0, 0, undefined);
    let popped = 0;
    for (let now = 0; now < 50_000; now++) {
      queue.push(now + 1 + random.nextBelow(1_000_000), 10, 0, 0, 0, undefined);
      while (queue.popUntil(now) >= 0) popped++;
    }
    expect(popped).toBeGreaterThan(100);
    expect(queue.stepCount / 70_000).toBeLessThan(stepsPerEventMax);
  });

  test('when nearly every timer is taken back, in memory too', () => {
    const queue = new EventQueue();
    const random = new RandomStream(6, 'cancel');
    const events = 200_000;
    let now = 0;
    for (let count = 0; count < events; count++) {
      const id = queue.push(now + 1_000_000 + random.nextBelow(1_000), 20, 0, 0, 0, {});
      queue.push(now + 1, 10, 0, 0, 0, undefined);
      now = queue.slots.doubles[queue.popUntil(Number.MAX_SAFE_INTEGER) * 4]!;
      check(queue.cancel(id), count, 'not cancelled');
    }
    expect(queue.size).toBe(0);
    expect(queue.stepCount / events).toBeLessThan(stepsPerEventMax);
    expect(queue.slots.nexts.length).toBeLessThanOrEqual(8192);
  });
});

test('cancelled events are freed once, also those that went from the front to a calendar', () => {
  const queue = new EventQueue();
  const push = (time: number): number => queue.push(time, 10, 0, 0, 0, undefined);
  push(1);
  push(2_000_000);
  queue.popUntil(1);
  const front = Array.from({ length: 60 }, (_, index) => push(10_000 + index));
  for (const id of front.slice(0, 30)) queue.cancel(id);
  for (let index = 0; index < 40; index++) push(20_000 + index);
  for (let index = 0; index < 5_000; index++) queue.cancel(push(3_000_000));
  expect(queue.size).toBe(1 + 30 + 40);
  const times: number[] = [];
  for (let slot = queue.popUntil(4_000_000); slot >= 0; slot = queue.popUntil(4_000_000))
    times.push(queue.slots.doubles[slot * 4]!);
  expect(times).toEqual([
    ...Array.from({ length: 30 }, (_, index) => 10_030 + index),
    ...Array.from({ length: 40 }, (_, index) => 20_000 + index),
    2_000_000,
  ]);
});

test('a burst just after the bound waits, though its day has begun, and what comes before it still runs first', () => {
  const queue = new EventQueue();
  const burst = 1_000_000_000;
  queue.push(0, 10, 0, 0, 0, undefined);
  for (let count = 0; count < 100; count++) queue.push(burst, 10, 0, 1, 0, undefined);
  expect(queue.popUntil(burst - 2)).toBeGreaterThanOrEqual(0);
  expect(queue.popUntil(burst - 2)).toBe(-1);
  queue.push(burst, 0, 0, 2, 0, undefined);
  queue.push(burst - 1, 10, 0, 3, 0, undefined);
  const targets: number[] = [];
  for (let slot = queue.popUntil(burst); slot >= 0; slot = queue.popUntil(burst))
    targets.push(queue.slots.targetOf(slot));
  expect(targets.slice(0, 3)).toEqual([3, 2, 1]);
  expect(targets).toHaveLength(102);
});

describe('ids', () => {
  test('name one event only, though its slot is used again', () => {
    const queue = new EventQueue();
    const first = queue.push(1, 10, 0, 0, 0, undefined);
    queue.popUntil(1);
    const second = queue.push(2, 10, 0, 0, 0, undefined);
    expect(queue.cancel(first)).toBe(false);
    expect(queue.cancel(second)).toBe(true);
    expect(queue.cancel(second)).toBe(false);
    for (const wrong of [-1, 0.5, Number.NaN, Number.MAX_SAFE_INTEGER]) expect(queue.cancel(wrong)).toBe(false);
  });
});

test('the first events are listed in order, cancelled ones left out', () => {
  const queue = new EventQueue();
  queue.push(7, 10, 3, 1, 0, undefined);
  queue.push(5, 20, 3, 2, 0, undefined);
  const cancelled = queue.push(5, 0, 3, 3, 0, undefined);
  queue.push(5, 10, 3, 4, 0, undefined);
  queue.cancel(cancelled);
  expect(queue.first(2)).toEqual([
    { timeMicros: 5, priority: 10, sequence: 3, meta: 3, target: 4 },
    { timeMicros: 5, priority: 20, sequence: 1, meta: 3, target: 2 },
  ]);
});
