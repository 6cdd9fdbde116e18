// All oracles of the durable topics in one run: keeps the facts up to date from what the broker hears and says, and asks each
// oracle at the moment that its promise is about. Cheap enough to be on for every message of a billion. What is wrong is thrown.

import type {
  AcknowledgeInput,
  DeliverEffect,
  SubscribedEffect,
  SubscribeInput,
  TopicEffect,
  TopicInput,
  TopicTerms,
} from '../../core/bus/topics/topic-protocol.ts';
import type { TopicCase } from '../world/topic-case.ts';
import type { TopicObserver } from '../world/topic-observer.ts';
import type { TopicStream } from '../world/topic-stream.ts';
import { TopicCreditOracle } from './topic-credit-oracle.ts';
import { TopicCursorOracle } from './topic-cursor-oracle.ts';
import { TopicDurabilityOracle } from './topic-durability-oracle.ts';
import { TopicEndings } from './topic-endings.ts';
import { GroupFacts, TopicFacts } from './topic-model.ts';
import { TopicOnceOracle } from './topic-once-oracle.ts';
import { TopicOrderOracle } from './topic-order-oracle.ts';
import { nobody, TopicRecorder } from './topic-recorder.ts';
import { TopicReplayOracle } from './topic-replay-oracle.ts';
import { TopicRetentionOracle } from './topic-retention-oracle.ts';
import { TopicRetryOracle } from './topic-retry-oracle.ts';
import { TopicRuleBook } from './topic-rule-book.ts';
import { TopicSettlements } from './topic-settlements.ts';
import { TopicTensorOracle } from './topic-tensor-oracle.ts';
import { TopicTimeOracle } from './topic-time-oracle.ts';

export interface TopicOraclesOptions {
  readonly case: TopicCase;
  readonly defaultTerms: TopicTerms;
  readonly replayGapMicrosMax: number;
  /** Deliveries that may pass the oldest message that is ready; 0 if left out: then nothing need overtake. */
  readonly priorityPassesMax?: number | undefined;
}

export class TopicOracles implements TopicObserver {
  readonly book: TopicRuleBook;
  /** Messages stored, delivered and settled, for those who count. */
  published = 0;
  deliveries = 0;
  private readonly recorder = new TopicRecorder();
  private readonly durability: TopicDurabilityOracle;
  private readonly order: TopicOrderOracle;
  private readonly once: TopicOnceOracle;
  private readonly cursor: TopicCursorOracle;
  private readonly credit: TopicCreditOracle;
  private readonly retry: TopicRetryOracle;
  private readonly time: TopicTimeOracle;
  private readonly retention: TopicRetentionOracle;
  private readonly replay: TopicReplayOracle;
  private readonly tensors: TopicTensorOracle;
  private readonly settlements: TopicSettlements;
  /** By subscriber, as it asked last. */
  private readonly asked = new Map<string, SubscribeInput>();
  private readonly groupOfMember = new Map<string, string>();
  private lastGroup: GroupFacts | undefined;
  private readonly endings: TopicEndings;
  private groupCount = 0;
  private readonly deliverCode: number;
  private readonly acknowledgeCode: number;
  private readonly codes: Readonly<Record<'heard' | 'said', (kind: string) => number>>;

