// Reads from an open log: records from an offset on, or the offset of a time. Only what is durable is read, every record is
// checked, and what is missing or damaged is a coded fault with its place: nothing is passed over. A segment that compaction
// or retention takes away meanwhile is looked up again.

import { acceptedWith, type Result } from '../base/status.ts';
import { ask, type FileTask, type LogFault } from './file-tasks.ts';
import { isMessage, type LogRecord, newRecordView, readRecord, recordKind, toLogRecord } from './record.ts';
import { type ScanEnd, scanSegment } from './scan-segment.ts';
import { decodeSegmentHeader, isCompacted, type Segment, sealBytes, segmentHeaderBytes } from './segment.ts';
import { SegmentIndex } from './segment-index.ts';
import type { SegmentTable } from './segment-table.ts';

export interface ReadRequest {
  /** Comes back with the answer. */
  readonly id: number;
  readonly fromOffset: number;
  /** At least 1. */
  readonly recordsMax: number;
  /** Of records as they stand in the file, each up to 39 bytes more than its key and value. One record comes, however large. */
  readonly bytesMax: number;
}

export type ReadResult =
  | { readonly ok: true; readonly records: LogRecord[]; readonly nextOffset: number }
  | { readonly ok: false; readonly fault: LogFault };

/** Where sequential readers stand: the position of the record with an offset, so that they need no index. */
export class ReadPlaces {
  private readonly places = new Map<number, { readonly segment: Segment; readonly position: number }>();

  take(offset: number, segment: Segment): number | undefined {
    const place = this.places.get(offset);
    this.places.delete(offset);
    return place?.segment === segment ? place.position : undefined;
  }

  /** Readers find their place anew. */
  clear(): void {
    this.places.clear();
  }

  put(offset: number, segment: Segment, position: number): void {
    if (this.places.size >= placesMax) {
      const [oldest] = this.places.keys();
      this.places.delete(oldest!);
    }
    this.places.set(offset, { segment, position });
  }
}

const placesMax = 256;
const pieceBytesMax = 1024 * 1024;
const pieceBytesMin = 4096;
/** How often a segment may be taken away under one read. */
const attemptsMax = 5;

export function* readRecords(table: SegmentTable, places: ReadPlaces, request: ReadRequest): FileTask<ReadResult> {
  const records: LogRecord[] = [];
  let offset = request.fromOffset;
  let bytes = 0;
  let attempts = 0;
  while (offset < table.endOffset && records.length === 0) {
    if (offset < table.startOffset) {
      const reason = `offset ${offset} is no longer kept; the first is ${table.startOffset}`;
      return { ok: false, fault: { code: 'SIRA_OFFSET_GONE', reason } };
    }
    const segment = table.find(offset);
    const dataEnd = segment.dataEnd;
    const endOffset = segment.lastOffset;
    const from = places.take(offset, segment) ?? (yield* positionOfOffset(table, segment, offset));
    const pieceBytes = Math.max(pieceBytesMin, Math.min(pieceBytesMax, request.bytesMax + 64 * request.recordsMax));
    const goal = { file: segment.file, header: segment, from, until: dataEnd, firstOffset: -1, pieceBytes };
    let nextPosition = from;
    const end = yield* scanSegment(goal, (piece, view, position) => {
      if (!isMessage(view.kind) || view.offset < offset) return true;
      bytes += view.length;
      if (records.length > 0 && bytes > request.bytesMax) return false;
      records.push(toLogRecord(piece, view));
      nextPosition = position + view.length;
      return records.length < request.recordsMax;
    });
    // What was read before a failure or a bad place is good; who reads on meets it again.
    if (!end.ok) {
      attempts++;
      if (records.length > 0) return { ok: true, records, nextOffset: records.at(-1)!.offset + 1 };
      if (table.has(segment) || attempts === attemptsMax) return { ok: false, fault: end };
      continue;
    }
    const fault = faultOf(segment, endOffset, end.value);
    if (fault !== undefined && records.length === 0) return { ok: false, fault };
    const next = records.at(-1)?.offset ?? endOffset - 1;
    const isWhole = end.value.cause === 'whole';
    offset = isWhole ? endOffset : next + 1;
    if (records.length > 0) places.put(offset, segment, isWhole ? end.value.position : nextPosition);
  }
  return { ok: true, records, nextOffset: offset };
}

