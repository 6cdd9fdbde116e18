// A log: records appended at the end, read by offset or time, kept in segments over a file port. The journal and the durable
// topics are this. Promises: `logDurable` is pushed only for what is on the disk; after a crash everything that was so
// announced is there again; a record is given out only if its checksum holds; memory is bounded by the settings, however long
// the log is. It does no I/O: operations leave as effects, completions come in, and the same calls in the same order do the
// same. One owner, one log, one folder; what the records mean is the owner's business.

import { assert } from '../base/assert.ts';
import { type FaultSwitch, noFaults } from '../base/fault-points.ts';
import { accepted, acceptedWith, type Refused, type Result, refused, type Status } from '../base/status.ts';
import type { FileCompletion } from '../ports/file-port.ts';
import { compact, verifyAll } from './compact.ts';
import { type FileTask, FileTasks } from './file-tasks.ts';
import type { LogEffectSink } from './log-effects.ts';
import { checkLogSettings, defaultLogSettings, type LogSettings } from './log-settings.ts';
import { LogWriter } from './log-writer.ts';
import { findTime, ReadPlaces, type ReadRequest, readRecords } from './read-records.ts';
import { keyBytesMax, recordKind, recordLength } from './record.ts';
import { recover } from './recover.ts';
import type { SegmentTable } from './segment-table.ts';
import { isExpired, trim } from './trim.ts';

export type { LogFault } from './file-tasks.ts';
export type { LogEffect, LogEffectSink } from './log-effects.ts';
export { defaultLogSettings, type LogSettings } from './log-settings.ts';
export type { ReadRequest } from './read-records.ts';
export type { LogRecord } from './record.ts';
export type { RecoveryReport } from './recover.ts';

/** What is appended. */
export interface LogMessage {
  /** Not before that of the message before it. */
  readonly timeMicros: number;
  /** Up to 65,534 bytes. Compaction keeps the last message of each key. */
  readonly key?: Uint8Array | undefined;
  /** `undefined`: a tombstone; its key has no value any more. It needs a key. */
  readonly value: Uint8Array | undefined;
}

export type LogState = 'new' | 'opening' | 'open' | 'closing' | 'closed' | 'failed';

export class Log {
  readonly settings: LogSettings;
  private readonly faults: FaultSwitch;
  private readonly tasks = new FileTasks();
  private readonly places = new ReadPlaces();
  private readonly holds = new Map<string, number>();
  private table: SegmentTable | undefined;
  private writer: LogWriter | undefined;
  private currentState: LogState = 'new';
  private next = 0;
  private lastTime = 0;
  private readCount = 0;
  private maintains = false;

  /** `settings` are the defaults with these changed. */
  constructor(settings: Partial<LogSettings> = {}, faults: FaultSwitch = noFaults) {
    this.faults = faults;
    this.settings = { ...defaultLogSettings, ...settings };
    checkLogSettings(this.settings);
  }

  get state(): LogState {
    return this.writer?.fault === undefined ? this.currentState : 'failed';
  }

  /** Of the first record kept. */
  get startOffset(): number {
    return this.opened.startOffset;
  }

  /** Exclusive: below it everything is on the disk. */
  get durableEnd(): number {
    return this.opened.endOffset;
  }

  /** Of the next message that is appended. */
  get nextOffset(): number {
    return this.next;
  }

  /** Of the last message appended. */
  get lastTimeMicros(): number {
    return this.lastTime;
  }

  /** Of all files of the log. */
  get sizeBytes(): number {
    return this.opened.sizeBytes;
  }

  /** Of the files that hold records from `offset` on. */
  bytesFrom(offset: number): number {
    let bytes = 0;
    for (const segment of this.opened.all) if (segment.lastOffset > offset) bytes += segment.sizeBytes;
    return bytes;
  }

  /** Bytes appended that are not on the disk yet. */
  get pendingBytes(): number {
    return this.writer?.pendingBytes ?? 0;
  }

  /** Operations asked for whose completions have not come: none may be under way when another log takes over the folder. */
  get operationCount(): number {
    return this.tasks.count;
  }

  /** Why appends wait, `undefined` if they do not. */
  get stalledReason(): string | undefined {
    return this.writer?.stalledReason;
  }

  /** Files and offsets, oldest first: for people, tests and tools. */
  get segments(): readonly { readonly file: string; readonly baseOffset: number; readonly codeHash: string }[] {
    return this.opened.all;
  }

