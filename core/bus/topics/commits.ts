// Exactly once: offsets of a group are settled and results are published, both or neither. One record of the ledger decides; the
// results are appended after it, under sequences of the broker's own so that a repeat is recognized, and only when they are
// durable are the offsets settled and the record ended. What a crash interrupts is finished at the next opening. Dead letters
// are commits that the broker makes itself.

import { PackedReader, PackedWriter } from '../../base/packed-values.ts';
import { accepted, refused, type Status } from '../../base/status.ts';
import type { Ledger } from './ledger.ts';
import { readMessageBytes, writeMessage } from './message-record.ts';
import type { Topic } from './topic.ts';
import type { TopicEnvironment } from './topic-environment.ts';
import type { TopicGroup } from './topic-group.ts';
import type { DeadLetterOrigin, MessageContent } from './topic-protocol.ts';

/** What is to be published. */
export interface CommitPart {
  readonly topic: Topic;
  readonly content: MessageContent;
  readonly origin: DeadLetterOrigin | undefined;
}

interface StoredPart {
  readonly topicNumber: number;
  readonly bytes: Uint8Array;
}

interface Commit {
  readonly id: number;
  readonly group: number;
  readonly offsets: readonly number[];
  readonly parts: readonly StoredPart[];
  readonly whenDone: (offsets: readonly number[]) => void;
  appendedCount: number;
  /** Where each topic must be durable up to. */
  readonly ends: Map<Topic, number>;
}

/** A commit of an earlier life that was decided, and may not be finished. */
export interface FoundCommit {
  readonly id: number;
  readonly group: number;
  readonly offsets: readonly number[];
  readonly deadLetter: DeadLetterOrigin | undefined;
}

const version = 1;

export class Commits {
  private readonly environment: TopicEnvironment;
  private readonly ledger: Ledger;
  private readonly topicOf: (number: number) => Topic | undefined;
  private readonly writer: PackedWriter;
  /** Decided, in order; those before `appendFrom` have all their results appended. */
  private decided: Commit[] = [];
  private appendFrom = 0;
  /** Begun and not finished, and the bytes of their results. */
  private count = 0;
  private bytes = 0;
  private nextId = 1;
  /** By topic's number and group's name: the last sequence given to a result. */
  private readonly sequences = new Map<string, number>();
  private readonly found = new Map<number, Uint8Array>();
  private isAdvancing = false;

  constructor(
    environment: TopicEnvironment,
    ledger: Ledger,
    topicOf: (number: number) => Topic | undefined,
    writer: PackedWriter,
  ) {
    this.environment = environment;
    this.ledger = ledger;
    this.topicOf = topicOf;
    this.writer = writer;
  }

  /** Decides a commit; `whenDone` once it is durable as a whole. */
  begin(
    group: TopicGroup,
    offsets: readonly number[],
    parts: readonly CommitPart[],
    whenDone: (commit: number, offsets: readonly number[]) => void,
  ): Status {
    if (this.count >= this.environment.settings.commitCountMax)
      return refused('SIRA_QUEUE_FULL', 'too many commits are under way');
    if (this.count > 0 && this.bytes >= this.environment.settings.commitBytesMax)
      return refused('SIRA_QUEUE_FULL', 'too many bytes are being committed');
    const given = new Map<string, number>();
    const stored = parts.map((part) => this.encodePart(group.name, part, given));
    const id = this.nextId;
    const commit: Commit = {
      ...{ id, group: group.id, offsets, parts: stored, appendedCount: 0, ends: new Map() },
      whenDone: (settled) => whenDone(id, settled),
    };
    const written = this.ledger.append(`x${id}`, encodeCommit(commit), () => {
      this.decided.push(commit);
      this.advance();
    });
    if (!written.ok) return written;
    this.nextId++;
    this.count++;
    this.bytes += bytesOf(commit);
    for (const [key, sequence] of given) this.sequences.set(key, sequence);
    return accepted;
  }

