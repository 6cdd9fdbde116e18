// Random interleavings of publications, duplicates, acknowledgements, time-outs and disconnections, watched by an oracle that
// knows only inputs and effects: nothing published is lost, nothing is stored twice, nothing comes after its acknowledgement,
// first deliveries are in order, redeliveries come exactly when they are due, and memory is bounded.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Broker } from './broker.ts';
import type { BrokerEffect, BrokerInput, DeliverEffect } from './broker-protocol.ts';
import { type BrokerSettings, defaultBrokerSettings, redeliverySchedule } from './broker-settings.ts';

const settings: BrokerSettings = {
  ...defaultBrokerSettings,
  topicMessagesMax: 24,
  inFlightMax: 20,
  redeliveryMicros: 100,
  redeliveryFactor: 3,
  redeliveryMicrosMax: 1_000,
  requestTimeoutMicros: 400,
  producerWindow: 32,
};
const schedule = redeliverySchedule(settings);

type Action =
  | { readonly kind: 'publish'; readonly producer: number; readonly ahead: number }
  | { readonly kind: 'acknowledge'; readonly subscription: number; readonly pick: number; readonly cumulative: boolean }
  | { readonly kind: 'connect' | 'disconnect'; readonly subscriber: number }
  | { readonly kind: 'wait'; readonly micros: number };

/** The subscriptions of the run: who may hold them, and how. */
const subscriptions = [
  { name: 'exclusive', mode: 'exclusive', members: ['alice'], inFlightMax: 5 },
  { name: 'narrow', mode: 'exclusive', members: ['bob'], inFlightMax: 1 },
  { name: 'shared', mode: 'shared', members: ['alice', 'bob', 'carol'], inFlightMax: 0 },
] as const;
const subscribers = ['alice', 'bob', 'carol'] as const;

interface Flight {
  attempts: number;
  lastMicros: number;
  holder: string;
}

class Ledger {
  /** Delivered and unacknowledged, by offset. */
  readonly flights = new Map<number, Flight>();
  readonly acknowledged = new Set<number>();
  firstDeliveries = 0;
}

class Oracle {
  readonly broker = new Broker(settings);
  readonly ledgers = new Map<string, Ledger>();
  readonly stored: string[] = [];
  readonly sequences = [1, 1];
  private readonly connected = new Set<string>(subscribers);
  private now = 0;

  constructor() {
    for (const { name, mode, members, inFlightMax } of subscriptions) {
      this.ledgers.set(name, new Ledger());
      for (const subscriber of members) {
        this.send({
          kind: 'subscribe',
          timeMicros: 0,
          subscriber,
          subscription: name,
          topic: 't',
          mode,
          start: 'next',
          inFlightMax,
        });
      }
    }
  }

  act(action: Action): void {
    switch (action.kind) {
      case 'publish':
        this.publish(action.producer, action.ahead);
        break;
      case 'acknowledge':
        this.acknowledge(action.subscription, action.pick, action.cumulative);
        break;
      case 'connect':
      case 'disconnect': {
        const subscriber = subscribers[action.subscriber] as string;
        if (action.kind === 'connect') this.connected.add(subscriber);
        else this.connected.delete(subscriber);
        const kind = action.kind === 'connect' ? 'subscriberConnected' : 'subscriberDisconnected';
        this.send({ kind, timeMicros: this.now, subscriber });
        break;
      }
      case 'wait':
        this.wait(action.micros);
    }
  }

  /** Faults stop: everybody returns, acknowledges all that comes; then everything published must have come. */
  settle(): void {
    for (const subscriber of subscribers) {
      this.connected.add(subscriber);
      this.send({ kind: 'subscriberConnected', timeMicros: this.now, subscriber });
    }
    for (const [name, ledger] of this.ledgers) {
      while (ledger.flights.size > 0) {
        const [offset, { holder }] = [...ledger.flights][0] as [number, Flight];
        this.sendAcknowledgement(name, holder, offset, false);
      }
      expect(ledger.acknowledged.size).toBe(this.stored.length);
    }
    expect(this.broker.retainedCount).toBe(0);
    expect(this.broker.nextDeadlineMicros()).toBe(Number.POSITIVE_INFINITY);
  }

