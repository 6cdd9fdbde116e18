// Snapshots in files, written so that a crash leaves the old one or the new one and never half of one: a temporary file,
// synced, renamed, and the folder synced. Reading checks every byte and falls back to the one before, saying so; how many are
// kept is a setting. What a snapshot holds, and which inputs follow it, is the owner's business.
//
// A file: header of 128 bytes, little-endian: magic (8), u32 format version, u32 schema version, u64 offset, u64 time, u64 body
// length, code hash (64, ASCII, zero padded), zeros, u32 CRC-32C of the body, u32 CRC-32C of the header; then the body.

import { assert } from '../base/assert.ts';
import type { FileCompletion } from '../ports/file-port.ts';
import { crc32c } from './crc32c.ts';
import { ask, askAll, type FileEffect, type FileTask, FileTasks, type LogFault } from './file-tasks.ts';
import { getUint32, getUint64, setUint32, setUint64 } from './record.ts';
import { codeHashLengthMax } from './segment.ts';

export interface Snapshot {
  /** The first offset whose record it does not contain: replay begins there. */
  readonly offset: number;
  readonly timeMicros: number;
  /** Of the body, for migrations. */
  readonly schemaVersion: number;
  /** Of the code that wrote it: up to 64 printable ASCII characters. */
  readonly codeHash: string;
  readonly body: Uint8Array;
}

export type SnapshotEffect =
  | FileEffect
  | { readonly kind: 'snapshotWritten'; readonly offset: number }
  | { readonly kind: 'snapshotFailed'; readonly offset: number; readonly fault: LogFault }
  /** The newest whole one, `undefined` if there is none; `faults` of newer ones that are damaged. */
  | {
      readonly kind: 'snapshotRead';
      readonly snapshot: Snapshot | undefined;
      readonly faults: readonly LogFault[];
    }
  | { readonly kind: 'snapshotReadFailed'; readonly fault: LogFault };

export interface SnapshotEffectSink {
  push(effect: SnapshotEffect): unknown;
}

const headerBytes = 128;
const formatVersion = 1;
const magic = 0x41524953;
const magicKind = 0x50414e53;
const pieceBytes = 1024 * 1024;

type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: LogFault };

export class SnapshotStore {
  private readonly tasks = new FileTasks();
  private readonly keepCount: number;
  private isWriting = false;

  /** Keeps the `keepCount` newest, at least 1. */
  constructor(keepCount = 2) {
    assert(keepCount >= 1, 'at least one snapshot is kept');
    this.keepCount = keepCount;
  }

  /** Writes a snapshot, whose body must not change meanwhile. Answered by `snapshotWritten` or `snapshotFailed`; false while one is being written. */
  write(snapshot: Snapshot, effects: SnapshotEffectSink): boolean {
    if (this.isWriting) return false;
    this.isWriting = true;
    const { offset } = snapshot;
    this.tasks.start(writeSnapshot(snapshot, this.keepCount), effects, (outcome, sink: SnapshotEffectSink) => {
      this.isWriting = false;
      if (outcome.ok) sink.push({ kind: 'snapshotWritten', offset });
      else sink.push({ kind: 'snapshotFailed', offset, fault: outcome.fault });
    });
    return true;
  }

  /** Reads the newest whole snapshot with an offset up to `offsetMax`. Answered by `snapshotRead` or `snapshotReadFailed`. */
  readLatest(effects: SnapshotEffectSink, offsetMax = Number.MAX_SAFE_INTEGER): void {
    this.tasks.start(readLatest(offsetMax), effects, (outcome, sink: SnapshotEffectSink) => {
      if (outcome.ok) sink.push({ kind: 'snapshotRead', ...outcome.value });
      else sink.push({ kind: 'snapshotReadFailed', fault: outcome.fault });
    });
  }

  complete(completion: FileCompletion, effects: SnapshotEffectSink): void {
    this.tasks.complete(completion, effects);
  }

  /** Operations asked for whose completions have not come. */
  get operationCount(): number {
    return this.tasks.count;
  }
}

