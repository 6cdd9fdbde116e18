// The broker: a deterministic machine of the shape handle(input, effects). It promises at-least-once delivery of every
// published message to every subscription that its topic had, first deliveries of an exclusive subscription in the order of
// the topic, no delivery after the acknowledgement, and each (producer, sequence) stored once, so effectively once with
// idempotent receivers. Messages live in memory until every subscription has acknowledged them; every table is bounded. It
// knows no clock (inputs carry the time, `nextDeadlineMicros` and `fireDue` are its timers) and no payload.

import { assert, unreachable } from '../base/assert.ts';
import type { ErrorCode } from '../base/errors.ts';
import type {
  AcknowledgeInput,
  BrokerEffectSink,
  BrokerInput,
  Correlation,
  PublishInput,
  RefusalReason,
  ReplyInput,
  RequestInput,
  SubscribeInput,
  UnsubscribeInput,
} from './broker-protocol.ts';
import type { BrokerSettings } from './broker-settings.ts';
import { redeliverySchedule } from './broker-settings.ts';
import type { BrokerSnapshot } from './broker-snapshot.ts';
import { restoreSubscriptions, saveSubscriptions } from './broker-snapshot.ts';
import { DeadlineHeap } from './deadline-heap.ts';
import { DeliveryWindow } from './delivery-window.ts';
import { ProducerWindow } from './producer-window.ts';
import { RequestTable } from './request-table.ts';
import { type Subscriber, Subscription } from './subscription.ts';
import { Topic } from './topic.ts';

export type { BrokerSnapshot } from './broker-snapshot.ts';

/** Refusals that trying later may cure. */
const fullness: Partial<Record<RefusalReason, true>> = {
  'topic is full': true,
  'too many topics': true,
  'too many subscriptions': true,
  'too many producers': true,
  'too many requests': true,
  'sequence is beyond the window': true,
  'subscription has too many members': true,
};

/** What a refusal of `reason` is called in the table of errors. */
export function codeOfRefusal(reason: RefusalReason): ErrorCode {
  return fullness[reason] === true ? 'SIRA_QUEUE_FULL' : 'SIRA_MESSAGE_REFUSED';
}

type Publication = PublishInput | RequestInput | ReplyInput;

export class Broker {
  private readonly settings: BrokerSettings;
  private readonly schedule: readonly number[];
  private readonly topics = new Map<string, Topic<Subscription>>();
  private readonly subscriptions = new Map<string, Subscription>();
  private readonly subscribers = new Map<string, Subscriber>();
  private readonly producers = new Map<string, ProducerWindow>();
  private readonly requests = new RequestTable();
  /** Subscriptions with a redelivery deadline, and some that had one: a key is never later than the true deadline, and is
   *  set right when it comes first. Acknowledgements thus need not touch the heap. */
  private readonly timers = new DeadlineHeap<Subscription>();
  private nextSubscriptionId = 0;
  private nowMicros = 0;

  constructor(settings: BrokerSettings) {
    assert(settings.topicMessagesMax >= 1, 'a topic must hold at least one message');
    assert(settings.inFlightMax >= 1, 'a subscription needs credit for at least one message');
    assert(settings.requestTimeoutMicros >= 1, 'a request must be given some time');
    this.settings = settings;
    this.schedule = redeliverySchedule(settings);
  }

  /** Takes one input and pushes its effects in order. Timers that were due before it must have been fired. */
  handle(input: BrokerInput, effects: BrokerEffectSink): void {
    assert(input.timeMicros >= this.nowMicros, 'time does not run backwards');
    this.nowMicros = input.timeMicros;
    switch (input.kind) {
      case 'publish':
        this.publish(input, effects);
        break;
      case 'acknowledge':
        this.acknowledge(input, effects);
        break;
      case 'request':
        this.request(input, effects);
        break;
      case 'reply':
        this.reply(input, effects);
        break;
      case 'subscribe':
        this.subscribe(input, effects);
        break;
      case 'unsubscribe':
        this.unsubscribe(input, effects);
        break;
      case 'subscriberConnected': {
        const subscriber = this.subscribers.get(input.subscriber);
        if (subscriber !== undefined) this.connect(subscriber, effects);
        break;
      }
      case 'subscriberDisconnected': {
        const subscriber = this.subscribers.get(input.subscriber);
        if (subscriber !== undefined) this.disconnect(subscriber, effects);
        break;
      }
      default:
        unreachable(input);
    }
  }

