// Promise 10 of the durable topics: a tensor that messages refer to is released when every group is done with them, or its lease
// has ended, or it was lost, once in a life of the broker; who would still get a lost one is told, once, and every delivery names it.

import type {
  DeliverEffect,
  SubscribedEffect,
  TensorLostEffect,
  TensorLostInput,
  TensorOwnedInput,
  TensorReleasedEffect,
} from '../../core/bus/topics/topic-protocol.ts';
import type { GroupFacts, StreamFacts } from './topic-model.ts';
import type { TopicRuleBook } from './topic-rule-book.ts';

const oracle = 'topic tensors';
/** Within this time a loss is on the disk, if the disk works at all. */
const writtenMicros = 20_000_000;

interface TensorFacts {
  readonly stream: StreamFacts;
  readonly sequence: number;
  /** The latest that was asked for; −1: none. */
  leaseEndMicros: number;
  isKept: boolean;
  isLost: boolean;
  /** When that was said. */
  lostMicros: number;
  /** Released in this life of the broker. */
  isReleased: boolean;
  /** In any. */
  wasReleased: boolean;
  /** Everybody that there was then was done with it, before a group began that would still get it. */
  wasDone: boolean;
  /** Groups that were told of its loss in this life. */
  readonly told: Set<string>;
  /** Groups that must be told: those that had it before them when the loss became known. */
  readonly toTell: Set<string>;
}

export class TopicTensorOracle {
  private readonly book: TopicRuleBook;
  private readonly tensors = new Map<string, TensorFacts>();

  constructor(book: TopicRuleBook) {
    this.book = book;
  }

  owned({ tensor, owner, leaseEndMicros }: TensorOwnedInput): void {
    const facts = this.tensors.get(tensor);
    if (facts !== undefined) {
      if (leaseEndMicros > facts.leaseEndMicros) facts.leaseEndMicros = leaseEndMicros;
      return;
    }
    const stream = this.book.streamOf.get(owner);
    if (stream === undefined) return;
    const sequence = Number(tensor.slice(tensor.indexOf('/') + 1));
    this.tensors.set(tensor, {
      ...{ stream, sequence, leaseEndMicros, isKept: false, isLost: false, lostMicros: 0 },
      ...{ isReleased: false, wasReleased: false, wasDone: false, told: new Set(), toTell: new Set() },
    });
  }

  /** A group is about to begin: what the others are done with may have been released by now, and be told of only later. */
  groupBegins({ topic: name }: SubscribedEffect): void {
    for (const facts of this.tensors.values()) {
      const { stream, sequence } = facts;
      const offset = stream.offsets[sequence]!;
      if (facts.wasDone || facts.wasReleased || offset < 0 || stream.stream.spec.topic !== name) continue;
      let groups = 0;
      let done = 0;
      for (const group of this.groupsOf(facts)) {
        groups++;
        if (group.settled.has(offset)) done++;
      }
      facts.wasDone = groups > 0 && done === groups;
    }
  }

  kept(tensor: string): void {
    const facts = this.tensors.get(tensor);
    if (facts === undefined) this.book.fail(oracle, `${tensor} is kept, which nobody announced`, tensor);
    facts.isKept = true;
  }

  lostHeard({ tensor }: TensorLostInput): void {
    const facts = this.tensors.get(tensor);
    if (facts === undefined || facts.wasReleased || facts.isLost) return;
    facts.isLost = true;
    facts.lostMicros = this.book.nowMicros;
    const offset = facts.stream.offsets[facts.sequence]!;
    if (!facts.isKept || offset < 0) return;
    for (const group of this.groupsOf(facts)) if (!group.settled.has(offset)) facts.toTell.add(group.name);
  }

  released({ tensor, cause }: TensorReleasedEffect): void {
    const { nowMicros } = this.book;
    const facts = this.tensors.get(tensor);
    if (facts === undefined) this.book.fail(oracle, `${tensor} is released, which nobody announced`, tensor);
    if (facts.isReleased) this.book.fail(oracle, `${tensor} is released twice`, tensor);
    const offset = facts.stream.offsets[facts.sequence]!;
    const topic = facts.stream.stream.spec.topic;
    if (cause === 'leaseEnd') {
      if (facts.leaseEndMicros < 0 || nowMicros < facts.leaseEndMicros)
        this.book.fail(
          oracle,
          `${tensor} is released as its lease had ended, at ${facts.leaseEndMicros} µs`,
          topic,
          offset,
        );
    } else if (cause === 'lost' && !facts.isLost) {
      this.book.fail(oracle, `${tensor} is released as lost, which nobody said`, topic, offset);
    } else if (offset >= 0 && cause === 'done' && !facts.wasDone && !facts.wasReleased) {
      for (const group of this.groupsOf(facts))
        if (!group.settled.has(offset))
          this.book.fail(
            oracle,
            `${tensor} is released although ${group.name} is not done with it`,
            group.name,
            offset,
          );
    } else if (cause === 'done' && !facts.wasDone && !facts.wasReleased && !this.mayBeOver(facts))
      this.book.fail(oracle, `${tensor} is released before its message is published`, topic);
    facts.isReleased = true;
    facts.wasReleased = true;
  }