/** The offset of the first record of `timeMicros` or later; the end of the log if there is none. */
export function* findTime(
  table: SegmentTable,
  timeMicros: number,
): FileTask<{ ok: true; offset: number } | { ok: false; fault: LogFault }> {
  let segment: Segment | undefined = table.findTime(timeMicros);
  for (let attempts = 0; segment !== undefined; ) {
    const current: Segment = segment;
    const index = yield* indexOf(table, current);
    let found = -1;
    const from = index?.positionOfTime(timeMicros, segmentHeaderBytes) ?? segmentHeaderBytes;
    const endOffset = current.lastOffset;
    const goal = { header: current, from, until: current.dataEnd, firstOffset: -1, pieceBytes: 65536 };
    const end = yield* scanSegment({ ...goal, file: current.file }, (_, view) => {
      if (!isMessage(view.kind) || view.timeMicros < timeMicros) return true;
      found = view.offset;
      return false;
    });
    if (!end.ok) {
      attempts++;
      if (table.has(current) || attempts === attemptsMax) return { ok: false, fault: end };
      segment = table.findTime(timeMicros);
      continue;
    }
    if (found >= 0) return { ok: true, offset: found };
    const fault = faultOf(current, endOffset, end.value);
    if (fault !== undefined) return { ok: false, fault };
    segment = table.after(current);
  }
  return { ok: true, offset: table.endOffset };
}

/** Reads and checks a whole closed segment: `undefined` if every record that was written is there. */
export function* verifySegment(segment: Segment): FileTask<Result<LogFault | undefined>> {
  const goal = { file: segment.file, header: segment, from: segmentHeaderBytes, until: segment.sizeBytes };
  const end = yield* scanSegment({ ...goal, firstOffset: segment.baseOffset, pieceBytes: pieceBytesMax }, () => true);
  if (!end.ok) return end;
  const { file } = segment;
  const head = yield* ask({ kind: 'readAt', file, position: 0, length: segmentHeaderBytes });
  if (!head.ok) return head;
  if (typeof decodeSegmentHeader(head.value.bytes) === 'string') {
    return acceptedWith({ code: 'SIRA_LOG_CORRUPT', reason: `${file}: its header is damaged`, file, position: 0 });
  }
  return acceptedWith(faultOf(segment, segment.lastOffset, end.value));
}

/** Why a scan that should have come to `endOffset` did not. */
function faultOf(segment: Segment, endOffset: number, end: ScanEnd): LogFault | undefined {
  const { file } = segment;
  const { position, offset, cause } = end;
  if (cause === 'stopped') return undefined;
  if (cause === 'whole' && (isCompacted(segment) || offset < 0 || offset === endOffset)) return undefined;
  const reason = `${file}, byte ${position}: the record at offset ${Math.max(offset, 0)} is damaged or missing`;
  return { code: 'SIRA_LOG_CORRUPT', reason, file, position };
}

function* positionOfOffset(table: SegmentTable, segment: Segment, offset: number): FileTask<number> {
  const index = yield* indexOf(table, segment);
  return index?.positionOfOffset(offset, segmentHeaderBytes) ?? segmentHeaderBytes;
}

/** The index of a segment, read from its end if it is not in memory; `undefined` if it is damaged: reading goes without. */
function* indexOf(table: SegmentTable, segment: Segment): FileTask<SegmentIndex | undefined> {
  if (segment.index !== undefined) {
    if (segment !== table.active && table.has(segment)) table.keepIndex(segment, segment.index);
    return segment.index;
  }
  const length = segment.sizeBytes - sealBytes - segment.dataEnd;
  const read = yield* ask({ kind: 'readAt', file: segment.file, position: segment.dataEnd, length });
  if (!read.ok) return undefined;
  const { bytes } = read.value;
  const view = newRecordView();
  if (readRecord(bytes, 0, bytes.length, length, view) !== 0 || view.kind !== recordKind.index) return undefined;
  const index = SegmentIndex.decode(bytes.subarray(view.valueStart, view.valueEnd));
  if (index !== undefined && table.has(segment)) table.keepIndex(segment, index);
  return index;
}
