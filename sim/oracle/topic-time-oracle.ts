// Promise 7 of the durable topics: nothing is delivered after its deadline or before its time; what is dropped as late was late;
// of what is ready and in the window, higher priority goes first, up to the number of messages that may pass the oldest.

import type { DeliverEffect, LateDroppedEffect } from '../../core/bus/topics/topic-protocol.ts';
import { type GroupFacts, standing } from './topic-model.ts';
import type { TopicRuleBook } from './topic-rule-book.ts';

const oracle = 'topic time';
/** Those that streams draw. */
const priorities = [0, 4, 9] as const;

/** Of one shared group: for each priority the lowest offset that may be undelivered. */
interface PriorityFacts {
  readonly next: Float64Array;
  /** Offsets below have come into the window: in order, and one above them was delivered since. */
  enteredEnd: number;
  /** Deliveries since one that went before a more important message; Infinity: not known. */
  passes: number;
}

export class TopicTimeOracle {
  private readonly book: TopicRuleBook;
  private readonly passesMax: number;
  private facts: (PriorityFacts | undefined)[] = [];

  /** @param passesMax deliveries that may pass the oldest message that is ready, before it is its turn. */
  constructor(book: TopicRuleBook, passesMax = 0) {
    this.book = book;
    this.passesMax = passesMax;
  }

  delivered(group: GroupFacts, { message, attempt }: DeliverEffect): void {
    const { offset, deadlineMicros, deliverAtMicros, priority } = message;
    const { nowMicros } = this.book;
    if (deadlineMicros >= 0 && nowMicros > deadlineMicros)
      this.book.fail(oracle, `delivered ${nowMicros - deadlineMicros} µs after its deadline`, group.name, offset);
    if (deliverAtMicros >= 0 && nowMicros < deliverAtMicros)
      this.book.fail(oracle, `delivered ${deliverAtMicros - nowMicros} µs before its time`, group.name, offset);
    if (group.seeks > 0) return;
    // What is compacted away does not wait.
    if (group.mode !== 'shared' || group.topic.terms.compaction) return;
    const facts = this.factsOf(group);
    this.overtaken(group, facts, offset, priority);
    if (attempt === 1 && group.standingOf(offset) === standing.unknown)
      this.byPriority(group, facts, offset, priority, deliverAtMicros >= 0);
  }

  /** Somebody joins a group that had nobody: its window is filled anew. */
  resumes(group: GroupFacts): void {
    const facts = this.facts[group.index];
    if (facts !== undefined) facts.enteredEnd = 0;
  }

  dropped(group: GroupFacts, { offset, deadlineMicros }: LateDroppedEffect): void {
    const { nowMicros } = this.book;
    if (nowMicros <= deadlineMicros) this.book.fail(oracle, `dropped as late before its deadline`, group.name, offset);
    // A seek that was heard may have taken it back.
    if (group.seeks === 0 && group.isHeld(offset, nowMicros))
      this.book.fail(oracle, 'dropped as late while it is delivered', group.name, offset);
    const { topic } = group;
    if (!topic.isKnown(offset)) return;
    const facts = this.book.streams[topic.streamOf[offset]!];
    const sent = facts?.stream.deadlineMicros(topic.sequenceOf[offset]!) ?? -1;
    if (sent !== deadlineMicros)
      this.book.fail(oracle, `dropped for a deadline at ${deadlineMicros}, its own is ${sent}`, group.name, offset);
  }

  restart(group: GroupFacts): void {
    this.facts[group.index] = undefined;
  }

  private factsOf(group: GroupFacts): PriorityFacts {
    const known = this.facts[group.index];
    if (known !== undefined) return known;
    const facts = {
      next: new Float64Array(10).fill(group.lowest),
      enteredEnd: 0,
      passes: Number.POSITIVE_INFINITY,
    };
    this.facts[group.index] = facts;
    return facts;
  }

  /** A younger message that is more important and in the window goes first, unless so many in a row have passed the oldest. */
  private overtaken(group: GroupFacts, facts: PriorityFacts, offset: number, priority: number): void {
    facts.passes++;
    for (const rank of priorities) {
      if (rank <= priority) continue;
      const waiting = this.waiting(group, facts, rank, facts.enteredEnd);
      if (waiting >= facts.enteredEnd || waiting < offset) continue;
      if (facts.passes <= this.passesMax)
        this.book.fail(
          oracle,
          `delivered before ${waiting}, which is of priority ${rank} and in the window, ${facts.passes - 1} deliveries after the last such`,
          group.name,
          offset,
        );
      facts.passes = 0;
      break;
    }
    facts.enteredEnd = Math.max(facts.enteredEnd, offset);
  }

  /** A first delivery: nothing that is older and of the same or a higher priority may still wait, unless it was delayed. */
  private byPriority(
    group: GroupFacts,
    facts: PriorityFacts,
    offset: number,
    priority: number,
    wasDelayed: boolean,
  ): void {
    if (wasDelayed) return;
    for (const rank of priorities) {
      if (rank < priority) continue;
      const waiting = this.waiting(group, facts, rank, offset);
      if (waiting >= offset) continue;
      const what = rank === priority ? 'of the same priority' : `of priority ${rank}`;
      this.book.fail(oracle, `delivered before ${waiting}, which is ${what} and older`, group.name, offset);
    }
  }

  /** The lowest offset below `end` of this priority that waits, was not delayed and has no deadline; `end` if there is none. */
  private waiting(group: GroupFacts, { next }: PriorityFacts, rank: number, end: number): number {
    const { topic } = group;
    let offset = next[rank]!;
    for (; offset < end; offset++) {
      const index = topic.streamOf[offset]!;
      if (index < 0) continue;
      const { stream } = this.book.streams[index]!;
      const sequence = topic.sequenceOf[offset]!;
      if (stream.priority(sequence) !== rank) continue;
      if (stream.deliverAtMicros(sequence) >= 0 || stream.deadlineMicros(sequence) >= 0) continue;
      if (!group.tried.has(offset) && !group.settled.has(offset)) break;
    }
    next[rank] = Math.max(next[rank]!, Math.min(offset, end));
    return offset;
  }
}
