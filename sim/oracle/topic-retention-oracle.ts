// Promise 8 of the durable topics: what a group still needs is removed only where the terms say so, and then the group is told.

import type { SkippedEffect } from '../../core/bus/topics/topic-protocol.ts';
import type { GroupFacts } from './topic-model.ts';
import type { TopicRuleBook } from './topic-rule-book.ts';

const oracle = 'topic retention';

export class TopicRetentionOracle {
  private readonly book: TopicRuleBook;

  constructor(book: TopicRuleBook) {
    this.book = book;
  }

  skipped(group: GroupFacts, { cause, fromOffset, toOffset }: SkippedEffect): void {
    const { terms } = group.topic;
    const allowed = {
      retention: terms.retentionOverridesGroups,
      backlog: terms.whenFull === 'dropOldest',
      compaction: terms.compaction,
    };
    if (!allowed[cause]) this.book.fail(oracle, `lost by ${cause}, which the terms forbid`, group.name, fromOffset);
    if (!(fromOffset < toOffset)) this.book.fail(oracle, `lost up to ${toOffset} by ${cause}`, group.name, fromOffset);
  }
}
