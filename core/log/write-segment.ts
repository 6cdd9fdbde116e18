// Makes segments: a new empty one, a copy of the good part of another, the end of a closed one. A segment that replaces others
// is written under a temporary name, synced, renamed, and counts once the folder is synced; so a crash leaves either it or
// those that it replaces.

import { acceptedWith, type Result } from '../base/status.ts';
import { ask, askAll, type FileTask } from './file-tasks.ts';
import { finishRecord, recordKind, recordLength, writeRecord } from './record.ts';
import {
  encodeSegmentHeader,
  type Segment,
  type SegmentHeader,
  sealBytes,
  segmentHeaderBytes,
  segmentName,
  temporaryName,
  writeSeal,
} from './segment.ts';
import { SegmentIndex } from './segment-index.ts';

/**
 * An empty segment, its header and its name durable. Fails with `exists` if there was one of its name. What a full disk has left of
 * it is removed: nobody would know of the file, it would outlive the segments around it, and be taken for one that lost its records.
 */
export function* createSegment(
  header: SegmentHeader,
  lastTimeMicros: number,
  indexEveryBytes: number,
): FileTask<Result<Segment>> {
  const file = segmentName(header.baseOffset, header.generation);
  const created = yield* ask({ kind: 'create', file });
  if (!created.ok) return created;
  const made = yield* askAll([
    { kind: 'append', file, bytes: encodeSegmentHeader(header) },
    { kind: 'sync', file },
    { kind: 'syncFolder' },
  ]);
  if (!made.ok) {
    if (made.code !== 'SIRA_DISK_FULL') return made;
    // Durable with the name of the next one, which comes before any record there.
    const removed = yield* ask({ kind: 'remove', file });
    return removed.ok ? made : removed;
  }
  return acceptedWith({
    ...header,
    file,
    dataEnd: segmentHeaderBytes,
    sizeBytes: segmentHeaderBytes,
    lastOffset: header.baseOffset,
    lastTimeMicros,
    index: new SegmentIndex(indexEveryBytes),
  });
}

/**
 * Writes the first `end` bytes of `source` anew, with the generation of `header`, and removes `source`. What a crashed process
 * left in a file may have been read from the page cache and never reach the disk (Rebello et al., "Can Applications Recover
 * from fsync Failures?", ATC 2020); a copy that was synced is on the disk.
 */
export function* copySegment(
  source: string,
  header: SegmentHeader,
  end: number,
  pieceBytes: number,
): FileTask<Result<string>> {
  const temporary = temporaryName(header.baseOffset, header.generation);
  const begun = yield* askAll([
    { kind: 'create', file: temporary },
    { kind: 'append', file: temporary, bytes: encodeSegmentHeader(header) },
  ]);
  if (!begun.ok) return begun;
  for (let position = segmentHeaderBytes; position < end; ) {
    const read = yield* ask({ kind: 'readAt', file: source, position, length: Math.min(pieceBytes, end - position) });
    if (!read.ok) return read;
    const { bytes } = read.value;
    const written = yield* ask({ kind: 'append', file: temporary, bytes });
    if (!written.ok) return written;
    position += Math.max(1, bytes.length);
  }
  const file = segmentName(header.baseOffset, header.generation);
  const ended = yield* askAll([
    { kind: 'sync', file: temporary },
    { kind: 'rename', file: temporary, to: file },
    { kind: 'syncFolder' },
    { kind: 'remove', file: source },
    { kind: 'syncFolder' },
  ]);
  return ended.ok ? acceptedWith(file) : ended;
}

/**
 * The index and the seal that end a closed segment of `position` bytes, of which the first `durableEnd` are synced. Until they are
 * synced themselves they prove no more than that: a mark before them may be lost while they are not.
 */
export function segmentEnd(
  index: SegmentIndex,
  endOffset: number,
  lastTimeMicros: number,
  position: number,
  durableEnd: number,
): Uint8Array {
  const body = index.encode();
  const indexBytes = recordLength(0, body.length);
  const bytes = new Uint8Array(indexBytes + sealBytes);
  writeRecord(bytes, 0, recordKind.index, endOffset, lastTimeMicros, undefined, body);
  finishRecord(bytes, 0, durableEnd);
  writeSeal(bytes, indexBytes, { endOffset, lastTimeMicros, indexPosition: position });
  finishRecord(bytes, indexBytes, durableEnd);
  return bytes;
}
