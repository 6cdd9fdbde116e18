// The journal of a kernel on its disk: the ordered log of inputs, and the snapshots that a replay begins from. Promises: the
// inputs that it hands back are those appended, in order and without a gap, from the newest whole snapshot on, or it does not
// open and says why; inputs are replayed only by the code that wrote them; segments that no kept snapshot needs may go. Whose
// kernel it is, and what may leave when, is journaled-kernel.ts's business. It does no I/O.

import { assert } from '../base/assert.ts';
import { type FaultSwitch, noFaults } from '../base/fault-points.ts';
import { PackedReader, PackedWriter } from '../base/packed-values.ts';
import type { Status } from '../base/status.ts';
import {
  Log,
  type LogEffect,
  type LogFault,
  type LogRecord,
  type LogSettings,
  type RecoveryReport,
} from '../log/log.ts';
import { type Snapshot, type SnapshotEffect, SnapshotStore } from '../log/snapshot-store.ts';
import type { FileCompletion, FileOperation } from '../ports/file-port.ts';
import { type EffectMarks, marksBytesMax, readMarks, writeMarks } from './effect-marks.ts';
import type { Effect } from './effects.ts';
import { readInput, writeInput } from './input-codec.ts';
import type { Input } from './inputs.ts';

export interface JournalSettings {
  /** Of the deterministic code: up to 64 printable ASCII characters. Stamped on segments and snapshots. */
  readonly codeHash: string;
  /** A snapshot is taken after so many inputs, … */
  readonly snapshotInputs: number;
  /** … or with the first input that comes so long after the last one. */
  readonly snapshotMicros: number;
  /** The newest so many are kept, with all inputs that follow the oldest of them. */
  readonly snapshotsKept: number;
  /** Inputs that wait for the disk; beyond it no more are taken. */
  readonly heldInputsMax: number;
  /** Whether each input is kept with marks of its effects, against which a replay proves that it does the same. */
  readonly marksEffects: boolean;
  /** `retainBytesMax`: closed segments that no snapshot needs stay while all together are not larger. */
  readonly log: Partial<Omit<LogSettings, 'codeHash' | 'firstOffset'>>;
}

export const defaultJournalSettings: JournalSettings = {
  codeHash: '',
  snapshotInputs: 50_000,
  snapshotMicros: 60_000_000,
  snapshotsKept: 2,
  heldInputsMax: 10_000,
  // A simulated run is its own record: it is proven by being played twice.
  marksEffects: false,
  log: { retainBytesMax: 1024 ** 3 },
};

/** Two folders: one for the log, one for the snapshots. */
export type JournalStore = 'log' | 'snapshots';

export interface JournalFileEffect {
  readonly kind: 'file';
  readonly store: JournalStore;
  readonly operation: FileOperation;
}

export interface JournalFileSink {
  push(effect: JournalFileEffect): unknown;
}

/** What opening found. */
export interface JournalReport {
  /** Of the snapshot that the replay began from: it holds the inputs up to this one. */
  readonly snapshotSequence: number;
  /** Of the last input. */
  readonly lastSequence: number;
  /** Newer snapshots that are damaged. */
  readonly snapshotFaults: readonly LogFault[];
  readonly log: RecoveryReport;
}

/** The kernel's side. Called during the journal's own calls; `effects` is what was given to them. */
export interface JournalOwner {
  /** No snapshot and no input is there: the body of a first snapshot. */
  begin(): Uint8Array;
  restore(body: Uint8Array): void;
  /** `releasedSequence`: the effects of inputs up to this one had left when the input was appended. `marks`: of the effects
   *  that it had then, if they were kept. */
  replay(input: Input, releasedSequence: number, marks: EffectMarks | undefined): void;
  opened(report: JournalReport, effects: JournalFileSink): void;
  /** Inputs up to this one are on the disk. */
  durable(sequence: number, effects: JournalFileSink): void;
  /** The disk is full, or is tried again. */
  stalled(reason: string | undefined, effects: JournalFileSink): void;
  failed(fault: LogFault, effects: JournalFileSink): void;
}

