// Key compaction of closed segments: of each key the last record stays, earlier ones go; offsets stay as they are. First pass:
// the last offset of each key, as many keys as the settings allow (the others are left alone this time). Second pass: segments
// that hold something to drop are written anew, small neighbours together, oldest first, each durable before the next, so that
// a tombstone never goes before what it buried. Records without a key stay.

import type { Result } from '../base/status.ts';
import { ask, askAll, type FileTask, type LogFault } from './file-tasks.ts';
import type { LogSettings } from './log-settings.ts';
import { verifySegment } from './read-records.ts';
import { finishRecord, isMessage, type RecordView, recordKind } from './record.ts';
import { scanSegment } from './scan-segment.ts';
import {
  encodeSegmentHeader,
  type Segment,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentName,
  temporaryName,
} from './segment.ts';
import { SegmentIndex } from './segment-index.ts';
import type { SegmentTable } from './segment-table.ts';
import { removeGarbage } from './trim.ts';
import { segmentEnd } from './write-segment.ts';

export interface Compacted {
  readonly removedRecords: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: LogFault };

const pieceBytes = 1024 * 1024;

/** The last record of a key. */
interface LastRecord {
  offset: number;
  /** Which segment it is in, and its bytes unless it is to go itself. */
  segment: number;
  bytes: number;
}

/** What the first pass found. */
interface Survey {
  readonly lastRecords: ReadonlyMap<string, LastRecord>;
  /** Bytes of each segment that are to go. */
  readonly garbageBytes: readonly number[];
}

export function* compact(table: SegmentTable, settings: LogSettings, nowMicros: number): FileTask<Outcome<Compacted>> {
  const cleaned = yield* removeGarbage(table);
  if (!cleaned.ok) return { ok: false, fault: cleaned };
  const segments = table.closed;
  const survey = yield* surveyKeys(segments, settings, nowMicros);
  if (!survey.ok) return survey;
  const total = { removedRecords: 0, bytesBefore: 0, bytesAfter: 0 };
  for (const group of groupSegments(segments, survey.value.garbageBytes, settings.segmentBytesMax)) {
    const keeps = (key: string, view: RecordView): boolean =>
      isKept(survey.value.lastRecords.get(key)?.offset ?? -1, view, settings, nowMicros);
    const written = yield* rewrite(table, group, keeps, settings);
    if (!written.ok) return written;
    total.removedRecords += written.value.removedRecords;
    total.bytesBefore += written.value.bytesBefore;
    total.bytesAfter += written.value.bytesAfter;
  }
  return { ok: true, value: total };
}

/** `lastOffset`: of the record's key, as far as known. */
function isKept(lastOffset: number, view: RecordView, settings: LogSettings, nowMicros: number): boolean {
  if (lastOffset !== view.offset) return lastOffset < view.offset;
  return view.kind !== recordKind.tombstone || nowMicros - view.timeMicros < settings.tombstoneMicros;
}

function* surveyKeys(
  segments: readonly Segment[],
  settings: LogSettings,
  nowMicros: number,
): FileTask<Outcome<Survey>> {
  const lastRecords = new Map<string, LastRecord>();
  const garbageBytes = segments.map(() => 0);
  for (const [at, segment] of segments.entries()) {
    const scanned = yield* scanWhole(segment, (bytes, view) => {
      if (view.keyLength < 0) return;
      const key = keyOf(bytes, view);
      const before = lastRecords.get(key);
      if (before !== undefined) garbageBytes[before.segment]! += before.bytes;
      else if (lastRecords.size >= settings.compactionKeysMax) return;
      const stays = isKept(view.offset, view, settings, nowMicros);
      if (!stays) garbageBytes[at]! += view.length;
      const last = before ?? { offset: 0, segment: 0, bytes: 0 };
      last.offset = view.offset;
      last.segment = at;
      last.bytes = stays ? view.length : 0;
      if (before === undefined) lastRecords.set(key, last);
    });
    if (!scanned.ok) return scanned;
  }
  return { ok: true, value: { lastRecords, garbageBytes } };
}

/** Neighbours to be written as one: those that fit together, if any of them has something to drop. */
function groupSegments(
  segments: readonly Segment[],
  garbageBytes: readonly number[],
  segmentBytesMax: number,
): Segment[][] {
  const groups: Segment[][] = [];
  let group: Segment[] = [];
  let keptBytes = 0;
  let garbage = 0;
  const finish = (): void => {
    if (garbage > 0) groups.push(group);
    group = [];
    keptBytes = 0;
    garbage = 0;
  };
  for (const [at, segment] of segments.entries()) {
    const kept = segment.dataEnd - garbageBytes[at]!;
    // A segment names the code that wrote it; two codes do not share one.
    const isAlike = group.length === 0 || group[0]!.codeHash === segment.codeHash;
    if (!isAlike || keptBytes + kept > segmentBytesMax) finish();
    group.push(segment);
    keptBytes += kept;
    garbage += garbageBytes[at]!;
  }
  finish();
  return groups;
}

