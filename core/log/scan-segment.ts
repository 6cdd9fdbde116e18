// Reads the records of a segment from some position on, in bounded pieces, and checks each: its checksum, and that offsets
// rise as they must. It stops at the first bad place; whether that is a torn tail or damage is the caller's to say.

import { acceptedWith, type Result } from '../base/status.ts';
import { ask, type FileTask } from './file-tasks.ts';
import { isMessage, newRecordView, type RecordView, readRecord } from './record.ts';
import { isCompacted, type SegmentHeader } from './segment.ts';

export interface ScanGoal {
  readonly file: string;
  readonly header: SegmentHeader;
  /** Where to begin: at a record. */
  readonly from: number;
  /** Where to end at most. */
  readonly until: number;
  /** Offset of the first record at `from`; −1: unknown. */
  readonly firstOffset: number;
  /** Bytes read at once, unless a record is larger. */
  readonly pieceBytes: number;
}

export interface ScanEnd {
  /** Behind the last good record. */
  readonly position: number;
  /** Next offset. */
  readonly offset: number;
  /** - `whole`: it came to `until`. - `stopped`: the visitor had enough. - `bad`: no good record is at `position`. */
  readonly cause: 'whole' | 'stopped' | 'bad';
}

/** Called for every good record, its bytes and its position in the file; false: enough. */
export type RecordVisitor = (bytes: Uint8Array, view: RecordView, position: number) => boolean;

/** Largest body of a record that the log writes for itself: an index of a gigabyte, an entry every 64 bytes. */
const ownBodyBytesMax = 24 * 2 ** 24 + 8;

export function* scanSegment(goal: ScanGoal, visit: RecordVisitor): FileTask<Result<ScanEnd>> {
  const view = newRecordView();
  const gaps = isCompacted(goal.header);
  let position = goal.from;
  let offset = goal.firstOffset;
  let wanted = goal.pieceBytes;
  while (position < goal.until) {
    const length = Math.min(wanted, goal.until - position);
    const read = yield* ask({ kind: 'readAt', file: goal.file, position, length });
    if (!read.ok) return read;
    const { bytes } = read.value;
    const start = position;
    let at = 0;
    let missing = 0;
    while (at < bytes.length) {
      missing = readRecord(bytes, at, bytes.length, ownBodyBytesMax, view);
      if (missing !== 0) break;
      const isKnown = isMessage(view.kind)
        ? fits(view, offset, gaps, goal.header)
        : offset < 0 || view.offset >= offset;
      if (!isKnown) return acceptedWith({ position, offset, cause: 'bad' });
      const goesOn = visit(bytes, view, position);
      at += view.length;
      position = start + at;
      if (isMessage(view.kind)) offset = view.offset + 1;
      if (!goesOn) return acceptedWith({ position, offset, cause: 'stopped' });
    }
    // A damaged record, a file shorter than it should be, or a record that would reach beyond the end.
    if (missing < 0 || bytes.length < length || (missing > 0 && position + missing > goal.until)) {
      return acceptedWith({ position, offset, cause: position === goal.until ? 'whole' : 'bad' });
    }
    wanted = Math.max(goal.pieceBytes, missing);
  }
  return acceptedWith({ position, offset, cause: 'whole' });
}

function fits(view: RecordView, offset: number, gaps: boolean, header: SegmentHeader): boolean {
  if (gaps) return view.offset >= Math.max(offset, header.baseOffset) && view.offset < header.endOffset;
  return offset < 0 ? view.offset >= header.baseOffset : view.offset === offset;
}
