// One subscription: whose turn it is, and what they hold. The window says what is unacknowledged and until when; members are
// shared with the broker's table of subscribers. Deciding to deliver is the broker's business.

import { assert } from '../base/assert.ts';
import type { RefusalReason, SubscribeInput, SubscriptionMode } from './broker-protocol.ts';
import type { BrokerSettings } from './broker-settings.ts';
import type { DeadlineEntry } from './deadline-heap.ts';
import type { DeliveryWindow } from './delivery-window.ts';
import type { Topic, TopicReader } from './topic.ts';

/** A client that subscribes, however often it reconnects. */
export interface Subscriber {
  readonly name: string;
  connected: boolean;
  /** In order of joining. */
  readonly subscriptions: Subscription[];
}

export class Subscription implements TopicReader, DeadlineEntry {
  /** In order of creation. */
  readonly id: number;
  readonly name: string;
  readonly topic: Topic<Subscription>;
  readonly mode: SubscriptionMode;
  readonly inFlightMax: number;
  readonly window: DeliveryWindow<Subscriber>;
  readonly members: Subscriber[] = [];
  /** Index of the member whose turn is next. */
  turn = 0;
  connectedCount = 0;
  heapKey = 0;
  heapIndex = -1;

  constructor(
    id: number,
    name: string,
    topic: Topic<Subscription>,
    mode: SubscriptionMode,
    inFlightMax: number,
    window: DeliveryWindow<Subscriber>,
  ) {
    this.id = id;
    this.name = name;
    this.topic = topic;
    this.mode = mode;
    this.inFlightMax = inFlightMax;
    this.window = window;
  }

  get floorOffset(): number {
    return this.window.floorOffset;
  }

  /** True if a message waits for its first delivery and somebody may have it. */
  get canDeliver(): boolean {
    return (
      this.connectedCount > 0 &&
      this.window.nextOffset < this.topic.nextOffset &&
      this.window.outstanding < this.inFlightMax
    );
  }

  hasMember(name: string): boolean {
    for (const member of this.members) if (member.name === name) return true;
    return false;
  }

  /** The next connected member in turn; there must be one. */
  takeTurn(): Subscriber {
    assert(this.connectedCount > 0, 'nobody is connected');
    const count = this.members.length;
    for (;;) {
      const member = this.members[this.turn] as Subscriber;
      this.turn = this.turn + 1 === count ? 0 : this.turn + 1;
      if (member.connected) return member;
    }
  }

  join(member: Subscriber): void {
    this.members.push(member);
    member.subscriptions.push(this);
    if (member.connected) this.connectedCount++;
  }

  leave(member: Subscriber): void {
    const index = this.members.indexOf(member);
    assert(index >= 0, 'not a member');
    this.members.splice(index, 1);
    if (this.turn > index) this.turn--;
    if (this.turn >= this.members.length) this.turn = 0;
    member.subscriptions.splice(member.subscriptions.indexOf(this), 1);
    if (member.connected) this.connectedCount--;
  }
}

/** Why somebody may not join a subscription, or join it again; undefined if it may. */
export function joiningRefusal(
  existing: Subscription,
  input: SubscribeInput,
  { membersPerSubscriptionMax }: BrokerSettings,
): RefusalReason | undefined {
  if (existing.topic.name !== input.topic || existing.mode !== input.mode) return 'subscription has other terms';
  if (existing.hasMember(input.subscriber)) return undefined;
  if (existing.mode === 'exclusive') {
    return existing.connectedCount > 0 ? 'subscription is held by another subscriber' : undefined;
  }
  return existing.members.length >= membersPerSubscriptionMax ? 'subscription has too many members' : undefined;
}
