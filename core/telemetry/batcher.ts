// Between a kernel that never waits and a store that may be slow or away: gathers rows into batches, has several of them written
// at once, and keeps its own copy of each until the store has acknowledged it. A write that is not answered in time, or fails, is
// done again, after a wait that grows; the store's keys make the same rows twice one row, so that nothing is lost and nothing
// doubled. While the store is away, batches go to the disk. Memory and disk are bounded: beyond them rows are refused and
// counted, never waited for. Sans-I/O: it asks with effects, is told with calls, and reads no clock.

import { assert } from '../base/assert.ts';
import { RowBuffer, type TelemetryBatch } from './rows.ts';
import type { TableName, TelemetryRow } from './tables.ts';

export interface BatcherSettings {
  /** A batch is closed at so many rows, or this long after its first row. */
  readonly batchRowsMax: number;
  readonly lingerMicros: number;
  /** Writes at once. */
  readonly inFlightMax: number;
  /** A write that takes longer has failed; should it be acknowledged later, that counts. */
  readonly deadlineMicros: number;
  readonly retryFirstMicros: number;
  readonly retryMaxMicros: number;
  /** Rows in memory, at most. While the store is away, batches leave for the disk from half of it on. */
  readonly memoryRowsMax: number;
  readonly spillBytesMax: number;
}

export const defaultBatcherSettings: BatcherSettings = {
  batchRowsMax: 4096,
  lingerMicros: 500_000,
  inFlightMax: 4,
  deadlineMicros: 15_000_000,
  retryFirstMicros: 100_000,
  retryMaxMicros: 10_000_000,
  memoryRowsMax: 200_000,
  spillBytesMax: 4 * 1024 ** 3,
};

export type BatcherEffect =
  /** Answer with {@link TelemetryBatcher.written} or {@link TelemetryBatcher.failed}. */
  | { readonly kind: 'write'; readonly batch: number; readonly rows: TelemetryBatch<TableName> }
  /** Answer with {@link TelemetryBatcher.spilled}. */
  | { readonly kind: 'spill'; readonly batch: number; readonly rows: TelemetryBatch<TableName> }
  /** Answer with {@link TelemetryBatcher.loaded}. */
  | { readonly kind: 'load'; readonly batch: number }
  /** The spilled batch is in the store. */
  | { readonly kind: 'forget'; readonly batch: number }
  /** The store will never take it: keep it apart for a person to look at. */
  | { readonly kind: 'setAside'; readonly batch: number; readonly rows: TelemetryBatch<TableName> };

export interface BatcherSink {
  push(effect: BatcherEffect): unknown;
}

/** A batch that an earlier process left on the disk. */
export interface SpilledBatch {
  readonly batch: number;
  readonly count: number;
  readonly bytes: number;
}

export interface BatcherCounts {
  /** Rows acknowledged by the store, refused for want of room, set aside because the store will not have them, lost on the disk. */
  readonly written: number;
  readonly refused: number;
  readonly setAside: number;
  readonly lost: number;
  readonly memoryRows: number;
  readonly spilledBatches: number;
  readonly spilledBytes: number;
  /** Writes that failed or took too long. */
  readonly failures: number;
}

interface Batch {
  readonly batch: number;
  readonly count: number;
  /** Undefined while it is on the disk alone. */
  rows: TelemetryBatch<TableName> | undefined;
  /** On the disk; 0 if it is not there. */
  bytes: number;
  state: 'waits' | 'writes' | 'spills' | 'loads';
  /** Of the write. */
  deadlineMicros: number;
  /** Acknowledged while it was on its way to or from the disk: forgotten when that is done. */
  isWritten: boolean;
}

interface OpenBuffer {
  readonly buffer: RowBuffer<TableName>;
  readonly sealMicros: number;
}

export class TelemetryBatcher {
  private readonly settings: BatcherSettings;
  private readonly open = new Map<TableName, OpenBuffer>();
  /** In the order in which they were closed. */
  private readonly batches = new Map<number, Batch>();
  private lastBatch = 0;
  private memoryRows = 0;
  private inFlight = 0;
  private moving = 0;
  private spilledBytes = 0;
  private spilledBatches = 0;
  private isAway = false;
  private retryMicros = 0;
  private tryAtMicros = 0;
  /** The disk took nothing: not again before this. */
  private spillAtMicros = 0;
  private writtenRows = 0;
  private refusedRows = 0;
  private asideRows = 0;
  private lostRows = 0;
  private failures = 0;
  private isStopping = false;

