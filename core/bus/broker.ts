// The broker: a deterministic machine of the shape handle(input, effects). It promises at-least-once delivery of every
// published message to every subscription that its topic had, first deliveries of an exclusive subscription in the order of
// the topic, no delivery after the acknowledgement, and each (producer, sequence) stored once, so effectively once with
// idempotent receivers. Messages live in memory until every subscription has acknowledged them; every table is bounded. It
// knows no clock (inputs carry the time, `nextDeadlineMicros` and `fireDue` are its timers) and no payload.

import { assert, unreachable } from '../base/assert.ts';
import { type FaultSwitch, noFaults } from '../base/fault-points.ts';
import type {
  AcknowledgeInput,
  BrokerEffectSink,
  BrokerInput,
  Correlation,
  Produced,
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
import { Deliveries } from './deliveries.ts';
import { DeliveryWindow } from './delivery-window.ts';
import { ProducerTable } from './producer-table.ts';
import type { ProducerWindow } from './producer-window.ts';
import { refusalOf } from './refusal.ts';
import { RequestTable } from './request-table.ts';
import { joiningRefusal, type Subscriber, Subscription } from './subscription.ts';
import { Topic } from './topic.ts';

export type { BrokerSnapshot } from './broker-snapshot.ts';

export class Broker {
  private settings: BrokerSettings;
  private schedule: readonly number[];
  private readonly topics = new Map<string, Topic<Subscription>>();
  private readonly subscriptions = new Map<string, Subscription>();
  private readonly subscribers = new Map<string, Subscriber>();
  private readonly producers: ProducerTable;
  private readonly requests = new RequestTable();
  private readonly deliveries: Deliveries;
  private readonly faults: FaultSwitch;
  private nextSubscriptionId = 0;
  /** Of topics that are made from now on. */
  private firstOffset = 0;
  private nowMicros = 0;

  constructor(settings: BrokerSettings, faults: FaultSwitch = noFaults) {
    assert(settings.topicMessagesMax >= 1, 'a topic must hold at least one message');
    assert(settings.inFlightMax >= 1, 'a subscription needs credit for at least one message');
    assert(settings.requestTimeoutMicros >= 1, 'a request must be given some time');
    this.settings = settings;
    this.faults = faults;
    this.deliveries = new Deliveries(faults);
    this.schedule = redeliverySchedule(settings);
    this.producers = new ProducerTable(settings.producerCountMax, settings.producerWindow);
  }

  /** Other waits and another length of topics from now on; the rest of the settings is as it was made. */
  configure({
    redeliveryMicros,
    topicMessagesMax,
  }: Pick<BrokerSettings, 'redeliveryMicros' | 'topicMessagesMax'>): void {
    this.settings = { ...this.settings, redeliveryMicros, topicMessagesMax };
    this.schedule = redeliverySchedule(this.settings);
    for (const topic of this.topics.values()) topic.messagesMax = topicMessagesMax;
    for (const subscription of this.subscriptions.values()) {
      subscription.window.setSchedule(this.schedule);
      this.deliveries.noteTimer(subscription);
    }
  }

  /** Takes one input and pushes its effects in order. Timers that were due before it must have been fired. */
  handle(input: BrokerInput, effects: BrokerEffectSink): void {
    assert(input.timeMicros >= this.nowMicros, 'time does not run backwards');
    this.nowMicros = input.timeMicros;
    const reason = this.take(input, effects);
    if (reason !== undefined) effects.push(refusalOf(input, reason));
  }

  /** When {@link fireDue} has something to do next, Infinity if never. Exact. */
  nextDeadlineMicros(): number {
    return Math.min(this.deliveries.first?.heapKey ?? Number.POSITIVE_INFINITY, this.requests.earliestMicros);
  }

  /** Redelivers and times out what is due at `nowMicros`, in order of deadline; at one deadline redeliveries come first, by
   *  subscription in order of creation, then by offset, then requests in order of arrival. */
  fireDue(nowMicros: number, effects: BrokerEffectSink): void {
    assert(nowMicros >= this.nowMicros, 'time does not run backwards');
    this.nowMicros = nowMicros;
    for (;;) {
      const subscription = this.deliveries.first;
      const redelivery = subscription?.heapKey ?? Number.POSITIVE_INFINITY;
      const timeout = this.requests.earliestMicros;
      if (Math.min(redelivery, timeout) > nowMicros) return;
      if (subscription !== undefined && redelivery <= timeout) {
        this.deliveries.redeliver(subscription, subscription.window.earliestOffset, nowMicros, effects);
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
    this.deliveries.shiftTimers(byMicros);
    this.requests.shiftTimers(byMicros);
  }

  /** The producer will never publish again under this name: its place in the table is free. */
  forgetProducer(producer: string): void {
    this.producers.forget(producer);
  }

  /** Forgets a topic and the one subscription that reads it, with its members that have no other, if nothing of it is unacknowledged
   *  and nobody waits for a reply on it; else false, and nothing has changed. Topics that are made later begin behind its offsets,
   *  so that nobody who comes back to one of that name takes a new message for one that it has had. */
  retire(topicName: string, subscriptionName: string): boolean {
    const topic = this.topics.get(topicName);
    const subscription = this.subscriptions.get(subscriptionName);
    if (topic === undefined && subscription === undefined) return true;
    if (topic === undefined || subscription?.topic !== topic || topic.readers.length !== 1) return false;
    if (topic.nextOffset !== topic.firstOffset || this.requests.awaitsReplyOn(topicName)) return false;
    for (const member of [...subscription.members]) this.part(subscription, member);
    this.subscriptions.delete(subscriptionName);
    this.deliveries.forget(subscription);
    topic.removeReader(subscription);
    this.topics.delete(topicName);
    this.firstOffset = Math.max(this.firstOffset, topic.nextOffset);
    return true;
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
      firstOffset: this.firstOffset,
      topics: Array.from(this.topics.values(), (topic) => topic.save()),
      ...saveSubscriptions(this.subscriptions, this.subscribers),
      producers: this.producers.save(),
      requests: this.requests.save(),
    };
  }

  /** On a fresh broker with the settings of the one that was saved. */
  restore(snapshot: BrokerSnapshot): void {
    assert(this.topics.size === 0 && this.nextSubscriptionId === 0, 'only a fresh broker can be restored');
    this.nowMicros = snapshot.nowMicros;
    this.nextSubscriptionId = snapshot.nextSubscriptionId;
    this.firstOffset = snapshot.firstOffset ?? 0;
    for (const { name } of snapshot.topics) {
      this.topics.set(name, new Topic<Subscription>(name, this.settings.topicMessagesMax));
    }
    restoreSubscriptions(snapshot, this.schedule, this.topics, this.subscriptions, this.subscribers);
    for (const saved of snapshot.topics) (this.topics.get(saved.name) as Topic<Subscription>).restore(saved);
    this.producers.restore(snapshot.producers);
    this.requests.restore(snapshot.requests);
    for (const subscription of this.subscriptions.values()) this.deliveries.noteTimer(subscription);
  }

  /** Why the input is refused, or undefined if it was taken. */
  private take(input: BrokerInput, effects: BrokerEffectSink): RefusalReason | undefined {
    switch (input.kind) {
      case 'publish':
        return this.publish(input, effects);
      case 'acknowledge':
        return this.acknowledge(input, effects);
      case 'request':
        return this.request(input, effects);
      case 'reply':
        return this.reply(input, effects);
      case 'subscribe':
        return this.subscribe(input, effects);
      case 'unsubscribe':
        return this.unsubscribe(input, effects);
      case 'subscriberConnected':
        this.connect(this.subscribers.get(input.subscriber), effects);
        return undefined;
      case 'subscriberDisconnected':
        this.disconnect(this.subscribers.get(input.subscriber), effects);
        return undefined;
      default:
        return unreachable(input);
    }
  }

  private publish(input: PublishInput, effects: BrokerEffectSink): RefusalReason | undefined {
    const window = this.producers.admit(input);
    if (typeof window === 'string') return window;
    if (this.reportDuplicate(window, input, effects)) return undefined;
    const topic = this.openTopic(input.topic);
    return topic === undefined ? 'too many topics' : this.store(topic, window, input, null, effects);
  }

  private request(input: RequestInput, effects: BrokerEffectSink): RefusalReason | undefined {
    const { producer, sequence } = input;
    const window = this.producers.admit(input);
    if (typeof window === 'string') return window;
    if (this.reportDuplicate(window, input, effects)) return undefined;
    const topic = this.topics.get(input.topic);
    if (topic === undefined || topic.readers.length === 0) return 'no subscription takes requests on this topic';
    if ((this.topics.get(input.replyTopic)?.readers.length ?? 0) === 0)
      return 'no subscription takes replies on this topic';
    if (this.requests.size >= this.settings.requestCountMax) return 'too many requests';
    const correlation: Correlation = { role: 'request', requester: producer, correlation: sequence };
    const refusal = this.store(topic, window, input, correlation, effects);
    if (refusal !== undefined) return refusal;
    const timeoutMicros = input.timeoutMicros > 0 ? input.timeoutMicros : this.settings.requestTimeoutMicros;
    this.requests.add(producer, sequence, input.replyTopic, this.nowMicros + timeoutMicros);
    return undefined;
  }

  private reply(input: ReplyInput, effects: BrokerEffectSink): RefusalReason | undefined {
    const { requester, correlation } = input;
    const window = this.producers.admit(input);
    if (typeof window === 'string') return window;
    if (this.reportDuplicate(window, input, effects)) return undefined;
    const request = this.requests.find(requester, correlation);
    if (request === undefined) return 'request is answered, timed out or unknown';
    const topic = this.topics.get(request.replyTopic);
    assert(topic !== undefined, 'topics are never removed');
    const refusal = this.store(topic, window, input, { role: 'reply', requester, correlation }, effects);
    if (refusal === undefined) this.requests.remove(request);
    return refusal;
  }

  private reportDuplicate(
    window: ProducerWindow,
    { producer, sequence }: Produced,
    effects: BrokerEffectSink,
  ): boolean {
    if (window.standing(sequence) !== 'duplicate') return false;
    effects.push({ kind: 'published', producer, sequence, offset: -1, duplicate: true });
    return true;
  }

  private store(
    topic: Topic<Subscription>,
    window: ProducerWindow,
    { producer, sequence, payload }: Produced,
    correlation: Correlation | null,
    effects: BrokerEffectSink,
  ): RefusalReason | undefined {
    const isTight = topic.nextOffset > topic.firstOffset && this.faults.fires('bus.topicFull');
    if (topic.isFull || isTight) return 'topic is full';
    window.note(sequence);
    const offset = topic.append(producer, sequence, payload, correlation);
    effects.push({ kind: 'published', producer, sequence, offset, duplicate: false });
    for (const subscription of topic.readers) this.deliveries.pump(subscription, this.nowMicros, effects);
    return undefined;
  }

  private acknowledge(input: AcknowledgeInput, effects: BrokerEffectSink): RefusalReason | undefined {
    const { offset } = input;
    const subscription = this.subscriptions.get(input.subscription);
    if (subscription === undefined) return 'subscription is unknown';
    const { window } = subscription;
    if (!subscription.hasMember(input.subscriber)) return 'not a member of the subscription';
    if (!Number.isSafeInteger(offset) || offset < 0 || offset >= window.nextOffset) return 'offset was never delivered';
    const formerFloor = window.floorOffset;
    if (!input.cumulative) window.acknowledge(offset);
    else if (subscription.mode === 'exclusive') window.acknowledgeThrough(offset);
    else return 'cumulative acknowledgement needs an exclusive subscription';
    if (window.floorOffset !== formerFloor) subscription.topic.floorRisen(formerFloor);
    this.deliveries.pump(subscription, this.nowMicros, effects);
    // One alone: each delivery may bring an acknowledgement, and that this again.
    if (subscription.connectedCount > 0 && window.outstanding > 0 && this.faults.fires('bus.redeliverNow'))
      this.deliveries.redeliver(subscription, window.floorOffset, this.nowMicros, effects);
    return undefined;
  }

  private subscribe(input: SubscribeInput, effects: BrokerEffectSink): RefusalReason | undefined {
    const existing = this.subscriptions.get(input.subscription);
    const reason =
      existing === undefined ? this.creationRefusal(input) : joiningRefusal(existing, input, this.settings);
    if (reason !== undefined) return reason;
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
    const { deliveries, nowMicros } = this;
    if (!subscriber.connected) this.connect(subscriber, effects);
    else if (wasMember) deliveries.handOver(subscription, subscriber, nowMicros, effects);
    else if (subscription.connectedCount === 1) deliveries.resume(subscription, nowMicros, effects);
    else deliveries.pump(subscription, nowMicros, effects);
    return undefined;
  }

  private creationRefusal(input: SubscribeInput): RefusalReason | undefined {
    if (this.subscriptions.size >= this.settings.subscriptionCountMax) return 'too many subscriptions';
    if (this.topics.has(input.topic) || this.topics.size < this.settings.topicCountMax) return undefined;
    return 'too many topics';
  }

  private create(input: SubscribeInput): Subscription {
    const topic = this.openTopic(input.topic);
    assert(topic !== undefined, 'room for the topic was checked');
    const start = input.start === 'earliest' ? topic.firstOffset : topic.nextOffset;
    const inFlightMax = input.inFlightMax > 0 ? input.inFlightMax : this.settings.inFlightMax;
    const window = new DeliveryWindow<Subscriber>(this.schedule, start);
    const id = this.nextSubscriptionId++;
    const subscription = new Subscription(id, input.subscription, topic, input.mode, inFlightMax, window);
    this.subscriptions.set(subscription.name, subscription);
    topic.addReader(subscription);
    return subscription;
  }

  private unsubscribe(input: UnsubscribeInput, effects: BrokerEffectSink): RefusalReason | undefined {
    const subscription = this.subscriptions.get(input.subscription);
    if (subscription === undefined) return 'subscription is unknown';
    const subscriber = this.subscribers.get(input.subscriber);
    if (subscriber === undefined || !subscription.members.includes(subscriber))
      return 'not a member of the subscription';
    this.part(subscription, subscriber);
    if (subscription.members.length > 0) {
      this.deliveries.handOver(subscription, subscriber, this.nowMicros, effects);
      return undefined;
    }
    this.subscriptions.delete(subscription.name);
    this.deliveries.forget(subscription);
    subscription.topic.removeReader(subscription);
    return undefined;
  }

  private part(subscription: Subscription, subscriber: Subscriber): void {
    subscription.leave(subscriber);
    if (subscriber.subscriptions.length === 0) this.subscribers.delete(subscriber.name);
  }

  private connect(subscriber: Subscriber | undefined, effects: BrokerEffectSink): void {
    if (subscriber === undefined) return;
    const wasConnected = subscriber.connected;
    subscriber.connected = true;
    for (const subscription of subscriber.subscriptions) {
      if (!wasConnected) subscription.connectedCount++;
      if (wasConnected) this.deliveries.handOver(subscription, subscriber, this.nowMicros, effects);
      else if (subscription.connectedCount === 1) this.deliveries.resume(subscription, this.nowMicros, effects);
      else this.deliveries.pump(subscription, this.nowMicros, effects);
    }
  }

  private disconnect(subscriber: Subscriber | undefined, effects: BrokerEffectSink): void {
    if (subscriber?.connected !== true) return;
    subscriber.connected = false;
    for (const subscription of subscriber.subscriptions) {
      subscription.connectedCount--;
      this.deliveries.handOver(subscription, subscriber, this.nowMicros, effects);
    }
  }

  private openTopic(name: string): Topic<Subscription> | undefined {
    const known = this.topics.get(name);
    if (known !== undefined) return known;
    if (this.topics.size >= this.settings.topicCountMax) return undefined;
    const topic = new Topic<Subscription>(name, this.settings.topicMessagesMax, this.firstOffset);
    this.topics.set(name, topic);
    return topic;
  }
}