  /** Opens what is in the folder, or begins a new log. Answered by `logOpened` or `logOpenFailed`. */
  open(nowMicros: number, effects: LogEffectSink): void {
    assert(this.currentState === 'new', 'a log is opened once');
    this.currentState = 'opening';
    this.tasks.start(recover(this.settings, nowMicros), effects, (recovery, sink: LogEffectSink) => {
      if (!recovery.ok) {
        this.currentState = 'failed';
        sink.push({ kind: 'logOpenFailed', fault: recovery.fault });
        return;
      }
      const { table, report } = recovery.value;
      this.table = table;
      this.writer = new LogWriter(this.settings, table, this.tasks, nowMicros, this.faults);
      this.next = report.nextOffset;
      this.lastTime = report.lastTimeMicros;
      this.currentState = 'open';
      sink.push({ kind: 'logOpened', report });
      this.writer.work(sink);
    });
  }

  /**
   * Appends a message; its offset, or why not: SIRA_QUEUE_FULL when too much waits for the disk, SIRA_LOG_CLOSED when the log
   * is not open or has failed. It is on the disk once a `logDurable` with a larger `endOffset` comes. Without `effects` the
   * writing is not begun: whoever appends several at one instant calls `flush` after the last, so that the first does not go
   * alone while the others wait for its sync.
   */
  append(message: LogMessage, effects?: LogEffectSink): Result<number> {
    const { key, value, timeMicros } = message;
    assert(key !== undefined || value !== undefined, 'a tombstone needs a key');
    assert((key?.length ?? 0) <= keyBytesMax, 'a key has at most 65,534 bytes');
    const admitted = this.admits(value?.length ?? 0, key?.length ?? 0);
    if (!admitted.ok) return admitted;
    assert(timeMicros >= this.lastTime && Number.isSafeInteger(timeMicros), 'times do not fall');
    const writer = this.writer!;
    const offset = this.next;
    writer.buffer.add(value === undefined ? recordKind.tombstone : recordKind.value, offset, timeMicros, key, value);
    this.next = offset + 1;
    this.lastTime = timeMicros;
    if (effects !== undefined) writer.work(effects);
    return acceptedWith(offset);
  }

  /** Whether a message with so many bytes would be appended now; if not, why: see {@link append}. */
  admits(valueBytes: number, keyBytes = 0): Status {
    if (this.state !== 'open') return this.notOpen();
    const { recordBytesMax, pendingBytesMax } = this.settings;
    assert(keyBytes + valueBytes <= recordBytesMax, 'a record has at most recordBytesMax bytes');
    const { pendingBytes, stalledReason } = this.writer!;
    if (pendingBytes + recordLength(keyBytes, valueBytes) <= pendingBytesMax) return accepted;
    const why = stalledReason === undefined ? '' : ` (${stalledReason})`;
    return refused('SIRA_QUEUE_FULL', `${pendingBytes} bytes wait for the disk, the maximum${why}`);
  }

  /** Begins to write what was appended, unless a write is under way, which it follows anyway. */
  flush(effects: LogEffectSink): void {
    if (this.state === 'open') this.writer!.work(effects);
  }

  /** What the file port answered. May be called in any state that has operations under way. */
  complete(completion: FileCompletion, effects: LogEffectSink): void {
    this.tasks.complete(completion, effects);
    if (this.currentState === 'closing' && this.writer!.isClosed) this.currentState = 'closed';
  }

  /** Reads durable records. Answered by `logRead` or `logReadFailed`; refused with SIRA_QUEUE_FULL when too many read. */
  read(request: ReadRequest, effects: LogEffectSink): Result<undefined> {
    assert(request.recordsMax >= 1 && request.bytesMax >= 1, 'a read asks for something');
    const { id } = request;
    const begun = this.beginRead();
    if (!begun.ok) return begun;
    if (this.faults.fires('log.lostPlaces')) this.places.clear();
    if (this.faults.fires('log.lostIndexes')) this.opened.dropIndexes();
    const asked = this.faults.fires('log.shortRead') ? { ...request, recordsMax: 1 } : request;
    this.tasks.start(readRecords(this.opened, this.places, asked), effects, (result, sink: LogEffectSink) => {
      this.readCount--;
      if (result.ok) sink.push({ kind: 'logRead', id, records: result.records, nextOffset: result.nextOffset });
      else sink.push({ kind: 'logReadFailed', id, fault: result.fault });
    });
    return begun;
  }

