// Promise 3 of the durable topics, for consumers that commit: each message of the source has its result in the result topic
// exactly once, unless it ended otherwise (late, dead, skipped). That a publication is stored once is found where it is placed.

import type { CommitInput, CommittedEffect, DeliverEffect } from '../../core/bus/topics/topic-protocol.ts';
import type { GroupFacts } from './topic-model.ts';
import type { TopicRuleBook } from './topic-rule-book.ts';

const oracle = 'topic once';

/** Offset of the result, by offset of the source; −1: none seen. */
interface ResultFacts {
  offsets: Int32Array;
}

export class TopicOnceOracle {
  private readonly book: TopicRuleBook;
  /** By group, of those that commit with results. */
  private readonly results = new Map<string, ResultFacts>();

  constructor(book: TopicRuleBook, groups: readonly string[]) {
    this.book = book;
    for (const group of groups) this.results.set(group, { offsets: new Int32Array(256).fill(-1) });
  }

  heard(group: GroupFacts, { subscriber, commit, offsets, results }: CommitInput): void {
    const id = `${subscriber}/${commit}`;
    const member = group.member(subscriber);
    const isHeld = offsets.every((offset) => group.isOpen(offset) && group.holderOf(offset) === member);
    if (isHeld) for (const offset of offsets) group.settled.add(offset);
    if (isHeld || !group.commits.has(id)) group.commits.set(id, { offsets, results: results.length });
  }

  committed(group: GroupFacts, { subscriber, commit, duplicate }: CommittedEffect): void {
    const id = `${subscriber}/${commit}`;
    const facts = group.commits.get(id);
    if (facts === undefined && duplicate) return;
    if (facts === undefined) this.book.fail(oracle, `commit ${id} was never heard`, group.name);
    for (const offset of facts.offsets) {
      if (!group.settled.has(offset) && !group.topic.terms.compaction)
        this.book.fail(
          oracle,
          `committed${duplicate ? ' long since' : ''}, but it was never settled`,
          group.name,
          offset,
        );
      group.committed.add(offset);
      group.settleNow(offset);
    }
    group.commits.delete(id);
  }

  /** A result, as somebody reads it. */
  delivered({ message }: DeliverEffect): void {
    const { parent, producer, offset } = message;
    if (parent === undefined || producer.charCodeAt(0) !== 126) return;
    const name = producer.slice(1);
    const facts = this.results.get(name);
    if (facts === undefined || message.origin !== undefined) return;
    if (parent.offset >= facts.offsets.length) {
      const { offsets } = facts;
      facts.offsets = new Int32Array(Math.max(offsets.length * 2, parent.offset + 1)).fill(-1);
      facts.offsets.set(offsets);
    }
    const former = facts.offsets[parent.offset]!;
    if (former >= 0 && former !== offset)
      this.book.fail(oracle, `has its result at ${former} and at ${offset}`, name, parent.offset);
    facts.offsets[parent.offset] = offset;
  }

  /** All is settled and read. */
  finish(): void {
    for (const [name, { offsets }] of this.results) {
      const group = this.book.groups.get(name);
      if (group === undefined || group.topic.terms.compaction) continue;
      for (let offset = group.startOffset; offset < group.cursor; offset++) {
        const hasResult = offset < offsets.length && offsets[offset]! >= 0;
        if (hasResult && group.dead.has(offset)) this.book.fail(oracle, 'has a result, and was given up', name, offset);
        if (!hasResult && !group.otherwise.has(offset) && !group.skipped.has(offset))
          this.book.fail(oracle, 'is settled and has no result', name, offset);
      }
    }
  }
}