/** Of the body of a snapshot. */
export const snapshotSchemaVersion = 1;
const readRecordsMax = 1000;
const readBytesMax = 1024 * 1024;

export class Journal {
  private readonly settings: JournalSettings;
  private readonly owner: JournalOwner;
  private readonly log: Log;
  private readonly snapshots: SnapshotStore;
  private readonly writer = new PackedWriter();
  private readonly envelope = new PackedWriter();
  /** Bytes before the input that was prepared. */
  private preparedHead = 0;
  private readonly input: Input = { sequence: 0, timeMicros: 0, body: { kind: 'timeReached' } };
  private found: { readonly snapshot: Snapshot | undefined; readonly faults: readonly LogFault[] } | undefined;
  private recovery: RecoveryReport | undefined;
  private isOpen = false;
  /** Offsets of the snapshots written since the opening. */
  private readonly kept: number[] = [];
  private sink: JournalFileSink | undefined;
  private nowMicros = 0;
  private readonly logSink = { push: (effect: LogEffect): void => this.logSaid(effect) };
  private readonly snapshotSink = { push: (effect: SnapshotEffect): void => this.snapshotsSaid(effect) };
  /** Snapshots that could not be written. */
  snapshotFailures = 0;
  isWritingSnapshot = false;

  constructor(settings: JournalSettings, owner: JournalOwner, faults: FaultSwitch = noFaults) {
    this.settings = settings;
    this.owner = owner;
    this.log = new Log({ ...settings.log, codeHash: settings.codeHash, firstOffset: 0 }, faults);
    this.snapshots = new SnapshotStore(settings.snapshotsKept);
  }

  /** Bytes that wait for the disk. */
  get pendingBytes(): number {
    return this.log.pendingBytes;
  }

  /** Of all files of the log. */
  get sizeBytes(): number {
    return this.log.sizeBytes;
  }

  /** Finds out what there is; calls `begin`, or `restore` and `replay`, then `opened`; or `failed`. `sequenceMax`: begin with
   *  a snapshot that holds no later input. */
  open(nowMicros: number, effects: JournalFileSink, sequenceMax = Number.MAX_SAFE_INTEGER): void {
    this.nowMicros = nowMicros;
    this.with(effects, () => this.snapshots.readLatest(this.snapshotSink, sequenceMax));
  }

  complete(store: JournalStore, completion: FileCompletion, nowMicros: number, effects: JournalFileSink): void {
    this.nowMicros = nowMicros;
    this.with(effects, () => {
      if (store === 'log') this.log.complete(completion, this.logSink);
      else this.snapshots.complete(completion, this.snapshotSink);
    });
  }

  /** Whether an input can be appended now, or SIRA_QUEUE_FULL or SIRA_LOG_CLOSED. To be asked before the input is handled, which
   *  may change it: what it was now is what {@link append} appends. */
  prepare(input: Input, releasedSequence: number): Status {
    const { writer, settings } = this;
    const lag = input.sequence - 1 - releasedSequence;
    writer.clear();
    // Below zero, marks follow.
    writer.number(settings.marksEffects ? -1 - lag : lag);
    this.preparedHead = writer.written.length;
    writeInput(writer, input.body);
    return this.log.admits(writer.written.length + (settings.marksEffects ? marksBytesMax : 0));
  }

  /** Appends the input that was prepared last, without beginning to write: see {@link flush}. `effects` are the input's, and
   *  `digestWords` is the kernel's after it, if the settings ask for marks. */
  append(input: Input, effects: readonly Effect[], digestWords: readonly [number, number] | undefined): void {
    assert((digestWords !== undefined) === this.settings.marksEffects, 'it was prepared for marks, or for none');
    const value = digestWords === undefined ? this.writer.written : this.withMarks(effects, digestWords);
    const appended = this.log.append({ timeMicros: input.timeMicros, value });
    assert(appended.ok && appended.value === input.sequence - 1, 'offsets and sequences go together');
  }

