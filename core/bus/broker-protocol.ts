// What goes into the broker and what comes out of it: plain object literals with a `kind`. The broker alone decides their
// meaning; this file leaves transport, journaling and digests to the shell and the kernel. Clients (subscribers, producers,
// requesters) are names; a client that restarts with its sequences at 1 again must take a new name, such as `name#incarnation`.

import type { ErrorCode } from '../base/errors.ts';

/** `exclusive`: one subscriber, messages in order. `shared`: members take turns. (Key-ordered comes later.) */
export type SubscriptionMode = 'exclusive' | 'shared';

/** Where a new subscription begins: at the oldest message still retained, or at the next one published. */
export type SubscriptionStart = 'earliest' | 'next';

/** Attaches `subscriber`, which counts as connected from here on. Asked again by a member, it resumes at the unacknowledged. */
export interface SubscribeInput {
  readonly kind: 'subscribe';
  readonly timeMicros: number;
  readonly subscriber: string;
  /** Name of the subscription, unique in the broker; it outlives disconnections. */
  readonly subscription: string;
  readonly topic: string;
  readonly mode: SubscriptionMode;
  /** Looked at only when the subscription is new. */
  readonly start: SubscriptionStart;
  /** Credit: delivered and not yet acknowledged messages, at most; 0 takes the broker's default. Looked at only when new. */
  readonly inFlightMax: number;
}

/** Detaches `subscriber`; when the last member leaves, the subscription and its claim on messages end. */
export interface UnsubscribeInput {
  readonly kind: 'unsubscribe';
  readonly timeMicros: number;
  readonly subscriber: string;
  readonly subscription: string;
}

/** What publications, requests and replies share. A sequence that was refused is not used up: the producer sends the same
 *  again, sends something else under it, or gives it up through `settledSequence`. */
export interface Produced {
  readonly timeMicros: number;
  readonly producer: string;
  /** The producer's own count over all its publications, requests and replies, from 1: the de-duplication key. */
  readonly sequence: number;
  /** The producer will never again send a sequence up to this one. */
  readonly settledSequence?: number;
  /** Opaque; must be JSON-able if the broker is to be saved. */
  readonly payload: unknown;
}

export interface PublishInput extends Produced {
  readonly kind: 'publish';
  readonly topic: string;
}

/** Settles one offset, or every delivered offset up to it (`cumulative`, exclusive subscriptions only). Idempotent. */
export interface AcknowledgeInput {
  readonly kind: 'acknowledge';
  readonly timeMicros: number;
  readonly subscriber: string;
  readonly subscription: string;
  readonly offset: number;
  readonly cumulative: boolean;
}

/** The connection is new: what was delivered over an older one and not acknowledged is delivered again. */
export interface SubscriberConnectedInput {
  readonly kind: 'subscriberConnected';
  readonly timeMicros: number;
  readonly subscriber: string;
}

export interface SubscriberDisconnectedInput {
  readonly kind: 'subscriberDisconnected';
  readonly timeMicros: number;
  readonly subscriber: string;
}

/** Publishes to `topic` and expects one reply on `replyTopic`, which a subscription must take already. The request's
 *  `sequence` is its correlation id. */
export interface RequestInput extends Produced {
  readonly kind: 'request';
  readonly topic: string;
  readonly replyTopic: string;
  /** Time until `requestTimedOut`; 0 takes the broker's default. */
  readonly timeoutMicros: number;
}

/** Answers the request (`requester`, `correlation`); published on its reply topic if the request still waits. */
export interface ReplyInput extends Produced {
  readonly kind: 'reply';
  readonly requester: string;
  readonly correlation: number;
}

/** `timeMicros` never decreases from one input to the next. */
export type BrokerInput =
  | SubscribeInput
  | UnsubscribeInput
  | PublishInput
  | AcknowledgeInput
  | SubscriberConnectedInput
  | SubscriberDisconnectedInput
  | RequestInput
  | ReplyInput;

/** Ties a message to a request. */
export interface Correlation {
  readonly role: 'request' | 'reply';
  readonly requester: string;
  /** The request's sequence. */
  readonly correlation: number;
}

export interface SubscribedEffect {
  readonly kind: 'subscribed';
  readonly subscriber: string;
  readonly subscription: string;
  readonly topic: string;
  /** True if the subscription existed: delivery goes on at the unacknowledged. */
  readonly resumed: boolean;
  /** Everything below is acknowledged. */
  readonly offset: number;
}

export interface DeliverEffect {
  readonly kind: 'deliver';
  readonly subscriber: string;
  readonly subscription: string;
  readonly topic: string;
  /** Place in the topic, from 0, without gaps. */
  readonly offset: number;
  /** 1 at the first delivery to this subscription. */
  readonly attempt: number;
  readonly producer: string;
  readonly sequence: number;
  readonly payload: unknown;
  readonly correlation: Correlation | null;
}

/** The broker holds the message: it will be delivered to every subscription that the topic has now. */
export interface PublishedEffect {
  readonly kind: 'published';
  readonly producer: string;
  readonly sequence: number;
  /** −1 for a duplicate. */
  readonly offset: number;
  readonly duplicate: boolean;
}

/** Why an input had no other effect. */
export type RefusalReason =
  | 'topic is full'
  | 'producer name is reserved'
  | 'too many topics'
  | 'too many subscriptions'
  | 'too many producers'
  | 'too many requests'
  | 'sequence is beyond the window'
  | 'sequence is not a positive integer above the settled'
  | 'no subscription takes requests on this topic'
  | 'no subscription takes replies on this topic'
  | 'request is answered, timed out or unknown'
  | 'subscription is unknown'
  | 'subscription has other terms'
  | 'subscription is held by another subscriber'
  | 'subscription has too many members'
  | 'not a member of the subscription'
  | 'cumulative acknowledgement needs an exclusive subscription'
  | 'offset was never delivered';

export interface RefusedEffect {
  readonly kind: 'refused';
  /** Kind of the input that was refused. */
  readonly input: BrokerInput['kind'];
  /** The subscriber, producer or requester who sent it. */
  readonly client: string;
  /** Sequence of the publication, request or reply; offset of the acknowledgement; otherwise −1. */
  readonly sequence: number;
  readonly reason: RefusalReason;
  /** `SIRA_QUEUE_FULL` where a bound was met (trying later may help), `SIRA_MESSAGE_REFUSED` otherwise. */
  readonly code: ErrorCode;
}

export interface RequestTimedOutEffect {
  readonly kind: 'requestTimedOut';
  readonly requester: string;
  readonly correlation: number;
  readonly code: 'SIRA_REQUEST_TIMED_OUT';
}

export type BrokerEffect = SubscribedEffect | DeliverEffect | PublishedEffect | RefusedEffect | RequestTimedOutEffect;

/** Where effects go, in order; an array will do. */
export interface BrokerEffectSink {
  push(effect: BrokerEffect): unknown;
}
