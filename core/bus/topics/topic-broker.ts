// The broker of durable topics: a machine without I/O beside the kernel's (decision 0011). What it promises stands in
// topic-protocol.ts; this file routes inputs and completions to the parts that keep the promises, and opens them in order:
// the ledger, then the topics that it names, then their groups, then commits that a crash interrupted.

import { assert, unreachable } from '../../base/assert.ts';
import { PackedReader, PackedWriter } from '../../base/packed-values.ts';
import { accepted, type Refused, refused, type Status } from '../../base/status.ts';
import type { FileCompletion } from '../../ports/file-port.ts';
import { type CommitPart, Commits, type FoundCommit } from './commits.ts';
import { describeTopics, type TopicDescription } from './describe-topics.ts';
import { GroupDirectory } from './group-directory.ts';
import type { GroupEntry } from './group-entry.ts';
import { contentFault, isReason, tensorFault } from './input-checks.ts';
import { Ledger, ledgerStore } from './ledger.ts';
import { MemberInputs } from './member-inputs.ts';
import { TensorTable } from './tensor-table.ts';
import type { Topic } from './topic.ts';
import { TopicDirectory } from './topic-directory.ts';
import { TopicEnvironment } from './topic-environment.ts';
import type { TopicGroup } from './topic-group.ts';
import type {
  PublishInput,
  TopicEffectSink,
  TopicInput,
  TopicMachine,
  TopicMessage,
  TopicStore,
} from './topic-protocol.ts';
import { subjectOf } from './topic-refusal.ts';
import { checkTopicSettings, defaultTopicSettings, isClientName, type TopicSettings } from './topic-settings.ts';

type Phase = 'new' | 'opening' | 'finishing' | 'open';

const version = 1;

export class TopicBroker implements TopicMachine {
  private readonly environment: TopicEnvironment;
  private readonly ledger: Ledger;
  private readonly topics: TopicDirectory;
  private readonly groups: GroupDirectory;
  private readonly tensors: TensorTable;
  private readonly commits: Commits;
  private readonly members: MemberInputs;
  private phase: Phase = 'new';
  private openings = 0;
  private commitsFinished = 0;
  private cutBytes = 0;
  private earlierCutBytes = 0;

  /** `settings` are the defaults with these changed; `seed` is for the jitter of redeliveries. */
  constructor(settings: Partial<TopicSettings>, seed: number) {
    const full = { ...defaultTopicSettings, ...settings };
    checkTopicSettings(full);
    const writer = new PackedWriter();
    this.environment = new TopicEnvironment(full, seed);
    this.ledger = new Ledger(this.environment, this);
    this.topics = new TopicDirectory(this.environment, this.ledger, this, writer);
    const topicOf = (number: number): Topic | undefined => this.topics.numbered(number);
    this.tensors = new TensorTable(this.environment, this.ledger, topicOf);
    this.topics.tensors = this.tensors;
    this.commits = new Commits(this.environment, this.ledger, topicOf, writer);
    this.groups = new GroupDirectory(this.environment, this.ledger, this.topics, this);
    this.members = new MemberInputs(this.environment, this.topics, this.groups, this.tensors, this.commits);
  }

  get digest(): string {
    return this.environment.digest.toHex();
  }

  get isOpen(): boolean {
    return this.phase === 'open' && this.environment.failure === undefined;
  }

  /** What is on the disk, for people to look at; nothing before it is open. */
  describe(): readonly TopicDescription[] {
    return this.isOpen ? describeTopics(this.topics.all, this.groups.all) : [];
  }

  open(nowMicros: number, effects: TopicEffectSink): void {
    assert(this.phase === 'new', 'a broker is opened once');
    this.phase = 'opening';
    this.enter(nowMicros, effects);
    this.ledger.open();
  }

  handle(input: TopicInput, effects: TopicEffectSink): void {
    this.enter(input.timeMicros, effects);
    const status = this.isOpen ? this.take(input) : this.notOpen();
    if (status.ok) return;
    const { client, subject, sequence } = subjectOf(input);
    this.environment.refuse(input.kind, client, subject, sequence, status.code, status.reason);
  }

  complete(store: TopicStore, completion: FileCompletion, nowMicros: number, effects: TopicEffectSink): void {
    if (this.environment.failure !== undefined) return;
    this.enter(nowMicros, effects);
    if (store === ledgerStore) this.ledger.complete(completion);
    else {
      const topic = this.topics.ofStore(store);
      assert(topic !== undefined, 'a completion belongs to a store of this broker');
      topic.storage.complete(completion);
    }
  }

