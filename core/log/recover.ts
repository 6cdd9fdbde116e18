// Opens what a crash or an orderly end left in a folder. Promises: every record whose append was ever acknowledged is there,
// or the log does not open and the fault says which bytes of which file are not those written; what was not acknowledged is
// there whole and in order, or not at all; and opening again, after a crash at any moment of it, gives the same.
//
// A bad place in the last segment is a torn tail if nothing behind it proves that it was once durable, and then it is cut;
// otherwise it is damage. Earlier segments were durable as a whole: there every bad place is damage. The last segment is
// copied (see write-segment.ts), so that what was found is on the disk before anybody is told.

import { acceptedWith, type Result, refused } from '../base/status.ts';
import { type FileEntry, isFileName } from '../ports/file-port.ts';
import { ask, askAll, type FileTask, type LogFault } from './file-tasks.ts';
import type { LogSettings } from './log-settings.ts';
import { isMessage, newRecordView, readRecord, recordAlignment, recordHeaderBytes, recordKind } from './record.ts';
import { type ScanEnd, scanSegment } from './scan-segment.ts';
import {
  decodeSegmentHeader,
  isCompacted,
  parseSegmentName,
  readSeal,
  type Segment,
  type SegmentHeader,
  type SegmentSeal,
  sealBytes,
  segmentHeaderBytes,
} from './segment.ts';
import { SegmentIndex } from './segment-index.ts';
import { SegmentTable } from './segment-table.ts';
import { copySegment, createSegment } from './write-segment.ts';

/** What opening found and did, for people and for tests. */
export interface RecoveryReport {
  readonly startOffset: number;
  readonly nextOffset: number;
  /** Of the last record; the next may not be earlier. */
  readonly lastTimeMicros: number;
  /** Of the code that wrote the last segment, empty for a new log. */
  readonly lastCodeHash: string;
  /** Bytes of a torn tail that were cut, and the file that had it. */
  readonly cutBytes: number;
  readonly cutFile: string;
  /** Bytes that earlier openings cut from the last segment. */
  readonly earlierCutBytes: number;
  /** Files that no longer counted, or never did: temporary, replaced by others, or begun and not finished. */
  readonly removedFiles: readonly string[];
  /** Segments whose records are all there, but whose index or seal is damaged. */
  readonly damagedIndexes: readonly string[];
}

export interface Recovered {
  readonly table: SegmentTable;
  readonly report: RecoveryReport;
}

export type Recovery =
  | { readonly ok: true; readonly value: Recovered }
  | { readonly ok: false; readonly fault: LogFault };

interface Found {
  readonly file: string;
  readonly sizeBytes: number;
  readonly header: SegmentHeader;
  readonly seal: SegmentSeal | undefined;
}

const pieceBytes = 1024 * 1024;

export function* recover(settings: LogSettings, nowMicros: number): FileTask<Recovery> {
  const listed = yield* ask({ kind: 'list' });
  if (!listed.ok) return failed(listed);
  const removed: string[] = [];
  const read = yield* readEnds(listed.value.entries, removed);
  if (!read.ok) return read;
  const { found, generation, empty } = read.value;
  const current = withoutReplaced(found, removed);
  if ('code' in current) return { ok: false, fault: current };
  const cleaned = yield* removeFiles(removed);
  if (!cleaned.ok) return failed(cleaned);

  const damagedIndexes: string[] = [];
  const segments: Segment[] = [];
  for (const [at, segment] of current.entries()) {
    const next = current[at + 1];
    if (next === undefined && !isCompacted(segment.header)) break;
    const endOffset = next?.header.baseOffset ?? segment.header.endOffset;
    const closed = yield* openClosed(segment, endOffset, settings, damagedIndexes);
    if (!closed.ok) return closed;
    closed.value.lastTimeMicros = Math.max(closed.value.lastTimeMicros, segments.at(-1)?.lastTimeMicros ?? 0);
    segments.push(closed.value);
  }
  const last = current.at(-1);
  const nextGeneration = generation + 1;
  let cutBytes = 0;
  if (last !== undefined && segments.length < current.length) {
    const active = yield* openLast(last, segments.at(-1)?.lastTimeMicros ?? 0, nextGeneration, settings);
    if (!active.ok) return active;
    segments.push(active.value.segment);
    cutBytes = active.value.cutBytes;
  } else {
    const before = segments.at(-1);
    // The name alone may still say where a log stood whose records are all gone.
    const header: SegmentHeader = {
      baseOffset: before?.lastOffset ?? empty.at(-1)?.baseOffset ?? settings.firstOffset,
      generation: nextGeneration,
      endOffset: -1,
      createdMicros: nowMicros,
      codeHash: settings.codeHash,
      cutBytes: 0,
    };
    const made = yield* createSegment(header, before?.lastTimeMicros ?? 0, settings.indexEveryBytes);
    if (!made.ok) return failed(made);
    segments.push(made.value);
  }
  // Only now: until the new segment was there, they alone kept the offset.
  const emptyFiles = empty.map((segment) => segment.name);
  const emptied = yield* removeFiles(emptyFiles);
  if (!emptied.ok) return failed(emptied);
  const table = new SegmentTable(segments, nextGeneration, settings.loadedIndexesMax);
  return {
    ok: true,
    value: {
      table,
      report: {
        startOffset: table.startOffset,
        nextOffset: table.endOffset,
        lastTimeMicros: table.active.lastTimeMicros,
        lastCodeHash: last?.header.codeHash ?? '',
        cutBytes,
        cutFile: cutBytes > 0 ? last!.file : '',
        earlierCutBytes: table.active.cutBytes - cutBytes,
        removedFiles: [...removed, ...emptyFiles],
        damagedIndexes,
      },
    },
  };
}