  constructor({ case: drawn, defaultTerms, replayGapMicrosMax, priorityPassesMax }: TopicOraclesOptions) {
    const book = new TopicRuleBook(this.recorder);
    this.book = book;
    this.durability = new TopicDurabilityOracle(book);
    this.order = new TopicOrderOracle(book);
    const committing = drawn.members.filter(
      ({ settlesBy, group }) => settlesBy === 'commit' && group.resultTopic !== '',
    );
    this.once = new TopicOnceOracle(book, [...new Set(committing.map(({ group }) => group.name))]);
    this.cursor = new TopicCursorOracle(book);
    this.credit = new TopicCreditOracle(book);
    this.retry = new TopicRetryOracle(book);
    this.time = new TopicTimeOracle(book, priorityPassesMax);
    this.retention = new TopicRetentionOracle(book);
    this.replay = new TopicReplayOracle(book, replayGapMicrosMax);
    this.tensors = new TopicTensorOracle(book);
    this.settlements = new TopicSettlements(book, (group) => {
      this.order.restart(group);
      this.time.restart(group);
    });
    this.endings = new TopicEndings(book, this.settlements, this.replay);
    for (const { name, terms } of drawn.topics)
      book.topics.set(name, new TopicFacts(name, { ...defaultTerms, ...terms }));
    for (const { name, group } of drawn.members) this.groupOfMember.set(name, group.name);
    const { recorder } = this;
    this.codes = { heard: (kind) => recorder.code(`heard ${kind}`), said: (kind) => recorder.code(`said ${kind}`) };
    this.deliverCode = this.codes.said('deliver');
    this.acknowledgeCode = this.codes.heard('acknowledge');
  }

  get acknowledged(): number {
    return this.settlements.acknowledged;
  }

  streamBegins(stream: TopicStream): void {
    this.book.addStream(stream);
  }

  heard(input: TopicInput, nowMicros: number): void {
    const { book } = this;
    book.nowMicros = nowMicros;
    switch (input.kind) {
      case 'publish':
        return;
      case 'acknowledge':
        this.acknowledge(input);
        return;
      case 'grant':
        this.find(input.group)?.granted(input);
        return;
      case 'reject':
      case 'extend': {
        const group = this.find(input.group);
        if (group === undefined) return;
        this.note(this.codes.heard(input.kind), group.name, input.offset, nobody);
        this.settlements.attemptChanged(group, input);
        return;
      }
      case 'commit': {
        const group = this.find(input.group);
        if (group === undefined) return;
        for (const offset of input.offsets) this.note(this.codes.heard('commit'), group.name, offset, input.commit);
        this.once.heard(group, input);
        return;
      }
      case 'subscribe':
        this.asked.set(input.subscriber, input);
        this.replay.askedFor(input);
        return;
      case 'subscriberConnected':
        this.leave(input.subscriber, input.connection);
        return;
      case 'subscriberDisconnected':
        this.disconnect(input.subscriber, input.connection);
        return;
      case 'unsubscribe':
        this.note(this.codes.heard('unsubscribe'), input.group, nobody, nobody);
        this.endings.unsubscribed(input);
        return;
      case 'seek': {
        const group = book.groups.get(input.group);
        if (group === undefined) return;
        this.note(this.codes.heard('seek'), group.name, nobody, nobody);
        this.settlements.seekHeard(group, input.position);
        return;
      }
      case 'tensorOwned':
        this.tensors.owned(input);
        return;
      case 'tensorLost':
        this.tensors.lostHeard(input);
        return;
      default:
        return;
    }
  }

