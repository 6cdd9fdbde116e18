// What goes into the durable topics and what comes out: plain object literals with a `kind`, and what each promises. Transport,
// files and clocks are the shell's: it hands in inputs with non-decreasing `timeMicros`, file completions and due timers, calls
// `flush` once after those of one instant, and carries the effects out. Clients (producers, subscribers, owners of tensors) are
// names, not beginning with `~`; one that restarts with its sequences at 1 again takes a new name, such as `name#incarnation`.
//
// A client may repeat any input of which it does not know the outcome: repeats are harmless. After `topicsFailed`, or a crash, a
// new TopicBroker is opened on the same stores; subscribers then connect, subscribe and grant anew, producers repeat what was
// not answered with `published`, owners of tensors do nothing.

import type { ErrorCode } from '../../base/errors.ts';
import type { LogFault } from '../../log/log.ts';
import type { FileCompletion, FileOperation } from '../../ports/file-port.ts';

/** One log, one folder: `ledger`, or `topic-` and the topic's number. */
export type TopicStore = string;

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
  /** Of each key only the last message is certain to stay; what a group has not got yet may be compacted away. */
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
  /** At most 64. Each was announced by `tensorOwned`. */
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
 * held by the subscriber as for `acknowledge`. Answered by `committed` or `refused`.
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

export interface TopicsReport {
  /** How often these stores were opened, this time included. */
  readonly openings: number;
  readonly topics: number;
  readonly groups: number;
  /** Messages kept, over all topics, and those that were read to know what was there. */
  readonly messages: number;
  readonly messagesRead: number;
  /** Commits that were decided and whose results were still missing. */
  readonly commitsFinished: number;
  /** Of torn tails. */
  readonly cutBytes: number;
}

/** Inputs are taken from now on. */
export interface TopicsOpenedEffect {
  readonly kind: 'topicsOpened';
  readonly report: TopicsReport;
}

/** Nothing is taken any more. A new TopicBroker on the same stores finds out what is on the disk. */
export interface TopicsFailedEffect {
  readonly kind: 'topicsFailed';
  readonly store: TopicStore;
  readonly fault: LogFault;
}

/** The disk is full: what waits is written once there is room. Told per store; `reason` empty: there is room again. */
export interface TopicsStalledEffect {
  readonly kind: 'topicsStalled';
  readonly store: TopicStore;
  readonly reason: string;
}

export interface TopicCreatedEffect {
  readonly kind: 'topicCreated';
  readonly topic: string;
  readonly existed: boolean;
}

/** The message is durable (a duplicate's first copy too). */
export interface PublishedEffect {
  readonly kind: 'published';
  readonly topic: string;
  readonly producer: string;
  readonly sequence: number;
  /** −1 for a duplicate. */
  readonly offset: number;
  readonly duplicate: boolean;
}

/** The group and the place where it begins are durable; from here on the member counts. */
export interface SubscribedEffect {
  readonly kind: 'subscribed';
  readonly subscriber: string;
  readonly connection: number;
  readonly group: string;
  readonly topic: string;
  /** True if the group existed: delivery goes on at what is not settled. */
  readonly resumed: boolean;
  /** Everything below is settled. */
  readonly offset: number;
  readonly epoch: number;
}

export interface GroupEndedEffect {
  readonly kind: 'groupEnded';
  readonly group: string;
}

/** Of a durable message, within credit, not before its time, not after its deadline. */
export interface DeliverEffect {
  readonly kind: 'deliver';
  readonly subscriber: string;
  readonly connection: number;
  readonly group: string;
  readonly topic: string;
  /** 1 at the first delivery to this group, then rising; after a crash it may repeat. */
  readonly attempt: number;
  /** The attempt ends then. */
  readonly deadlineMicros: number;
  /** Tensors of the message that are lost. */
  readonly lostTensors: readonly string[];
  readonly message: TopicMessage;
}

/** The attempt of this member is over (by time, by a seek, by skipping): it should stop; the offset may go to somebody else. */
export interface RevokedEffect {
  readonly kind: 'revoked';
  readonly subscriber: string;
  readonly connection: number;
  readonly group: string;
  readonly offset: number;
}

/** Everything below `offset` is settled, durably. Within an `epoch` it only rises; a seek begins the next one. */
export interface CursorMovedEffect {
  readonly kind: 'cursorMoved';
  readonly group: string;
  readonly topic: string;
  readonly offset: number;
  readonly epoch: number;
}

/** Offsets settled and results published, durably. */
export interface CommittedEffect {
  readonly kind: 'committed';
  readonly subscriber: string;
  readonly group: string;
  readonly commit: number;
  /** All offsets had been settled before, by this commit sent earlier or otherwise: the results of this input were not stored. */
  readonly duplicate: boolean;
}

/** A message came to its turn after its deadline: settled without delivery. */
export interface LateDroppedEffect {
  readonly kind: 'lateDropped';
  readonly group: string;
  readonly topic: string;
  readonly offset: number;
  readonly deadlineMicros: number;
  /** Of this group since the opening, this one included. */
  readonly count: number;
}