type Step<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: LogFault };

function failed(refusal: { readonly code: LogFault['code']; readonly reason: string }): {
  readonly ok: false;
  readonly fault: LogFault;
} {
  return { ok: false, fault: { code: refusal.code, reason: refusal.reason } };
}

function corrupt(file: string, position: number, reason: string): LogFault {
  return { code: 'SIRA_LOG_CORRUPT', reason: `${file}, byte ${position}: ${reason}`, file, position };
}

/** Headers and seals of all segments, and those that hold nothing. Files left unfinished are added to `removed`. */
function* readEnds(
  entries: readonly FileEntry[],
  removed: string[],
): FileTask<Step<{ found: Found[]; generation: number; empty: { name: string; baseOffset: number }[] }>> {
  const named = entries.flatMap((entry) => {
    const parsed = parseSegmentName(entry.name);
    if (parsed === undefined && entry.name.endsWith('.log.tmp') && isFileName(entry.name)) removed.push(entry.name);
    return parsed === undefined ? [] : [{ ...entry, ...parsed }];
  });
  let generation = 0;
  for (const entry of entries) {
    // A temporary file's generation is used up as well.
    generation = Math.max(generation, parseSegmentName(entry.name.replace(/\.tmp$/, ''))?.generation ?? 0);
  }
  named.sort((left, right) => left.baseOffset - right.baseOffset || left.generation - right.generation);
  const found: Found[] = [];
  const empty: { name: string; baseOffset: number }[] = [];
  for (const entry of named) {
    const file = entry.name;
    const head = yield* ask({ kind: 'readAt', file, position: 0, length: segmentHeaderBytes });
    if (!head.ok) return failed(head);
    const header = decodeSegmentHeader(head.value.bytes);
    if (header === 'version') {
      return { ok: false, fault: { code: 'SIRA_LOG_VERSION', reason: `${file} has another format`, file } };
    }
    const isNamed =
      header !== 'damaged' && header.baseOffset === entry.baseOffset && header.generation === entry.generation;
    if (!isNamed) {
      // Records follow only once the header is durable: a segment as short as this was being begun.
      if (entry.sizeBytes <= segmentHeaderBytes) {
        empty.push(entry);
        continue;
      }
      return { ok: false, fault: corrupt(file, 0, 'the header of the segment is damaged') };
    }
    const position = Math.max(segmentHeaderBytes, entry.sizeBytes - sealBytes);
    const tail = yield* ask({ kind: 'readAt', file, position, length: sealBytes });
    if (!tail.ok) return failed(tail);
    found.push({ file, sizeBytes: entry.sizeBytes, header, seal: readSeal(tail.value.bytes) });
  }
  for (const { name, baseOffset } of empty) {
    const isCovered = found.some(({ header }) => header.baseOffset === baseOffset);
    const isLast = found.every(({ header }) => header.baseOffset <= baseOffset);
    // Not one that was being begun: others follow where its records should be.
    if (!isCovered && !isLast) return { ok: false, fault: corrupt(name, 0, 'the segment has lost its content') };
  }
  return { ok: true, value: { found, generation, empty } };
}

/** Those of `found` (by base offset, then generation) that count; the others are added to `removed`. */
function withoutReplaced(found: readonly Found[], removed: string[]): Found[] | LogFault {
  const kept: Found[] = [];
  for (const next of found) {
    const before = kept.at(-1);
    if (before === undefined) kept.push(next);
    else if (before.header.baseOffset === next.header.baseOffset) {
      removed.push(before.file);
      kept[kept.length - 1] = next;
    } else if (isCompacted(before.header) && next.header.baseOffset < before.header.endOffset) {
      if (next.header.generation > before.header.generation) {
        return corrupt(next.file, 0, `it begins within ${before.file}, which is older`);
      }
      removed.push(next.file);
    } else kept.push(next);
  }
  return kept;
}

function* removeFiles(files: readonly string[]): FileTask<Result<undefined>> {
  if (files.length === 0) return acceptedWith(undefined);
  return yield* askAll([...files.map((file) => ({ kind: 'remove', file }) as const), { kind: 'syncFolder' }]);
}

