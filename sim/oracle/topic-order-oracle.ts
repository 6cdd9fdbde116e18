// Promise 2 of the durable topics: in an exclusive group first deliveries come in the order of the topic; in a key-ordered one the
// messages of a key come one at a time, the next once the one before is settled, in the order of the topic. Nobody is given what
// another still has in hand.

import type { DeliverEffect } from '../../core/bus/topics/topic-protocol.ts';
import { type GroupFacts, type MemberFacts, standing } from './topic-model.ts';
import type { TopicRuleBook } from './topic-rule-book.ts';

const oracle = 'topic order';

/** Of one key in one group, in this life of the broker. */
interface KeyFacts {
  /** The offset that was delivered last; below it nothing may come. */
  current: number;
}

export class TopicOrderOracle {
  private readonly book: TopicRuleBook;
  /** By group. */
  private keys: Map<string, KeyFacts>[] = [];

  constructor(book: TopicRuleBook) {
    this.book = book;
  }

  delivered(group: GroupFacts, member: MemberFacts, { message, attempt }: DeliverEffect): void {
    const { offset, key } = message;
    const { nowMicros } = this.book;
    if (group.isHeld(offset, nowMicros) && group.holderOf(offset) !== member)
      this.book.fail(
        oracle,
        `delivered to ${member.name} while ${group.holderOf(offset).name} has it`,
        group.name,
        offset,
      );
    const isFirst = attempt === 1 && group.standingOf(offset) === standing.unknown;
    if (group.mode === 'exclusive') {
      if (isFirst && offset < group.highest && !group.settled.has(offset))
        this.book.fail(oracle, `delivered for the first time after ${group.highest}`, group.name, offset);
    } else if (group.mode === 'keyOrdered' && key !== undefined) this.ofKey(group, key, offset);
  }

  /** The group begins anew: at what is not settled, or where it was sent. */
  restart(group: GroupFacts): void {
    this.keys[group.index] = new Map();
  }

  private ofKey(group: GroupFacts, key: string, offset: number): void {
    let keys = this.keys[group.index];
    if (keys === undefined) {
      keys = new Map();
      this.keys[group.index] = keys;
    }
    const facts = keys.get(key);
    if (facts === undefined) {
      keys.set(key, { current: offset });
      return;
    }
    const { current } = facts;
    if (offset === current) return;
    if (offset < current)
      this.book.fail(oracle, `delivered after ${current}, which has the same key ${key}`, group.name, offset);
    if (!group.settled.has(current))
      this.book.fail(
        oracle,
        `delivered while ${current}, which has the same key ${key}, is not settled`,
        group.name,
        offset,
      );
    facts.current = offset;
  }
}