  /** When {@link fireDue} has something to do next, Infinity if never. Exact. */
  nextDeadlineMicros(): number {
    return Math.min(this.nextRedelivery()?.heapKey ?? Number.POSITIVE_INFINITY, this.requests.earliestMicros);
  }

  /** Redelivers and times out what is due at `nowMicros`, in order of deadline; at one deadline redeliveries come first, by
   *  subscription in order of creation, then by offset, then requests in order of arrival. */
  fireDue(nowMicros: number, effects: BrokerEffectSink): void {
    assert(nowMicros >= this.nowMicros, 'time does not run backwards');
    this.nowMicros = nowMicros;
    for (;;) {
      const subscription = this.nextRedelivery();
      const redelivery = subscription?.heapKey ?? Number.POSITIVE_INFINITY;
      const timeout = this.requests.earliestMicros;
      if (Math.min(redelivery, timeout) > nowMicros) return;
      if (subscription !== undefined && redelivery <= timeout) {
        this.redeliver(subscription, subscription.window.earliestOffset, effects);
      } else {
        const request = this.requests.first;
        assert(request !== undefined, 'a time-out without a request');
        this.requests.remove(request);
        const { requester, correlation } = request;
        effects.push({ kind: 'requestTimedOut', requester, correlation, code: 'SIRA_REQUEST_TIMED_OUT' });
      }
    }
  }

  /** After a pause of the kernel: nobody is blamed for an answer that nobody could hear. Moves every deadline. */
  extendDeadlines(byMicros: number): void {
    assert(byMicros >= 0, 'deadlines are never brought forward');
    for (const subscription of this.subscriptions.values()) subscription.window.shiftTimers(byMicros);
    this.timers.shift(byMicros);
    this.requests.shiftTimers(byMicros);
  }

  /** The producer will never publish again under this name: its place in the table is free. */
  forgetProducer(producer: string): void {
    this.producers.delete(producer);
  }

  /** Messages held, over all topics. */
  get retainedCount(): number {
    let count = 0;
    for (const topic of this.topics.values()) count += topic.nextOffset - topic.firstOffset;
    return count;
  }

  /** The state as plain data, JSON-able if the payloads are. */
  save(): BrokerSnapshot {
    return {
      version: 1,
      nowMicros: this.nowMicros,
      nextSubscriptionId: this.nextSubscriptionId,
      topics: Array.from(this.topics.values(), (topic) => topic.save()),
      ...saveSubscriptions(this.subscriptions, this.subscribers),
      producers: Array.from(this.producers, ([name, window]) => ({ name, ...window.save() })),
      requests: this.requests.save(),
    };
  }

  /** On a fresh broker with the settings of the one that was saved. */
  restore(snapshot: BrokerSnapshot): void {
    assert(this.topics.size === 0 && this.nextSubscriptionId === 0, 'only a fresh broker can be restored');
    this.nowMicros = snapshot.nowMicros;
    this.nextSubscriptionId = snapshot.nextSubscriptionId;
    for (const { name } of snapshot.topics) {
      this.topics.set(name, new Topic<Subscription>(name, this.settings.topicMessagesMax));
    }
    restoreSubscriptions(snapshot, this.schedule, this.topics, this.subscriptions, this.subscribers);
    for (const saved of snapshot.topics) (this.topics.get(saved.name) as Topic<Subscription>).restore(saved);
    for (const { name, ...state } of snapshot.producers) {
      const window = new ProducerWindow(this.settings.producerWindow);
      window.restore(state);
      this.producers.set(name, window);
    }
    this.requests.restore(snapshot.requests);
    for (const subscription of this.subscriptions.values()) this.noteTimer(subscription);
  }

  private publish(input: PublishInput, effects: BrokerEffectSink): void {
    const window = this.admit(input, effects);
    if (window === undefined) return;
    const topic = this.openTopic(input.topic);
    if (topic === undefined) this.refuse(input.kind, input.producer, input.sequence, 'too many topics', effects);
    else this.store(topic, window, input, null, effects);
  }

