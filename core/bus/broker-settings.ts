// The broker's bounds and times, and the schedule of redelivery that follows from them.

import { assert } from '../base/assert.ts';
import { microsPerMinute, microsPerSecond } from '../base/time.ts';

export interface BrokerSettings {
  readonly topicCountMax: number;
  /** Messages retained by one topic, at most; beyond it publications are refused with SIRA_QUEUE_FULL. */
  readonly topicMessagesMax: number;
  readonly subscriptionCountMax: number;
  readonly membersPerSubscriptionMax: number;
  /** Delivered and unacknowledged messages of one subscription, unless it asks for another bound. */
  readonly inFlightMax: number;
  /** Time after the first delivery until the second. */
  readonly redeliveryMicros: number;
  /** Each further wait is this many times the one before, at least 1… */
  readonly redeliveryFactor: number;
  /** …up to this. */
  readonly redeliveryMicrosMax: number;
  /** Producers whose sequences are remembered. */
  readonly producerCountMax: number;
  /** How far a sequence may run ahead of the last one before the first that is missing; a power of two, at least 32. */
  readonly producerWindow: number;
  readonly requestCountMax: number;
  readonly requestTimeoutMicros: number;
}

export const defaultBrokerSettings: BrokerSettings = {
  topicCountMax: 65_536,
  topicMessagesMax: 65_536,
  subscriptionCountMax: 65_536,
  membersPerSubscriptionMax: 1_024,
  inFlightMax: 1_024,
  redeliveryMicros: 30 * microsPerSecond,
  redeliveryFactor: 2,
  redeliveryMicrosMax: 10 * microsPerMinute,
  producerCountMax: 65_536,
  producerWindow: 1_024,
  requestCountMax: 65_536,
  requestTimeoutMicros: 30 * microsPerSecond,
};

/** The distinct waits, shortest first: attempt n waits `schedule[min(n, length) − 1]` microseconds. At most 32. */
export function redeliverySchedule(settings: BrokerSettings): readonly number[] {
  assert(settings.redeliveryMicros >= 1, 'a redelivery needs a positive wait');
  assert(settings.redeliveryFactor >= 1, 'the redelivery wait must not shrink');
  assert(settings.redeliveryMicrosMax >= settings.redeliveryMicros, 'the longest wait is shorter than the first');
  const schedule = [Math.round(settings.redeliveryMicros)];
  while (schedule.length < 32) {
    const last = schedule[schedule.length - 1] as number;
    const next = Math.min(Math.round(last * settings.redeliveryFactor), Math.round(settings.redeliveryMicrosMax));
    if (next === last) break;
    schedule.push(next);
  }
  return schedule;
}
