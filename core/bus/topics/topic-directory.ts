// The topics of a broker by name and number: made once their fact is durable, opened again from what the ledger says.

import { PackedReader, PackedWriter } from '../../base/packed-values.ts';
import { accepted, refused, type Status } from '../../base/status.ts';
import type { RecoveryReport } from '../../log/log.ts';
import { type Ledger, ledgerStore } from './ledger.ts';
import type { TensorTable } from './tensor-table.ts';
import { Topic } from './topic.ts';
import type { TopicEnvironment } from './topic-environment.ts';
import type { TopicTerms } from './topic-protocol.ts';
import { checkTerms } from './topic-settings.ts';

export interface TopicDirectoryOwner {
  /** All topics that the ledger knew are open. */
  topicsReady(cutBytes: number, earlierCutBytes: number): void;
  topicDurable(topic: Topic): void;
}

interface FoundTopic {
  readonly name: string;
  readonly terms: TopicTerms;
  readonly producers: Map<string, Uint8Array | undefined>;
  checkpointOffset: number;
}

export class TopicDirectory {
  private readonly environment: TopicEnvironment;
  private readonly ledger: Ledger;
  private readonly owner: TopicDirectoryOwner;
  private readonly writer: PackedWriter;
  private readonly byName = new Map<string, Topic>();
  private readonly byNumber = new Map<number, Topic>();
  /** How often the making of a topic was asked for and not answered. */
  private readonly asked = new Map<Topic, number>();
  private readonly found = new Map<number, FoundTopic>();
  private dirty: Topic[] = [];
  private openingCount = 0;
  private cutBytes = 0;
  private earlierCutBytes = 0;
  private isOpen = false;
  /** Set once, before anything is opened: topics and tensors know each other. */
  tensors: TensorTable | undefined;

  constructor(environment: TopicEnvironment, ledger: Ledger, owner: TopicDirectoryOwner, writer: PackedWriter) {
    this.environment = environment;
    this.ledger = ledger;
    this.owner = owner;
    this.writer = writer;
  }

  get all(): Iterable<Topic> {
    return this.byName.values();
  }

  get size(): number {
    return this.byName.size;
  }

  find(name: string): Topic | undefined {
    return this.byName.get(name);
  }

  numbered(number: number): Topic | undefined {
    return this.byNumber.get(number);
  }

  /** The topic of a store such as `topic-7`. */
  ofStore(store: string): Topic | undefined {
    return this.byNumber.get(Number(store.slice('topic-'.length)));
  }

  create(name: string, changes: Partial<TopicTerms>): Status {
    const terms = { ...this.environment.settings.defaultTerms, ...changes };
    const checked = checkTerms(terms);
    if (!checked.ok) return checked;
    if (terms.deadLetterTopic === name)
      return refused('SIRA_MESSAGE_REFUSED', 'a topic is not its own dead-letter topic');
    const known = this.byName.get(name);
    if (known !== undefined) {
      if (!isEqual(known.terms, terms)) return refused('SIRA_MESSAGE_REFUSED', 'the topic has other terms');
      if (known.isReady) this.environment.emit({ kind: 'topicCreated', topic: name, existed: true });
      else this.asked.set(known, (this.asked.get(known) ?? 0) + 1);
      return accepted;
    }
    const { deadLetterTopic } = terms;
    const needed = deadLetterTopic === '' || this.byName.has(deadLetterTopic) ? 1 : 2;
    if (this.byName.size + needed > this.environment.settings.topicCountMax)
      return refused('SIRA_QUEUE_FULL', 'too many topics');
    if (needed === 2) {
      const made = this.make(deadLetterTopic, this.environment.settings.defaultTerms);
      if (!made.ok) return made;
    }
    const made = this.make(name, terms);
    const topic = this.byName.get(name);
    if (made.ok && topic !== undefined) this.asked.set(topic, 1);
    return made;
  }

  /** Facts of topics: `t` and a number its terms, `k` its checkpoint, `p` a producer. False if one is damaged. */
  fact(key: string, value: Uint8Array | undefined): boolean {
    if (value === undefined && key[0] !== 'p') return true;
    const slash = key.indexOf('/');
    const number = Number(key.slice(1, slash < 0 ? undefined : slash));
    const reader = new PackedReader(value ?? new Uint8Array(0));
    if (key[0] === 't') {
      const { name, terms } = (reader.value() ?? {}) as { name?: string; terms?: TopicTerms };
      if (reader.fault !== undefined || name === undefined || terms === undefined) return false;
      const checkpointOffset = 0;
      this.found.set(number, { name, terms, producers: new Map(), checkpointOffset });
      return true;
    }
    const found = this.found.get(number);
    if (found === undefined) return false;
    if (key[0] === 'k') found.checkpointOffset = reader.number();
    else found.producers.set(key.slice(slash + 1), value?.slice());
    return reader.fault === undefined;
  }

  /** All facts were shown. */
  openFound(): void {
    this.openingCount = this.found.size;
    for (const [number, { name, terms, producers, checkpointOffset }] of this.found) {
      const topic = this.add(number, name, terms);
      topic.checkpointOffset = checkpointOffset;
      for (const [producer, value] of producers) {
        if (topic.producers.restore(producer, value)) continue;
        this.environment.fail(ledgerStore, { code: 'SIRA_LOG_CORRUPT', reason: `producer ${producer} of ${name}` });
        return;
      }
    }
    this.found.clear();
    if (this.openingCount === 0) this.finishOpening();
    else for (const topic of [...this.byName.values()]) topic.storage.open();
  }

  topicReady(topic: Topic, report: RecoveryReport): void {
    this.cutBytes += report.cutBytes;
    this.earlierCutBytes += report.earlierCutBytes;
    if (this.isOpen) {
      const { name } = topic;
      for (let count = this.asked.get(topic) ?? 0; count > 0; count--)
        this.environment.emit({ kind: 'topicCreated', topic: name, existed: false });
      this.asked.delete(topic);
      // Commits may have waited for it.
      this.owner.topicDurable(topic);
      return;
    }
    this.openingCount--;
    if (this.openingCount === 0) this.finishOpening();
  }

  topicDurable(topic: Topic): void {
    this.owner.topicDurable(topic);
  }

  topicDirty(topic: Topic): void {
    this.dirty.push(topic);
  }

  flush(): void {
    if (this.dirty.length === 0) return;
    const { dirty } = this;
    this.dirty = [];
    for (const topic of dirty) topic.flush();
  }

  private finishOpening(): void {
    this.isOpen = true;
    this.owner.topicsReady(this.cutBytes, this.earlierCutBytes);
  }

  private make(name: string, terms: TopicTerms): Status {
    const number = this.byName.size;
    const fact = new PackedWriter();
    fact.value({ name, terms });
    const made = this.ledger.append(`t${number}`, fact.written, () => this.byNumber.get(number)?.storage.open());
    if (made.ok) this.add(number, name, terms);
    return made;
  }

  private add(number: number, name: string, terms: TopicTerms): Topic {
    const tensors = this.tensors as TensorTable;
    const topic = new Topic(number, name, terms, this.environment, this.ledger, tensors, this, this.writer);
    this.byName.set(name, topic);
    this.byNumber.set(number, topic);
    return topic;
  }
}

function isEqual(left: TopicTerms, right: TopicTerms): boolean {
  return (Object.keys(left) as (keyof TopicTerms)[]).every((name) => left[name] === right[name]);
}
