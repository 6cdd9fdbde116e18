// Promise 4 of the durable topics: a durable cursor never runs ahead of what was settled, and never falls back within its epoch;
// what is settled is not delivered again.

import type { CursorMovedEffect, DeliverEffect, SubscribedEffect } from '../../core/bus/topics/topic-protocol.ts';
import { type GroupFacts, standing } from './topic-model.ts';
import type { TopicRuleBook } from './topic-rule-book.ts';

const oracle = 'topic cursor';

export class TopicCursorOracle {
  private readonly book: TopicRuleBook;

  constructor(book: TopicRuleBook) {
    this.book = book;
  }

  delivered(group: GroupFacts, { message }: DeliverEffect): void {
    const { offset } = message;
    if (group.seeks > 0) return;
    if (offset < group.cursor)
      this.book.fail(oracle, `delivered although the cursor is at ${group.cursor}`, group.name, offset);
    if (group.standingOf(offset) === standing.settled || group.committed.has(offset))
      this.book.fail(oracle, 'delivered although it is settled', group.name, offset);
  }

  /** Within the epoch. */
  moved(group: GroupFacts, { offset }: CursorMovedEffect): void {
    if (offset < group.cursor)
      this.book.fail(oracle, `the cursor falls back to ${offset} from ${group.cursor}`, group.name);
    this.reach(group, offset);
  }

  /** A member finds the group again. */
  resumed(group: GroupFacts, { offset }: SubscribedEffect): void {
    // What a group was sent behind, or began behind, may have been lost before it was durable, and its places given to others.
    if (offset < group.cursor && offset < group.topic.end)
      this.book.fail(oracle, `resumed at ${offset}, but the cursor was at ${group.cursor}`, group.name);
    this.reach(group, offset);
  }

  private reach(group: GroupFacts, offset: number): void {
    if (offset <= group.settled.floor || group.topic.terms.compaction) return;
    const missing = group.settled.nextMissing(0);
    this.book.fail(oracle, `the cursor is at ${offset}, but this was never settled`, group.name, missing);
  }
}
