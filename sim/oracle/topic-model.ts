// What the oracles of the durable topics know, from what the broker heard and said alone: which message stands at which offset,
// who is given what, and what is settled. A few bytes a message of a case, and a ring for what a group has in hand. The rules are
// the oracles' own.

import { assert } from '../../core/base/assert.ts';
import type { GrantInput, GroupMode, ReplaySpeed, TopicTerms } from '../../core/bus/topics/topic-protocol.ts';
import type { TopicStream } from '../world/topic-stream.ts';
import { TopicBits } from './topic-bits.ts';

/** Of a message made by the broker itself: a result or a dead letter. */
export const brokerMade = -2;
const unknown = -1;

/** A stream, and the offset of each of its messages, −1 while unknown. */
export class StreamFacts {
  readonly stream: TopicStream;
  readonly offsets: Int32Array;
  /** Sequences that the broker has confirmed, from 1. */
  readonly confirmed = new TopicBits(1);

  constructor(stream: TopicStream) {
    this.stream = stream;
    this.offsets = new Int32Array(stream.spec.messages + 1).fill(unknown);
  }
}

/** A topic, by offset. */
export class TopicFacts {
  readonly name: string;
  readonly terms: TopicTerms;
  /** One above the highest offset known. */
  end = 0;
  /** Index into the model's streams, {@link brokerMade}, or −1: not known yet. */
  streamOf = new Int16Array(256).fill(unknown);
  sequenceOf = new Int32Array(256);
  /** −1: not known yet. */
  publishMicros = new Float64Array(256).fill(unknown);
  /** By key, of a topic with compaction: the last offset known. */
  readonly lastOfKey = new Map<string, number>();

  constructor(name: string, terms: TopicTerms) {
    this.name = name;
    this.terms = terms;
  }

  /** Puts a message at its place; false if another one stands there. */
  place(offset: number, stream: number, sequence: number): boolean {
    if (offset >= this.streamOf.length) this.grow(offset);
    const former = this.streamOf[offset];
    if (former === unknown) {
      this.streamOf[offset] = stream;
      this.sequenceOf[offset] = sequence;
      if (offset >= this.end) this.end = offset + 1;
      return true;
    }
    return former === stream && this.sequenceOf[offset] === sequence;
  }

  isKnown(offset: number): boolean {
    return offset < this.end && this.streamOf[offset] !== unknown;
  }

  private grow(offset: number): void {
    const length = Math.max(this.streamOf.length * 2, offset + 1);
    const { streamOf, sequenceOf, publishMicros } = this;
    this.streamOf = new Int16Array(length).fill(unknown);
    this.streamOf.set(streamOf);
    this.sequenceOf = new Int32Array(length);
    this.sequenceOf.set(sequenceOf);
    this.publishMicros = new Float64Array(length).fill(unknown);
    this.publishMicros.set(publishMicros);
  }
}

/** One subscriber in one group. */
export interface MemberFacts {
  readonly index: number;
  readonly name: string;
  connection: number;
  /** `subscribed` over this connection, which stands as far as the broker was told. */
  isLive: boolean;
  grantedMessages: number;
  grantedBytes: number;
  delivered: number;
  deliveredBytes: number;
}

/** What a group knows of an offset in this life of the broker. */
export const standing = {
  unknown: 0,
  held: 1,
  rejected: 2,
  settled: 3,
  /** The attempt ended with its holder's connection. */
  dropped: 4,
} as const;

/** Commits that the broker heard and may have taken. */
export interface CommitFacts {
  readonly offsets: readonly number[];
  readonly results: number;
}

/** What a group has in hand, by offset: a ring from its floor on. Begun anew when the broker dies or the group seeks. */
export class GroupFacts {
  readonly name: string;
  readonly index: number;
  readonly topic: TopicFacts;
  readonly mode: GroupMode;
  readonly speed: ReplaySpeed;
  readonly members = new Map<string, MemberFacts>();
  readonly memberList: MemberFacts[] = [];
  epoch = 0;
  /** Where it began, and where this epoch did. */
  startOffset = 0;
  /** Announced as durable. */
  cursor = 0;
  /** Said to be settled up to here, durably or not, and not moved since. */
  reached = 0;
  /** Everything that may be settled, by anything that the broker heard or said since the epoch began. */
  settled = new TopicBits(0);
  /** Announced as settled for good, whatever crashes. */
  readonly committed = new TopicBits(0);
  /** Offsets of which a dead letter stands on the disk. */
  readonly dead = new TopicBits(0);
  /** Offsets that ended otherwise than by an acknowledgement, in this life or an earlier one: late, or given up. */
  readonly otherwise = new TopicBits(0);
  /** Offsets that were skipped, unless they had been settled. */
  readonly skipped = new TopicBits(0);
  readonly commits = new Map<string, CommitFacts>();
  /** A seek was heard and is not answered. */
  seeks = 0;
  /** Delivered in this epoch, in any life. */
  readonly tried = new TopicBits(0);
  /** Highest offset delivered in this life and epoch, −1: none. */
  highest = -1;
  /** Deliveries in this life. */
  deliveries = 0;

