// The broker in a form that JSON carries, and the way back for what refers to each other: topics, subscriptions and
// subscribers. Heaps and rings are left out: they follow from the deadlines and offsets.

import { assert } from '../base/assert.ts';
import type { SubscriptionMode } from './broker-protocol.ts';
import type { DeliveryWindowState } from './delivery-window.ts';
import { DeliveryWindow } from './delivery-window.ts';
import type { SavedProducer } from './producer-table.ts';
import type { RequestTableState } from './request-table.ts';
import { type Subscriber, Subscription } from './subscription.ts';
import type { SavedTopic, Topic } from './topic.ts';

export interface SavedSubscription {
  readonly id: number;
  readonly name: string;
  readonly topic: string;
  readonly mode: SubscriptionMode;
  readonly inFlightMax: number;
  /** Names in order of joining. */
  readonly members: readonly string[];
  readonly turn: number;
  /** Holders by name. */
  readonly window: DeliveryWindowState<string>;
}

export interface SavedSubscriber {
  readonly name: string;
  readonly connected: boolean;
  /** Names in order of joining. */
  readonly subscriptions: readonly string[];
}

export interface BrokerSnapshot {
  readonly version: 1;
  readonly nowMicros: number;
  readonly nextSubscriptionId: number;
  /** Snapshots of before topics were retired lack it. */
  readonly firstOffset?: number | undefined;
  readonly topics: readonly SavedTopic[];
  /** In order of creation. */
  readonly subscriptions: readonly SavedSubscription[];
  readonly subscribers: readonly SavedSubscriber[];
  readonly producers: readonly SavedProducer[];
  readonly requests: RequestTableState;
}

export function saveSubscriptions(
  subscriptions: ReadonlyMap<string, Subscription>,
  subscribers: ReadonlyMap<string, Subscriber>,
): Pick<BrokerSnapshot, 'subscriptions' | 'subscribers'> {
  return {
    subscriptions: Array.from(subscriptions.values(), (subscription) => ({
      id: subscription.id,
      name: subscription.name,
      topic: subscription.topic.name,
      mode: subscription.mode,
      inFlightMax: subscription.inFlightMax,
      members: subscription.members.map((member) => member.name),
      turn: subscription.turn,
      window: subscription.window.save((holder) => holder.name),
    })),
    subscribers: Array.from(subscribers.values(), ({ name, connected, subscriptions: joined }) => ({
      name,
      connected,
      subscriptions: joined.map((subscription) => subscription.name),
    })),
  };
}

/** Fills the three tables; `topics` holds empty topics, which get their readers. */
export function restoreSubscriptions(
  snapshot: BrokerSnapshot,
  schedule: readonly number[],
  topics: ReadonlyMap<string, Topic<Subscription>>,
  subscriptions: Map<string, Subscription>,
  subscribers: Map<string, Subscriber>,
): void {
  for (const { name, connected } of snapshot.subscribers) subscribers.set(name, { name, connected, subscriptions: [] });
  for (const saved of snapshot.subscriptions) {
    const topic = topics.get(saved.topic);
    assert(topic !== undefined, 'snapshot names an unknown topic');
    const window = new DeliveryWindow<Subscriber>(schedule, saved.window.floorOffset);
    // A member that left still holds what it was given last, until its turn at redelivery: any object of its name will do.
    const absent = new Map<string, Subscriber>();
    window.restore(saved.window, (name) => {
      const known = subscribers.get(name) ?? absent.get(name);
      if (known !== undefined) return known;
      const gone: Subscriber = { name, connected: false, subscriptions: [] };
      absent.set(name, gone);
      return gone;
    });
    const { id, name, mode, inFlightMax, members, turn } = saved;
    const subscription = new Subscription(id, name, topic, mode, inFlightMax, window);
    subscriptions.set(name, subscription);
    topic.readers.push(subscription);
    for (const member of members) {
      const subscriber = subscribers.get(member);
      assert(subscriber !== undefined, 'snapshot names an unknown subscriber');
      subscription.members.push(subscriber);
      if (subscriber.connected) subscription.connectedCount++;
    }
    subscription.turn = turn;
  }
  for (const { name, subscriptions: joined } of snapshot.subscribers) {
    for (const subscription of joined) {
      subscribers.get(name)?.subscriptions.push(subscriptions.get(subscription) as Subscription);
    }
  }
}
