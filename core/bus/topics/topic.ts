// One durable topic: its log, the newest messages in memory, its producers, and who reads it. Promises: `published` leaves only
// for what is on the disk; (producer, sequence) is stored once, across openings too; what a group still needs stays, unless the
// terms say otherwise and then the group is told. Delivering is the groups' business.

import { PackedWriter } from '../../base/packed-values.ts';
import { accepted, type Result, refused, type Status } from '../../base/status.ts';
import type { RecoveryReport } from '../../log/log.ts';
import { HotMessages } from './hot-messages.ts';
import type { Ledger } from './ledger.ts';
import { messageOf, readMessage, readMessageBytes, writeMessage } from './message-record.ts';
import type { TensorTable } from './tensor-table.ts';
import type { TopicEnvironment } from './topic-environment.ts';
import { type ReadAnswer, TopicLog, type TopicLogOwner } from './topic-log.ts';
import { TopicProducers } from './topic-producers.ts';
import type { PublishInput, SkippedEffect, TopicMessage, TopicTerms } from './topic-protocol.ts';

/** A group, as its topic sees it. */
export interface TopicReader {
  readonly name: string;
  /** Everything below is settled. */
  readonly floorOffset: number;
  /** Everything below is settled, durably: the rest stays. */
  readonly neededOffset: number;
  /** Whether it will never be delivered any more, unless the group seeks. */
  isSettled(offset: number): boolean;
  /** Who has it in hand. */
  holderOf(offset: number): { readonly name: string } | undefined;
  /** Messages became durable. */
  pump(): void;
  /** Messages below `offset` are gone, or are to go. */
  skipTo(offset: number, cause: SkippedEffect['cause']): void;
}

export interface TopicOwner {
  topicReady(topic: Topic, report: RecoveryReport): void;
  topicDurable(topic: Topic): void;
  /** Something is to be written at the next flush. */
  topicDirty(topic: Topic): void;
}

interface Duplicate {
  readonly endOffset: number;
  readonly producer: string;
  readonly sequence: number;
}

interface Checkpoint {
  readonly endOffset: number;
  readonly records: readonly { readonly name: string; readonly value: Uint8Array | undefined }[];
}

/** Repeats, or groups and seeks, that wait for the disk. */
const waitingMax = 65_536;
const recoveryRecords = 4096;
const recoveryBytes = 1024 * 1024;

export class Topic implements TopicLogOwner {
  readonly number: number;
  readonly name: string;
  readonly terms: TopicTerms;
  readonly readers: TopicReader[] = [];
  readonly storage: TopicLog;
  readonly producers: TopicProducers;
  readonly hot: HotMessages;
  isReady = false;
  /** Something was appended since the last flush. */
  private isDirty = false;
  /** Where the last durable checkpoint stands: an opening reads from here. */
  checkpointOffset = 0;
  recoveredCount = 0;
  private readonly environment: TopicEnvironment;
  private readonly ledger: Ledger;
  private readonly tensors: TensorTable;
  private readonly owner: TopicOwner;
  private readonly writer: PackedWriter;
  private readonly encoder = new TextEncoder();
  private report: RecoveryReport | undefined;
  /** Exclusive: durable and answered; groups read up to here. */
  readableEnd = 0;
  private duplicates: Duplicate[] = [];
  private waiting: { readonly offset: number; readonly action: () => void }[] = [];
  private checkpoint: Checkpoint | undefined;
  private isCheckpointing = false;
  /** Lower bound of the readers' floors. */
  private backlogFloor = 0;

  constructor(
    number: number,
    name: string,
    terms: TopicTerms,
    environment: TopicEnvironment,
    ledger: Ledger,
    tensors: TensorTable,
    owner: TopicOwner,
    writer: PackedWriter,
  ) {
    this.number = number;
    this.name = name;
    this.terms = terms;
    this.environment = environment;
    this.ledger = ledger;
    this.tensors = tensors;
    this.owner = owner;
    this.writer = writer;
    this.storage = new TopicLog(environment, `topic-${number}`, terms, this);
    this.producers = new TopicProducers(environment.settings);
    this.hot = new HotMessages(environment.settings.hotMessagesMax, environment.settings.hotBytesMax);
  }

