// A segment: one file of the log, named by its first offset and a generation, opened by a header and, once closed, ended by an
// index and a seal. Files are never changed in place: a rewritten one gets a higher generation, and of two that cover the same
// offsets the higher generation is the one that counts. What is in the records is record.ts's business.
//
// Header, 128 bytes, little-endian: magic (8), u32 format version, u32 generation, u64 base offset, u64 end offset (all ones:
// open-ended), u64 time of creation, code hash (64, ASCII, zero padded), u64 bytes cut, zeros, u32 CRC-32C of the rest.

import { assert } from '../base/assert.ts';
import { crc32c } from './crc32c.ts';
import {
  getUint32,
  getUint64,
  newRecordView,
  readRecord,
  recordHeaderBytes,
  recordKind,
  setUint32,
  setUint64,
  writeRecord,
} from './record.ts';
import type { SegmentIndex } from './segment-index.ts';

export const segmentHeaderBytes = 128;
export const segmentFormatVersion = 1;
/** Longest code hash, ASCII characters. */
export const codeHashLengthMax = 64;
const magic = 0x41524953;
const magicKind = 0x31474f4c;
const sealBodyBytes = 24;
/** A seal is the last so many bytes of a closed segment. */
export const sealBytes = recordHeaderBytes + sealBodyBytes;

export interface SegmentHeader {
  readonly baseOffset: number;
  readonly generation: number;
  /** Exclusive, for a compacted segment, whose offsets have gaps; −1 for one that was appended to. */
  readonly endOffset: number;
  readonly createdMicros: number;
  /** Of the deterministic code that wrote the records: only that code replays them. */
  readonly codeHash: string;
  /** Torn bytes that openings have cut from it so far: an opening that a crash ends could not tell anybody. */
  readonly cutBytes: number;
}

/** What the end of a closed segment says. */
export interface SegmentSeal {
  /** Exclusive. */
  readonly endOffset: number;
  /** Of its last record, or of the last before it. */
  readonly lastTimeMicros: number;
  /** Where the records end and the index begins. */
  readonly indexPosition: number;
}

/** A segment as the log knows it. */
export interface Segment extends SegmentHeader {
  readonly file: string;
  /** Where the records end that may be read: for the active segment those that are durable. */
  dataEnd: number;
  /** Of the file. */
  sizeBytes: number;
  /** Exclusive; of the active segment: of what is durable. */
  lastOffset: number;
  lastTimeMicros: number;
  /** The index, if it is in memory. */
  index: SegmentIndex | undefined;
}

export type DecodedHeader = SegmentHeader | 'damaged' | 'version';

/** Whether offsets in it may have gaps. */
export function isCompacted(header: SegmentHeader): boolean {
  return header.endOffset >= 0;
}

export function segmentName(baseOffset: number, generation: number): string {
  return `${String(baseOffset).padStart(16, '0')}.${String(generation).padStart(8, '0')}.log`;
}

/** A name under which a segment is written before it counts; opening the log removes such files. */
export function temporaryName(baseOffset: number, generation: number): string {
  return `${segmentName(baseOffset, generation)}.tmp`;
}

/** Base offset and generation of a segment's file name, `undefined` for other names. */
export function parseSegmentName(name: string): { baseOffset: number; generation: number } | undefined {
  const match = /^(\d{16})\.(\d{8,10})\.log$/.exec(name);
  return match === null ? undefined : { baseOffset: Number(match[1]), generation: Number(match[2]) };
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  assert(
    header.codeHash.length <= codeHashLengthMax && /^[\x21-\x7e]*$/.test(header.codeHash),
    'a code hash is up to 64 printable ASCII characters',
  );
  const bytes = new Uint8Array(segmentHeaderBytes);
  setUint32(bytes, 0, magic);
  setUint32(bytes, 4, magicKind);
  setUint32(bytes, 8, segmentFormatVersion);
  setUint32(bytes, 12, header.generation);
  setUint64(bytes, 16, header.baseOffset);
  if (header.endOffset < 0) bytes.fill(255, 24, 32);
  else setUint64(bytes, 24, header.endOffset);
  setUint64(bytes, 32, header.createdMicros);
  for (let at = 0; at < header.codeHash.length; at++) bytes[40 + at] = header.codeHash.charCodeAt(at);
  setUint64(bytes, 104, header.cutBytes);
  setUint32(bytes, segmentHeaderBytes - 4, crc32c(bytes, 0, segmentHeaderBytes - 4));
  return bytes;
}

/** Reads a header; `version` if it is whole but of a format that is not known here. */
export function decodeSegmentHeader(bytes: Uint8Array): DecodedHeader {
  const isWhole =
    bytes.length >= segmentHeaderBytes &&
    getUint32(bytes, segmentHeaderBytes - 4) === crc32c(bytes, 0, segmentHeaderBytes - 4) &&
    getUint32(bytes, 0) === magic &&
    getUint32(bytes, 4) === magicKind;
  if (!isWhole) return 'damaged';
  if (getUint32(bytes, 8) !== segmentFormatVersion) return 'version';
  let codeHash = '';
  for (let at = 40; at < 40 + codeHashLengthMax && bytes[at] !== 0; at++) codeHash += String.fromCharCode(bytes[at]!);
  const isOpen = getUint32(bytes, 24) === 0xffffffff && getUint32(bytes, 28) === 0xffffffff;
  return {
    generation: getUint32(bytes, 12),
    baseOffset: getUint64(bytes, 16),
    endOffset: isOpen ? -1 : getUint64(bytes, 24),
    createdMicros: getUint64(bytes, 32),
    codeHash,
    cutBytes: getUint64(bytes, 104),
  };
}

/** The seal record, without durable end and checksum. */
export function writeSeal(bytes: Uint8Array, start: number, seal: SegmentSeal): number {
  const body = new Uint8Array(sealBodyBytes);
  setUint64(body, 0, seal.endOffset);
  setUint64(body, 8, seal.lastTimeMicros);
  setUint64(body, 16, seal.indexPosition);
  return writeRecord(bytes, start, recordKind.seal, seal.endOffset, seal.lastTimeMicros, undefined, body);
}

/** Reads a seal from the last {@link sealBytes} of a file; `undefined` if there is none. */
export function readSeal(bytes: Uint8Array): SegmentSeal | undefined {
  const view = newRecordView();
  if (bytes.length !== sealBytes || readRecord(bytes, 0, sealBytes, sealBodyBytes, view) !== 0) return undefined;
  if (view.kind !== recordKind.seal || view.valueEnd - view.valueStart !== sealBodyBytes) return undefined;
  return {
    endOffset: getUint64(bytes, view.valueStart),
    lastTimeMicros: getUint64(bytes, view.valueStart + 8),
    indexPosition: getUint64(bytes, view.valueStart + 16),
  };
}
