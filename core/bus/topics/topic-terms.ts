// What a topic, a group and a message are to those who use them: the nouns of topic-protocol.ts.

/**
 * - `exclusive`: one member; first deliveries strictly in the order of the topic: priorities are disregarded, and a delayed
 *   message holds back those behind it.
 * - `shared`: whoever has credit, in turn; first deliveries by priority, then in the order of the topic; delayed ones are passed.
 * - `keyOrdered`: as shared, but of each key one message at a time, the next once the one before is settled, in the order of
 *   the topic, by one member at a time (a delayed message holds back its key). Messages without a key are as in shared.
 */
export type GroupMode = 'exclusive' | 'shared' | 'keyOrdered';

/** `earliest`: the oldest message kept. `latest`: the next one published. `timeMicros`: the first published then or later. */
export type ReplayPosition = 'earliest' | 'latest' | { readonly offset: number } | { readonly timeMicros: number };

/** `original`: each message follows the one before it by the time that lay between their publications, capped by a setting. */
export type ReplaySpeed = 'full' | 'original';

export interface TopicTerms {
  /** Segments whose newest message is older than this go, `Infinity`: never. What a group still needs stays, see below. */
  readonly retainMicros: number;
  /** Oldest segments go while the topic takes more bytes than this on the disk. */
  readonly retainBytesMax: number;
  /** True: age and size also remove what a group still needs; the group goes on behind it, counted and told by `skipped`. */
  readonly retentionOverridesGroups: boolean;
  /** Of each key only the last message is certain to stay; what a group has not got yet may go too, told by `skipped`. */
  readonly compaction: boolean;
  /** Messages between the slowest group and the end, at most, and their bytes on the disk (to the accuracy of a segment). */
  readonly backlogMessagesMax: number;
  readonly backlogBytesMax: number;
  /** Beyond: `refuse` publications with SIRA_QUEUE_FULL, or `dropOldest`: the slowest group skips, counted and told by `skipped`. */
  readonly whenFull: 'refuse' | 'dropOldest';
  /** Deliveries to one group before a message is a dead letter, 1…1,000. */
  readonly attemptsMax: number;
  /** Where dead letters go, made with default terms if it is not there; empty: they are dropped, and told by `deadLettered`. */
  readonly deadLetterTopic: string;
  /** Time from a delivery to the end of its attempt, unless acknowledged, rejected or extended before. */
  readonly acknowledgeWaitMicros: number;
  /** Wait before attempt n + 1: `backoffFloorMicros` × 2ⁿ⁻¹, at most `backoffCeilingMicros`, shortened by a random part… */
  readonly backoffFloorMicros: number;
  readonly backoffCeilingMicros: number;
  /** …of at most this share, 0…1. */
  readonly backoffJitter: number;
}

export interface TensorReference {
  /** Name of the tensor, unique for ever. */
  readonly tensor: string;
  readonly sizeBytes: number;
  /** Of its bytes, as the owner made it: up to 32 bytes. */
  readonly digest: Uint8Array;
}

/** The message that this one was made from. */
export interface CausalParent {
  readonly topic: string;
  readonly offset: number;
}

/** What producers say of a message. Bytes that are handed in must not change afterwards. */
export interface MessageContent {
  /** Up to 1,024 characters. */
  readonly key?: string | undefined;
  /** 0 (least, default)…9. */
  readonly priority?: number | undefined;
  /** Never delivered after this time: dropped and counted instead. */
  readonly deadlineMicros?: number | undefined;
  /** Never delivered before this time. */
  readonly deliverAtMicros?: number | undefined;
  readonly parent?: CausalParent | undefined;
  /** At most 64. Each was announced by `tensorOwned`; one that is lost or released since then is named by every delivery. */
  readonly tensors?: readonly TensorReference[] | undefined;
  /** Of the content, made by the producer, up to 32 bytes: carried, not checked. */
  readonly digest?: Uint8Array | undefined;
  readonly payload: Uint8Array;
}

/** A stored message, the same object for everybody who gets it. */
export interface TopicMessage {
  /** Place in the topic, from 0, without gaps. */
  readonly offset: number;
  /** When the broker took it. */
  readonly publishMicros: number;
  readonly producer: string;
  readonly sequence: number;
  /** As the producer said, −1: nothing. For the broker's own use. */
  readonly settledSequence: number;
  readonly key: string | undefined;
  readonly priority: number;
  /** −1: none. */
  readonly deadlineMicros: number;
  /** −1: at once. */
  readonly deliverAtMicros: number;
  readonly parent: CausalParent | undefined;
  readonly tensors: readonly TensorReference[];
  readonly digest: Uint8Array | undefined;
  /** Of a dead letter: where it comes from, and why. */
  readonly origin: DeadLetterOrigin | undefined;
  readonly payload: Uint8Array;
}

/** `rejected`: the last attempt ended by `reject`. `timedOut`: by time. `disconnected`: with its subscriber's connection. */
export type AttemptEnd = 'rejected' | 'timedOut' | 'disconnected';

export interface DeadLetterOrigin {
  readonly topic: string;
  readonly group: string;
  readonly offset: number;
  readonly producer: string;
  readonly sequence: number;
  readonly attempts: number;
  readonly cause: AttemptEnd;
  /** Of the last rejection, for people. */
  readonly reason: string;
}