  private publish(producer: number, ahead: number): void {
    const sequence = Math.max(1, (this.sequences[producer] as number) + ahead);
    const key = `${producer}/${sequence}`;
    const wasStored = this.stored.includes(key);
    const floor = Math.min(...[...this.ledgers.values()].map((ledger) => floorOf(ledger)));
    const effects = this.send(
      { kind: 'publish', timeMicros: this.now, topic: 't', producer: `p${producer}`, sequence, payload: key },
      key,
    );
    const first = effects[0] as BrokerEffect;
    if (first.kind === 'published') {
      expect(first.duplicate).toBe(wasStored);
      if (!wasStored) expect(first.offset).toBe(this.stored.length - 1);
      while (this.stored.includes(`${producer}/${this.sequences[producer]}`))
        this.sequences[producer] = (this.sequences[producer] as number) + 1;
    } else {
      expect(first.kind === 'refused' && first.reason).toBe('topic is full');
      expect(wasStored).toBe(false);
      expect(this.stored.length - floor).toBe(settings.topicMessagesMax);
    }
    expect(this.broker.retainedCount).toBe(
      this.stored.length - Math.min(...[...this.ledgers.values()].map((ledger) => floorOf(ledger))),
    );
  }

  private acknowledge(subscription: number, pick: number, cumulative: boolean): void {
    const { name, mode } = subscriptions[subscription] as (typeof subscriptions)[number];
    const ledger = this.ledgers.get(name) as Ledger;
    if (ledger.firstDeliveries === 0) return;
    const recent = Math.max(0, ledger.firstDeliveries - 1 - pick);
    const holder = ledger.flights.get(recent)?.holder ?? subscriptions[subscription]?.members[0];
    this.sendAcknowledgement(name, holder as string, recent, cumulative && mode === 'exclusive');
  }

  private sendAcknowledgement(name: string, subscriber: string, offset: number, cumulative: boolean): void {
    const ledger = this.ledgers.get(name) as Ledger;
    for (let settled = cumulative ? 0 : offset; settled <= offset; settled++) {
      ledger.flights.delete(settled);
      ledger.acknowledged.add(settled);
    }
    this.send({ kind: 'acknowledge', timeMicros: this.now, subscriber, subscription: name, offset, cumulative });
  }

  private wait(micros: number): void {
    const end = this.now + micros;
    for (;;) {
      const due = this.broker.nextDeadlineMicros();
      expect(due).toBe(this.expectedDeadline());
      if (due > end) break;
      this.now = due;
      const effects: BrokerEffect[] = [];
      this.broker.fireDue(due, effects);
      expect(effects.length).toBeGreaterThan(0);
      for (const effect of effects) {
        expect(effect.kind === 'deliver' && this.deadlineOf(effect)).toBe(due);
        this.observe(effect);
      }
    }
    this.now = end;
  }

  private deadlineOf(effect: DeliverEffect): number {
    const flight = this.ledgers.get(effect.subscription)?.flights.get(effect.offset) as Flight;
    return flight.lastMicros + wait(flight.attempts);
  }

  private expectedDeadline(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { name, members } of subscriptions) {
      if (!members.some((member) => this.connected.has(member))) continue;
      for (const { attempts, lastMicros } of (this.ledgers.get(name) as Ledger).flights.values()) {
        earliest = Math.min(earliest, lastMicros + wait(attempts));
      }
    }
    return earliest;
  }

  private send(input: BrokerInput, key = ''): BrokerEffect[] {
    const effects: BrokerEffect[] = [];
    this.broker.handle(input, effects);
    for (const effect of effects) this.observe(effect, key);
    return effects;
  }

  private observe(effect: BrokerEffect, key = ''): void {
    if (effect.kind === 'published' && !effect.duplicate) this.stored.push(key);
    if (effect.kind !== 'deliver') return;
    const { subscription, offset, attempt, payload, subscriber } = effect;
    const ledger = this.ledgers.get(subscription) as Ledger;
    const terms = subscriptions.find(({ name }) => name === subscription) as (typeof subscriptions)[number];
    expect(payload).toBe(this.stored[offset]);
    expect(`p${payload}`).toBe(`${effect.producer}/${effect.sequence}`);
    expect(ledger.acknowledged.has(offset)).toBe(false);
    expect(this.connected.has(subscriber)).toBe(true);
    expect(terms.members).toContain(subscriber);
    const flight = ledger.flights.get(offset);
    expect(attempt).toBe((flight?.attempts ?? 0) + 1);
    if (flight === undefined) {
      expect(offset).toBe(ledger.firstDeliveries);
      ledger.firstDeliveries++;
    }
    ledger.flights.set(offset, { attempts: attempt, lastMicros: this.now, holder: subscriber });
    expect(ledger.flights.size).toBeLessThanOrEqual(terms.inFlightMax || settings.inFlightMax);
  }
}

