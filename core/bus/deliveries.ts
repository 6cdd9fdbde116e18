// Delivering: first deliveries as far as credit goes, redeliveries when a deadline passes or a connection is new, and the
// heap of deadlines. Everything here concerns subscriptions that exist; who may subscribe, publish or acknowledge is the
// broker's business.

import { type FaultSwitch, noFaults } from '../base/fault-points.ts';
import type { BrokerEffectSink } from './broker-protocol.ts';
import { DeadlineHeap } from './deadline-heap.ts';
import type { Subscriber, Subscription } from './subscription.ts';

export class Deliveries {
  /** Subscriptions with a redelivery deadline, and some that had one: a key is never later than the true deadline, and is
   *  set right when it comes first. Acknowledgements thus need not touch the heap. */
  private readonly timers = new DeadlineHeap<Subscription>();
  private readonly faults: FaultSwitch;

  constructor(faults: FaultSwitch = noFaults) {
    this.faults = faults;
  }

  /** The subscription whose redelivery is due first, its `heapKey` the exact time; undefined if nothing is in flight. */
  get first(): Subscription | undefined {
    for (;;) {
      const first = this.timers.first;
      if (first === undefined) return undefined;
      const exact = first.window.earliestMicros;
      if (exact === first.heapKey) return first;
      if (exact === Number.POSITIVE_INFINITY) this.timers.remove(first);
      else this.timers.move(first, exact);
    }
  }

  /** First deliveries, as far as messages and credit go. */
  pump(subscription: Subscription, nowMicros: number, effects: BrokerEffectSink): void {
    if (!subscription.canDeliver) return;
    // Its acknowledgement brings the rest.
    if (subscription.window.outstanding > 0 && this.faults.fires('bus.creditOne')) return;
    do {
      const member = subscription.takeTurn();
      deliver(subscription, member, subscription.window.deliverNext(member, nowMicros), 1, effects);
    } while (subscription.canDeliver);
    this.noteTimer(subscription);
  }

  /** Another delivery of an unacknowledged offset, to whose turn it is; somebody must be connected. */
  redeliver(subscription: Subscription, offset: number, nowMicros: number, effects: BrokerEffectSink): void {
    const member = subscription.takeTurn();
    deliver(subscription, member, offset, subscription.window.redeliver(offset, member, nowMicros), effects);
    this.noteTimer(subscription);
  }

  /** What `former` held goes to whoever is connected (itself, if its connection is new), by offset, or waits for somebody. */
  handOver(subscription: Subscription, former: Subscriber, nowMicros: number, effects: BrokerEffectSink): void {
    const { window } = subscription;
    const end = window.nextOffset;
    for (let offset = window.floorOffset; offset < end; offset++) {
      if (!window.isUnacknowledged(offset) || window.holderOf(offset) !== former) continue;
      if (subscription.connectedCount > 0) this.redeliver(subscription, offset, nowMicros, effects);
      else window.clearTimer(offset);
    }
    this.pump(subscription, nowMicros, effects);
  }

  /** Somebody is there again: all that is unacknowledged, by offset, then what is new. */
  resume(subscription: Subscription, nowMicros: number, effects: BrokerEffectSink): void {
    const { window } = subscription;
    const end = window.nextOffset;
    for (let offset = window.floorOffset; offset < end; offset++) {
      if (window.isUnacknowledged(offset)) this.redeliver(subscription, offset, nowMicros, effects);
    }
    this.pump(subscription, nowMicros, effects);
  }

  /** Keeps the heap's key at or below the subscription's earliest deadline. */
  noteTimer(subscription: Subscription): void {
    const earliest = subscription.window.earliestMicros;
    if (earliest === Number.POSITIVE_INFINITY) return;
    if (subscription.heapIndex < 0) this.timers.add(subscription, earliest);
    else if (earliest < subscription.heapKey) this.timers.move(subscription, earliest);
  }

  forget(subscription: Subscription): void {
    if (subscription.heapIndex >= 0) this.timers.remove(subscription);
  }

  /** Adds `byMicros` to the heap's keys; the windows are shifted by the caller. */
  shiftTimers(byMicros: number): void {
    this.timers.shift(byMicros);
  }
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