  get startOffset(): number {
    return this.storage.log.startOffset;
  }

  get nextOffset(): number {
    return this.storage.log.nextOffset;
  }

  get durableEnd(): number {
    return this.storage.log.durableEnd;
  }

  /** Stores a message; `published` follows when it is durable. */
  publish(input: PublishInput): Status {
    const { environment, producers } = this;
    const look = producers.look(input, environment.nowMicros);
    switch (look) {
      case 'duplicate': {
        const { producer, sequence } = input;
        // Its first copy may still be on its way to the disk.
        if (this.durableEnd === this.nextOffset) this.reportDuplicate(producer, sequence);
        else if (this.duplicates.length >= waitingMax)
          return refused('SIRA_QUEUE_FULL', 'too many repeats wait for the disk');
        else this.duplicates.push({ endOffset: this.nextOffset, producer, sequence });
        return accepted;
      }
      case 'full':
        return refused('SIRA_QUEUE_FULL', 'the topic remembers its maximum of producers');
      case 'beyond':
        return refused('SIRA_QUEUE_FULL', 'the sequence is too far ahead of the lowest missing one');
      case 'malformed':
        return refused('SIRA_MESSAGE_REFUSED', 'a sequence is a whole number above 0 and above the settled one');
      default: {
        const room = this.makeRoom();
        if (!room.ok) return room;
        const { writer } = this;
        const settled = input.settledSequence ?? -1;
        writer.clear();
        writeMessage(writer, input.producer, input.sequence, settled, input, undefined);
        const timeMicros = this.stamp();
        const { log } = this.storage;
        const appended = log.append({ timeMicros, key: this.recordKey(input.key), value: writer.written });
        if (!appended.ok) return appended;
        this.stored(messageOf(appended.value, timeMicros, input.producer, input.sequence, settled, input));
        return accepted;
      }
    }
  }

  /** Stores a message made by the broker, unless it is stored already: its offset, −1 if it was there. */
  append(bytes: Uint8Array): Result<number> {
    const timeMicros = this.stamp();
    const message = readMessageBytes(bytes, this.nextOffset, timeMicros);
    if (typeof message === 'string') return refused('SIRA_LOG_CORRUPT', message);
    if (this.producers.isStored(message.producer, message.sequence)) return { ok: true, value: -1 };
    const appended = this.storage.log.append({ timeMicros, key: this.recordKey(message.key), value: bytes });
    if (appended.ok) this.stored(message);
    return appended;
  }

  /** Whether a message would find room; drops the oldest where the terms say so. */
  makeRoom(): Status {
    const { backlogMessagesMax, backlogBytesMax, whenFull } = this.terms;
    if (this.readers.length === 0) return accepted;
    if (this.nextOffset - this.backlogFloor >= backlogMessagesMax) {
      this.backlogFloor = this.readers.reduce((least, reader) => Math.min(least, reader.floorOffset), this.nextOffset);
      if (this.nextOffset - this.backlogFloor >= backlogMessagesMax) {
        if (whenFull === 'refuse')
          return refused('SIRA_QUEUE_FULL', `${backlogMessagesMax} messages wait, the maximum`);
        // A sixteenth at a time, so that not every publication pays for it.
        this.dropTo(this.nextOffset - Math.ceil(backlogMessagesMax * (15 / 16)) + 1);
      }
    }
    if (backlogBytesMax === Number.POSITIVE_INFINITY) return accepted;
    const { log } = this.storage;
    const floor = this.readers.reduce((least, reader) => Math.min(least, reader.floorOffset), this.nextOffset);
    if (floor === this.nextOffset || log.bytesFrom(floor) + log.pendingBytes < backlogBytesMax) return accepted;
    if (whenFull === 'refuse') return refused('SIRA_QUEUE_FULL', `${backlogBytesMax} bytes wait, the maximum`);
    const behind = log.segments.find((segment) => segment.baseOffset > floor);
    this.dropTo(behind?.baseOffset ?? floor + Math.ceil((this.nextOffset - floor) / 2));
    return accepted;
  }

