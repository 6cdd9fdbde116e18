// The cursor of a group as the ledger has it: everything below the floor is settled, and above it, up to an end, everything but
// the offsets listed, each with the attempts that failed. Packed, version 1; a golden test holds the bytes.

import { PackedReader, PackedWriter } from '../../base/packed-values.ts';
import { attemptEnds } from './message-record.ts';
import type { AttemptEnd } from './topic-protocol.ts';

const version = 1;

/** What failed before. */
export interface FailedAttempts {
  readonly attempts: number;
  readonly attemptEnd: AttemptEnd;
}

export interface GroupCursor {
  readonly epoch: number;
  floor: number;
  end: number;
  /** Unsettled offsets in [floor, end), rising. */
  readonly unsettled: Map<number, FailedAttempts>;
}

export class CursorWriter {
  private readonly writer = new PackedWriter();
  private last = 0;

  begin(epoch: number, floor: number, end: number): void {
    this.writer.clear();
    this.writer.byte(version);
    this.writer.number(epoch);
    this.writer.number(floor);
    this.writer.number(end - floor);
    this.last = floor;
  }

  add(offset: number, attempts: number, attemptEnd: AttemptEnd): void {
    this.writer.number(offset - this.last);
    this.writer.number(attempts * 4 + attemptEnds.indexOf(attemptEnd));
    this.last = offset;
  }

  /** Valid until the next `begin`. */
  get bytes(): Uint8Array {
    return this.writer.written;
  }
}

/** `undefined` if it is damaged. */
export function readCursor(bytes: Uint8Array): GroupCursor | undefined {
  const reader = new PackedReader(bytes);
  if (reader.byte() !== version) return undefined;
  const epoch = reader.number();
  const floor = reader.number();
  const end = floor + reader.number();
  const unsettled = new Map<number, FailedAttempts>();
  let offset = floor;
  while (!reader.isAtEnd && reader.fault === undefined) {
    offset += reader.number();
    const packed = reader.number();
    unsettled.set(offset, { attempts: Math.floor(packed / 4), attemptEnd: attemptEnds[packed % 4] ?? 'disconnected' });
  }
  return reader.fault === undefined ? { epoch, floor, end, unsettled } : undefined;
}

/** Settles one more offset of a cursor that no window holds. */
export function settleInCursor(cursor: GroupCursor, offset: number): void {
  if (offset < cursor.floor) return;
  for (; cursor.end <= offset; cursor.end++)
    cursor.unsettled.set(cursor.end, { attempts: 0, attemptEnd: 'disconnected' });
  cursor.unsettled.delete(offset);
  raiseFloor(cursor);
}

/** The floor rises over what is settled, or over what is gone below `offset`. */
export function raiseFloor(cursor: GroupCursor, offset = 0): void {
  while (cursor.floor < cursor.end && (cursor.floor < offset || !cursor.unsettled.has(cursor.floor))) {
    cursor.unsettled.delete(cursor.floor);
    cursor.floor++;
  }
  if (cursor.floor < offset) cursor.floor = offset;
  if (cursor.end < cursor.floor) cursor.end = cursor.floor;
}
