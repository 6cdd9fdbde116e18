// A record as bytes. Little-endian, padded with zeros to a multiple of eight:
//
//   0 u32 body length (key and value)     4 u32 CRC-32C of everything else, padding included
//   8 u64 offset                         16 u64 time, microseconds
//  24 u32 durable end                    28 u16 key length (65535: no key)     30 u8 kind     31 u8 zero
//  32 key, value, padding
//
// The durable end is the position in the file up to which a sync had completed when the record was written. It tells a torn
// tail from damage: behind a record whose durable end lies past a bad place, that place was once whole on the disk.

import { crc32c } from './crc32c.ts';

export const recordHeaderBytes = 32;
/** Records begin at multiples of this. */
export const recordAlignment = 8;
const noKey = 0xffff;
/** Longest key, bytes. */
export const keyBytesMax = 0xfffe;

/** `value`: a message. `tombstone`: its key has no value any more. `index`: see segment-index.ts. `seal`: ends a closed segment.
 *  `mark`: carries a durable end and nothing else. The last three have no offset of their own: theirs is the next one's. */
export const recordKind = { value: 0, tombstone: 1, index: 2, seal: 3, mark: 4 } as const;
const lastKind = recordKind.mark;

/** What a reader gets. `key` and `value` are views into bytes that were read for this reader. */
export interface LogRecord {
  readonly offset: number;
  readonly timeMicros: number;
  readonly key: Uint8Array | undefined;
  /** `undefined`: a tombstone. */
  readonly value: Uint8Array | undefined;
}

/** The place of a record found in a buffer. One object is filled again and again. */
export interface RecordView {
  /** Where it begins in the buffer, and its length with padding. */
  start: number;
  length: number;
  kind: number;
  offset: number;
  timeMicros: number;
  durableEnd: number;
  keyStart: number;
  /** −1: no key. */
  keyLength: number;
  valueStart: number;
  valueEnd: number;
}

export function newRecordView(): RecordView {
  return {
    start: 0,
    length: 0,
    kind: 0,
    offset: 0,
    timeMicros: 0,
    durableEnd: 0,
    keyStart: 0,
    keyLength: -1,
    valueStart: 0,
    valueEnd: 0,
  };
}

/** Bytes that a record takes in a file. */
export function recordLength(keyLength: number, valueLength: number): number {
  return Math.ceil((recordHeaderBytes + keyLength + valueLength) / recordAlignment) * recordAlignment;
}

/** Writes a record without durable end and checksum, which {@link finishRecord} adds. Returns its length. */
export function writeRecord(
  bytes: Uint8Array,
  start: number,
  kind: number,
  offset: number,
  timeMicros: number,
  key: Uint8Array | undefined,
  value: Uint8Array | undefined,
): number {
  const keyLength = key?.length ?? 0;
  const valueLength = value?.length ?? 0;
  const length = recordLength(keyLength, valueLength);
  const bodyStart = start + recordHeaderBytes;
  bytes.fill(0, bodyStart + keyLength + valueLength, start + length);
  setUint32(bytes, start, keyLength + valueLength);
  setUint64(bytes, start + 8, offset);
  setUint64(bytes, start + 16, timeMicros);
  const storedKey = key === undefined ? noKey : keyLength;
  bytes[start + 28] = storedKey;
  bytes[start + 29] = storedKey >>> 8;
  bytes[start + 30] = kind;
  bytes[start + 31] = 0;
  if (key !== undefined) bytes.set(key, bodyStart);
  if (value !== undefined) bytes.set(value, bodyStart + keyLength);
  return length;
}

/** Sets the durable end and the checksum of the record at `start`; returns its length. */
export function finishRecord(bytes: Uint8Array, start: number, durableEnd: number): number {
  const length = recordLength(0, getUint32(bytes, start));
  setUint32(bytes, start + 24, durableEnd);
  setUint32(bytes, start + 4, checksum(bytes, start, length));
  return length;
}

/** Length in the file of the record at `start`, by its length field. */
export function lengthAt(bytes: Uint8Array, start: number): number {
  return recordLength(0, getUint32(bytes, start));
}

/**
 * Reads the record at `start` of `bytes[0…end)` into `view`.
 * @returns 0 if it is whole; the number of bytes needed from `start` on if there may be more than `bytes` holds; −1 if it is
 * damaged. `bodyBytesMax` bounds what a damaged length can ask for.
 */
export function readRecord(
  bytes: Uint8Array,
  start: number,
  end: number,
  bodyBytesMax: number,
  view: RecordView,
): number {
  if (end - start < recordHeaderBytes) return recordHeaderBytes;
  const bodyLength = getUint32(bytes, start);
  if (bodyLength > bodyBytesMax || bytes[start + 30]! > lastKind || bytes[start + 31] !== 0) return -1;
  const length = recordLength(0, bodyLength);
  if (end - start < length) return length;
  if (getUint32(bytes, start + 4) !== checksum(bytes, start, length)) return -1;
  const stored = bytes[start + 28]! | (bytes[start + 29]! << 8);
  const keyLength = stored === noKey ? 0 : stored;
  if (keyLength > bodyLength) return -1;
  view.start = start;
  view.length = length;
  view.kind = bytes[start + 30]!;
  view.offset = getUint64(bytes, start + 8);
  view.timeMicros = getUint64(bytes, start + 16);
  view.durableEnd = getUint32(bytes, start + 24);
  view.keyStart = start + recordHeaderBytes;
  view.keyLength = stored === noKey ? -1 : keyLength;
  view.valueStart = view.keyStart + keyLength;
  view.valueEnd = view.keyStart + bodyLength;
  return 0;
}

/** The record of a view into `bytes`, as a reader gets it. */
export function toLogRecord(bytes: Uint8Array, view: RecordView): LogRecord {
  return {
    offset: view.offset,
    timeMicros: view.timeMicros,
    key: view.keyLength < 0 ? undefined : bytes.subarray(view.keyStart, view.valueStart),
    value: view.kind === recordKind.tombstone ? undefined : bytes.subarray(view.valueStart, view.valueEnd),
  };
}

/** Whether a record of this kind was appended by somebody, rather than by the log for itself. */
export function isMessage(kind: number): boolean {
  return kind <= recordKind.tombstone;
}

function checksum(bytes: Uint8Array, start: number, length: number): number {
  return crc32c(bytes, start + 8, start + length, crc32c(bytes, start, start + 4));
}

export function getUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

export function setUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Reads a safe integer; a damaged one may come out above 2⁵³. */
export function getUint64(bytes: Uint8Array, at: number): number {
  return getUint32(bytes, at) + getUint32(bytes, at + 4) * 4294967296;
}

export function setUint64(bytes: Uint8Array, at: number, value: number): void {
  setUint32(bytes, at, value >>> 0);
  setUint32(bytes, at + 4, Math.floor(value / 4294967296));
}