  /** Appends results that could not be appended before, and finishes what is durable. */
  advance(): void {
    if (this.isAdvancing || this.decided.length === 0) return;
    this.isAdvancing = true;
    while (this.appendFrom < this.decided.length && this.appendParts(this.decided[this.appendFrom] as Commit))
      this.appendFrom++;
    while (this.appendFrom > 0 && isDurable(this.decided[0] as Commit)) {
      const commit = this.decided.shift() as Commit;
      this.appendFrom--;
      this.count--;
      this.bytes -= bytesOf(commit);
      commit.whenDone(commit.offsets);
    }
    this.isAdvancing = false;
  }

  fact(id: number, value: Uint8Array | undefined): void {
    this.nextId = Math.max(this.nextId, id + 1);
    if (value === undefined) this.found.delete(id);
    else this.found.set(id, value.slice());
  }

  /** Finishes the commits of earlier lives: `whenDone` for each, in their order. False if one is damaged. */
  recover(whenDone: (commit: FoundCommit) => void): boolean {
    for (const [id, value] of [...this.found].sort(([left], [right]) => left - right)) {
      const decoded = decodeCommit(value);
      if (decoded === undefined) return false;
      const { group, offsets, parts } = decoded;
      const first = parts[0];
      const message = first === undefined ? undefined : readMessageBytes(first.bytes, 0, 0);
      const deadLetter = typeof message === 'object' ? message.origin : undefined;
      const commit: Commit = {
        ...{ id, group, offsets, parts, appendedCount: 0, ends: new Map() },
        whenDone: () => whenDone({ id, group, offsets, deadLetter }),
      };
      this.count++;
      this.bytes += bytesOf(commit);
      this.decided.push(commit);
    }
    this.found.clear();
    return true;
  }

  get isIdle(): boolean {
    return this.decided.length === 0;
  }

  private encodePart(group: string, { topic, content, origin }: CommitPart, given: Map<string, number>): StoredPart {
    const { writer } = this;
    const producer = `~${group}`;
    const key = `${topic.number}/${group}`;
    const last = given.get(key) ?? Math.max(this.sequences.get(key) ?? 0, topic.producers.watermarkOf(producer));
    given.set(key, last + 1);
    writer.clear();
    writeMessage(writer, producer, last + 1, -1, content, origin);
    return { topicNumber: topic.number, bytes: writer.written.slice() };
  }

  /** Whether all are appended now. */
  private appendParts(commit: Commit): boolean {
    for (; commit.appendedCount < commit.parts.length; commit.appendedCount++) {
      const { topicNumber, bytes } = commit.parts[commit.appendedCount] as StoredPart;
      const topic = this.topicOf(topicNumber);
      if (topic === undefined || !topic.isReady) return false;
      const appended = topic.append(bytes);
      if (!appended.ok) return false;
      // One that was there already may still be on its way to the disk.
      commit.ends.set(topic, topic.nextOffset);
    }
    return true;
  }
}

function bytesOf({ parts }: Commit): number {
  let bytes = 0;
  for (const part of parts) bytes += part.bytes.length;
  return bytes;
}

function isDurable(commit: Commit): boolean {
  for (const [topic, end] of commit.ends) if (topic.readableEnd < end) return false;
  return true;
}

function encodeCommit({ group, offsets, parts }: Commit): Uint8Array {
  const writer = new PackedWriter();
  writer.byte(version);
  writer.number(group);
  writer.number(offsets.length);
  for (const offset of offsets) writer.number(offset);
  writer.number(parts.length);
  for (const { topicNumber, bytes } of parts) {
    writer.number(topicNumber);
    writer.number(bytes.length);
    writer.raw(bytes);
  }
  return writer.written;
}

function decodeCommit(
  bytes: Uint8Array,
): { readonly group: number; readonly offsets: number[]; readonly parts: StoredPart[] } | undefined {
  const reader = new PackedReader(bytes);
  if (reader.byte() !== version) return undefined;
  const group = reader.number();
  const offsets: number[] = [];
  for (let left = reader.length(); left > 0 && reader.fault === undefined; left--) offsets.push(reader.number());
  const parts: StoredPart[] = [];
  for (let left = reader.length(2); left > 0 && reader.fault === undefined; left--) {
    const topicNumber = reader.number();
    parts.push({ topicNumber, bytes: reader.raw(reader.length()) });
  }
  return reader.fault === undefined ? { group, offsets, parts } : undefined;
}