  constructor(settings: BatcherSettings, spilled: readonly SpilledBatch[] = []) {
    assert(settings.memoryRowsMax >= 4 * settings.batchRowsMax, 'memory holds a few batches');
    this.settings = settings;
    for (const { batch, count, bytes } of spilled) {
      this.batches.set(batch, {
        batch,
        count,
        rows: undefined,
        bytes,
        state: 'waits',
        deadlineMicros: 0,
        isWritten: false,
      });
      this.spilledBytes += bytes;
      this.spilledBatches++;
      this.lastBatch = Math.max(this.lastBatch, batch);
    }
  }

  get counts(): BatcherCounts {
    return {
      written: this.writtenRows,
      refused: this.refusedRows,
      setAside: this.asideRows,
      lost: this.lostRows,
      memoryRows: this.memoryRows,
      spilledBatches: this.spilledBatches,
      spilledBytes: this.spilledBytes,
      failures: this.failures,
    };
  }

  /** True if every row taken has been acknowledged, or set aside. */
  get isEmpty(): boolean {
    return this.memoryRows === 0 && this.batches.size === 0;
  }

  /** True if every row taken is in the store or on the disk. */
  get isSafe(): boolean {
    return this.memoryRows === 0;
  }

  /** Takes a row; false, and the row counts as refused, if there is no room. */
  add<Table extends TableName>(table: Table, row: TelemetryRow<Table>, nowMicros: number, sink: BatcherSink): boolean {
    if (this.memoryRows >= this.settings.memoryRowsMax) {
      this.refusedRows++;
      return false;
    }
    let open = this.open.get(table);
    if (open === undefined) {
      open = { buffer: new RowBuffer<TableName>(table), sealMicros: nowMicros + this.settings.lingerMicros };
      this.open.set(table, open);
    }
    open.buffer.add(row as TelemetryRow<TableName>);
    this.memoryRows++;
    if (open.buffer.count >= this.settings.batchRowsMax) {
      this.seal(table, open);
      this.pump(nowMicros, sink);
    }
    return true;
  }

  /** Time passes. */
  tick(nowMicros: number, sink: BatcherSink): void {
    for (const [table, open] of this.open) if (open.sealMicros <= nowMicros) this.seal(table, open);
    for (const batch of this.batches.values()) {
      if (batch.state !== 'writes' || batch.deadlineMicros > nowMicros) continue;
      this.stopWriting(batch);
      this.backOff(nowMicros);
    }
    this.pump(nowMicros, sink);
  }

  /** Closes every batch now: after this only answers are awaited. */
  flush(nowMicros: number, sink: BatcherSink): void {
    for (const [table, open] of this.open) this.seal(table, open);
    this.pump(nowMicros, sink);
  }

  /** From now on whatever is not acknowledged goes to the disk; see {@link isSafe}. */
  stop(nowMicros: number, sink: BatcherSink): void {
    this.isStopping = true;
    this.flush(nowMicros, sink);
  }

  /** Whoever was asked is gone, and answers nothing any more: it is all asked again. What was on its way to the disk is not there. */
  interrupted(nowMicros: number, sink: BatcherSink): void {
    for (const batch of this.batches.values()) batch.state = 'waits';
    this.inFlight = 0;
    this.moving = 0;
    for (const batch of [...this.batches.values()]) if (batch.isWritten) this.remove(batch, sink);
    this.backOff(nowMicros);
    this.pump(nowMicros, sink);
  }

  written(number: number, nowMicros: number, sink: BatcherSink): void {
    const batch = this.batches.get(number);
    // An answer that came too late, to a batch that was written again meanwhile.
    if (batch === undefined) return;
    if (batch.state === 'writes') this.inFlight--;
    this.isAway = false;
    this.retryMicros = 0;
    this.writtenRows += batch.count;
    if (batch.state === 'spills' || batch.state === 'loads') batch.isWritten = true;
    else this.remove(batch, sink);
    this.pump(nowMicros, sink);
  }

  /** `isLasting`: the store refuses the rows themselves. */
  failed(number: number, isLasting: boolean, nowMicros: number, sink: BatcherSink): void {
    const batch = this.batches.get(number);
    if (batch?.state !== 'writes') return;
    this.stopWriting(batch);
    if (isLasting) {
      this.asideRows += batch.count;
      sink.push({ kind: 'setAside', batch: number, rows: batch.rows as TelemetryBatch<TableName> });
      this.remove(batch, sink);
    } else this.backOff(nowMicros);
    this.pump(nowMicros, sink);
  }

