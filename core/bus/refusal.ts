// Refusals: expected outcomes, each with a reason, and the coded error that carries it to a client.

import { unreachable } from '../base/assert.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { BrokerInput, RefusalReason, RefusedEffect } from './broker-protocol.ts';

/** Refusals that trying later may cure. */
const fullness: readonly RefusalReason[] = [
  'topic is full',
  'too many topics',
  'too many subscriptions',
  'too many producers',
  'too many requests',
  'sequence is beyond the window',
  'subscription has too many members',
];

/** What a refusal for `reason` is called in the table of errors. */
export function codeOfRefusal(reason: RefusalReason): ErrorCode {
  return fullness.includes(reason) ? 'SIRA_QUEUE_FULL' : 'SIRA_MESSAGE_REFUSED';
}

export function refusalOf(input: BrokerInput, reason: RefusalReason): RefusedEffect {
  const refused = (client: string, sequence: number): RefusedEffect => ({
    kind: 'refused',
    input: input.kind,
    client,
    sequence,
    reason,
    code: codeOfRefusal(reason),
  });
  switch (input.kind) {
    case 'publish':
    case 'request':
    case 'reply':
      return refused(input.producer, input.sequence);
    case 'acknowledge':
      return refused(input.subscriber, input.offset);
    case 'subscribe':
    case 'unsubscribe':
    case 'subscriberConnected':
    case 'subscriberDisconnected':
      return refused(input.subscriber, -1);
    default:
      return unreachable(input);
  }
}
