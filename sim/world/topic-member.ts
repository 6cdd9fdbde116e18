// A simulated subscriber: connects, joins its group, grants credit, works on what it is given and settles it, each message by
// itself, all up to one, or together with a result; rejects what is poison to it, is slow, hangs, crashes and comes back. Which
// messages are poison is a function of their offset. Whether the broker does right by it is for the oracles to say.

import type { RandomStream } from '../../core/base/random.ts';
import type {
  CommitInput,
  CommitResult,
  DeliverEffect,
  GroupMode,
  ReplayPosition,
  ReplaySpeed,
  TopicEffect,
  TopicInput,
} from '../../core/bus/topics/topic-protocol.ts';
import { eventPriority } from '../engine/priority.ts';
import type { Simulation } from '../engine/simulation.ts';
import type { TopicLink, TopicLinkEnd } from './topic-link.ts';
import { mix } from './topic-stream.ts';

export interface TopicGroupSpec {
  readonly name: string;
  readonly topic: string;
  readonly mode: GroupMode;
  readonly start: ReplayPosition;
  readonly speed: ReplaySpeed;
  /** When its members begin to connect. */
  readonly atMicros: number;
  /** Share of messages that are rejected at first, and of those that always are. */
  readonly rejectShare: number;
  readonly deadlyShare: number;
  /** Results of what is committed go there; empty: none are made. */
  readonly resultTopic: string;
}

export interface TopicMemberSpec {
  readonly name: string;
  readonly group: TopicGroupSpec;
  /** For each message. */
  readonly workMicros: number;
  /** Messages worked on at once, and then settled together. */
  readonly chunk: number;
  /** Given and not settled, at most, and their bytes. */
  readonly windowMessages: number;
  readonly windowBytes: number;
  readonly settlesBy: 'each' | 'cumulative' | 'commit';
  /** Share of settlements that are said twice. */
  readonly repeatShare: number;
  /** Share of chunks that take `slowMicros` longer. */
  readonly slowShare: number;
  readonly slowMicros: number;
  /** Asks for more time when it is slow. */
  readonly extends: boolean;
}

/** What a member says in one go. Times are stamped where it arrives. */
export interface MemberWords {
  readonly acknowledged: readonly number[];
  readonly cumulative: boolean;
  readonly others: readonly TopicInput[];
}

export type MemberLink = TopicLink<readonly TopicEffect[], MemberWords>;

const commitOffsetsMax = 8;
const nothing: readonly number[] = [];

export class TopicMember implements TopicLinkEnd<readonly TopicEffect[]> {
  readonly spec: TopicMemberSpec;
  link!: MemberLink;
  /** Whether somebody listens where it connects to. */
  canConnect!: () => boolean;
  private readonly simulation: Simulation;
  private readonly random: RandomStream;
  private readonly reconnectMicros: number;
  private readonly salt: number;
  private connection = 0;
  private subscribed = false;
  private isDown = false;
  /** It has unsubscribed: what still comes over this connection concerns it no more. */
  private isAway = false;
  private hungUntilMicros = 0;
  private life = 0;
  private queue: DeliverEffect[] = [];
  private head = 0;
  private chunk: DeliverEffect[] = [];
  private revoked = new Set<number>();
  private settledMessages = 0;
  private settledBytes = 0;
  private nextCommit = 1;
  private commits = new Map<number, CommitInput>();
  private start: ReplayPosition;
  private readonly connectHandler: number;
  private readonly doneHandler: number;
  /** No trouble is made any more. */
  isCalm = false;
  worked = 0;

  constructor(
    spec: TopicMemberSpec,
    simulation: Simulation,
    random: RandomStream,
    salt: number,
    reconnectMicros: number,
  ) {
    this.spec = spec;
    this.simulation = simulation;
    this.random = random;
    this.salt = salt;
    this.reconnectMicros = reconnectMicros;
    this.start = spec.group.start;
    this.connectHandler = simulation.defineHandler('subscriber connects', (life) => {
      if (life === this.life) this.connect();
    });
    this.doneHandler = simulation.defineHandler('subscriber is done', (life) => {
      if (life === this.life) this.finish();
    });
    simulation.schedule(spec.group.atMicros, eventPriority.arrival, this.connectHandler, this.life, undefined);
  }