/** A segment that is followed by one that begins at `endOffset`. Its records are checked when they are read. */
function* openClosed(
  found: Found,
  endOffset: number,
  settings: LogSettings,
  damagedIndexes: string[],
): FileTask<Step<Segment>> {
  const { file, header, seal, sizeBytes } = found;
  if (seal !== undefined) {
    if (seal.endOffset !== endOffset) {
      const reason = `the records ${seal.endOffset} to ${endOffset - 1} are missing: the segment that held them is gone`;
      return { ok: false, fault: corrupt(file, sizeBytes, reason) };
    }
    const { indexPosition, lastTimeMicros } = seal;
    const segment = { ...header, file, sizeBytes, dataEnd: indexPosition, lastOffset: endOffset, lastTimeMicros };
    return { ok: true, value: { ...segment, index: undefined } };
  }
  // Without a seal only the records themselves can say whether all are there.
  const contents = yield* readContents(found, settings.indexEveryBytes);
  if (!contents.ok) return failed(contents);
  const { end, index, lastTimeMicros, dataEnd, sawIndex } = contents.value;
  if (!sawIndex && (isCompacted(header) || end.offset !== endOffset)) {
    return {
      ok: false,
      fault: corrupt(file, end.position, `the record at offset ${end.offset} is damaged or missing`),
    };
  }
  damagedIndexes.push(file);
  return { ok: true, value: { ...header, file, sizeBytes, dataEnd, lastOffset: endOffset, lastTimeMicros, index } };
}

/** The segment that was appended to when the log ended, however it ended. */
function* openLast(
  found: Found,
  earlierMicros: number,
  generation: number,
  settings: LogSettings,
): FileTask<Step<{ segment: Segment; cutBytes: number }>> {
  const { file, sizeBytes } = found;
  const contents = yield* readContents(found, settings.indexEveryBytes);
  if (!contents.ok) return failed(contents);
  const { end, index, dataEnd } = contents.value;
  if (end.cause === 'bad') {
    const proof = yield* findProof(found, end);
    if (!proof.ok) return failed(proof);
    if (proof.value) {
      const reason = `the record at offset ${end.offset} was on the disk and is damaged; records follow it`;
      return { ok: false, fault: corrupt(file, end.position, reason) };
    }
  }
  const cutBytes = sizeBytes - end.position;
  const header = { ...found.header, generation, cutBytes: found.header.cutBytes + cutBytes };
  const copied = yield* copySegment(file, header, dataEnd, pieceBytes);
  if (!copied.ok) return failed(copied);
  const lastTimeMicros = Math.max(earlierMicros, contents.value.lastTimeMicros);
  const segment = { ...header, file: copied.value, dataEnd, sizeBytes: dataEnd, lastOffset: end.offset };
  return {
    ok: true,
    value: { segment: { ...segment, lastTimeMicros, index }, cutBytes },
  };
}

interface Contents {
  readonly end: ScanEnd;
  readonly index: SegmentIndex;
  readonly lastTimeMicros: number;
  /** Where the messages and marks end. */
  readonly dataEnd: number;
  readonly sawIndex: boolean;
}

function* readContents({ file, header, sizeBytes }: Found, indexEveryBytes: number): FileTask<Result<Contents>> {
  const index = new SegmentIndex(indexEveryBytes);
  let lastTimeMicros = 0;
  let dataEnd = segmentHeaderBytes;
  let sawIndex = false;
  const goal = { file, header, from: segmentHeaderBytes, until: sizeBytes, firstOffset: header.baseOffset, pieceBytes };
  const end = yield* scanSegment(goal, (_, view, position) => {
    if (view.kind === recordKind.index) sawIndex = true;
    if (sawIndex) return true;
    if (isMessage(view.kind)) {
      index.add(view.offset, view.timeMicros, position);
      lastTimeMicros = view.timeMicros;
    }
    dataEnd = position + view.length;
    return true;
  });
  if (!end.ok) return end;
  return acceptedWith({ end: end.value, index, lastTimeMicros, dataEnd, sawIndex });
}

/** Whether a record behind the bad place at `end` proves that the place was once durable. */
function* findProof({ file, sizeBytes }: Found, end: ScanEnd): FileTask<Result<boolean>> {
  const { position, offset } = end;
  const read = yield* ask({ kind: 'readAt', file, position, length: sizeBytes - position });
  if (!read.ok) return refused(read.code, read.reason);
  const { bytes } = read.value;
  const view = newRecordView();
  for (let at = recordAlignment; at + recordHeaderBytes <= bytes.length; at += recordAlignment) {
    if (readRecord(bytes, at, bytes.length, bytes.length, view) !== 0) continue;
    if (view.durableEnd > position && view.offset >= offset) return acceptedWith(true);
  }
  return acceptedWith(false);
}
