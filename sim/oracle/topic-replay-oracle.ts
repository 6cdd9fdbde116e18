// Promise 9 of the durable topics: a new group begins where it was asked to, by offset or by time; at original speed each message
// follows the one before it by the time that lay between their publications, capped.

import type {
  DeliverEffect,
  ReplayPosition,
  SubscribedEffect,
  SubscribeInput,
} from '../../core/bus/topics/topic-protocol.ts';
import type { GroupFacts } from './topic-model.ts';
import type { TopicRuleBook } from './topic-rule-book.ts';

const oracle = 'topic replay';

interface ReplayFacts {
  readonly position: ReplayPosition;
  /** Since when the group may read, and how long what it was given since then takes at original speed. */
  baseMicros: number;
  lengthMicros: number;
  /** The highest delivered since then: its offset, −1 for none, and when it was published. */
  offset: number;
  publishMicros: number;
}

export class TopicReplayOracle {
  private readonly book: TopicRuleBook;
  private readonly gapMicrosMax: number;
  /** By group: when somebody asked for it first, and where it was to begin; `latest` if not all agreed. */
  private readonly asked = new Map<string, Pick<SubscribeInput, 'timeMicros' | 'start'>>();
  private readonly facts: (ReplayFacts | undefined)[] = [];

  constructor(book: TopicRuleBook, gapMicrosMax: number) {
    this.book = book;
    this.gapMicrosMax = gapMicrosMax;
  }

  askedFor({ group, timeMicros, start }: SubscribeInput): void {
    const former = this.asked.get(group);
    if (former === undefined) this.asked.set(group, { timeMicros, start });
    else if (former.start !== start) this.asked.set(group, { ...former, start: 'latest' });
  }

  /** The group ends: who asks for it from now on makes another. */
  forget(group: string): void {
    this.asked.delete(group);
  }

  /** Somebody is the first to be told of a group; one that is resumed may have moved on. */
  made(group: GroupFacts, effect: SubscribedEffect): void {
    const { start, timeMicros } = this.asked.get(group.name) ?? { start: 'latest', timeMicros: this.book.nowMicros };
    this.begins(group, effect.resumed ? 'latest' : start, effect, timeMicros);
  }

  /** A new group, or one that was sent elsewhere, begins at `offset`. */
  begins(
    group: GroupFacts,
    position: ReplayPosition,
    { offset }: Pick<SubscribedEffect, 'offset'>,
    sinceMicros: number,
  ): void {
    const { topic } = group;
    const isAhead = typeof position === 'object' && 'timeMicros' in position && position.timeMicros > sinceMicros;
    this.facts[group.index] = {
      ...{ position: isAhead ? 'latest' : position, offset: -1, publishMicros: 0 },
      ...{ baseMicros: sinceMicros, lengthMicros: 0 },
    };
    const keepsAll =
      topic.terms.retainMicros === Number.POSITIVE_INFINITY &&
      topic.terms.retainBytesMax === Number.POSITIVE_INFINITY &&
      !topic.terms.compaction &&
      (topic.terms.whenFull === 'refuse' || topic.terms.backlogMessagesMax === Number.POSITIVE_INFINITY);
    if (position === 'earliest') {
      if (offset !== 0 && keepsAll)
        this.book.fail(oracle, 'does not begin with the earliest message', group.name, offset);
    } else if (position === 'latest') {
      if (offset < topic.end - 1) return;
    } else if ('offset' in position) {
      if (offset !== position.offset && keepsAll && position.offset <= topic.end)
        this.book.fail(oracle, `does not begin at offset ${position.offset}`, group.name, offset);
    } else if (!isAhead && keepsAll) this.atTime(group, position.timeMicros, offset);
  }

  /** Somebody joins a group that had nobody: it reads anew what is not settled. */
  resumes(group: GroupFacts): void {
    const facts = this.facts[group.index];
    if (facts === undefined) return;
    facts.offset = -1;
    facts.baseMicros = this.book.nowMicros;
    facts.lengthMicros = 0;
  }

  delivered(group: GroupFacts, { message, attempt }: DeliverEffect): void {
    const facts = this.facts[group.index];
    if (facts === undefined) return;
    const { offset, publishMicros } = message;
    const { position } = facts;
    if (typeof position === 'object' && 'timeMicros' in position && publishMicros < position.timeMicros)
      this.book.fail(oracle, `published before ${position.timeMicros} µs, where the group began`, group.name, offset);
    // What comes again does so by its back-off.
    if (group.speed !== 'original' || attempt > 1 || offset <= facts.offset) return;
    const { nowMicros } = this.book;
    if (facts.offset >= 0)
      facts.lengthMicros += Math.min(this.gapMicrosMax, Math.max(0, publishMicros - facts.publishMicros));
    facts.offset = offset;
    facts.publishMicros = publishMicros;
    const passed = nowMicros - facts.baseMicros;
    if (passed < facts.lengthMicros)
      this.book.fail(
        oracle,
        `comes after ${passed} µs, at original speed after ${facts.lengthMicros}`,
        group.name,
        offset,
      );
  }

  private atTime(group: GroupFacts, timeMicros: number, offset: number): void {
    const { publishMicros, end } = group.topic;
    if (offset > 0 && offset - 1 < end && publishMicros[offset - 1]! >= timeMicros)
      this.book.fail(oracle, `begins behind a message that was published after ${timeMicros} µs`, group.name, offset);
  }
}