  /** Begins to write what was appended, unless a write is under way, which it follows anyway. */
  flush(effects: JournalFileSink): void {
    this.with(effects, () => this.log.flush(this.logSink));
  }

  /** Writes a snapshot that holds all inputs up to `sequence`. They must be durable, and their effects must have left. */
  writeSnapshot(sequence: number, timeMicros: number, body: Uint8Array, effects: JournalFileSink): void {
    assert(!this.isWritingSnapshot, 'one snapshot after the other');
    this.isWritingSnapshot = true;
    const { codeHash } = this.settings;
    const snapshot = { offset: sequence, timeMicros, schemaVersion: snapshotSchemaVersion, codeHash, body };
    this.with(effects, () => {
      this.snapshots.write(snapshot, this.snapshotSink);
      if (this.isOpen) this.log.roll(this.logSink);
    });
  }

  /** Time passes: a full disk is tried again, old segments go. */
  maintain(nowMicros: number, effects: JournalFileSink): void {
    this.nowMicros = nowMicros;
    this.with(effects, () => this.log.maintain(nowMicros, this.logSink));
  }

  private withMarks(effects: readonly Effect[], digestWords: readonly [number, number]): Uint8Array {
    const { envelope, writer, preparedHead } = this;
    const { written } = writer;
    envelope.clear();
    envelope.raw(written.subarray(0, preparedHead));
    writeMarks(envelope, effects, digestWords);
    envelope.raw(written.subarray(preparedHead));
    return envelope.written;
  }

  private with(effects: JournalFileSink, act: () => void): void {
    const outer = this.sink;
    this.sink = effects;
    act();
    this.sink = outer;
  }

  private ask(store: JournalStore, operation: FileOperation): void {
    this.sink?.push({ kind: 'file', store, operation });
  }

  private snapshotsSaid(effect: SnapshotEffect): void {
    switch (effect.kind) {
      case 'file':
        this.ask('snapshots', effect.operation);
        return;
      case 'snapshotRead':
        this.found = effect;
        this.log.open(this.nowMicros, this.logSink);
        return;
      case 'snapshotReadFailed':
        this.fail(effect.fault);
        return;
      case 'snapshotWritten':
        this.isWritingSnapshot = false;
        this.keep(effect.offset);
        if (!this.isOpen) this.finishOpening(0);
        return;
      case 'snapshotFailed':
        this.isWritingSnapshot = false;
        this.snapshotFailures++;
        // The old ones are there still, so that a running kernel can wait for the next.
        if (!this.isOpen) this.fail(effect.fault);
        return;
    }
  }

  private logSaid(effect: LogEffect): void {
    const sink = this.sink as JournalFileSink;
    switch (effect.kind) {
      case 'file':
        this.ask('log', effect.operation);
        return;
      case 'logOpened':
        this.recovery = effect.report;
        this.begin(effect.report);
        return;
      case 'logRead':
        this.replay(effect.records, effect.nextOffset);
        return;
      case 'logOpenFailed':
      case 'logReadFailed':
      case 'logFailed':
        this.fail(effect.fault);
        return;
      case 'logDurable':
        this.owner.durable(effect.endOffset, sink);
        return;
      case 'logStalled':
        this.owner.stalled(effect.reason, sink);
        return;
      case 'logResumed':
        this.owner.stalled(undefined, sink);
        return;
      default:
        return;
    }
  }

