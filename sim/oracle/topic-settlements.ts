// What becomes of a delivery, as far as an onlooker can tell: settled for certain, settled perhaps, skipped, given up; and what of
// that is forgotten when the broker dies or a group is sent elsewhere. Where it is open whether an answer counts, it permits what
// would follow if it did, and forbids nothing.

import type { DeliverEffect, ExtendInput, RejectInput, ReplayPosition } from '../../core/bus/topics/topic-protocol.ts';
import { type GroupFacts, type MemberFacts, standing } from './topic-model.ts';
import type { TopicReplayOracle } from './topic-replay-oracle.ts';
import type { TopicRuleBook } from './topic-rule-book.ts';

/** Where a group goes on, by a cursor or a subscription. */
export interface EpochBegin {
  readonly offset: number;
  readonly epoch: number;
}

/** A seek that was heard: from which moment on it counts is open until the next epoch is announced. */
interface SeekFacts {
  readonly position: ReplayPosition;
  readonly heardMicros: number;
  readonly deliveries: DeliverEffect[];
  /** Offsets that were settled, perhaps, and how. */
  readonly settled: { readonly offset: number; readonly otherwise: boolean }[];
}

export class TopicSettlements {
  /** Acknowledgements that count for certain. */
  acknowledged = 0;
  private readonly book: TopicRuleBook;
  /** Told when a group begins anew. */
  private readonly restarted: (group: GroupFacts) => void;
  private readonly seeking = new Map<string, SeekFacts>();

  constructor(book: TopicRuleBook, restarted: (group: GroupFacts) => void) {
    this.book = book;
    this.restarted = restarted;
  }

  delivered(group: GroupFacts, member: MemberFacts, effect: DeliverEffect): void {
    const { offset } = effect.message;
    if (group.seeks > 0) this.seeking.get(group.name)?.deliveries.push(effect);
    group.tried.add(offset);
    if (offset >= group.lowest) group.hold(offset, member, effect.attempt, effect.deadlineMicros);
  }

  acknowledge(group: GroupFacts, member: MemberFacts, offset: number, cumulative: boolean): void {
    // One that names what its member does not have is refused as a whole.
    const isOwn = group.isOpen(offset)
      ? group.holderOf(offset) === member
      : group.standingOf(offset) === standing.settled;
    if (cumulative && group.seeks > 0) {
      const facts = this.seeking.get(group.name);
      for (const { message } of facts?.deliveries ?? [])
        if (message.offset <= offset) facts?.settled.push({ offset: message.offset, otherwise: false });
    }
    if (cumulative && !isOwn) return;
    if (cumulative) {
      for (let settled = group.lowest; settled <= offset; settled++) this.settle(group, member, settled);
    } else this.settle(group, member, offset);
  }

  /** Whoever holds it gives it back, or asks for more time. */
  attemptChanged(group: GroupFacts, input: RejectInput | ExtendInput): void {
    const { nowMicros } = this.book;
    const { offset } = input;
    if (!group.isHeld(offset, nowMicros) || group.holderOf(offset).name !== input.subscriber) return;
    if (input.kind === 'reject') group.stop(offset, standing.rejected, nowMicros);
    else group.setEnd(offset, Math.max(group.endOf(offset), nowMicros + input.extraMicros));
  }

  /** The attempts of `member` end with its connection. */
  drop(group: GroupFacts, member: MemberFacts): void {
    const { nowMicros } = this.book;
    group.eachHeldBy(member, (offset) => {
      if (group.isConnected(offset) && group.endOf(offset) >= nowMicros)
        group.stop(offset, standing.dropped, nowMicros);
    });
    member.isLive = false;
  }

  /** The attempts under way end later: the process had stood still for so long. */
  prolong(group: GroupFacts, byMicros: number): void {
    const { nowMicros } = this.book;
    for (let offset = group.lowest; offset <= group.highest; offset++)
      if (group.isHeld(offset, nowMicros - byMicros)) group.setEnd(offset, group.endOf(offset) + byMicros);
  }

  /** The process dies: a seek is forgotten, or was written down; then the group is found again in its next epoch. */
  down(group: GroupFacts): void {
    for (const member of group.memberList) member.isLive = false;
    group.seeks = 0;
    const facts = this.seeking.get(group.name);
    if (facts !== undefined) facts.deliveries.length = 0;
    this.restart(group);
  }

  private settle(group: GroupFacts, member: MemberFacts, offset: number): void {
    const { nowMicros } = this.book;
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
  end(group: GroupFacts, offset: number): void {
    group.settled.add(offset);
    group.otherwise.add(offset);
    if (group.seeks > 0) this.seeking.get(group.name)?.settled.push({ offset, otherwise: true });
    else group.settleNow(offset);
  }

  skip(group: GroupFacts, offset: number): void {
    group.settled.add(offset);
    group.skipped.add(offset);
    if (group.seeks > 0) this.seeking.get(group.name)?.settled.push({ offset, otherwise: false });
    else group.settleNow(offset);
  }

  seekHeard(group: GroupFacts, position: ReplayPosition): void {
    const former = group.seeks > 0 ? this.seeking.get(group.name) : undefined;
    group.seeks++;
    this.seeking.set(group.name, {
      position,
      heardMicros: former?.heardMicros ?? this.book.nowMicros,
      deliveries: former?.deliveries ?? [],
      settled: former?.settled ?? [],
    });
  }

  /** The group begins its next epoch. */
  sought(group: GroupFacts, { offset, epoch }: EpochBegin, replay: TopicReplayOracle): void {
    const facts = this.seeking.get(group.name);
    if (facts === undefined || epoch < group.epoch)
      this.book.fail('topic cursor', `epoch ${epoch} begins after ${group.epoch}, and nobody asked for it`, group.name);
    group.epoch = epoch;
    group.seeks = 0;
    this.beginAt(group, offset);
    // What came between may belong to the former epoch or to this one: it permits, and forbids nothing.
    for (const { message, subscriber } of facts.deliveries) {
      const member = group.members.get(subscriber);
      if (member === undefined || message.offset < offset) continue;
      group.tried.add(message.offset);
      group.hold(message.offset, member, 0, 0);
      group.stop(message.offset, standing.dropped, 0);
    }
    group.highest = -1;
    for (const settled of facts.settled) {
      if (settled.offset < offset) continue;
      group.settled.add(settled.offset);
      if (settled.otherwise) group.otherwise.add(settled.offset);
    }
    replay.begins(group, facts.position, { offset }, facts.heardMicros);
  }

  /** `group` may be `former`, which was to end and did not: what may have been settled in that one may be so in this one. */
  permitAsIn(former: GroupFacts, group: GroupFacts): void {
    for (let offset = group.cursor; offset < former.settled.end; offset++)
      if (former.settled.has(offset)) group.settled.add(offset);
    for (let offset = group.cursor; offset < former.otherwise.end; offset++)
      if (former.otherwise.has(offset)) group.otherwise.add(offset);
  }

  beginAt(group: GroupFacts, offset: number): void {
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
    this.restarted(group);
  }
}