  said(effect: TopicEffect, nowMicros: number): void {
    const { book } = this;
    book.nowMicros = nowMicros;
    switch (effect.kind) {
      case 'deliver':
        this.delivered(effect);
        return;
      case 'published':
        if (!effect.duplicate) this.published++;
        this.durability.published(effect);
        return;
      case 'subscribed':
        this.subscribed(effect);
        return;
      case 'cursorMoved': {
        const group = this.known(effect.group);
        if (group === undefined) return;
        this.note(this.codes.said('cursorMoved'), group.name, nobody, effect.offset);
        if (effect.epoch !== group.epoch) this.settlements.sought(group, effect, this.replay);
        else this.cursor.moved(group, effect);
        group.cursor = effect.offset;
        group.reached = effect.offset;
        return;
      }
      case 'committed': {
        const group = this.known(effect.group);
        if (group === undefined) return;
        this.note(this.codes.said('committed'), group.name, nobody, effect.commit);
        this.once.committed(group, effect);
        return;
      }
      case 'lateDropped': {
        const group = this.known(effect.group);
        if (group === undefined) return;
        this.note(this.codes.said('lateDropped'), group.name, effect.offset, effect.deadlineMicros);
        this.time.dropped(group, effect);
        this.settlements.end(group, effect.offset);
        return;
      }
      case 'deadLettered': {
        const group = this.known(effect.group);
        if (group === undefined) return;
        this.note(this.codes.said('deadLettered'), group.name, effect.offset, effect.attempts);
        this.retry.deadLettered(group, effect);
        if (effect.deadLetterTopic !== '') {
          group.committed.add(effect.offset);
          group.dead.add(effect.offset);
        }
        this.settlements.end(group, effect.offset);
        return;
      }
      case 'skipped': {
        const group = this.known(effect.group);
        if (group === undefined) return;
        this.note(this.codes.said('skipped'), group.name, effect.fromOffset, effect.toOffset);
        this.retention.skipped(group, effect);
        for (let offset = effect.fromOffset; offset < effect.toOffset; offset++) this.settlements.skip(group, offset);
        return;
      }
      case 'revoked': {
        const group = this.known(effect.group);
        if (group === undefined) return;
        this.note(this.codes.said('revoked'), group.name, effect.offset, nobody);
        return;
      }
      case 'groupEnded':
        this.endings.ended(effect.group);
        this.lastGroup = undefined;
        return;
      case 'refused':
        if (effect.input === 'seek') book.seekRefused(effect.subject);
        return;
      case 'tensorKept':
        this.tensors.kept(effect.tensor);
        return;
      case 'tensorReleased':
        this.tensors.released(effect);
        return;
      case 'tensorLost': {
        const group = this.known(effect.group);
        if (group !== undefined) this.tensors.lost(group, effect);
        return;
      }
      default:
        return;
    }
  }

  paused(byMicros: number, nowMicros: number): void {
    this.book.nowMicros = nowMicros;
    for (const group of this.book.groups.values()) this.settlements.prolong(group, byMicros);
  }

  down(nowMicros: number): void {
    this.book.nowMicros = nowMicros;
    this.recorder.note(nowMicros, this.recorder.code('the broker dies'), nobody, nobody, nobody);
    for (const group of this.book.groups.values()) this.settlements.down(group);
    this.tensors.down();
  }

  /** What is not done yet, of what must be in the end; undefined if nothing. */
  missing(): string | undefined {
    const { book } = this;
    for (const { reached, name, topic } of book.groups.values())
      if (reached < topic.end) return `${name}: the cursor is at ${reached}, the topic ends at ${topic.end}`;
    return this.tensors.missing();
  }

  /** Everything has come to rest. */
  finish(nowMicros: number): void {
    this.book.nowMicros = nowMicros;
    this.durability.finish();
    this.once.finish();
    this.retry.finish();
  }

  private delivered(effect: DeliverEffect): void {
    const { message } = effect;
    const { offset } = message;
    const group = this.find(effect.group);
    const member = group?.members.get(effect.subscriber);
    if (group === undefined || member === undefined)
      this.book.fail('topic credit', `delivered to ${effect.subscriber}, which is no member`, effect.group, offset);
    this.deliveries++;
    this.note(this.deliverCode, group.name, offset, effect.attempt);
    this.durability.delivered(group, effect);
    this.time.delivered(group, effect);
    this.credit.delivered(group, member, effect);
    if (group.seeks === 0) {
      this.cursor.delivered(group, effect);
      this.retry.delivered(group, effect);
      this.order.delivered(group, member, effect);
      this.replay.delivered(group, effect);
    }
    if (message.parent !== undefined) this.once.delivered(effect);
    this.tensors.delivered(group, effect);
    this.settlements.delivered(group, member, effect);
  }