  received(effects: readonly TopicEffect[], connection: number): void {
    if (connection !== this.connection || this.isDown || this.isAway) return;
    for (const effect of effects) {
      if (effect.kind === 'deliver') {
        if (effect.connection !== connection) continue;
        if (this.revoked.size > 0) this.revoked.delete(effect.message.offset);
        this.queue.push(effect);
      } else if (effect.kind === 'subscribed') {
        if (effect.connection !== connection || this.subscribed) continue;
        this.subscribed = true;
        this.grant([]);
        for (const commit of this.commits.values()) this.say(nothing, [commit]);
      } else if (effect.kind === 'revoked') {
        this.revoked.add(effect.offset);
      } else if (effect.kind === 'committed') {
        this.commits.delete(effect.commit);
      } else if (effect.kind === 'refused' && effect.input === 'commit') {
        this.commits.delete(effect.sequence);
      } else if (effect.kind === 'refused' && effect.input === 'subscribe') {
        // Where it wanted to begin, nothing is kept any more, or never will be.
        if (effect.code === 'SIRA_OFFSET_GONE' || this.isCalm) this.start = 'earliest';
      }
    }
    this.work();
  }

  broken(connection: number): void {
    if (connection !== this.connection || this.isDown) return;
    this.subscribed = false;
    this.connectIn(1 + this.random.nextBelow(this.reconnectMicros));
  }

  crash(): void {
    if (this.isDown) return;
    this.isDown = true;
    this.life++;
    this.link.break(this.connection, false, true);
    this.forget();
    this.commits.clear();
  }

  restart(): void {
    if (!this.isDown) return;
    this.isDown = false;
    this.connectIn(1);
  }

  /** Unsubscribes, and connects anew after so long; if it is not subscribed nothing happens. */
  leave(endsGroup: boolean, forMicros: number): void {
    if (this.isDown || !this.subscribed) return;
    const { name, group } = this.spec;
    this.say(nothing, [{ kind: 'unsubscribe', timeMicros: 0, subscriber: name, group: group.name, endsGroup }]);
    this.life++;
    this.forget();
    this.isAway = true;
    this.connectIn(forMicros);
  }

  hang(untilMicros: number): void {
    this.hungUntilMicros = Math.max(this.hungUntilMicros, untilMicros);
  }

  private forget(): void {
    this.queue = [];
    this.head = 0;
    this.chunk = [];
    this.revoked.clear();
    this.settledMessages = 0;
    this.settledBytes = 0;
    this.subscribed = false;
  }

  private connectIn(delayMicros: number): void {
    const atMicros = this.simulation.nowMicros + delayMicros;
    this.simulation.schedule(atMicros, eventPriority.timer, this.connectHandler, this.life, undefined);
  }

  /** Until it is answered it is tried again. */
  private connect(): void {
    if (this.subscribed) return;
    this.isAway = false;
    this.life++;
    this.connection++;
    this.forget();
    this.connectIn(this.reconnectMicros);
    if (!this.canConnect() || !this.link.connect(this.connection)) return;
    const { name, group } = this.spec;
    const { connection } = this;
    const { start } = this;
    const { topic, mode, speed } = group;
    this.say(nothing, [
      { kind: 'subscriberConnected', timeMicros: 0, subscriber: name, connection },
      { kind: 'subscribe', timeMicros: 0, subscriber: name, connection, group: group.name, topic, mode, start, speed },
    ]);
  }

  private work(): void {
    if (this.chunk.length > 0 || this.head >= this.queue.length) return;
    const { spec, random, simulation } = this;
    const end = Math.min(this.queue.length, this.head + spec.chunk);
    this.chunk = this.queue.slice(this.head, end);
    this.head = end;
    if (this.head > 1024 && this.head * 2 > this.queue.length) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    let micros = 1 + spec.workMicros * this.chunk.length;
    if (spec.slowShare > 0 && !this.isCalm && random.nextFloat() < spec.slowShare) {
      micros += spec.slowMicros;
      if (spec.extends) this.extend(micros + 1000);
    }
    simulation.schedule(simulation.nowMicros + micros, eventPriority.timer, this.doneHandler, this.life, undefined);
  }