function* rewrite(
  table: SegmentTable,
  sources: readonly Segment[],
  keeps: (key: string, view: RecordView) => boolean,
  settings: LogSettings,
): FileTask<Outcome<Compacted>> {
  const first = sources[0]!;
  const last = sources.at(-1)!;
  const header: SegmentHeader = {
    baseOffset: first.baseOffset,
    generation: table.nextGeneration(),
    endOffset: last.lastOffset,
    createdMicros: first.createdMicros,
    codeHash: first.codeHash,
    cutBytes: 0,
  };
  const temporary = temporaryName(header.baseOffset, header.generation);
  const file = segmentName(header.baseOffset, header.generation);
  // Until it stands for its sources it is to go, under either name, should anything fail.
  table.garbage.add(temporary).add(file);
  const copied = yield* writeKept(temporary, header, sources, keeps, settings);
  if (!copied.ok) {
    // Likely for want of room, which it takes itself. What cannot be removed now is tried again.
    yield* removeGarbage(table);
    return copied;
  }
  const { index, dataEnd, removedRecords } = copied.value;
  const end = segmentEnd(index, last.lastOffset, last.lastTimeMicros, dataEnd, 0);
  const finished = yield* askAll([
    { kind: 'append', file: temporary, bytes: end },
    { kind: 'sync', file: temporary },
    { kind: 'rename', file: temporary, to: file },
    { kind: 'syncFolder' },
  ]);
  if (!finished.ok) return { ok: false, fault: { code: finished.code, reason: finished.reason, file: temporary } };
  const sizeBytes = dataEnd + end.length;
  const { lastOffset, lastTimeMicros } = last;
  table.replace(sources, { ...header, file, dataEnd, sizeBytes, lastOffset, lastTimeMicros, index });
  table.garbage.delete(temporary);
  const removed = yield* removeGarbage(table);
  if (!removed.ok) return { ok: false, fault: { code: removed.code, reason: removed.reason, file } };
  const bytesBefore = sources.reduce((sum, source) => sum + source.sizeBytes, 0);
  return { ok: true, value: { removedRecords, bytesBefore, bytesAfter: sizeBytes } };
}

interface Copied {
  readonly index: SegmentIndex;
  readonly dataEnd: number;
  readonly removedRecords: number;
}

function* writeKept(
  temporary: string,
  header: SegmentHeader,
  sources: readonly Segment[],
  keeps: (key: string, view: RecordView) => boolean,
  settings: LogSettings,
): FileTask<Outcome<Copied>> {
  const begun = yield* askAll([
    { kind: 'create', file: temporary },
    { kind: 'append', file: temporary, bytes: encodeSegmentHeader(header) },
  ]);
  if (!begun.ok) return { ok: false, fault: begun };
  const index = new SegmentIndex(settings.indexEveryBytes);
  let dataEnd = segmentHeaderBytes;
  let removedRecords = 0;
  for (const source of sources) {
    // A piece of the source at a time: what it keeps is written before the next piece is read.
    for (let from = segmentHeaderBytes; from < source.dataEnd; ) {
      const parts: Uint8Array[] = [];
      let until = from;
      const goal = { file: source.file, header: source, from, until: source.dataEnd, firstOffset: -1, pieceBytes };
      const end = yield* scanSegment(goal, (bytes, view, position) => {
        until = position + view.length;
        if (isMessage(view.kind)) {
          if (view.keyLength < 0 || keeps(keyOf(bytes, view), view)) {
            const part = bytes.slice(view.start, view.start + view.length);
            // Its durable end speaks of the old file.
            finishRecord(part, 0, dataEnd);
            index.add(view.offset, view.timeMicros, dataEnd);
            parts.push(part);
            dataEnd += part.length;
          } else removedRecords++;
        }
        return until - from < pieceBytes;
      });
      if (!end.ok) return { ok: false, fault: { code: end.code, reason: end.reason, file: source.file } };
      if (end.value.cause === 'bad') return { ok: false, fault: damageOf(source, end.value.position) };
      if (parts.length > 0) {
        const written = yield* ask({ kind: 'append', file: temporary, bytes: joined(parts) });
        if (!written.ok) return { ok: false, fault: { code: written.code, reason: written.reason, file: temporary } };
      }
      from = end.value.position;
    }
  }
  return { ok: true, value: { index, dataEnd, removedRecords } };
}

/** Every message of a closed segment, which must be whole. */
function* scanWhole(
  segment: Segment,
  visit: (bytes: Uint8Array, view: RecordView) => void,
): FileTask<Outcome<undefined>> {
  const goal = { file: segment.file, header: segment, from: segmentHeaderBytes, until: segment.dataEnd, pieceBytes };
  const end = yield* scanSegment({ ...goal, firstOffset: segment.baseOffset }, (bytes, view) => {
    if (isMessage(view.kind)) visit(bytes, view);
    return true;
  });
  if (!end.ok) return { ok: false, fault: { code: end.code, reason: end.reason, file: segment.file } };
  if (end.value.cause === 'bad') return { ok: false, fault: damageOf(segment, end.value.position) };
  return { ok: true, value: undefined };
}

/** Checks all closed segments. */
export function* verifyAll(table: SegmentTable): FileTask<LogFault[]> {
  const faults: LogFault[] = [];
  for (const segment of table.closed) {
    const verified: Result<LogFault | undefined> = yield* verifySegment(segment);
    const fault = verified.ok ? verified.value : { code: verified.code, reason: verified.reason, file: segment.file };
    if (fault !== undefined && table.has(segment)) faults.push(fault);
  }
  return faults;
}

function damageOf(segment: Segment, position: number): LogFault {
  const { file } = segment;
  return { code: 'SIRA_LOG_CORRUPT', reason: `${file}, byte ${position}: a record is damaged`, file, position };
}

/** Bytes of a key as a text of their codes: the same text for the same bytes. */
function keyOf(bytes: Uint8Array, view: RecordView): string {
  let text = '';
  for (let at = view.keyStart; at < view.valueStart; at++) text += String.fromCharCode(bytes[at]!);
  return text;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
