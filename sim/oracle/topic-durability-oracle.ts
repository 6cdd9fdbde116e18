// Promise 1 of the durable topics: a message that was said to be published stands at its offset for ever, as its producer made it,
// whatever crashes; and in the end every group has had it. An offset that is given to another message was lost before.

import type { DeliverEffect, PublishedEffect, TopicMessage } from '../../core/bus/topics/topic-protocol.ts';
import { brokerMade, type GroupFacts, type StreamFacts, type TopicFacts } from './topic-model.ts';
import type { TopicRuleBook } from './topic-rule-book.ts';

const oracle = 'topic durability';
/** Given out, and not as it was sent: what nothing excuses, rot least of all. */
const content = 'topic content';

export class TopicDurabilityOracle {
  private readonly book: TopicRuleBook;
  /** The stream that was looked up last. */
  private last: StreamFacts | undefined;

  constructor(book: TopicRuleBook) {
    this.book = book;
  }

  published({ topic: name, producer, sequence, offset, duplicate }: PublishedEffect): void {
    const facts = this.book.streamOf.get(producer);
    const topic = this.book.topics.get(name);
    if (facts === undefined || topic === undefined || name !== facts.stream.spec.topic || !(sequence in facts.offsets))
      this.book.fail(oracle, `${producer} is told that ${sequence} is published, which it never sent`, name);
    facts.confirmed.add(sequence);
    if (!duplicate) this.place(topic, offset, facts, sequence);
  }

  delivered(group: GroupFacts, { message }: DeliverEffect): void {
    const { topic } = group;
    const { offset, producer, publishMicros } = message;
    if (producer.charCodeAt(0) === 126) {
      if (!topic.place(offset, brokerMade, message.sequence))
        this.book.fail(oracle, `holds ${producer} ${message.sequence}, and another message before`, topic.name, offset);
    } else {
      if (this.last?.stream.producer !== producer) this.last = this.book.streamOf.get(producer);
      const facts = this.last;
      if (facts === undefined || facts.stream.spec.topic !== topic.name)
        this.book.fail(content, `holds a message of ${producer}, which never sent there`, topic.name, offset);
      this.place(topic, offset, facts, message.sequence);
      const wrong = difference(facts, message);
      if (wrong !== undefined)
        this.book.fail(content, `${producer} ${message.sequence} is not as it was sent: ${wrong}`, topic.name, offset);
    }
    const former = topic.publishMicros[offset]!;
    if (former >= 0 && former !== publishMicros)
      this.book.fail(oracle, `was published at ${former} and at ${publishMicros} µs`, topic.name, offset);
    topic.publishMicros[offset] = publishMicros;
    if (message.key !== undefined && topic.terms.compaction) {
      if (offset > (topic.lastOfKey.get(message.key) ?? -1)) topic.lastOfKey.set(message.key, offset);
    }
  }

  /** What stands where, once everybody is done: everything confirmed has its place. */
  finish(): void {
    for (const { stream, confirmed, offsets } of this.book.streams.filter((facts) => facts !== undefined)) {
      const topic = this.book.topics.get(stream.spec.topic)!;
      if (topic.terms.compaction || !isReadByAll(this.book, topic)) continue;
      for (let sequence = 1; sequence < offsets.length; sequence++) {
        if (!confirmed.has(sequence) || offsets[sequence]! >= 0 || stream.deadlineMicros(sequence) >= 0) continue;
        this.book.fail(
          oracle,
          `${stream.producer} ${sequence} was said to be published and was never delivered`,
          topic.name,
        );
      }
    }
  }

  private place(topic: TopicFacts, offset: number, facts: StreamFacts, sequence: number): void {
    const former = facts.offsets[sequence];
    if (former !== offset) {
      if (former === undefined) this.book.fail(content, `${sequence} was never sent`, topic.name, offset);
      if (former >= 0)
        this.book.fail(
          'topic once',
          `${facts.stream.producer} ${sequence} is stored, and at offset ${former} too`,
          topic.name,
          offset,
        );
      facts.offsets[sequence] = offset;
    }
    if (!topic.place(offset, facts.stream.index, sequence))
      this.book.fail(
        oracle,
        `holds ${facts.stream.producer} ${sequence}, and another message before, which is lost`,
        topic.name,
        offset,
      );
  }
}

/** Some group began at the first message, was never sent elsewhere, and has skipped nothing. */
function isReadByAll(book: TopicRuleBook, topic: TopicFacts): boolean {
  for (const group of book.groups.values())
    if (group.topic === topic && group.startOffset === 0 && group.epoch === 0 && group.skipped.end === 0) return true;
  return false;
}

function difference({ stream }: StreamFacts, message: TopicMessage): string | undefined {
  const { sequence, key, priority, deadlineMicros, deliverAtMicros, payload, tensors } = message;
  if (key !== stream.key(sequence)) return `its key is ${key}`;
  if (priority !== stream.priority(sequence)) return `its priority is ${priority}`;
  if (deadlineMicros !== stream.deadlineMicros(sequence)) return `its deadline is ${deadlineMicros}`;
  if (deliverAtMicros !== stream.deliverAtMicros(sequence)) return `its time is ${deliverAtMicros}`;
  if (!sameBytes(payload, stream.payload(sequence))) return 'its payload';
  const expected = stream.tensors(sequence);
  if (tensors.length !== (expected?.length ?? 0)) return `it has ${tensors.length} tensors`;
  if (expected === undefined) return undefined;
  for (let index = 0; index < expected.length; index++) {
    const { tensor, sizeBytes, digest } = tensors[index]!;
    const sent = expected[index]!;
    if (tensor !== sent.tensor || sizeBytes !== sent.sizeBytes || !sameBytes(digest, sent.digest)) return 'its tensors';
  }
  return undefined;
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false;
  return true;
}
