import { describe, expect, test } from 'vitest';
import { Broker } from './broker.ts';
import type { BrokerEffect, BrokerInput, SubscriptionMode } from './broker-protocol.ts';
import { type BrokerSettings, defaultBrokerSettings, redeliverySchedule } from './broker-settings.ts';

const settings: BrokerSettings = {
  ...defaultBrokerSettings,
  topicMessagesMax: 4,
  inFlightMax: 3,
  redeliveryMicros: 100,
  redeliveryFactor: 2,
  redeliveryMicrosMax: 350,
  requestTimeoutMicros: 1_000,
  producerWindow: 32,
};

/** Distributes over the union, so that each kind keeps its own fields. */
type Timeless<Input> = Input extends BrokerInput ? Omit<Input, 'timeMicros'> : never;

/** A broker on a clock, with what it says written in short. */
class Bench {
  readonly broker: Broker;
  now = 0;
  private sequences = new Map<string, number>();

  constructor(changes: Partial<BrokerSettings> = {}) {
    this.broker = new Broker({ ...settings, ...changes });
  }

  send(input: Timeless<BrokerInput>): string[] {
    const effects: BrokerEffect[] = [];
    this.broker.handle({ ...input, timeMicros: this.now } as BrokerInput, effects);
    return effects.map(short);
  }

  subscribe(subscriber: string, subscription: string, mode: SubscriptionMode = 'exclusive', topic = 't'): string[] {
    return this.send({ kind: 'subscribe', subscriber, subscription, topic, mode, start: 'earliest', inFlightMax: 0 });
  }

  publish(payload: unknown, producer = 'p', topic = 't', sequence = this.nextSequence(producer)): string[] {
    return this.send({ kind: 'publish', topic, producer, sequence, payload });
  }

  acknowledge(subscriber: string, subscription: string, offset: number, cumulative = false): string[] {
    return this.send({ kind: 'acknowledge', subscriber, subscription, offset, cumulative });
  }

  connect(subscriber: string): string[] {
    return this.send({ kind: 'subscriberConnected', subscriber });
  }

  disconnect(subscriber: string): string[] {
    return this.send({ kind: 'subscriberDisconnected', subscriber });
  }

  /** Lets time pass, stopping at every deadline. */
  wait(micros: number): string[] {
    const end = this.now + micros;
    const effects: BrokerEffect[] = [];
    for (let due = this.broker.nextDeadlineMicros(); due <= end; due = this.broker.nextDeadlineMicros()) {
      this.now = Math.max(due, this.now);
      const before = effects.length;
      this.broker.fireDue(this.now, effects);
      expect(effects.length).toBeGreaterThan(before);
    }
    this.now = end;
    return effects.map(short);
  }

  private nextSequence(producer: string): number {
    const sequence = (this.sequences.get(producer) ?? 0) + 1;
    this.sequences.set(producer, sequence);
    return sequence;
  }
}

function short(effect: BrokerEffect): string {
  switch (effect.kind) {
    case 'deliver': {
      const about =
        effect.correlation === null
          ? ''
          : ` ${effect.correlation.role} ${effect.correlation.requester}/${effect.correlation.correlation}`;
      return `${effect.subscription}@${effect.offset}#${effect.attempt} ${effect.payload} → ${effect.subscriber}${about}`;
    }
    case 'published':
      return effect.duplicate ? `duplicate ${effect.producer}/${effect.sequence}` : `published @${effect.offset}`;
    case 'subscribed':
      return `subscribed ${effect.subscriber} ${effect.resumed ? 'resumes' : 'begins'} @${effect.offset}`;
    case 'refused':
      return `refused ${effect.client}/${effect.sequence}: ${effect.reason} (${effect.code})`;
    case 'requestTimedOut':
      return `timed out ${effect.requester}/${effect.correlation} (${effect.code})`;
  }
}

test('the waits grow by the factor up to the longest', () => {
  expect(redeliverySchedule(settings)).toEqual([100, 200, 350]);
  expect(redeliverySchedule({ ...settings, redeliveryFactor: 1 })).toEqual([100]);
  expect(redeliverySchedule({ ...settings, redeliveryMicrosMax: 1e15 }).length).toBeLessThanOrEqual(32);
});