  lost(group: GroupFacts, { tensor, offset, cause }: TensorLostEffect): void {
    const { nowMicros } = this.book;
    const facts = this.tensors.get(tensor);
    if (facts === undefined) this.book.fail(oracle, `${tensor} is lost, which nobody announced`, group.name, offset);
    if (facts.told.has(group.name)) this.book.fail(oracle, `told twice that ${tensor} is lost`, group.name, offset);
    facts.told.add(group.name);
    facts.toTell.delete(group.name);
    const isOver = facts.leaseEndMicros >= 0 && nowMicros >= facts.leaseEndMicros;
    if (cause === 'lost' ? !facts.isLost : !isOver)
      this.book.fail(oracle, `told that ${tensor} is lost (${cause}), which it is not`, group.name, offset);
    const sent = facts.stream.offsets[facts.sequence]!;
    const isOwnTopic = group.topic.name === facts.stream.stream.spec.topic;
    if (isOwnTopic && sent >= 0 && sent !== offset)
      this.book.fail(oracle, `told that ${tensor} is lost, which belongs to ${sent}`, group.name, offset);
  }

  delivered(group: GroupFacts, { message, lostTensors }: DeliverEffect): void {
    if (message.tensors.length === 0) return;
    for (const { tensor } of message.tensors) {
      const facts = this.tensors.get(tensor);
      if (facts === undefined) continue;
      const isNamed = lostTensors.includes(tensor);
      const mayBe = facts.isLost || facts.wasReleased || this.isOver(facts);
      if (isNamed && !mayBe)
        this.book.fail(oracle, `${tensor} is called lost, which it is not`, group.name, message.offset);
      // Until the loss is written down it is not told of.
      const isLate = facts.toTell.has(group.name) && this.book.nowMicros > facts.lostMicros + writtenMicros;
      if (isLate) this.book.fail(oracle, `was never told that ${tensor} is lost`, group.name, message.offset);
      if (!isNamed && facts.told.has(group.name))
        this.book.fail(oracle, `${tensor} is lost, and delivered as if it were not`, group.name, message.offset);
    }
  }

  /** The broker forgets what is not durable; what it said may be repeated. */
  down(): void {
    for (const facts of this.tensors.values()) {
      facts.isReleased = false;
      facts.told.clear();
      // Whether the loss was written down before is open.
      facts.toTell.clear();
    }
  }

  /** The first tensor that everybody is done with and that is not released. */
  missing(): string | undefined {
    for (const [tensor, facts] of this.tensors) {
      if (!facts.isKept || facts.wasReleased) continue;
      const offset = facts.stream.offsets[facts.sequence]!;
      if (offset >= 0 || facts.leaseEndMicros >= 0) return `${tensor} is not released`;
    }
    return undefined;
  }

  /** Of a message of which nobody said where it stands. Unless it was confirmed, it was found by an opening, and dropped as late or
   *  skipped before its producer heard of it: then every group is done with an offset of which is not known what stands there. */
  private mayBeOver(facts: TensorFacts): boolean {
    const { stream, sequence } = facts;
    if (stream.confirmed.has(sequence)) return true;
    const topic = this.book.topics.get(stream.stream.spec.topic)!;
    const settled = [...this.groupsOf(facts)].map((group) => group.settled);
    const end = Math.max(0, ...settled.map((offsets) => offsets.end));
    for (let offset = 0; offset < end; offset++)
      if (!topic.isKnown(offset) && settled.every((offsets) => offsets.has(offset))) return true;
    return false;
  }

  private isOver({ leaseEndMicros }: TensorFacts): boolean {
    return leaseEndMicros >= 0 && this.book.nowMicros >= leaseEndMicros;
  }

  private *groupsOf({ stream }: TensorFacts): Generator<GroupFacts> {
    for (const group of this.book.groups.values()) if (group.topic.name === stream.stream.spec.topic) yield group;
  }
}