  /** The batch is on the disk, `bytes` long; 0 if it could not be written there. */
  spilled(number: number, bytes: number, nowMicros: number, sink: BatcherSink): void {
    const batch = this.batches.get(number);
    if (batch?.state !== 'spills') return;
    this.moving--;
    batch.state = 'waits';
    if (bytes > 0) {
      batch.bytes = bytes;
      this.spilledBytes += bytes;
      this.spilledBatches++;
      this.memoryRows -= batch.count;
      batch.rows = undefined;
    } else this.spillAtMicros = nowMicros + this.settings.retryMaxMicros;
    if (batch.isWritten) this.remove(batch, sink);
    this.pump(nowMicros, sink);
  }

  /** The rows of a batch that was on the disk; undefined if they cannot be read any more. */
  loaded(number: number, rows: TelemetryBatch<TableName> | undefined, nowMicros: number, sink: BatcherSink): void {
    const batch = this.batches.get(number);
    if (batch?.state !== 'loads') return;
    this.moving--;
    batch.state = 'waits';
    if (batch.isWritten) this.remove(batch, sink);
    else if (rows === undefined) {
      this.lostRows += batch.count;
      this.remove(batch, sink);
    } else {
      batch.rows = rows;
      this.memoryRows += batch.count;
    }
    this.pump(nowMicros, sink);
  }

  private seal(table: TableName, { buffer }: OpenBuffer): void {
    this.open.delete(table);
    const batch = ++this.lastBatch;
    const { count } = buffer;
    this.batches.set(batch, {
      batch,
      count,
      rows: buffer.seal(),
      bytes: 0,
      state: 'waits',
      deadlineMicros: 0,
      isWritten: false,
    });
  }

  /** Starts what may start now: writes, oldest first, and moves to and from the disk. */
  private pump(nowMicros: number, sink: BatcherSink): void {
    const { inFlightMax, deadlineMicros, memoryRowsMax } = this.settings;
    // While the store is away, one write at a time finds out whether it is back.
    const writesMax = this.isStopping && this.isAway ? 0 : this.isAway ? 1 : inFlightMax;
    for (const batch of this.batches.values()) {
      if (this.inFlight + this.loading >= writesMax || nowMicros < this.tryAtMicros) break;
      if (batch.state !== 'waits') continue;
      if (batch.rows === undefined) {
        if (this.isStopping) continue;
        this.moving++;
        batch.state = 'loads';
        sink.push({ kind: 'load', batch: batch.batch });
      } else {
        this.inFlight++;
        batch.state = 'writes';
        batch.deadlineMicros = nowMicros + deadlineMicros;
        sink.push({ kind: 'write', batch: batch.batch, rows: batch.rows });
      }
    }
    if (!this.isAway || nowMicros < this.spillAtMicros || (!this.isStopping && this.memoryRows < memoryRowsMax / 2))
      return;
    for (const batch of this.batches.values()) {
      if (this.moving >= inFlightMax || this.spilledBytes >= this.settings.spillBytesMax) break;
      if (batch.state !== 'waits' || batch.rows === undefined) continue;
      if (batch.bytes > 0) {
        // It is on the disk already.
        batch.rows = undefined;
        this.memoryRows -= batch.count;
        continue;
      }
      this.moving++;
      batch.state = 'spills';
      sink.push({ kind: 'spill', batch: batch.batch, rows: batch.rows });
    }
  }

  private get loading(): number {
    let count = 0;
    if (this.moving > 0) for (const { state } of this.batches.values()) if (state === 'loads') count++;
    return count;
  }

  private stopWriting(batch: Batch): void {
    this.inFlight--;
    batch.state = 'waits';
  }

  private backOff(nowMicros: number): void {
    const { retryFirstMicros, retryMaxMicros } = this.settings;
    this.failures++;
    this.isAway = true;
    this.retryMicros = Math.min(retryMaxMicros, Math.max(retryFirstMicros, this.retryMicros * 2));
    this.tryAtMicros = nowMicros + this.retryMicros;
  }

  private remove(batch: Batch, sink: BatcherSink): void {
    this.batches.delete(batch.batch);
    if (batch.rows !== undefined) this.memoryRows -= batch.count;
    if (batch.bytes === 0) return;
    this.spilledBytes -= batch.bytes;
    this.spilledBatches--;
    sink.push({ kind: 'forget', batch: batch.batch });
  }
}