  private request(input: RequestInput, effects: BrokerEffectSink): void {
    const { producer, sequence } = input;
    const window = this.admit(input, effects);
    if (window === undefined) return;
    const topic = this.topics.get(input.topic);
    if (topic === undefined || topic.readers.length === 0) {
      return this.refuse('request', producer, sequence, 'no subscription takes requests on this topic', effects);
    }
    if ((this.topics.get(input.replyTopic)?.readers.length ?? 0) === 0) {
      return this.refuse('request', producer, sequence, 'no subscription takes replies on this topic', effects);
    }
    if (this.requests.size >= this.settings.requestCountMax) {
      return this.refuse('request', producer, sequence, 'too many requests', effects);
    }
    const correlation: Correlation = { role: 'request', requester: producer, correlation: sequence };
    if (topic.isFull) return this.refuse('request', producer, sequence, 'topic is full', effects);
    const timeoutMicros = input.timeoutMicros > 0 ? input.timeoutMicros : this.settings.requestTimeoutMicros;
    this.requests.add(producer, sequence, input.replyTopic, this.nowMicros + timeoutMicros);
    this.store(topic, window, input, correlation, effects);
  }

  private reply(input: ReplyInput, effects: BrokerEffectSink): void {
    const { requester, correlation } = input;
    const window = this.admit(input, effects);
    if (window === undefined) return;
    const request = this.requests.find(requester, correlation);
    const topic = request === undefined ? undefined : this.topics.get(request.replyTopic);
    if (request === undefined || topic === undefined) {
      return this.refuse('reply', input.producer, input.sequence, 'request is answered, timed out or unknown', effects);
    }
    if (this.store(topic, window, input, { role: 'reply', requester, correlation }, effects))
      this.requests.remove(request);
  }

  /** The producer's window if the sequence is new; otherwise says why not. */
  private admit(input: Publication, effects: BrokerEffectSink): ProducerWindow | undefined {
    const { producer, sequence, settledSequence } = input;
    let window = this.producers.get(producer);
    if (
      !Number.isSafeInteger(sequence) ||
      sequence < 1 ||
      (settledSequence !== undefined && settledSequence >= sequence)
    ) {
      this.refuse(input.kind, producer, sequence, 'sequence is not a positive integer above the settled', effects);
      return undefined;
    }
    if (window === undefined) {
      if (this.producers.size >= this.settings.producerCountMax) {
        this.refuse(input.kind, producer, sequence, 'too many producers', effects);
        return undefined;
      }
      window = new ProducerWindow(this.settings.producerWindow);
      this.producers.set(producer, window);
    }
    if (settledSequence !== undefined) window.settle(settledSequence);
    switch (window.standing(sequence)) {
      case 'new':
        return window;
      case 'duplicate':
        effects.push({ kind: 'published', producer, sequence, offset: -1, duplicate: true });
        return undefined;
      case 'beyond':
        this.refuse(input.kind, producer, sequence, 'sequence is beyond the window', effects);
        return undefined;
    }
  }

  /** False if the topic is full. */
  private store(
    topic: Topic<Subscription>,
    window: ProducerWindow,
    input: Publication,
    correlation: Correlation | null,
    effects: BrokerEffectSink,
  ): boolean {
    const { producer, sequence } = input;
    if (topic.isFull) {
      this.refuse(input.kind, producer, sequence, 'topic is full', effects);
      return false;
    }
    window.note(sequence);
    const offset = topic.append(producer, sequence, input.payload, correlation);
    effects.push({ kind: 'published', producer, sequence, offset, duplicate: false });
    for (const subscription of topic.readers) this.pump(subscription, effects);
    return true;
  }

  private acknowledge(input: AcknowledgeInput, effects: BrokerEffectSink): void {
    const { subscriber, offset } = input;
    const subscription = this.subscriptions.get(input.subscription);
    if (subscription === undefined)
      return this.refuse('acknowledge', subscriber, offset, 'subscription is unknown', effects);
    const { window } = subscription;
    if (!subscription.hasMember(subscriber)) {
      return this.refuse('acknowledge', subscriber, offset, 'not a member of the subscription', effects);
    }
    if (!Number.isSafeInteger(offset) || offset < 0 || offset >= window.nextOffset) {
      return this.refuse('acknowledge', subscriber, offset, 'offset was never delivered', effects);
    }
    const formerFloor = window.floorOffset;
    if (!input.cumulative) {
      window.acknowledge(offset);
    } else if (subscription.mode === 'exclusive') {
      window.acknowledgeThrough(offset);
    } else {
      const reason = 'cumulative acknowledgement needs an exclusive subscription';
      return this.refuse('acknowledge', subscriber, offset, reason, effects);
    }
    if (window.floorOffset !== formerFloor) subscription.topic.floorRisen(formerFloor);
    this.pump(subscription, effects);
  }

