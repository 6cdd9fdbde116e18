// Promise 9 of the durable topics: a new group begins where it was asked to, by offset or by time; at original speed each message
// follows the one before it by the time that lay between their publications, capped.

import type { DeliverEffect, ReplayPosition, SubscribedEffect } from '../../core/bus/topics/topic-protocol.ts';
import { type GroupFacts, standing } from './topic-model.ts';
import type { TopicRuleBook } from './topic-rule-book.ts';

const oracle = 'topic replay';

interface ReplayFacts {
  readonly position: ReplayPosition;
  /** The last first delivery: its offset, when it was published, when it was delivered. */
  offset: number;
  publishMicros: number;
  deliverMicros: number;
}

export class TopicReplayOracle {
  private readonly book: TopicRuleBook;
  private readonly gapMicrosMax: number;
  private readonly facts: (ReplayFacts | undefined)[] = [];

  constructor(book: TopicRuleBook, gapMicrosMax: number) {
    this.book = book;
    this.gapMicrosMax = gapMicrosMax;
  }

  /** A new group, or one that was sent elsewhere, begins at `offset`. */
  begins(group: GroupFacts, position: ReplayPosition, { offset }: Pick<SubscribedEffect, 'offset'>): void {
    const { topic } = group;
    this.facts[group.index] = { position, offset: -1, publishMicros: 0, deliverMicros: 0 };
    const keepsAll =
      topic.terms.retainMicros === Number.POSITIVE_INFINITY && topic.terms.retainBytesMax === Number.POSITIVE_INFINITY;
    if (position === 'earliest') {
      if (offset !== 0 && keepsAll)
        this.book.fail(oracle, 'does not begin with the earliest message', group.name, offset);
    } else if (position === 'latest') {
      if (offset < topic.end - 1) return;
    } else if ('offset' in position) {
      if (offset !== position.offset && keepsAll && position.offset <= topic.end)
        this.book.fail(oracle, `does not begin at offset ${position.offset}`, group.name, offset);
    } else this.atTime(group, position.timeMicros, offset);
  }

  /** In another life of the broker nothing is known of when the last one was delivered. */
  restart(group: GroupFacts): void {
    const facts = this.facts[group.index];
    if (facts !== undefined) facts.offset = -1;
  }

  delivered(group: GroupFacts, { message }: DeliverEffect): void {
    const facts = this.facts[group.index];
    if (facts === undefined) return;
    const { offset, publishMicros } = message;
    const { position } = facts;
    if (typeof position === 'object' && 'timeMicros' in position && publishMicros < position.timeMicros)
      this.book.fail(oracle, `published before ${position.timeMicros} µs, where the group began`, group.name, offset);
    if (group.speed !== 'original' || group.standingOf(offset) !== standing.unknown) return;
    const { nowMicros } = this.book;
    if (facts.offset === offset - 1) {
      const gap = Math.min(this.gapMicrosMax, publishMicros - facts.publishMicros);
      if (nowMicros < facts.deliverMicros + gap)
        this.book.fail(
          oracle,
          `follows ${nowMicros - facts.deliverMicros} µs behind the one before it, published ${gap} µs behind`,
          group.name,
          offset,
        );
    }
    facts.offset = offset;
    facts.publishMicros = publishMicros;
    facts.deliverMicros = nowMicros;
  }

  private atTime(group: GroupFacts, timeMicros: number, offset: number): void {
    const { publishMicros, end } = group.topic;
    if (offset > 0 && offset - 1 < end && publishMicros[offset - 1]! >= timeMicros)
      this.book.fail(oracle, `begins behind a message that was published after ${timeMicros} µs`, group.name, offset);
  }
}