function floorOf(ledger: Ledger): number {
  let floor = 0;
  while (ledger.acknowledged.has(floor)) floor++;
  return floor;
}

function wait(attempts: number): number {
  return schedule[Math.min(attempts, schedule.length) - 1] as number;
}

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('publish' as const), producer: fc.nat(1), ahead: fc.constant(0) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('publish' as const),
      producer: fc.nat(1),
      ahead: fc.integer({ min: -4, max: 4 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('acknowledge' as const),
      subscription: fc.nat(2),
      pick: fc.oneof(fc.nat(1), fc.nat(8)),
      cumulative: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('connect', 'disconnect'), subscriber: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), micros: fc.integer({ min: 0, max: 350 }) }) },
);

describe('promises', () => {
  test('hold under random interleavings', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 150, size: 'max' }), (actions) => {
        const oracle = new Oracle();
        for (const one of actions) oracle.act(one);
        oracle.settle();
      }),
      { numRuns: 150 },
    );
  });
});

const name = (prefix: string, count: number): fc.Arbitrary<string> =>
  fc.nat(count - 1).map((index) => `${prefix}${index}`);
const anyInput: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('subscribe'),
      subscriber: name('s', 3),
      subscription: name('u', 3),
      topic: name('t', 2),
      mode: fc.constantFrom('exclusive', 'shared', 'shared'),
      start: fc.constantFrom('earliest', 'next'),
      inFlightMax: fc.nat(4),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('unsubscribe'), subscriber: name('s', 3), subscription: name('u', 3) }),
  },
  {
    weight: 14,
    arbitrary: fc.record({
      kind: fc.constant('publish'),
      topic: name('t', 2),
      producer: name('p', 2),
      sequence: fc.integer({ min: 1, max: 50 }),
      payload: fc.nat(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('acknowledge'),
      subscriber: name('s', 3),
      subscription: name('u', 3),
      offset: fc.nat(30),
      cumulative: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('subscriberConnected', 'subscriberDisconnected'),
      subscriber: name('s', 3),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('request'),
      topic: name('t', 2),
      producer: name('p', 2),
      sequence: fc.integer({ min: 1, max: 50 }),
      replyTopic: name('t', 2),
      timeoutMicros: fc.nat(300),
      payload: fc.nat(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('reply'),
      producer: name('q', 2),
      sequence: fc.integer({ min: 1, max: 50 }),
      requester: name('p', 2),
      correlation: fc.integer({ min: 1, max: 50 }),
      payload: fc.nat(),
    }),
  },
);

class Runner {
  broker = new Broker(settings);
  effects: BrokerEffect[] = [];

  /** Fires what is due up to `end`, then takes the input. */
  take(end: number, input: Record<string, unknown>): void {
    for (let due = this.broker.nextDeadlineMicros(); due <= end; due = this.broker.nextDeadlineMicros())
      this.broker.fireDue(due, this.effects);
    this.broker.handle({ ...input, timeMicros: end } as unknown as BrokerInput, this.effects);
  }
}

describe('snapshots', () => {
  test('a broker restored from JSON goes on identically', () => {
    let deliveries = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 120 }), anyInput), { maxLength: 120, size: 'max' }),
        fc.nat(80),
        (steps, cut) => {
          const original = new Runner();
          const copy = new Runner();
          let now = 0;
          steps.forEach(([wait, input], index) => {
            if (index === cut) {
              copy.broker.restore(JSON.parse(JSON.stringify(original.broker.save())));
              original.effects = [];
            }
            now += wait;
            original.take(now, input);
            if (index < cut) return;
            copy.take(now, input);
            expect(copy.broker.nextDeadlineMicros()).toBe(original.broker.nextDeadlineMicros());
          });
          if (steps.length <= cut) return;
          deliveries += copy.effects.filter(({ kind }) => kind === 'deliver').length;
          expect(copy.effects).toEqual(original.effects);
          expect(JSON.stringify(copy.broker.save())).toBe(JSON.stringify(original.broker.save()));
        },
      ),
      { numRuns: 200 },
    );
    // The comparison is worth something only if much happened after the cut.
    expect(deliveries).toBeGreaterThan(1_000);
  });
});