  private floor = 0;
  private mask = 63;
  private standings = new Uint8Array(64);
  private attempts = new Uint16Array(64);
  private holders = new Int16Array(64);
  private connections = new Int32Array(64);
  /** When the attempt ends, or has ended. */
  private ends = new Float64Array(64);

  constructor(name: string, index: number, topic: TopicFacts, mode: GroupMode, speed: ReplaySpeed) {
    this.name = name;
    this.index = index;
    this.topic = topic;
    this.mode = mode;
    this.speed = speed;
  }

  member(name: string): MemberFacts {
    let member = this.members.get(name);
    if (member === undefined) {
      member = {
        index: this.memberList.length,
        name,
        connection: 0,
        isLive: false,
        grantedMessages: 0,
        grantedBytes: 0,
        delivered: 0,
        deliveredBytes: 0,
      };
      this.members.set(name, member);
      this.memberList.push(member);
    }
    return member;
  }

  granted({ subscriber, connection, messages, bytes }: GrantInput): void {
    const member = this.member(subscriber);
    if (member.connection !== connection) return;
    member.grantedMessages = Math.max(member.grantedMessages, messages);
    member.grantedBytes = Math.max(member.grantedBytes, bytes);
  }

  standingOf(offset: number): number {
    if (offset < this.floor) return standing.settled;
    return offset - this.floor > this.mask ? standing.unknown : this.standings[offset & this.mask]!;
  }

  /** Of an offset that is not unknown and not below the floor. */
  attemptOf(offset: number): number {
    return this.attempts[offset & this.mask]!;
  }

  holderOf(offset: number): MemberFacts {
    return this.memberList[this.holders[offset & this.mask]!]!;
  }

  endOf(offset: number): number {
    return this.ends[offset & this.mask]!;
  }

  setEnd(offset: number, endMicros: number): void {
    this.ends[offset & this.mask] = endMicros;
  }

  /** The attempt is under way: by its end, and as far as connections were told. */
  isHeld(offset: number, nowMicros: number): boolean {
    if (this.standingOf(offset) !== standing.held || offset < this.floor) return false;
    return this.endOf(offset) > nowMicros && this.isConnected(offset);
  }

  /** Whoever was given the offset is still connected as then. */
  isConnected(offset: number): boolean {
    const holder = this.holderOf(offset);
    return holder.isLive && this.connections[offset & this.mask] === holder.connection;
  }

  hold(offset: number, member: MemberFacts, attempt: number, endMicros: number): void {
    while (offset - this.floor > this.mask) this.grow();
    const at = offset & this.mask;
    this.standings[at] = standing.held;
    this.attempts[at] = attempt;
    this.holders[at] = member.index;
    this.connections[at] = member.connection;
    this.ends[at] = endMicros;
    if (offset > this.highest) this.highest = offset;
  }

  /** The attempt ends now. */
  stop(offset: number, how: typeof standing.rejected | typeof standing.dropped, nowMicros: number): void {
    const at = offset & this.mask;
    this.standings[at] = how;
    this.ends[at] = nowMicros;
  }

  /** Nobody may be given it any more in this life. */
  settleNow(offset: number): void {
    if (offset < this.floor) return;
    while (offset - this.floor > this.mask) this.grow();
    this.standings[offset & this.mask] = standing.settled;
    while (this.standings[this.floor & this.mask] === standing.settled) {
      this.standings[this.floor & this.mask] = standing.unknown;
      this.floor++;
    }
  }

  /** Delivered in this life to somebody, and not settled for certain. */
  isOpen(offset: number): boolean {
    const state = this.standingOf(offset);
    return state !== standing.unknown && state !== standing.settled;
  }

  /** Every offset at which an attempt of `member` stands. */
  eachHeldBy(member: MemberFacts, visit: (offset: number) => void): void {
    for (let offset = this.floor; offset <= this.highest; offset++) {
      if (offset - this.floor > this.mask) return;
      const at = offset & this.mask;
      if (this.standings[at] === standing.held && this.holders[at] === member.index) visit(offset);
    }
  }

  /** The broker remembers nothing but what is durable; or the group was sent to `floor`. */
  restart(floor: number): void {
    this.standings.fill(standing.unknown);
    this.floor = floor;
    this.highest = -1;
    this.deliveries = 0;
  }

  get lowest(): number {
    return this.floor;
  }

  private grow(): void {
    assert(this.mask < 2 ** 26, 'a group has too much in hand');
    const { mask, standings, attempts, holders, connections, ends, floor } = this;
    const length = (mask + 1) * 2;
    this.mask = length - 1;
    this.standings = new Uint8Array(length);
    this.attempts = new Uint16Array(length);
    this.holders = new Int16Array(length);
    this.connections = new Int32Array(length);
    this.ends = new Float64Array(length);
    for (let offset = floor; offset <= floor + mask; offset++) {
      const from = offset & mask;
      const to = offset & this.mask;
      this.standings[to] = standings[from]!;
      this.attempts[to] = attempts[from]!;
      this.holders[to] = holders[from]!;
      this.connections[to] = connections[from]!;
      this.ends[to] = ends[from]!;
    }
  }
}