  private acknowledge({ group: name, subscriber, offset, cumulative }: AcknowledgeInput): void {
    const group = this.find(name);
    const member = group?.members.get(subscriber);
    if (group === undefined || member === undefined) return;
    this.note(this.acknowledgeCode, name, offset, member.index);
    this.settlements.acknowledge(group, member, offset, cumulative);
  }

  private subscribed(effect: SubscribedEffect): void {
    const { book } = this;
    const { group: name, topic: topicName, subscriber, connection, offset, epoch } = effect;
    let group = book.groups.get(name);
    const asked = this.asked.get(subscriber);
    const topic = book.topics.get(topicName);
    if (asked === undefined || topic === undefined || asked.topic !== topicName || asked.group !== name)
      this.book.fail('topic replay', `${subscriber} is subscribed to ${topicName}, for which it never asked`, name);
    this.note(this.codes.said('subscribed'), name, nobody, offset);
    const former = group !== undefined && this.endings.has(group) ? group : undefined;
    if (former !== undefined) {
      // It has ended, or could not: which one it was does not show.
      this.forget(former);
      group = undefined;
    }
    if (group === undefined) {
      this.tensors.groupBegins(effect);
      group = new GroupFacts(name, this.groupCount++, topic, asked.mode, asked.speed);
      book.groups.set(name, group);
      this.settlements.beginAt(group, offset);
      group.startOffset = offset;
      group.otherwise.reset(offset);
      if (former !== undefined) this.settlements.permitAsIn(former, group);
      group.skipped.reset(offset);
      group.committed.reset(offset);
      group.epoch = epoch;
      this.replay.made(group, effect);
    } else if (epoch !== group.epoch) {
      this.settlements.sought(group, effect, this.replay);
    } else {
      this.cursor.resumed(group, effect);
      if (offset < group.cursor) this.settlements.beginAt(group, offset);
      group.reached = offset;
      if (!group.memberList.some(({ isLive }) => isLive)) {
        this.replay.resumes(group);
        this.time.resumes(group);
      }
    }
    const member = group.member(subscriber);
    member.connection = connection;
    member.isLive = true;
  }

  private forget(group: GroupFacts): void {
    this.endings.forget(group);
    this.lastGroup = undefined;
  }

  /** A subscriber says that its former connections are over. */
  private leave(subscriber: string, connection: number): void {
    const group = this.groupOf(subscriber);
    if (group === undefined) return;
    const member = group.member(subscriber);
    if (connection <= member.connection) return;
    this.disconnect(subscriber, member.connection);
    Object.assign(member, { connection, grantedMessages: 0, grantedBytes: 0, delivered: 0, deliveredBytes: 0 });
  }

  private disconnect(subscriber: string, connection: number): void {
    const group = this.groupOf(subscriber);
    const member = group?.members.get(subscriber);
    if (group === undefined || member === undefined || member.connection > connection) return;
    this.note(this.codes.heard('subscriberDisconnected'), group.name, nobody, connection);
    this.settlements.drop(group, member);
  }

  private groupOf(subscriber: string): GroupFacts | undefined {
    return this.book.groups.get(this.groupOfMember.get(subscriber) ?? '');
  }

  private find(name: string): GroupFacts | undefined {
    if (this.lastGroup?.name === name) return this.lastGroup;
    const group = this.book.groups.get(name);
    if (group !== undefined) this.lastGroup = group;
    return group;
  }

  /** Undefined: it was asked for, and became durable, and a crash came before anybody was told. */
  private known(name: string): GroupFacts | undefined {
    const group = this.find(name);
    if (group !== undefined) return group;
    for (const asked of this.asked.values()) if (asked.group === name) return undefined;
    this.book.fail('topic cursor', 'speaks of a group that there is not', name);
  }

  private note(event: number, subject: string, offset: number, detail: number): void {
    const { recorder } = this;
    recorder.note(this.book.nowMicros, event, recorder.code(subject), offset, detail);
  }
}
