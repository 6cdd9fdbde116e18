// What comes out of the durable topics; see topic-protocol.ts.

import type { ErrorCode } from '../../base/errors.ts';
import type { LogFault } from '../../log/log.ts';
import type { FileOperation } from '../../ports/file-port.ts';
import type { TopicInput } from './topic-inputs.ts';
import type { AttemptEnd, TopicMessage } from './topic-terms.ts';

/** One log, one folder: `ledger`, or `topic-` and the topic's number. */
export type TopicStore = string;

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
  /** Of torn tails, in this opening. */
  readonly cutBytes: number;
  /** Of the same segments in earlier openings, which may have ended before they could tell anybody. */
  readonly earlierCutBytes: number;
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

/** A group lost the unsettled messages of [fromOffset, toOffset) to retention, to its backlog's bound or to compaction, as the
 *  terms say. What is being committed is not lost. */
export interface SkippedEffect {
  readonly kind: 'skipped';
  readonly group: string;
  readonly topic: string;
  readonly cause: 'retention' | 'backlog' | 'compaction';
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
