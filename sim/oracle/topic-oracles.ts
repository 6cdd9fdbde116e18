// All oracles of the durable topics in one run: keeps the facts up to date from what the broker hears and says, and asks each
// oracle at the moment that its promise is about. Cheap enough to be on for every message of a billion. What is wrong is thrown.

import type {
  AcknowledgeInput,
  DeliverEffect,
  RefusedEffect,
  ReplayPosition,
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
import { GroupFacts, type MemberFacts, standing, TopicFacts } from './topic-model.ts';
import { TopicOnceOracle } from './topic-once-oracle.ts';
import { TopicOrderOracle } from './topic-order-oracle.ts';
import { nobody, TopicRecorder } from './topic-recorder.ts';
import { TopicReplayOracle } from './topic-replay-oracle.ts';
import { TopicRetentionOracle } from './topic-retention-oracle.ts';
import { TopicRetryOracle } from './topic-retry-oracle.ts';
import { TopicRuleBook } from './topic-rule-book.ts';
import { TopicTensorOracle } from './topic-tensor-oracle.ts';
import { TopicTimeOracle } from './topic-time-oracle.ts';

export interface TopicOraclesOptions {
  readonly case: TopicCase;
  readonly defaultTerms: TopicTerms;
  readonly replayGapMicrosMax: number;
}

/** A seek that was heard: from which moment on it counts is open until the next epoch is announced. */
interface SeekFacts {
  readonly position: ReplayPosition;
  readonly heardMicros: number;
  readonly deliveries: DeliverEffect[];
  /** Offsets that were settled, perhaps, and how. */
  readonly settled: { readonly offset: number; readonly otherwise: boolean }[];
}

export class TopicOracles implements TopicObserver {
  readonly book: TopicRuleBook;
  /** Messages stored, delivered and settled, for those who count. */
  published = 0;
  deliveries = 0;
  acknowledged = 0;
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
  /** By subscriber, as it asked last. */
  private readonly asked = new Map<string, SubscribeInput>();
  private readonly seeking = new Map<string, SeekFacts>();
  private readonly groupOfMember = new Map<string, string>();
  private lastGroup: GroupFacts | undefined;
  private readonly deliverCode: number;
  private readonly acknowledgeCode: number;
  private readonly codes: Readonly<Record<'heard' | 'said', (kind: string) => number>>;

  constructor({ case: drawn, defaultTerms, replayGapMicrosMax }: TopicOraclesOptions) {
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
    this.time = new TopicTimeOracle(book);
    this.retention = new TopicRetentionOracle(book);
    this.replay = new TopicReplayOracle(book, replayGapMicrosMax);
    this.tensors = new TopicTensorOracle(book);
    for (const { name, terms } of drawn.topics)
      book.topics.set(name, new TopicFacts(name, { ...defaultTerms, ...terms }));
    for (const { name, group } of drawn.members) this.groupOfMember.set(name, group.name);
    const { recorder } = this;
    this.codes = { heard: (kind) => recorder.code(`heard ${kind}`), said: (kind) => recorder.code(`said ${kind}`) };
    this.deliverCode = this.codes.said('deliver');
    this.acknowledgeCode = this.codes.heard('acknowledge');
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
        this.acknowledge(input, nowMicros);
        return;
      case 'grant': {
        const group = this.find(input.group);
        const member = group?.member(input.subscriber);
        if (member === undefined || member.connection !== input.connection) return;
        member.grantedMessages = Math.max(member.grantedMessages, input.messages);
        member.grantedBytes = Math.max(member.grantedBytes, input.bytes);
        return;
      }
      case 'reject': {
        const group = this.find(input.group);
        if (group === undefined) return;
        this.note(this.codes.heard('reject'), group.name, input.offset, nobody);
        const { offset } = input;
        if (group.isHeld(offset, nowMicros) && group.holderOf(offset).name === input.subscriber)
          group.stop(offset, standing.rejected, nowMicros);
        return;
      }
      case 'extend': {
        const group = this.find(input.group);
        if (group === undefined) return;
        const { offset } = input;
        this.note(this.codes.heard('extend'), group.name, offset, input.extraMicros);
        if (group.isHeld(offset, nowMicros) && group.holderOf(offset).name === input.subscriber)
          group.setEnd(offset, Math.max(group.endOf(offset), nowMicros + input.extraMicros));
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
        return;
      case 'subscriberConnected':
        this.leave(input.subscriber, input.connection, nowMicros);
        return;
      case 'subscriberDisconnected':
        this.disconnect(input.subscriber, input.connection, nowMicros);
        return;
      case 'seek': {
        const group = book.groups.get(input.group);
        if (group !== undefined) this.seekHeard(group, input.position);
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
    this.book.nowMicros = nowMicros;
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
        if (effect.epoch !== group.epoch) this.sought(group, effect);
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
        this.end(group, effect.offset);
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
        this.end(group, effect.offset);
        return;
      }
      case 'skipped': {
        const group = this.known(effect.group);
        if (group === undefined) return;
        this.note(this.codes.said('skipped'), group.name, effect.fromOffset, effect.toOffset);
        this.retention.skipped(group, effect);
        for (let offset = effect.fromOffset; offset < effect.toOffset; offset++) this.skip(group, offset);
        return;
      }
      case 'revoked': {
        const group = this.known(effect.group);
        if (group === undefined) return;
        this.note(this.codes.said('revoked'), group.name, effect.offset, nobody);
        return;
      }
      case 'refused':
        this.refused(effect);
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
    for (const group of this.book.groups.values()) {
      for (let offset = group.lowest; offset <= group.highest; offset++)
        if (group.isHeld(offset, nowMicros - byMicros)) group.setEnd(offset, group.endOf(offset) + byMicros);
    }
  }

  down(nowMicros: number): void {
    this.book.nowMicros = nowMicros;
    this.recorder.note(nowMicros, this.recorder.code('the broker dies'), nobody, nobody, nobody);
    for (const group of this.book.groups.values()) {
      for (const member of group.memberList) member.isLive = false;
      // A seek is forgotten, or was written down: then the group is found again in its next epoch.
      group.seeks = 0;
      const facts = this.seeking.get(group.name);
      if (facts !== undefined) facts.deliveries.length = 0;
      this.restart(group);
    }
    this.tensors.down();
  }

  /** What is not done yet, of what must be in the end; undefined if nothing. */
  missing(): string | undefined {
    const { book } = this;
    for (const group of book.groups.values()) {
      const { reached, name, topic } = group;
      if (reached < topic.end) return `${name}: the cursor is at ${reached}, the topic ends at ${topic.end}`;
    }
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
    if (group.seeks > 0) this.seeking.get(group.name)?.deliveries.push(effect);
    group.tried.add(offset);
    if (offset >= group.lowest) group.hold(offset, member, effect.attempt, effect.deadlineMicros);
    group.deliveries++;
  }

  private acknowledge({ group: name, subscriber, offset, cumulative }: AcknowledgeInput, nowMicros: number): void {
    const group = this.find(name);
    const member = group?.members.get(subscriber);
    if (group === undefined || member === undefined) return;
    this.note(this.acknowledgeCode, name, offset, member.index);
    // One that names what its member does not have is refused as a whole.
    const isOwn = group.isOpen(offset)
      ? group.holderOf(offset) === member
      : group.standingOf(offset) === standing.settled;
    if (cumulative && group.seeks > 0) {
      const facts = this.seeking.get(name);
      for (const { message } of facts?.deliveries ?? [])
        if (message.offset <= offset) facts?.settled.push({ offset: message.offset, otherwise: false });
    }
    if (cumulative && !isOwn) return;
    if (cumulative) {
      for (let settled = group.lowest; settled <= offset; settled++) this.settle(group, member, settled, nowMicros);
    } else this.settle(group, member, offset, nowMicros);
  }

  private settle(group: GroupFacts, member: MemberFacts, offset: number, nowMicros: number): void {
    if (group.seeks > 0) this.seeking.get(group.name)?.settled.push({ offset, otherwise: false });
    if (offset < group.lowest) return;
    const state = group.standingOf(offset);
    if (!group.isOpen(offset) || group.holderOf(offset) !== member) return;
    group.settled.add(offset);
    // Whether an answer that comes after the attempt has ended for good counts, is left open.
    const isLast = group.attemptOf(offset) >= group.topic.terms.attemptsMax && group.endOf(offset) <= nowMicros;
    if (state !== standing.held || isLast || !group.isConnected(offset) || group.seeks > 0) return;
    this.acknowledged++;
    group.settleNow(offset);
  }

  /** An offset has ended otherwise than by an acknowledgement. */
  private end(group: GroupFacts, offset: number): void {
    group.settled.add(offset);
    group.otherwise.add(offset);
    if (group.seeks > 0) this.seeking.get(group.name)?.settled.push({ offset, otherwise: true });
    else group.settleNow(offset);
  }

  private skip(group: GroupFacts, offset: number): void {
    group.settled.add(offset);
    group.skipped.add(offset);
    if (group.seeks > 0) this.seeking.get(group.name)?.settled.push({ offset, otherwise: false });
    else group.settleNow(offset);
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
    if (group === undefined) {
      group = new GroupFacts(name, book.groups.size, topic, asked.mode, asked.speed);
      book.groups.set(name, group);
      this.beginAt(group, offset);
      group.startOffset = offset;
      group.otherwise.reset(offset);
      group.skipped.reset(offset);
      group.committed.reset(offset);
      group.epoch = epoch;
      // One that was made before a crash began where it was asked to, and may have moved on.
      this.replay.begins(group, effect.resumed ? 'latest' : asked.start, effect, this.book.nowMicros);
    } else if (epoch !== group.epoch) {
      this.sought(group, { offset, epoch });
    } else {
      this.cursor.resumed(group, effect);
      if (offset < group.cursor) this.beginAt(group, offset);
      group.reached = offset;
      if (!group.memberList.some(({ isLive }) => isLive)) this.replay.resumes(group);
    }
    const member = group.member(subscriber);
    member.connection = connection;
    member.isLive = true;
  }

  private seekHeard(group: GroupFacts, position: ReplayPosition): void {
    const former = group.seeks > 0 ? this.seeking.get(group.name) : undefined;
    group.seeks++;
    this.note(this.codes.heard('seek'), group.name, nobody, nobody);
    this.seeking.set(group.name, {
      position,
      heardMicros: former?.heardMicros ?? this.book.nowMicros,
      deliveries: former?.deliveries ?? [],
      settled: former?.settled ?? [],
    });
  }

  /** The group begins its next epoch. */
  private sought(group: GroupFacts, { offset, epoch }: { readonly offset: number; readonly epoch: number }): void {
    const facts = this.seeking.get(group.name);
    if (facts === undefined || epoch < group.epoch)
      this.book.fail('topic cursor', `epoch ${epoch} begins after ${group.epoch}, and nobody asked for it`, group.name);
    group.epoch = epoch;
    group.seeks = 0;
    this.beginAt(group, offset);
    // What came between may belong to the former epoch or to this one: it permits, and forbids nothing.
    for (const { message, subscriber, attempt } of facts.deliveries) {
      const member = group.members.get(subscriber);
      if (member === undefined || message.offset < offset) continue;
      group.tried.add(message.offset);
      group.hold(message.offset, member, attempt, 0);
      group.stop(message.offset, standing.dropped, 0);
    }
    group.highest = -1;
    for (const settled of facts.settled) {
      if (settled.offset < offset) continue;
      group.settled.add(settled.offset);
      if (settled.otherwise) group.otherwise.add(settled.offset);
    }
    this.replay.begins(group, facts.position, { offset }, facts.heardMicros);
  }

  private beginAt(group: GroupFacts, offset: number): void {
    group.cursor = offset;
    group.reached = offset;
    group.settled.reset(offset);
    group.committed.reset(offset);
    group.tried.reset(offset);
    this.restart(group);
  }

  private restart(group: GroupFacts): void {
    group.restart(group.cursor);
    for (let offset = Math.max(group.cursor, group.committed.floor); offset < group.committed.end; offset++)
      if (group.committed.has(offset)) group.settleNow(offset);
    this.order.restart(group);
    this.time.restart(group);
  }

  /** A subscriber says that its former connections are over. */
  private leave(subscriber: string, connection: number, nowMicros: number): void {
    const group = this.groupOf(subscriber);
    if (group === undefined) return;
    const member = group.member(subscriber);
    if (connection <= member.connection) return;
    this.disconnect(subscriber, member.connection, nowMicros);
    member.connection = connection;
    member.grantedMessages = 0;
    member.grantedBytes = 0;
    member.delivered = 0;
    member.deliveredBytes = 0;
  }

  private disconnect(subscriber: string, connection: number, nowMicros: number): void {
    const group = this.groupOf(subscriber);
    const member = group?.members.get(subscriber);
    if (group === undefined || member === undefined || member.connection > connection) return;
    this.note(this.codes.heard('subscriberDisconnected'), group.name, nobody, connection);
    group.eachHeldBy(member, (offset) => {
      if (group.isConnected(offset) && group.endOf(offset) >= nowMicros)
        group.stop(offset, standing.dropped, nowMicros);
    });
    member.isLive = false;
  }

  private refused({ input, subject }: RefusedEffect): void {
    const group = this.book.groups.get(subject);
    if (group === undefined) return;
    if (input === 'seek' && group.seeks > 0) group.seeks--;
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