  /** Finds the first durable record of `timeMicros` or later. Answered by `logTimeFound` or `logReadFailed`. */
  findTime(id: number, timeMicros: number, effects: LogEffectSink): Result<undefined> {
    const begun = this.beginRead();
    if (!begun.ok) return begun;
    this.tasks.start(findTime(this.opened, timeMicros), effects, (result, sink: LogEffectSink) => {
      this.readCount--;
      if (result.ok) sink.push({ kind: 'logTimeFound', id, offset: result.offset });
      else sink.push({ kind: 'logReadFailed', id, fault: result.fault });
    });
    return begun;
  }

  /** Keeps every record from `offset` on, whatever the retention says, until moved or released. Not kept across openings. */
  hold(name: string, offset: number): void {
    this.holds.set(name, offset);
  }

  release(name: string): void {
    this.holds.delete(name);
  }

  /** Time passes. Call it regularly, a few times a minute: retention, segments closed by age, another try on a full disk. */
  maintain(nowMicros: number, effects: LogEffectSink): void {
    if (this.state !== 'open') return;
    const { opened, settings } = this;
    this.writer!.maintain(nowMicros, effects);
    const isNeeded = opened.garbage.size > 0 || isExpired(opened, settings, nowMicros, this.heldOffset());
    if (this.maintains || !isNeeded) return;
    const task = trim(opened, settings, nowMicros, () => this.heldOffset());
    this.runMaintenance(task, effects, ({ removedBytes, startOffset, fault }, sink) => {
      if (fault === undefined) {
        if (removedBytes > 0) sink.push({ kind: 'logTrimmed', startOffset, removedBytes });
      } else sink.push({ kind: 'logMaintenanceFailed', fault });
      this.writer!.retry(sink);
    });
  }

  /** Compacts the closed segments. Answered by `logCompacted` or `logMaintenanceFailed`; false if other maintenance is under way. */
  compact(nowMicros: number, effects: LogEffectSink): boolean {
    if (this.state !== 'open' || this.maintains) return false;
    this.runMaintenance(compact(this.opened, this.settings, nowMicros), effects, (outcome, sink) => {
      if (outcome.ok) sink.push({ kind: 'logCompacted', ...outcome.value });
      else sink.push({ kind: 'logMaintenanceFailed', fault: outcome.fault });
      this.writer!.retry(sink);
    });
    return true;
  }

  /** Reads and checks every closed segment. Answered by `logVerified`; false if other maintenance is under way. */
  verify(effects: LogEffectSink): boolean {
    if (this.state !== 'open' || this.maintains) return false;
    this.runMaintenance(verifyAll(this.opened), effects, (faults, sink) => sink.push({ kind: 'logVerified', faults }));
    return true;
  }

  /** Closes the active segment and begins another once what waits is written: before a snapshot, or for compaction. */
  roll(effects: LogEffectSink): void {
    if (this.state === 'open') this.writer!.roll(effects);
  }

  /** Writes what waits, then ends; answered by `logClosed`. Not needed for safety: a crash loses nothing that is durable. */
  close(effects: LogEffectSink): void {
    assert(this.state === 'open', 'only an open log is closed');
    this.currentState = 'closing';
    this.writer!.close(effects);
  }

  private get opened(): SegmentTable {
    assert(this.table !== undefined, 'the log is not open yet');
    return this.table;
  }

  private heldOffset(): number {
    let held = this.opened.endOffset;
    for (const offset of this.holds.values()) held = Math.min(held, offset);
    return held;
  }

  private beginRead(): Result<undefined> {
    if (this.table === undefined || this.currentState === 'closed') return this.notOpen();
    const { readsMax } = this.settings;
    if (this.readCount >= readsMax) return refused('SIRA_QUEUE_FULL', `${readsMax} reads are under way, the maximum`);
    this.readCount++;
    return acceptedWith(undefined);
  }

  private notOpen(): Refused {
    const fault = this.writer?.fault;
    return refused(
      'SIRA_LOG_CLOSED',
      fault === undefined ? `the log is ${this.state}` : `the log failed: ${fault.reason}`,
    );
  }

  private runMaintenance<T>(
    task: FileTask<T>,
    effects: LogEffectSink,
    whenDone: (result: T, sink: LogEffectSink) => void,
  ): void {
    this.maintains = true;
    this.tasks.start(task, effects, (result, sink: LogEffectSink) => {
      this.maintains = false;
      whenDone(result, sink);
    });
  }
}