  private subscribe(input: SubscribeInput, effects: BrokerEffectSink): void {
    const existing = this.subscriptions.get(input.subscription);
    const reason =
      existing === undefined ? this.creationRefusal(input) : joiningRefusal(existing, input, this.settings);
    if (reason !== undefined) return this.refuse('subscribe', input.subscriber, -1, reason, effects);
    const subscription = existing ?? this.create(input);
    let subscriber = this.subscribers.get(input.subscriber);
    if (subscriber === undefined) {
      subscriber = { name: input.subscriber, connected: true, subscriptions: [] };
      this.subscribers.set(subscriber.name, subscriber);
    }
    const wasMember = subscription.members.includes(subscriber);
    if (!wasMember) {
      // An exclusive subscription whose holder is away passes to whoever asks next.
      if (subscription.mode === 'exclusive')
        for (const former of [...subscription.members]) this.part(subscription, former);
      subscription.join(subscriber);
    }
    effects.push({
      kind: 'subscribed',
      subscriber: subscriber.name,
      subscription: subscription.name,
      topic: subscription.topic.name,
      resumed: existing !== undefined,
      offset: subscription.floorOffset,
    });
    if (!subscriber.connected) this.connect(subscriber, effects);
    else if (wasMember) this.handOver(subscription, subscriber, effects);
    else if (subscription.connectedCount === 1) this.resume(subscription, effects);
    else this.pump(subscription, effects);
  }

  private creationRefusal(input: SubscribeInput): RefusalReason | undefined {
    if (this.subscriptions.size >= this.settings.subscriptionCountMax) return 'too many subscriptions';
    if (this.topics.has(input.topic) || this.topics.size < this.settings.topicCountMax) return undefined;
    return 'too many topics';
  }

  private create(input: SubscribeInput): Subscription {
    const topic = this.openTopic(input.topic) as Topic<Subscription>;
    const start = input.start === 'earliest' ? topic.firstOffset : topic.nextOffset;
    const inFlightMax = input.inFlightMax > 0 ? input.inFlightMax : this.settings.inFlightMax;
    const window = new DeliveryWindow<Subscriber>(this.schedule, start);
    const id = this.nextSubscriptionId++;
    const subscription = new Subscription(id, input.subscription, topic, input.mode, inFlightMax, window);
    this.subscriptions.set(subscription.name, subscription);
    topic.addReader(subscription);
    return subscription;
  }

  private unsubscribe(input: UnsubscribeInput, effects: BrokerEffectSink): void {
    const subscription = this.subscriptions.get(input.subscription);
    const subscriber = this.subscribers.get(input.subscriber);
    if (subscription === undefined)
      return this.refuse('unsubscribe', input.subscriber, -1, 'subscription is unknown', effects);
    if (subscriber === undefined || !subscription.members.includes(subscriber)) {
      return this.refuse('unsubscribe', input.subscriber, -1, 'not a member of the subscription', effects);
    }
    this.part(subscription, subscriber);
    if (subscription.members.length > 0) {
      this.handOver(subscription, subscriber, effects);
      return;
    }
    this.subscriptions.delete(subscription.name);
    if (subscription.heapIndex >= 0) this.timers.remove(subscription);
    subscription.topic.removeReader(subscription);
  }

  private part(subscription: Subscription, subscriber: Subscriber): void {
    subscription.leave(subscriber);
    if (subscriber.subscriptions.length === 0) this.subscribers.delete(subscriber.name);
  }

  private connect(subscriber: Subscriber, effects: BrokerEffectSink): void {
    const wasConnected = subscriber.connected;
    subscriber.connected = true;
    for (const subscription of subscriber.subscriptions) {
      if (!wasConnected) subscription.connectedCount++;
      if (wasConnected) this.handOver(subscription, subscriber, effects);
      else if (subscription.connectedCount === 1) this.resume(subscription, effects);
      else this.pump(subscription, effects);
    }
  }

  private disconnect(subscriber: Subscriber, effects: BrokerEffectSink): void {
    if (!subscriber.connected) return;
    subscriber.connected = false;
    for (const subscription of subscriber.subscriptions) {
      subscription.connectedCount--;
      this.handOver(subscription, subscriber, effects);
    }
  }

