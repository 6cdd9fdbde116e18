// Promise 6 of the durable topics: what is not settled comes again, after its back-off, which jitter shortens by no more than its
// share; after the last attempt it stands in the dead-letter topic, once, with where it comes from and why.

import type { DeadLetteredEffect, DeliverEffect, TopicTerms } from '../../core/bus/topics/topic-protocol.ts';
import { TopicBits } from './topic-bits.ts';
import { type GroupFacts, standing } from './topic-model.ts';
import type { TopicRuleBook } from './topic-rule-book.ts';

const oracle = 'topic retry';

/** Dead letters of one group: told of, and found in the dead-letter topic. */
interface DeadFacts {
  readonly told: TopicBits;
  /** Offset in the dead-letter topic, by offset. */
  readonly found: Map<number, number>;
}

export class TopicRetryOracle {
  private readonly book: TopicRuleBook;
  private readonly dead = new Map<string, DeadFacts>();

  constructor(book: TopicRuleBook) {
    this.book = book;
  }

  delivered(group: GroupFacts, { attempt, message, deadlineMicros }: DeliverEffect): void {
    const { offset } = message;
    const { nowMicros } = this.book;
    const { terms } = group.topic;
    if (attempt < 1 || attempt > terms.attemptsMax)
      this.book.fail(oracle, `attempt ${attempt} of ${terms.attemptsMax}`, group.name, offset);
    if (deadlineMicros !== nowMicros + terms.acknowledgeWaitMicros)
      this.book.fail(oracle, `an attempt of ${deadlineMicros - nowMicros} µs`, group.name, offset);
    if (message.origin !== undefined) this.found(group, message.origin.group, message.origin.offset, offset);
    if (!group.isOpen(offset)) return;
    const formerAttempt = group.attemptOf(offset);
    if (attempt <= formerAttempt)
      this.book.fail(oracle, `attempt ${attempt} after attempt ${formerAttempt}`, group.name, offset);
    if (group.isHeld(offset, nowMicros))
      this.book.fail(oracle, `delivered again while attempt ${formerAttempt} is under way`, group.name, offset);
    // Who loses his connection has not failed: it comes again at once.
    if (group.standingOf(offset) === standing.dropped) return;
    const earliest = group.endOf(offset) + waitMicros(terms, formerAttempt);
    if (nowMicros < Math.floor(earliest))
      this.book.fail(oracle, `attempt ${attempt} comes ${earliest - nowMicros} µs too early`, group.name, offset);
  }

  deadLettered(group: GroupFacts, { offset, attempts, deadLetterTopic }: DeadLetteredEffect): void {
    const { nowMicros } = this.book;
    const { terms } = group.topic;
    if (attempts < terms.attemptsMax || deadLetterTopic !== terms.deadLetterTopic)
      this.book.fail(oracle, `given up after ${attempts} of ${terms.attemptsMax} attempts`, group.name, offset);
    const former = group.standingOf(offset);
    if (former === standing.settled && offset >= group.lowest && !group.otherwise.has(offset))
      this.book.fail(oracle, 'a dead letter although it was settled', group.name, offset);
    // 0: from before a seek, perhaps.
    if (group.isOpen(offset) && group.attemptOf(offset) > 0 && group.attemptOf(offset) < attempts)
      this.book.fail(
        oracle,
        `given up after ${attempts} attempts, made were ${group.attemptOf(offset)}`,
        group.name,
        offset,
      );
    if (group.isHeld(offset, nowMicros))
      this.book.fail(oracle, 'given up while an attempt is under way', group.name, offset);
    if (deadLetterTopic !== '') this.of(group.name).told.add(offset);
  }

  /** Everything that was told of is there. */
  finish(): void {
    for (const [group, { told, found }] of this.dead) {
      for (let offset = 0; offset < told.end; offset++) {
        if (told.has(offset) && !found.has(offset))
          this.book.fail(oracle, 'a dead letter that is not in the dead-letter topic', group, offset);
      }
    }
  }

  private found(reader: GroupFacts, group: string, offset: number, deadOffset: number): void {
    const { found } = this.of(group);
    const former = found.get(offset);
    // A group that was sent back gives up the same message again.
    const wasSought = (this.book.groups.get(group)?.epoch ?? 0) > 0;
    if (former !== undefined && former !== deadOffset && !wasSought)
      this.book.fail(oracle, `a dead letter at ${former} and at ${deadOffset} of ${reader.topic.name}`, group, offset);
    found.set(offset, deadOffset);
  }

  private of(group: string): DeadFacts {
    let facts = this.dead.get(group);
    if (facts === undefined) {
      facts = { told: new TopicBits(0), found: new Map() };
      this.dead.set(group, facts);
    }
    return facts;
  }
}

/** The shortest wait after attempt number `attempt`. */
function waitMicros(terms: TopicTerms, attempt: number): number {
  let wait = terms.backoffFloorMicros;
  for (let number = 1; number < attempt && wait < terms.backoffCeilingMicros; number++) wait *= 2;
  return Math.min(wait, terms.backoffCeilingMicros) * (1 - terms.backoffJitter);
}