  /** The first message kept that was published at `timeMicros` or later, the end if there is none. */
  findTime(timeMicros: number, take: (offset: number) => void): Status {
    return this.storage.findTime(timeMicros, (found) => {
      let offset = Math.max(found, this.startOffset);
      // Behind what is durable come those that are not yet, all of them in memory.
      if (offset >= this.readableEnd)
        while (offset < this.nextOffset && this.hot.at(offset).publishMicros < timeMicros) offset++;
      take(offset);
    });
  }

  /** Calls `action` once everything below `offset` is durable: now, if it is. */
  whenDurable(offset: number, action: () => void): Status {
    if (offset <= this.readableEnd) action();
    else if (this.waiting.length >= waitingMax) return refused('SIRA_QUEUE_FULL', 'too much waits for the disk');
    else this.waiting.push({ offset, action });
    return accepted;
  }

  addReader(reader: TopicReader): void {
    this.readers.push(reader);
    this.backlogFloor = 0;
    this.holdNeeded();
  }

  removeReader(reader: TopicReader): void {
    this.readers.splice(this.readers.indexOf(reader), 1);
    this.holdNeeded();
    this.tensors.readersMoved(this);
  }

  /** What some reader needs, durably, has changed. */
  readerMoved(): void {
    this.holdNeeded();
    this.tensors.readersMoved(this);
  }

  /** The lowest offset that somebody needs, the end if nobody does. */
  get neededOffset(): number {
    let needed = this.durableEnd;
    for (const reader of this.readers) needed = Math.min(needed, reader.neededOffset);
    return needed;
  }

  flush(): void {
    this.isDirty = false;
    this.storage.flush();
  }

  maintain(): void {
    if (!this.isReady) return;
    this.storage.maintain(this.checkpointOffset);
    this.writeCheckpoint();
  }

  logOpened(report: RecoveryReport): void {
    this.report = report;
    this.readableEnd = report.nextOffset;
    this.checkpointOffset = Math.max(this.checkpointOffset, report.startOffset);
    this.recover(this.checkpointOffset);
  }

  durable(endOffset: number): void {
    if (!this.isReady) return;
    for (let offset = this.readableEnd; offset < endOffset; offset++) {
      const { producer, sequence } = this.hot.at(offset);
      if (producer.charCodeAt(0) === 126) continue;
      this.environment.emit({ kind: 'published', topic: this.name, producer, sequence, offset, duplicate: false });
    }
    this.readableEnd = endOffset;
    if (this.duplicates.length > 0) this.reportDuplicates(endOffset);
    this.hot.trim(endOffset);
    if (this.waiting.length > 0) this.wakeWaiting(endOffset);
    for (const reader of this.readers) reader.pump();
    this.owner.topicDurable(this);
    if (this.checkpoint !== undefined) this.writeCheckpoint();
    else if (this.nextOffset - this.checkpointOffset >= this.environment.settings.checkpointMessages)
      this.beginCheckpoint();
  }

  trimmed(startOffset: number): void {
    for (const reader of this.readers) if (reader.floorOffset < startOffset) reader.skipTo(startOffset, 'retention');
    this.tensors.readersMoved(this);
  }

  private stamp(): number {
    return Math.max(this.environment.nowMicros, this.storage.log.lastTimeMicros);
  }

  private recordKey(key: string | undefined): Uint8Array | undefined {
    return this.terms.compaction && key !== undefined ? this.encoder.encode(key) : undefined;
  }

  private stored(message: TopicMessage): void {
    const { producer, sequence, settledSequence, publishMicros } = message;
    this.producers.note(producer, sequence, settledSequence, publishMicros);
    if (message.tensors.length > 0) this.tensors.refer(this, message);
    this.hot.add(message, this.durableEnd);
    if (this.isDirty) return;
    this.isDirty = true;
    this.owner.topicDirty(this);
  }