describe('an exclusive subscription', () => {
  test('gets what is published, in order, within its credit', () => {
    const bench = new Bench();
    expect(bench.subscribe('s', 'e')).toEqual(['subscribed s begins @0']);
    expect(bench.publish('a')).toEqual(['published @0', 'e@0#1 a → s']);
    expect(bench.publish('b')).toEqual(['published @1', 'e@1#1 b → s']);
    expect(bench.publish('c')).toEqual(['published @2', 'e@2#1 c → s']);
    expect(bench.publish('d')).toEqual(['published @3']);
    expect(bench.acknowledge('s', 'e', 1)).toEqual(['e@3#1 d → s']);
    expect(bench.acknowledge('s', 'e', 3, true)).toEqual([]);
    expect(bench.broker.retainedCount).toBe(0);
    expect(bench.broker.nextDeadlineMicros()).toBe(Number.POSITIVE_INFINITY);
  });

  test('is held by one subscriber, and passes on when that one is away', () => {
    const bench = new Bench();
    bench.subscribe('s', 'e');
    bench.publish('a');
    expect(bench.subscribe('other', 'e')).toEqual([
      'refused other/-1: subscription is held by another subscriber (SIRA_MESSAGE_REFUSED)',
    ]);
    expect(bench.disconnect('s')).toEqual([]);
    expect(bench.subscribe('other', 'e')).toEqual(['subscribed other resumes @0', 'e@0#2 a → other']);
    expect(bench.acknowledge('s', 'e', 0)).toEqual([
      'refused s/0: not a member of the subscription (SIRA_MESSAGE_REFUSED)',
    ]);
    expect(bench.connect('s')).toEqual([]);
    expect(bench.acknowledge('other', 'e', 0)).toEqual([]);
  });

  test('resumes at the unacknowledged after a disconnection; nothing is due while nobody is there', () => {
    const bench = new Bench();
    bench.subscribe('s', 'e');
    for (const payload of ['a', 'b', 'c']) bench.publish(payload);
    bench.acknowledge('s', 'e', 1);
    bench.disconnect('s');
    bench.publish('d');
    expect(bench.wait(10_000)).toEqual([]);
    expect(bench.connect('s')).toEqual(['e@0#2 a → s', 'e@2#2 c → s', 'e@3#1 d → s']);
    expect(bench.subscribe('s', 'e')).toEqual(['subscribed s resumes @0', 'e@0#3 a → s', 'e@2#3 c → s', 'e@3#2 d → s']);
    expect(bench.connect('s')).toEqual(['e@0#4 a → s', 'e@2#4 c → s', 'e@3#3 d → s']);
  });

  test('gets the unacknowledged again after growing waits', () => {
    const bench = new Bench();
    bench.subscribe('s', 'e');
    bench.publish('a');
    bench.now = 10;
    bench.publish('b');
    expect(bench.broker.nextDeadlineMicros()).toBe(100);
    expect(bench.wait(100)).toEqual(['e@0#2 a → s', 'e@1#2 b → s']);
    bench.acknowledge('s', 'e', 0);
    expect(bench.broker.nextDeadlineMicros()).toBe(310);
    expect(bench.wait(10_000).slice(0, 2)).toEqual(['e@1#3 b → s', 'e@1#4 b → s']);
    bench.acknowledge('s', 'e', 1);
    expect(bench.wait(10_000)).toEqual([]);
  });

  test('a pause of the kernel moves the deadlines', () => {
    const bench = new Bench();
    bench.subscribe('s', 'e');
    bench.publish('a');
    bench.broker.extendDeadlines(5_000);
    expect(bench.broker.nextDeadlineMicros()).toBe(5_100);
    expect(bench.wait(5_099)).toEqual([]);
    expect(bench.wait(1)).toEqual(['e@0#2 a → s']);
  });
});