  private extend(extraMicros: number): void {
    const { name, group } = this.spec;
    this.say(
      nothing,
      this.chunk.map(({ message }) => ({
        kind: 'extend',
        timeMicros: 0,
        subscriber: name,
        group: group.name,
        offset: message.offset,
        extraMicros,
      })),
    );
  }

  private finish(): void {
    const { simulation, spec } = this;
    if (this.hungUntilMicros > simulation.nowMicros && !this.isCalm) {
      simulation.schedule(this.hungUntilMicros, eventPriority.timer, this.doneHandler, this.life, undefined);
      return;
    }
    const done: number[] = [];
    const others: TopicInput[] = [];
    const accepted: DeliverEffect[] = [];
    for (const effect of this.chunk) {
      const { message, attempt } = effect;
      this.settledMessages++;
      this.settledBytes += message.payload.length;
      if (this.revoked.size > 0 && this.revoked.delete(message.offset)) continue;
      if (this.rejects(message.offset, attempt)) {
        const { name: subscriber, group } = spec;
        const reason = 'poison';
        others.push({ kind: 'reject', timeMicros: 0, subscriber, group: group.name, offset: message.offset, reason });
      } else if (spec.settlesBy === 'commit') accepted.push(effect);
      else done.push(message.offset);
    }
    this.worked += this.chunk.length;
    this.chunk = [];
    for (let from = 0; from < accepted.length; from += commitOffsetsMax)
      others.push(this.commit(accepted.slice(from, from + commitOffsetsMax)));
    const cumulative = spec.settlesBy === 'cumulative';
    const acknowledged = cumulative && done.length > 0 ? [Math.max(...done)] : done;
    this.grant(others, acknowledged);
    if (spec.repeatShare > 0 && !this.isCalm && this.random.nextFloat() < spec.repeatShare)
      this.say(acknowledged, others);
    this.work();
  }

  private rejects(offset: number, attempt: number): boolean {
    const { rejectShare, deadlyShare } = this.spec.group;
    if (rejectShare === 0 && deadlyShare === 0) return false;
    const drawn = mix(this.salt ^ offset) & 1023;
    if (drawn < deadlyShare * 1024) return true;
    return drawn < (deadlyShare + rejectShare) * 1024 && attempt <= 1 + (drawn & 1);
  }

  private commit(effects: readonly DeliverEffect[]): CommitInput {
    const { name, group } = this.spec;
    const { resultTopic } = group;
    const results: CommitResult[] = [];
    if (resultTopic !== '') {
      for (const { topic, message } of effects)
        results.push({
          topic: resultTopic,
          key: message.key,
          parent: { topic, offset: message.offset },
          payload: message.payload,
        });
    }
    const input: CommitInput = {
      kind: 'commit',
      timeMicros: 0,
      subscriber: name,
      group: group.name,
      commit: this.nextCommit++,
      offsets: effects.map(({ message }) => message.offset),
      results,
    };
    this.commits.set(input.commit, input);
    return input;
  }

  private grant(others: TopicInput[], acknowledged: readonly number[] = nothing): void {
    const { name, group, windowMessages, windowBytes } = this.spec;
    others.push({
      kind: 'grant',
      timeMicros: 0,
      subscriber: name,
      connection: this.connection,
      group: group.name,
      messages: this.settledMessages + windowMessages,
      bytes: this.settledBytes + windowBytes,
    });
    this.say(acknowledged, others);
  }

  private say(acknowledged: readonly number[], others: readonly TopicInput[]): void {
    const words = { acknowledged, cumulative: this.spec.settlesBy === 'cumulative', others };
    this.link.toBroker(this.connection, words, 1);
  }
}
