// Groups that end with the member that leaves them last, as far as an onlooker can tell: none ends otherwise, and whether one that
// was to end did so before a crash does not show.

import type { UnsubscribeInput } from '../../core/bus/topics/topic-protocol.ts';
import type { GroupFacts } from './topic-model.ts';
import type { TopicReplayOracle } from './topic-replay-oracle.ts';
import type { TopicRuleBook } from './topic-rule-book.ts';
import type { TopicSettlements } from './topic-settlements.ts';

export class TopicEndings {
  private readonly book: TopicRuleBook;
  private readonly settlements: TopicSettlements;
  private readonly replay: TopicReplayOracle;
  private readonly ending = new Set<GroupFacts>();

  constructor(book: TopicRuleBook, settlements: TopicSettlements, replay: TopicReplayOracle) {
    this.book = book;
    this.settlements = settlements;
    this.replay = replay;
  }

  /** It ends, perhaps. */
  has(group: GroupFacts): boolean {
    return this.ending.has(group);
  }

  unsubscribed({ subscriber, group: name, endsGroup }: UnsubscribeInput): void {
    const group = this.book.groups.get(name);
    const member = group?.members.get(subscriber);
    if (group === undefined || member === undefined || !member.isLive) return;
    this.settlements.drop(group, member);
    if (!endsGroup || group.memberList.some(({ isLive }) => isLive)) return;
    this.ending.add(group);
    // Whoever asks for it from now on may ask for another one.
    this.replay.forget(name);
  }

  ended(name: string): void {
    const group = this.book.groups.get(name);
    if (group === undefined) return;
    if (!this.ending.has(group))
      this.book.fail('topic cursor', 'ended, although nobody wanted that, or it has members', name);
    this.forget(group);
  }

  forget(group: GroupFacts): void {
    this.ending.delete(group);
    this.book.groups.delete(group.name);
  }
}