  /** Snapshot and log are known: do they belong together? */
  private begin(report: RecoveryReport): void {
    const { snapshot, faults } = this.found as NonNullable<typeof this.found>;
    const { startOffset, nextOffset } = report;
    if (snapshot === undefined) {
      if (nextOffset > 0 || faults.length > 0) {
        const reason = faults[0]?.reason ?? `${nextOffset} inputs are there, and no snapshot to begin from`;
        this.fail({ code: 'SIRA_LOG_CORRUPT', reason });
      } else this.writeSnapshot(0, this.nowMicros, this.owner.begin(), this.sink as JournalFileSink);
      return;
    }
    const { offset } = snapshot;
    if (snapshot.schemaVersion !== snapshotSchemaVersion) {
      const reason = `the snapshot at ${offset} has schema ${snapshot.schemaVersion}, and this code ${snapshotSchemaVersion}`;
      this.fail({ code: 'SIRA_LOG_VERSION', reason });
    } else if (nextOffset < offset || startOffset > offset) {
      const reason = `the snapshot at ${offset} does not meet the inputs ${startOffset} to ${nextOffset - 1}`;
      this.fail({ code: 'SIRA_LOG_CORRUPT', reason: [reason, ...faults.map((fault) => fault.reason)].join('; ') });
    } else {
      const other = this.foreignSegment(offset, nextOffset);
      if (other !== undefined) {
        const reason = `${other.file} was written by code ${other.codeHash}; only that code replays it, to a snapshot from which this code can go on`;
        this.fail({ code: 'SIRA_LOG_VERSION', reason, file: other.file });
        return;
      }
      this.input.sequence = offset;
      this.owner.restore(snapshot.body);
      this.log.hold('snapshots', startOffset);
      this.replay([], offset);
    }
  }

  /** The first segment with inputs from `offset` on that other code wrote. */
  private foreignSegment(
    offset: number,
    endOffset: number,
  ): { readonly file: string; readonly codeHash: string } | undefined {
    const { segments } = this.log;
    return segments.find((segment, at) => {
      const end = segments[at + 1]?.baseOffset ?? endOffset;
      return segment.codeHash !== this.settings.codeHash && end > Math.max(offset, segment.baseOffset);
    });
  }

  private replay(records: readonly LogRecord[], nextOffset: number): void {
    const { input } = this;
    for (const record of records) {
      const reader = new PackedReader(record.value ?? new Uint8Array(0));
      const head = reader.number();
      const marks = head < 0 ? readMarks(reader) : undefined;
      const lag = head < 0 ? -1 - head : head;
      const body = readInput(reader);
      const isNext = record.offset === input.sequence;
      if (!body.ok || !isNext) {
        const reason = body.ok ? 'an input is missing before it' : body.reason;
        this.fail({ code: body.ok ? 'SIRA_LOG_CORRUPT' : body.code, reason: `input ${record.offset + 1}: ${reason}` });
        return;
      }
      input.sequence = record.offset + 1;
      input.timeMicros = record.timeMicros;
      input.body = body.value;
      this.owner.replay(input, record.offset - lag, marks);
    }
    if (nextOffset >= this.log.durableEnd) {
      this.finishOpening((this.found as NonNullable<typeof this.found>).snapshot?.offset ?? 0);
      return;
    }
    const request = { id: 0, fromOffset: nextOffset, recordsMax: readRecordsMax, bytesMax: readBytesMax };
    assert(this.log.read(request, this.logSink).ok, 'a journal reads alone');
  }

  private finishOpening(snapshotSequence: number): void {
    this.isOpen = true;
    const log = this.recovery as RecoveryReport;
    const snapshotFaults = this.found?.faults ?? [];
    this.found = undefined;
    this.owner.opened(
      { snapshotSequence, lastSequence: log.nextOffset, snapshotFaults, log },
      this.sink as JournalFileSink,
    );
  }

  private keep(offset: number): void {
    const { kept } = this;
    kept.push(offset);
    if (kept.length > this.settings.snapshotsKept) kept.shift();
    // Older ones may be there from before: what follows them stays until they are replaced.
    if (kept.length === this.settings.snapshotsKept) this.log.hold('snapshots', kept[0] as number);
    else if (kept.length === 1 && !this.isOpen) this.log.hold('snapshots', 0);
  }

  private fail(fault: LogFault): void {
    this.isOpen = false;
    this.owner.failed(fault, this.sink as JournalFileSink);
  }
}
