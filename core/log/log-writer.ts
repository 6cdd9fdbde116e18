// Writes to the active segment: one step after another, each begun as soon as the last has ended, so that everything that was
// appended during a sync shares the next one (natural group commit). Promises that `endOffset` in `logDurable` covers only
// records that a completed sync covers, and that nothing is written after a failed write or sync. A full disk is no failure:
// the batch is kept, its torn beginning is cut away, and it is tried again.

import { assert } from '../base/assert.ts';
import type { FaultSwitch } from '../base/fault-points.ts';
import { accepted, type Refused, type Status } from '../base/status.ts';
import { AppendBuffer, type Batch } from './append-buffer.ts';
import { ask, type FileTask, type FileTasks, type LogFault } from './file-tasks.ts';
import type { LogEffectSink } from './log-effects.ts';
import type { LogSettings } from './log-settings.ts';
import { finishRecord, recordHeaderBytes, recordKind, writeRecord } from './record.ts';
import type { Segment } from './segment.ts';
import type { SegmentTable } from './segment-table.ts';
import { createSegment, segmentEnd } from './write-segment.ts';

export class LogWriter {
  readonly buffer = new AppendBuffer();
  private readonly settings: LogSettings;
  private readonly table: SegmentTable;
  private readonly tasks: FileTasks;
  private readonly faults: FaultSwitch;
  /** Of the file on the disk: what is synced, and behind it marks. */
  private writtenBytes: number;
  /** The largest durable end that a synced record carries. */
  private provenBytes = 0;
  /** The last end that was reported. */
  private reportedOffset: number;
  private batch: Batch | undefined;
  /** Bytes of a failed append may stand behind `writtenBytes`. */
  private tornTail = false;
  private isSealed = false;
  private isBusy = false;
  private rollWanted = false;
  private markWanted = false;
  private closeWanted = false;
  private nowMicros: number;
  stalledReason: string | undefined;
  fault: LogFault | undefined;
  isClosed = false;

  constructor(settings: LogSettings, table: SegmentTable, tasks: FileTasks, nowMicros: number, faults: FaultSwitch) {
    this.settings = settings;
    this.table = table;
    this.tasks = tasks;
    this.faults = faults;
    this.nowMicros = nowMicros;
    this.writtenBytes = table.active.sizeBytes;
    this.reportedOffset = table.endOffset;
    // A segment names one code: another begins its own.
    this.rollWanted = table.active.codeHash !== settings.codeHash;
  }

  /** Bytes that wait, those on their way included. */
  get pendingBytes(): number {
    return this.buffer.lengthBytes + (this.batch?.bytes.length ?? 0);
  }

  /** Begins a step if there is something to do and none is under way. */
  work(effects: LogEffectSink): void {
    if (this.isBusy || this.stalledReason !== undefined || this.fault !== undefined || this.isClosed) return;
    const step = this.nextStep();
    if (step === undefined) return;
    this.isBusy = true;
    this.tasks.start(step, effects, (outcome, sink: LogEffectSink) => {
      this.isBusy = false;
      this.conclude(outcome, sink);
      this.work(sink);
    });
  }

  /** Time passes: what waits for room is tried again, an old segment is closed, the last batch gets its proof. */
  maintain(nowMicros: number, effects: LogEffectSink): void {
    this.nowMicros = nowMicros;
    const { active } = this.table;
    const isOld = nowMicros - active.createdMicros >= this.settings.segmentAgeMaxMicros;
    if (isOld && active.lastOffset > active.baseOffset) this.rollWanted = true;
    if (this.provenBytes < active.sizeBytes && active.lastOffset > active.baseOffset) this.markWanted = true;
    this.retry(effects);
  }

  /** There may be room again. */
  retry(effects: LogEffectSink): void {
    if (this.stalledReason !== undefined && !this.isBusy) {
      this.stalledReason = undefined;
      effects.push({ kind: 'logResumed' });
    }
    this.work(effects);
  }

  /** Closes the active segment and begins another, once what waits now is written. */
  roll(effects: LogEffectSink): void {
    if (this.table.active.lastOffset > this.table.active.baseOffset || this.pendingBytes > 0) this.rollWanted = true;
    this.work(effects);
  }

  close(effects: LogEffectSink): void {
    this.closeWanted = true;
    this.work(effects);
  }

  private nextStep(): FileTask<Status> | undefined {
    if (this.tornTail) return this.cutTail();
    if (this.batch !== undefined) return this.flush(this.batch);
    const { active } = this.table;
    const isFull = active.sizeBytes >= this.settings.segmentBytesMax;
    const isEnding = this.closeWanted && this.buffer.lengthBytes === 0;
    if (this.isSealed || ((isFull || this.rollWanted) && !isEnding)) return this.rollOver();
    if (this.buffer.lengthBytes > 0) {
      const room = this.settings.segmentBytesMax - this.writtenBytes;
      this.batch = this.buffer.take(
        room,
        active.sizeBytes,
        this.writtenBytes,
        active.index!,
        this.faults.fires('log.oneRecord'),
      );
      return this.flush(this.batch);
    }
    if (this.closeWanted) return this.seal(true);
    return this.markWanted ? this.mark() : undefined;
  }