  flush(effects: TopicEffectSink): void {
    if (this.environment.failure !== undefined || this.phase === 'new') return;
    this.environment.sink = effects;
    this.groups.flush();
    this.ledger.flush();
    this.topics.flush();
  }

  nextDeadlineMicros(): number {
    return this.isOpen
      ? (this.environment.deadlines.first?.heapKey ?? Number.POSITIVE_INFINITY)
      : Number.POSITIVE_INFINITY;
  }

  fireDue(nowMicros: number, effects: TopicEffectSink): void {
    this.enter(nowMicros, effects);
    const { deadlines } = this.environment;
    while (this.isOpen) {
      const first = deadlines.first;
      if (first === undefined || first.heapKey > nowMicros) return;
      first.fire(nowMicros);
    }
  }

  maintain(nowMicros: number, effects: TopicEffectSink): void {
    if (this.environment.failure !== undefined || this.phase === 'new') return;
    this.enter(nowMicros, effects);
    this.ledger.maintain();
    if (this.phase === 'opening') return;
    for (const topic of this.topics.all) topic.maintain();
    this.tensors.maintain();
    this.commits.advance();
    for (const group of this.groups.all) if (group.isBlocked) group.pump();
  }

  extendDeadlines(byMicros: number): void {
    assert(byMicros >= 0, 'deadlines are never brought forward');
    for (const group of this.groups.all) group.extendAttempts(byMicros);
  }

  /** For {@link Ledger}: a fact of an earlier life. */
  fact(key: string, value: Uint8Array | undefined): void {
    if (this.readFact(key, value)) return;
    this.environment.fail(ledgerStore, { code: 'SIRA_LOG_CORRUPT', reason: `the fact ${key} cannot be read` });
  }

  ledgerOpened(cutBytes: number, earlierCutBytes: number): void {
    this.cutBytes = cutBytes;
    this.earlierCutBytes = earlierCutBytes;
    this.openings++;
    const fact = new PackedWriter();
    fact.byte(version);
    fact.number(this.openings);
    // Whether it becomes durable or not: an opening that leaves nothing behind may be numbered again.
    this.ledger.append('o', fact.written);
    this.environment.beginRandom(this.openings);
    this.tensors.restored();
    this.topics.openFound();
  }

  /** For {@link TopicDirectory}. */
  topicsReady(cutBytes: number, earlierCutBytes: number): void {
    this.cutBytes += cutBytes;
    this.earlierCutBytes += earlierCutBytes;
    const isWhole = this.groups.openFound() && this.commits.recover((commit) => this.finishFound(commit));
    if (!isWhole) {
      this.environment.fail(ledgerStore, { code: 'SIRA_LOG_CORRUPT', reason: 'a group or a commit cannot be read' });
      return;
    }
    this.phase = 'finishing';
    this.topicDurable();
  }

  topicDurable(): void {
    this.commits.advance();
    if (this.phase === 'finishing' && this.commits.isIdle) this.finishOpening();
  }

  /** For {@link TopicGroup}. */
  groupDirty(group: TopicGroup): void {
    this.groups.groupDirty(group);
  }

  lostTensors(message: TopicMessage): readonly string[] {
    return this.tensors.lostOf(message);
  }

  beginDeadLetter(group: TopicGroup, entry: GroupEntry): Refused | undefined {
    const { message, attempts, attemptEnd: cause, reason } = entry;
    const { offset, producer, sequence } = message;
    const target = this.topics.find(group.topic.terms.deadLetterTopic);
    if (target === undefined) return refused('SIRA_QUEUE_FULL', 'there is no dead-letter topic yet');
    const origin = { topic: group.topic.name, group: group.name, offset, producer, sequence, attempts, cause, reason };
    // It is late or early no more: whoever looks after dead letters wants to see it.
    const content = { ...message, deadlineMicros: undefined, deliverAtMicros: undefined };
    const parts = [{ topic: target, content, origin }];
    const begun = this.commits.begin(group, [offset], parts, (commit, offsets) => {
      this.tellDeadLetter(origin, target.name);
      group.finishCommit(commit, offsets);
    });
    return begun.ok ? undefined : begun;
  }

  private enter(nowMicros: number, effects: TopicEffectSink): void {
    assert(nowMicros >= this.environment.nowMicros, 'time does not run backwards');
    this.environment.nowMicros = nowMicros;
    this.environment.sink = effects;
  }

  private notOpen(): Refused {
    const { failure } = this.environment;
    return refused('SIRA_LOG_CLOSED', failure === undefined ? 'the topics are being opened' : failure.reason);
  }