  /** What `former` held goes to whoever is connected (itself, if its connection is new), by offset, or waits for somebody. */
  private handOver(subscription: Subscription, former: Subscriber, effects: BrokerEffectSink): void {
    const { window } = subscription;
    const end = window.nextOffset;
    for (let offset = window.floorOffset; offset < end; offset++) {
      if (!window.isUnacknowledged(offset) || window.holderOf(offset) !== former) continue;
      if (subscription.connectedCount > 0) this.redeliver(subscription, offset, effects);
      else window.clearTimer(offset);
    }
    this.pump(subscription, effects);
  }

  /** Somebody is there again: all that is unacknowledged, by offset, then what is new. */
  private resume(subscription: Subscription, effects: BrokerEffectSink): void {
    const { window } = subscription;
    const end = window.nextOffset;
    for (let offset = window.floorOffset; offset < end; offset++) {
      if (window.isUnacknowledged(offset)) this.redeliver(subscription, offset, effects);
    }
    this.pump(subscription, effects);
  }

  /** First deliveries, as far as messages and credit go. */
  private pump(subscription: Subscription, effects: BrokerEffectSink): void {
    if (!subscription.canDeliver) return;
    do {
      const member = subscription.takeTurn();
      const offset = subscription.window.deliverNext(member, this.nowMicros);
      deliver(subscription, member, offset, 1, effects);
    } while (subscription.canDeliver);
    this.noteTimer(subscription);
  }

  private redeliver(subscription: Subscription, offset: number, effects: BrokerEffectSink): void {
    const member = subscription.takeTurn();
    const attempt = subscription.window.redeliver(offset, member, this.nowMicros);
    deliver(subscription, member, offset, attempt, effects);
    this.noteTimer(subscription);
  }

  /** Keeps the heap's key at or below the subscription's earliest deadline. */
  private noteTimer(subscription: Subscription): void {
    const earliest = subscription.window.earliestMicros;
    if (earliest === Number.POSITIVE_INFINITY) return;
    if (subscription.heapIndex < 0) this.timers.add(subscription, earliest);
    else if (earliest < subscription.heapKey) this.timers.move(subscription, earliest);
  }

  /** The subscription with the earliest deadline, its key made exact. */
  private nextRedelivery(): Subscription | undefined {
    for (;;) {
      const first = this.timers.first;
      if (first === undefined) return undefined;
      const exact = first.window.earliestMicros;
      if (exact === first.heapKey) return first;
      if (exact === Number.POSITIVE_INFINITY) this.timers.remove(first);
      else this.timers.move(first, exact);
    }
  }

  private openTopic(name: string): Topic<Subscription> | undefined {
    const known = this.topics.get(name);
    if (known !== undefined) return known;
    if (this.topics.size >= this.settings.topicCountMax) return undefined;
    const topic = new Topic<Subscription>(name, this.settings.topicMessagesMax);
    this.topics.set(name, topic);
    return topic;
  }

  private refuse(
    input: BrokerInput['kind'],
    client: string,
    sequence: number,
    reason: RefusalReason,
    effects: BrokerEffectSink,
  ): void {
    effects.push({ kind: 'refused', input, client, sequence, reason, code: codeOfRefusal(reason) });
  }
}

function joiningRefusal(
  existing: Subscription,
  input: SubscribeInput,
  settings: BrokerSettings,
): RefusalReason | undefined {
  if (existing.topic.name !== input.topic || existing.mode !== input.mode) return 'subscription has other terms';
  if (existing.hasMember(input.subscriber)) return undefined;
  if (existing.mode === 'exclusive' && existing.connectedCount > 0) return 'subscription is held by another subscriber';
  return existing.members.length >= settings.membersPerSubscriptionMax
    ? 'subscription has too many members'
    : undefined;
}

function deliver(
  subscription: Subscription,
  member: Subscriber,
  offset: number,
  attempt: number,
  effects: BrokerEffectSink,
): void {
  const { topic } = subscription;
  effects.push({
    kind: 'deliver',
    subscriber: member.name,
    subscription: subscription.name,
    topic: topic.name,
    offset,
    attempt,
    producer: topic.producerAt(offset),
    sequence: topic.sequenceAt(offset),
    payload: topic.payloadAt(offset),
    correlation: topic.correlationAt(offset),
  });
}