  private conclude(outcome: Status, effects: LogEffectSink): void {
    if (outcome.ok) {
      const { endOffset } = this.table;
      if (endOffset > this.reportedOffset) {
        this.reportedOffset = endOffset;
        effects.push({ kind: 'logDurable', endOffset });
      }
      if (this.isClosed) effects.push({ kind: 'logClosed' });
    } else if (outcome.code === 'SIRA_DISK_FULL') {
      this.stalledReason = outcome.reason;
      effects.push({ kind: 'logStalled', reason: outcome.reason });
    } else {
      this.fault = { code: outcome.code, reason: outcome.reason, file: this.table.active.file };
      effects.push({ kind: 'logFailed', endOffset: this.table.endOffset, fault: this.fault });
    }
  }

  private *flush(batch: Batch): FileTask<Status> {
    const { active } = this.table;
    const { file } = active;
    const durableBefore = active.sizeBytes;
    const appended = yield* this.append(file, batch.bytes);
    if (!appended.ok) return appended;
    const synced = yield* ask({ kind: 'sync', file });
    if (!synced.ok) return fatal(synced);
    this.writtenBytes += batch.bytes.length;
    this.provenBytes = durableBefore;
    active.sizeBytes = this.writtenBytes;
    active.dataEnd = this.writtenBytes;
    active.lastOffset = batch.endOffset;
    active.lastTimeMicros = batch.lastTimeMicros;
    this.buffer.release(batch);
    this.batch = undefined;
    if (this.faults.fires('log.earlyRoll')) this.rollWanted = true;
    if (this.faults.fires('log.earlyMark')) this.markWanted = true;
    return accepted;
  }

  /** Proves the last batch durable, for a recovery that finds it damaged. Need not be on the disk itself, so is not synced. */
  private *mark(): FileTask<Status> {
    const { active } = this.table;
    const bytes = new Uint8Array(recordHeaderBytes);
    writeRecord(bytes, 0, recordKind.mark, active.lastOffset, active.lastTimeMicros, undefined, undefined);
    finishRecord(bytes, 0, active.sizeBytes);
    this.markWanted = false;
    this.provenBytes = active.sizeBytes;
    const appended = yield* this.append(active.file, bytes);
    if (appended.ok) this.writtenBytes += bytes.length;
    // A mark that finds no room is done without.
    return appended.ok || appended.code === 'SIRA_DISK_FULL' ? accepted : appended;
  }

  private *rollOver(): FileTask<Status> {
    if (!this.isSealed) {
      const sealed = yield* this.seal(false);
      if (!sealed.ok) return sealed;
    }
    const { active } = this.table;
    const made = yield* createSegment(
      {
        baseOffset: active.lastOffset,
        generation: this.table.nextGeneration(),
        endOffset: -1,
        createdMicros: Math.max(this.nowMicros, active.lastTimeMicros),
        codeHash: this.settings.codeHash,
        cutBytes: 0,
      },
      active.lastTimeMicros,
      this.settings.indexEveryBytes,
    );
    if (!made.ok) return made;
    this.begin(made.value);
    return accepted;
  }

  private *seal(isLast: boolean): FileTask<Status> {
    const { active } = this.table;
    const { lastOffset, lastTimeMicros, file, sizeBytes } = active;
    const bytes = segmentEnd(active.index!, lastOffset, lastTimeMicros, this.writtenBytes, sizeBytes);
    const appended = yield* this.append(file, bytes);
    if (!appended.ok) {
      // The seal is a proof for the last batch; a log that finds no room for it ends without.
      this.isClosed = isLast && appended.code === 'SIRA_DISK_FULL';
      return this.isClosed ? accepted : appended;
    }
    const synced = yield* ask({ kind: 'sync', file });
    if (!synced.ok) return fatal(synced);
    active.dataEnd = this.writtenBytes;
    active.sizeBytes = this.writtenBytes + bytes.length;
    this.isSealed = true;
    if (isLast) this.isClosed = true;
    return accepted;
  }

  private begin(segment: Segment): void {
    this.table.push(segment);
    this.writtenBytes = segment.sizeBytes;
    this.provenBytes = segment.sizeBytes;
    this.isSealed = false;
    this.rollWanted = false;
    this.markWanted = false;
  }

  private *append(file: string, bytes: Uint8Array): FileTask<Status> {
    const appended = yield* ask({ kind: 'append', file, bytes });
    if (appended.ok) return accepted;
    if (appended.code === 'SIRA_DISK_FULL') this.tornTail = true;
    return appended;
  }

  private *cutTail(): FileTask<Status> {
    assert(!this.isSealed, 'a closed segment has no torn tail');
    const cut = yield* ask({ kind: 'truncate', file: this.table.active.file, size: this.writtenBytes });
    if (!cut.ok) return fatal(cut);
    this.tornTail = false;
    return accepted;
  }
}

/** A failed sync is never tried again: what it left on the disk is unknown, and the next might succeed without writing it. */
function fatal(refusal: Refused): Refused {
  return refusal.code === 'SIRA_DISK_FULL' ? { ...refusal, code: 'SIRA_DISK_FAILED' } : refusal;
}