  private take(input: TopicInput): Status {
    switch (input.kind) {
      case 'publish':
        return this.publish(input);
      case 'acknowledge':
        return this.members.acknowledge(input);
      case 'grant':
        return this.members.grant(input);
      case 'createTopic':
        if (!isClientName(input.topic)) return refused('SIRA_MESSAGE_REFUSED', 'a topic has a name');
        return this.topics.create(input.topic, input.terms);
      case 'subscriberConnected':
        if (!isClientName(input.subscriber)) return refused('SIRA_MESSAGE_REFUSED', 'a subscriber has a name');
        return this.groups.connect(input);
      case 'subscriberDisconnected':
        this.groups.disconnect(input.subscriber, input.connection);
        return accepted;
      case 'subscribe':
        if (!isClientName(input.group)) return refused('SIRA_MESSAGE_REFUSED', 'a group has a name');
        return this.groups.subscribe(input);
      case 'unsubscribe':
        return this.groups.unsubscribe(input);
      case 'reject':
        return this.members.reject(input);
      case 'extend':
        return this.members.extend(input);
      case 'commit':
        return this.members.commit(input);
      case 'seek':
        return this.groups.seek(input);
      case 'tensorOwned': {
        const fault = tensorFault(input, this.environment.settings);
        return fault === undefined ? this.tensors.own(input) : refused('SIRA_MESSAGE_REFUSED', fault);
      }
      case 'tensorLost':
        if (!isReason(input.reason)) return refused('SIRA_MESSAGE_REFUSED', 'a reason is a short text');
        return this.tensors.lose(input);
      case 'tensorReleased':
        return this.tensors.freed(input);
      default:
        return unreachable(input);
    }
  }

  private publish(input: PublishInput): Status {
    if (!isClientName(input.producer)) return refused('SIRA_MESSAGE_REFUSED', 'a producer has a name');
    const topic = this.topics.find(input.topic);
    if (topic === undefined) return refused('SIRA_MESSAGE_REFUSED', 'there is no such topic');
    if (!topic.isReady) return refused('SIRA_QUEUE_FULL', 'the topic is being made');
    const fault = contentFault(input, this.environment.settings) ?? this.tensorRefusal(topic, input);
    return fault === undefined ? topic.publish(input) : refused('SIRA_MESSAGE_REFUSED', fault);
  }

  /** A repeat of what is stored is no new publication of its tensors. */
  private tensorRefusal(topic: Topic, { producer, sequence, tensors }: PublishInput): string | undefined {
    if (tensors === undefined || tensors.length === 0 || topic.producers.isStored(producer, sequence)) return undefined;
    return this.tensors.refusalOf(tensors);
  }

  private readFact(key: string, value: Uint8Array | undefined): boolean {
    switch (key[0]) {
      case 'o':
        return this.readOpenings(value);
      case 't':
      case 'k':
      case 'p':
        return this.topics.fact(key, value);
      case 'g':
      case 'c':
        return this.groups.fact(key, value);
      case 'x':
        this.commits.fact(Number(key.slice(1)), value);
        return true;
      case 'r':
        return this.tensors.restore(key.slice(1), value);
      default:
        return false;
    }
  }

  private readOpenings(value: Uint8Array | undefined): boolean {
    const reader = new PackedReader(value ?? new Uint8Array(0));
    if (reader.byte() !== version) return false;
    this.openings = reader.number();
    return reader.fault === undefined;
  }

  private finishFound({ id, group: number, offsets, deadLetter }: FoundCommit): void {
    this.commitsFinished++;
    const group = this.groups.numbered(number);
    if (group === undefined) this.ledger.append(`x${id}`, undefined);
    else group.settleFound(id, offsets);
    if (deadLetter !== undefined && group !== undefined)
      this.tellDeadLetter(deadLetter, group.topic.terms.deadLetterTopic);
  }

  private tellDeadLetter(
    { group, topic, offset, attempts, cause }: CommitPart['origin'] & object,
    deadLetterTopic: string,
  ): void {
    this.environment.emit({ kind: 'deadLettered', group, topic, offset, attempts, cause, deadLetterTopic });
  }

  private finishOpening(): void {
    if (this.environment.failure !== undefined) return;
    this.phase = 'open';
    let messages = 0;
    let messagesRead = 0;
    for (const topic of this.topics.all) {
      messages += topic.nextOffset - topic.startOffset;
      messagesRead += topic.recoveredCount;
    }
    const { openings, commitsFinished, cutBytes, earlierCutBytes } = this;
    const counts = { topics: this.topics.size, groups: this.groups.size, messages, messagesRead };
    const report = { openings, ...counts, commitsFinished, cutBytes, earlierCutBytes };
    this.environment.emit({ kind: 'topicsOpened', report });
    this.tensors.opened();
  }
}