/** The last attempt failed; the message stands durably in the dead-letter topic, and then is settled. */
export interface DeadLetteredEffect {
  readonly kind: 'deadLettered';
  readonly group: string;
  readonly topic: string;
  readonly offset: number;
  readonly attempts: number;
  readonly cause: AttemptEnd;
  /** Empty if the terms name none: it was dropped. */
  readonly deadLetterTopic: string;
}

/** A group lost unsettled messages of [fromOffset, toOffset) to retention or to its backlog's bound, as the terms say. */
export interface SkippedEffect {
  readonly kind: 'skipped';
  readonly group: string;
  readonly topic: string;
  readonly cause: 'retention' | 'backlog';
  readonly fromOffset: number;
  readonly toOffset: number;
}

export interface TensorKeptEffect {
  readonly kind: 'tensorKept';
  readonly tensor: string;
  readonly owner: string;
}

/** The owner may free it: nobody will be given it any more. Once; again after an opening until the owner confirms. */
export interface TensorReleasedEffect {
  readonly kind: 'tensorReleased';
  readonly tensor: string;
  readonly owner: string;
  /** `done`: by everybody. `leaseEnd`: its time was over. `lost`: it was lost, and everybody who would have got it is done. */
  readonly cause: 'done' | 'leaseEnd' | 'lost';
}

/** A tensor is lost (`leaseEnd`: released by time) and this group has a message with it that is not settled. Once for each group
 *  and message; repeated after an opening only if it may not have left before. Deliveries that follow name it in `lostTensors`. */
export interface TensorLostEffect {
  readonly kind: 'tensorLost';
  readonly tensor: string;
  readonly topic: string;
  readonly offset: number;
  readonly producer: string;
  readonly group: string;
  /** Who holds the delivery; `undefined`: it was not delivered yet. */
  readonly subscriber: string | undefined;
  readonly cause: 'lost' | 'leaseEnd';
  readonly reason: string;
}

/** Why an input was not taken. */
export interface RefusedEffect {
  readonly kind: 'refused';
  readonly input: TopicInput['kind'];
  /** Producer, subscriber, owner or client; the topic for `createTopic`; the tensor for `tensorLost`, `tensorReleased`. */
  readonly client: string;
  /** Topic of a publication, group otherwise, else empty. */
  readonly subject: string;
  /** Sequence, offset, or number of the commit; −1 for others. */
  readonly sequence: number;
  /** `SIRA_QUEUE_FULL`: a bound was met, try later. `SIRA_LOG_CLOSED`: not open. `SIRA_OFFSET_GONE`. `SIRA_MESSAGE_REFUSED`: mend it. */
  readonly code: ErrorCode;
  readonly reason: string;
}

export interface TopicFileEffect {
  readonly kind: 'file';
  readonly store: TopicStore;
  readonly operation: FileOperation;
}

export type TopicEffect =
  | TopicsOpenedEffect
  | TopicsFailedEffect
  | TopicsStalledEffect
  | TopicCreatedEffect
  | PublishedEffect
  | SubscribedEffect
  | GroupEndedEffect
  | DeliverEffect
  | RevokedEffect
  | CursorMovedEffect
  | CommittedEffect
  | LateDroppedEffect
  | DeadLetteredEffect
  | SkippedEffect
  | TensorKeptEffect
  | TensorReleasedEffect
  | TensorLostEffect
  | RefusedEffect
  | TopicFileEffect;

/** Where effects go, in order; an array will do. */
export interface TopicEffectSink {
  push(effect: TopicEffect): unknown;
}

/** The shape of the broker that hosts drive: core/bus/topics/topic-broker.ts is it. */
export interface TopicMachine {
  /** Recovers what the stores hold, or begins anew; answered by `topicsOpened` or `topicsFailed`. */
  open(nowMicros: number, effects: TopicEffectSink): void;
  /** Takes one input. Timers that were due before it must have been fired. */
  handle(input: TopicInput, effects: TopicEffectSink): void;
  /** A completion of a file operation of `store`. */
  complete(store: TopicStore, completion: FileCompletion, nowMicros: number, effects: TopicEffectSink): void;
  /** Begins to write what the inputs, completions and timers of this instant brought about. */
  flush(effects: TopicEffectSink): void;
  /** When {@link fireDue} has something to do next, Infinity if never. Not below the truth by more than what a settled entry leaves. */
  nextDeadlineMicros(): number;
  fireDue(nowMicros: number, effects: TopicEffectSink): void;
  /** Time passes: retention, checkpoints, compaction, another try on a full disk. Call it about once a second. */
  maintain(nowMicros: number, effects: TopicEffectSink): void;
  /** After a pause of the shell: nobody is blamed for an answer that nobody could hear. Moves every deadline of an attempt. */
  extendDeadlines(byMicros: number): void;
  /** Over everything that went in and came out, files excepted: equal for equal runs. */
  readonly digest: string;
}