describe('a shared subscription', () => {
  test('members take turns; what one leaves behind goes to the others', () => {
    const bench = new Bench();
    bench.subscribe('m', 'w', 'shared');
    expect(bench.subscribe('n', 'w', 'shared')).toEqual(['subscribed n resumes @0']);
    expect(bench.publish('a')).toEqual(['published @0', 'w@0#1 a → m']);
    expect(bench.publish('b')).toEqual(['published @1', 'w@1#1 b → n']);
    expect(bench.publish('c')).toEqual(['published @2', 'w@2#1 c → m']);
    expect(bench.disconnect('m')).toEqual(['w@0#2 a → n', 'w@2#2 c → n']);
    expect(bench.connect('m')).toEqual([]);
    expect(bench.send({ kind: 'unsubscribe', subscriber: 'n', subscription: 'w' })).toEqual([
      'w@0#3 a → m',
      'w@1#2 b → m',
      'w@2#3 c → m',
    ]);
    expect(bench.acknowledge('m', 'w', 1, true)).toEqual([
      'refused m/1: cumulative acknowledgement needs an exclusive subscription (SIRA_MESSAGE_REFUSED)',
    ]);
    expect(bench.send({ kind: 'unsubscribe', subscriber: 'm', subscription: 'w' })).toEqual([]);
    expect(bench.broker.retainedCount).toBe(0);
    expect(bench.broker.nextDeadlineMicros()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('topics', () => {
  test('messages stay until every subscription acknowledged them; a full topic refuses', () => {
    const bench = new Bench({ inFlightMax: 10 });
    bench.subscribe('s', 'one');
    bench.subscribe('s', 'two');
    for (const payload of ['a', 'b', 'c', 'd']) bench.publish(payload);
    expect(bench.publish('e', 'p', 't', 5)).toEqual(['refused p/5: topic is full (SIRA_QUEUE_FULL)']);
    bench.acknowledge('s', 'one', 3, true);
    expect(bench.publish('e', 'p', 't', 5)).toEqual(['refused p/5: topic is full (SIRA_QUEUE_FULL)']);
    bench.acknowledge('s', 'two', 0);
    expect(bench.publish('e', 'p', 't', 5)).toEqual(['published @4', 'one@4#1 e → s', 'two@4#1 e → s']);
    expect(bench.broker.retainedCount).toBe(4);
  });

  test('without a subscription nothing is retained; the next one begins where it is told to', () => {
    const bench = new Bench();
    for (const payload of ['a', 'b']) bench.publish(payload);
    expect(bench.broker.retainedCount).toBe(0);
    expect(bench.subscribe('s', 'e')).toEqual(['subscribed s begins @2']);
    bench.publish('c');
    expect(bench.subscribe('r', 'f')).toEqual(['subscribed r begins @2', 'f@2#1 c → r']);
    const next = { kind: 'subscribe', topic: 't', mode: 'exclusive', start: 'next', inFlightMax: 0 } as const;
    expect(bench.send({ ...next, subscriber: 'q', subscription: 'g' })).toEqual(['subscribed q begins @3']);
  });
});

describe('de-duplication', () => {
  test('a sequence is stored once, in whatever order; a refused one is not used up', () => {
    const bench = new Bench();
    bench.subscribe('s', 'e');
    expect(bench.publish('b', 'p', 't', 2)).toEqual(['published @0', 'e@0#1 b → s']);
    expect(bench.publish('b', 'p', 't', 2)).toEqual(['duplicate p/2']);
    expect(bench.publish('a', 'p', 't', 1)).toEqual(['published @1', 'e@1#1 a → s']);
    expect(bench.publish('a', 'p', 'elsewhere', 1)).toEqual(['duplicate p/1']);
    expect(bench.publish('z', 'p', 't', 35)).toEqual(['refused p/35: sequence is beyond the window (SIRA_QUEUE_FULL)']);
    expect(bench.publish('z', 'p', 't', 0)).toEqual([
      'refused p/0: sequence is not a positive integer above the settled (SIRA_MESSAGE_REFUSED)',
    ]);
    const givenUp = { kind: 'publish', topic: 't', producer: 'p', payload: 'z' } as const;
    expect(bench.send({ ...givenUp, sequence: 35, settledSequence: 34 })).toEqual(['published @2', 'e@2#1 z → s']);
    bench.broker.forgetProducer('p');
    expect(bench.publish('a', 'p', 't', 1)).toEqual(['published @3']);
  });
});

describe('requests', () => {
  function serving(): Bench {
    const bench = new Bench();
    bench.subscribe('server', 'serve', 'shared', 'work');
    bench.subscribe('client', 'inbox', 'exclusive', 'replies');
    return bench;
  }
  const request = {
    kind: 'request',
    topic: 'work',
    producer: 'client',
    replyTopic: 'replies',
    timeoutMicros: 0,
  } as const;
  const reply = { kind: 'reply', producer: 'server', requester: 'client' } as const;

  test('a reply comes back on the reply topic, once', () => {
    const bench = serving();
    expect(bench.send({ ...request, sequence: 1, payload: '6·7' })).toEqual([
      'published @0',
      'serve@0#1 6·7 → server request client/1',
    ]);
    expect(bench.send({ ...request, sequence: 1, payload: '6·7' })).toEqual(['duplicate client/1']);
    expect(bench.send({ ...reply, sequence: 1, correlation: 1, payload: 42 })).toEqual([
      'published @0',
      'inbox@0#1 42 → client reply client/1',
    ]);
    expect(bench.send({ ...reply, sequence: 1, correlation: 1, payload: 42 })).toEqual(['duplicate server/1']);
    expect(bench.send({ ...reply, sequence: 2, correlation: 1, payload: 43 })).toEqual([
      'refused server/2: request is answered, timed out or unknown (SIRA_MESSAGE_REFUSED)',
    ]);
    bench.acknowledge('server', 'serve', 0);
    bench.acknowledge('client', 'inbox', 0);
    expect(bench.wait(100_000)).toEqual([]);
  });

  test('without a reply it times out, and a late reply is refused', () => {
    const bench = serving();
    bench.send({ ...request, sequence: 1, payload: 'slow' });
    bench.send({ ...request, sequence: 2, payload: 'fast', timeoutMicros: 50 });
    bench.acknowledge('server', 'serve', 0);
    bench.acknowledge('server', 'serve', 1);
    expect(bench.wait(50)).toEqual(['timed out client/2 (SIRA_REQUEST_TIMED_OUT)']);
    expect(bench.wait(949)).toEqual([]);
    expect(bench.wait(1)).toEqual(['timed out client/1 (SIRA_REQUEST_TIMED_OUT)']);
    expect(bench.send({ ...reply, sequence: 1, correlation: 1, payload: 'late' })).toEqual([
      'refused server/1: request is answered, timed out or unknown (SIRA_MESSAGE_REFUSED)',
    ]);
  });

  test('is refused at once if nobody could serve or hear the reply', () => {
    const bench = serving();
    expect(bench.send({ ...request, topic: 'nowhere', sequence: 1, payload: 0 })).toEqual([
      'refused client/1: no subscription takes requests on this topic (SIRA_MESSAGE_REFUSED)',
    ]);
    expect(bench.send({ ...request, replyTopic: 'nowhere', sequence: 1, payload: 0 })).toEqual([
      'refused client/1: no subscription takes replies on this topic (SIRA_MESSAGE_REFUSED)',
    ]);
    expect(bench.send({ ...request, sequence: 1, payload: 0 })[0]).toBe('published @0');
  });

  test('a reply that finds its topic full may be tried again', () => {
    const bench = new Bench({ topicMessagesMax: 1 });
    bench.subscribe('server', 'serve', 'shared', 'work');
    bench.subscribe('client', 'inbox', 'exclusive', 'replies');
    bench.publish('noise', 'p', 'replies');
    bench.send({ ...request, sequence: 1, payload: 0 });
    expect(bench.send({ ...reply, sequence: 1, correlation: 1, payload: 1 })).toEqual([
      'refused server/1: topic is full (SIRA_QUEUE_FULL)',
    ]);
    bench.acknowledge('client', 'inbox', 0);
    expect(bench.send({ ...reply, sequence: 1, correlation: 1, payload: 1 })).toEqual([
      'published @1',
      'inbox@1#1 1 → client reply client/1',
    ]);
  });
});

test('every table is bounded', () => {
  const bench = new Bench({
    topicCountMax: 1,
    subscriptionCountMax: 2,
    membersPerSubscriptionMax: 1,
    producerCountMax: 1,
    requestCountMax: 1,
  });
  bench.subscribe('s', 'e');
  bench.subscribe('m', 'w', 'shared');
  expect(bench.subscribe('s', 'third')).toEqual(['refused s/-1: too many subscriptions (SIRA_QUEUE_FULL)']);
  expect(bench.subscribe('n', 'w', 'shared')).toEqual([
    'refused n/-1: subscription has too many members (SIRA_QUEUE_FULL)',
  ]);
  expect(bench.publish(1, 'p', 'second')).toEqual(['refused p/1: too many topics (SIRA_QUEUE_FULL)']);
  expect(bench.publish(1, 'q')).toEqual(['refused q/1: too many producers (SIRA_QUEUE_FULL)']);
  const request = {
    kind: 'request',
    topic: 't',
    producer: 'p',
    replyTopic: 't',
    timeoutMicros: 0,
    payload: 0,
  } as const;
  expect(bench.send({ ...request, sequence: 1 })[0]).toBe('published @0');
  expect(bench.send({ ...request, sequence: 2 })).toEqual(['refused p/2: too many requests (SIRA_QUEUE_FULL)']);
});

test('wrong acknowledgements and terms are refused', () => {
  const bench = new Bench();
  bench.subscribe('s', 'e');
  expect(bench.acknowledge('s', 'x', 0)).toEqual(['refused s/0: subscription is unknown (SIRA_MESSAGE_REFUSED)']);
  expect(bench.acknowledge('s', 'e', 0)).toEqual(['refused s/0: offset was never delivered (SIRA_MESSAGE_REFUSED)']);
  expect(bench.subscribe('s', 'e', 'shared')).toEqual([
    'refused s/-1: subscription has other terms (SIRA_MESSAGE_REFUSED)',
  ]);
  expect(bench.send({ kind: 'unsubscribe', subscriber: 'r', subscription: 'e' })).toEqual([
    'refused r/-1: not a member of the subscription (SIRA_MESSAGE_REFUSED)',
  ]);
});