  private reportDuplicate(producer: string, sequence: number): void {
    this.environment.emit({ kind: 'published', topic: this.name, producer, sequence, offset: -1, duplicate: true });
  }

  private reportDuplicates(endOffset: number): void {
    const due = this.duplicates.findIndex((duplicate) => duplicate.endOffset > endOffset);
    const count = due < 0 ? this.duplicates.length : due;
    for (const { producer, sequence } of this.duplicates.splice(0, count)) this.reportDuplicate(producer, sequence);
  }

  private wakeWaiting(endOffset: number): void {
    const { waiting } = this;
    this.waiting = waiting.filter(({ offset }) => offset > endOffset);
    for (const { offset, action } of waiting) if (offset <= endOffset) action();
  }

  private dropTo(wanted: number): void {
    // Not beyond what is durable: a cursor must not count what may yet be lost.
    const offset = Math.min(wanted, this.readableEnd);
    for (const reader of this.readers) if (reader.floorOffset < offset) reader.skipTo(offset, 'backlog');
    this.backlogFloor = this.readers.reduce((least, reader) => Math.min(least, reader.floorOffset), this.nextOffset);
  }

  private holdNeeded(): void {
    const { log } = this.storage;
    if (!this.terms.retentionOverridesGroups && this.readers.length > 0) log.hold('groups', this.neededOffset);
    else log.release('groups');
  }

  /** Reads what came since the last checkpoint: producers, tensors, and the newest messages for the groups. */
  private recover(fromOffset: number): void {
    if (fromOffset >= this.durableEnd) {
      this.finishRecovery();
      return;
    }
    this.storage.read(fromOffset, recoveryRecords, recoveryBytes, (answer) => this.takeRecovered(answer));
  }

  private takeRecovered(answer: ReadAnswer): void {
    if (!answer.ok) {
      this.environment.fail(this.storage.store, answer.fault);
      return;
    }
    for (const record of answer.records) {
      const message = readMessage(record);
      if (typeof message === 'string') {
        const reason = `${this.name}, offset ${record.offset}: ${message}`;
        this.environment.fail(this.storage.store, { code: 'SIRA_LOG_CORRUPT', reason });
        return;
      }
      this.producers.recover(message);
      if (message.tensors.length > 0) this.tensors.refer(this, message);
      this.hot.add(message, message.offset);
      this.recoveredCount++;
    }
    this.recover(answer.nextOffset);
  }

  private finishRecovery(): void {
    if (this.hot.endOffset !== this.nextOffset) {
      this.hot.firstOffset = this.nextOffset;
      this.hot.endOffset = this.nextOffset;
    }
    this.isReady = true;
    this.storage.log.hold('checkpoint', this.checkpointOffset);
    this.holdNeeded();
    this.owner.topicReady(this, this.report as RecoveryReport);
  }

  /** Takes down the producers as of now; written once every message that they count is durable. */
  private beginCheckpoint(): void {
    if (this.isCheckpointing) return;
    this.isCheckpointing = true;
    this.checkpoint = { endOffset: this.nextOffset, records: this.producers.takeRecords() };
    this.writeCheckpoint();
  }

  private writeCheckpoint(): void {
    const { checkpoint, ledger } = this;
    if (checkpoint === undefined || checkpoint.endOffset > this.durableEnd) return;
    if (!this.tensors.writeDirty()) return;
    for (const { name, value } of checkpoint.records) if (!ledger.append(`p${this.number}/${name}`, value).ok) return;
    const { endOffset } = checkpoint;
    const mark = new PackedWriter();
    mark.number(endOffset);
    const written = ledger.append(`k${this.number}`, mark.written, () => {
      this.isCheckpointing = false;
      this.checkpointOffset = endOffset;
      this.storage.log.hold('checkpoint', endOffset);
    });
    // Refused while too much waits for the disk: written again from its beginning, which changes nothing.
    if (written.ok) this.checkpoint = undefined;
  }
}
