// What goes into the durable topics; see topic-protocol.ts.

import type {
  GroupMode,
  MessageContent,
  ReplayPosition,
  ReplaySpeed,
  TensorReference,
  TopicTerms,
} from './topic-terms.ts';

interface Timed {
  readonly timeMicros: number;
}

/** Makes a topic; asked again with the same terms it is answered again. Terms left out are the settings' defaults. */
export interface CreateTopicInput extends Timed {
  readonly kind: 'createTopic';
  readonly topic: string;
  readonly terms: Partial<TopicTerms>;
}

/** Answered by `published` or `refused`. A sequence that was refused is not used up. */
export interface PublishInput extends Timed, MessageContent {
  readonly kind: 'publish';
  readonly topic: string;
  readonly producer: string;
  /** The producer's own count of its publications to this topic, from 1: (topic, producer, sequence) is stored once. */
  readonly sequence: number;
  /** The producer will never again send a sequence up to this one to this topic: gaps below are given up. */
  readonly settledSequence?: number | undefined;
}

/** A new connection of a subscriber: an older one of the same name is over, with its memberships and credit. */
export interface SubscriberConnectedInput extends Timed {
  readonly kind: 'subscriberConnected';
  readonly subscriber: string;
  /** The subscriber's own count of its connections, rising; what belongs to an older one is disregarded. */
  readonly connection: number;
}

/** Its memberships end; what it held is delivered to others (or to it, when it is back). Groups and cursors stay. */
export interface SubscriberDisconnectedInput extends Timed {
  readonly kind: 'subscriberDisconnected';
  readonly subscriber: string;
  readonly connection: number;
}

/** Joins a group, which is made if there is none of this name. Answered by `subscribed` or `refused`. */
export interface SubscribeInput extends Timed {
  readonly kind: 'subscribe';
  readonly subscriber: string;
  readonly connection: number;
  /** Unique in the broker. Its cursor outlives members, connections and crashes. */
  readonly group: string;
  readonly topic: string;
  readonly mode: GroupMode;
  /** Looked at only when the group is new, as is `speed`. */
  readonly start: ReplayPosition;
  readonly speed: ReplaySpeed;
}

/** Leaves a group. `endsGroup`: with its last member the group and its cursor end for good, told by `groupEnded`. */
export interface UnsubscribeInput extends Timed {
  readonly kind: 'unsubscribe';
  readonly subscriber: string;
  readonly group: string;
  readonly endsGroup: boolean;
}

/**
 * Credit, as totals since the subscription over this connection: all deliveries (redeliveries too) stay within `messages`, and
 * the bytes of their payloads within `bytes`. Lower totals than before are disregarded, so grants may be repeated and reordered.
 * A member whose credit of bytes is smaller than any message it may be given waits for ever: grant at least the largest.
 */
export interface GrantInput extends Timed {
  readonly kind: 'grant';
  readonly subscriber: string;
  readonly connection: number;
  readonly group: string;
  readonly messages: number;
  readonly bytes: number;
}

/**
 * Settles one offset, or (`cumulative`, exclusive only) everything delivered up to it. Taken from whoever it was delivered to
 * last, even after the attempt ended by time, until somebody else gets it. Of settled ones nothing is said; durable with `cursorMoved`.
 */
export interface AcknowledgeInput extends Timed {
  readonly kind: 'acknowledge';
  readonly subscriber: string;
  readonly group: string;
  readonly offset: number;
  readonly cumulative: boolean;
}

/** Negative acknowledgement: the attempt failed. Delivered again after its back-off, or a dead letter after the last. */
export interface RejectInput extends Timed {
  readonly kind: 'reject';
  readonly subscriber: string;
  readonly group: string;
  readonly offset: number;
  /** For people, up to 1,000 characters. */
  readonly reason: string;
}

/** The attempt ends no earlier than `extraMicros` from now. */
export interface ExtendInput extends Timed {
  readonly kind: 'extend';
  readonly subscriber: string;
  readonly group: string;
  readonly offset: number;
  readonly extraMicros: number;
}

/** A result to be published. It has no sequence of its own: the broker's is `~` and the group's name. */
export interface CommitResult extends MessageContent {
  readonly topic: string;
}

/**
 * Exactly once: the offsets are settled and the results are published, both or neither, whatever crashes. Every offset must be
 * held by the subscriber as for `acknowledge`. Answered by `committed` or `refused`: with SIRA_QUEUE_FULL also while what settled
 * the offsets before, or this commit sent earlier, is on its way to the disk; a repeat is answered later.
 */
export interface CommitInput extends Timed {
  readonly kind: 'commit';
  readonly subscriber: string;
  readonly group: string;
  /** Comes back with the answer. */
  readonly commit: number;
  /** Without repeats, at least one. */
  readonly offsets: readonly number[];
  readonly results: readonly CommitResult[];
}

/** Sets the cursor of a group; what was delivered and not settled is forgotten (`revoked`). Answered by `cursorMoved` with the
 *  next `epoch`, or `refused`. */
export interface SeekInput extends Timed {
  readonly kind: 'seek';
  readonly client: string;
  readonly group: string;
  readonly position: ReplayPosition;
}

/** A tensor that `publications` messages will refer to. Answered by `tensorKept` once durable, or `refused`. */
export interface TensorOwnedInput extends Timed, TensorReference {
  readonly kind: 'tensorOwned';
  readonly owner: string;
  /** Messages that will refer to it, at least 1. It lives until all groups of all their topics are done with them (a topic
   *  without groups is not done), … */
  readonly publications: number;
  /** …but not beyond this time; −1: no such end. Asked again with a later one it is prolonged. */
  readonly leaseEndMicros: number;
}

/** The tensor is gone, before its time: everybody who would still get it is told. From anyone who knows. */
export interface TensorLostInput extends Timed {
  readonly kind: 'tensorLost';
  readonly tensor: string;
  /** For people. */
  readonly reason: string;
}

/** From the owner: it has freed the tensor, as answer to the effect `tensorReleased`, which else is repeated at each opening. */
export interface TensorReleasedInput extends Timed {
  readonly kind: 'tensorReleased';
  readonly tensor: string;
}

export type TopicInput =
  | CreateTopicInput
  | PublishInput
  | SubscriberConnectedInput
  | SubscriberDisconnectedInput
  | SubscribeInput
  | UnsubscribeInput
  | GrantInput
  | AcknowledgeInput
  | RejectInput
  | ExtendInput
  | CommitInput
  | SeekInput
  | TensorOwnedInput
  | TensorLostInput
  | TensorReleasedInput;