function* writeSnapshot(snapshot: Snapshot, keepCount: number): FileTask<Outcome<undefined>> {
  const { body } = snapshot;
  const file = snapshotName(snapshot.offset);
  const temporary = `${file}.tmp`;
  const listed = yield* ask({ kind: 'list' });
  if (!listed.ok) return failed(listed);
  const names = listed.value.entries.map((entry) => entry.name);
  // What an interrupted writing left.
  const left = names.filter((name) => name.endsWith('.snapshot.tmp'));
  const begun = yield* askAll([
    ...left.map((name) => ({ kind: 'remove', file: name }) as const),
    { kind: 'create', file: temporary },
    { kind: 'append', file: temporary, bytes: encodeHeader(snapshot) },
  ]);
  if (!begun.ok) return failed(begun);
  for (let at = 0; at < body.length; at += pieceBytes) {
    const written = yield* ask({ kind: 'append', file: temporary, bytes: body.subarray(at, at + pieceBytes) });
    if (!written.ok) {
      yield { kind: 'remove', file: temporary };
      return failed(written);
    }
  }
  const finished = yield* askAll([
    { kind: 'sync', file: temporary },
    { kind: 'rename', file: temporary, to: file },
    { kind: 'syncFolder' },
  ]);
  if (!finished.ok) return failed(finished);
  const older = names.filter((name) => offsetOf(name) !== undefined && name < file);
  for (const name of older.slice(0, Math.max(0, older.length - (keepCount - 1)))) {
    // The new one is safe; an old one that stays does no harm.
    yield { kind: 'remove', file: name };
  }
  return { ok: true, value: undefined };
}

function* readLatest(
  offsetMax: number,
): FileTask<Outcome<{ snapshot: Snapshot | undefined; faults: readonly LogFault[] }>> {
  const listed = yield* ask({ kind: 'list' });
  if (!listed.ok) return failed(listed);
  const faults: LogFault[] = [];
  for (const { name, sizeBytes } of listed.value.entries.toReversed()) {
    const offset = offsetOf(name);
    if (offset === undefined || offset > offsetMax) continue;
    const bytes = new Uint8Array(sizeBytes);
    for (let position = 0; position < sizeBytes; ) {
      const length = Math.min(pieceBytes, sizeBytes - position);
      const read = yield* ask({ kind: 'readAt', file: name, position, length });
      if (!read.ok) return failed(read);
      bytes.set(read.value.bytes, position);
      position += length;
    }
    const decoded = decode(bytes, offset);
    if (typeof decoded !== 'string') return { ok: true, value: { snapshot: decoded, faults } };
    const code = decoded === 'version' ? 'SIRA_LOG_VERSION' : 'SIRA_LOG_CORRUPT';
    const reason = decoded === 'version' ? `${name} has another format` : `${name} is damaged`;
    faults.push({ code, reason, file: name });
  }
  return { ok: true, value: { snapshot: undefined, faults } };
}

function encodeHeader({ offset, timeMicros, schemaVersion, codeHash, body }: Snapshot): Uint8Array {
  assert(codeHash.length <= codeHashLengthMax, 'a code hash has at most 64 characters');
  const bytes = new Uint8Array(headerBytes);
  setUint32(bytes, 0, magic);
  setUint32(bytes, 4, magicKind);
  setUint32(bytes, 8, formatVersion);
  setUint32(bytes, 12, schemaVersion);
  setUint64(bytes, 16, offset);
  setUint64(bytes, 24, timeMicros);
  setUint64(bytes, 32, body.length);
  for (let at = 0; at < codeHash.length; at++) bytes[40 + at] = codeHash.charCodeAt(at);
  setUint32(bytes, headerBytes - 8, crc32c(body));
  setUint32(bytes, headerBytes - 4, crc32c(bytes, 0, headerBytes - 4));
  return bytes;
}

function decode(bytes: Uint8Array, offset: number): Snapshot | 'damaged' | 'version' {
  const isHeader =
    bytes.length >= headerBytes &&
    getUint32(bytes, headerBytes - 4) === crc32c(bytes, 0, headerBytes - 4) &&
    getUint32(bytes, 0) === magic &&
    getUint32(bytes, 4) === magicKind;
  if (!isHeader) return 'damaged';
  if (getUint32(bytes, 8) !== formatVersion) return 'version';
  const body = bytes.subarray(headerBytes);
  const isWhole =
    getUint64(bytes, 32) === body.length &&
    getUint32(bytes, headerBytes - 8) === crc32c(body) &&
    getUint64(bytes, 16) === offset;
  if (!isWhole) return 'damaged';
  let codeHash = '';
  for (let at = 40; at < 40 + codeHashLengthMax && bytes[at] !== 0; at++) codeHash += String.fromCharCode(bytes[at]!);
  return { offset, timeMicros: getUint64(bytes, 24), schemaVersion: getUint32(bytes, 12), codeHash, body };
}

function failed(refusal: { readonly code: LogFault['code']; readonly reason: string }): { ok: false; fault: LogFault } {
  return { ok: false, fault: { code: refusal.code, reason: refusal.reason } };
}

function snapshotName(offset: number): string {
  return `${String(offset).padStart(16, '0')}.snapshot`;
}

function offsetOf(name: string): number | undefined {
  const match = /^(\d{16})\.snapshot$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}
