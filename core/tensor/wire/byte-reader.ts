// A cursor over foreign little-endian bytes that cannot leave them: every read is checked, and what fails says at which byte.
// Positions are those of the whole input, also in a window onto part of it. Taken bytes are windows, never copies.

import type { SiraError } from '../../base/errors.ts';
import { malformed } from './tensor-limits.ts';

export class ByteReader {
  readonly bytes: Uint8Array;
  /** Where the window ends. */
  readonly end: number;
  /** The next byte to read. */
  at: number;
  readonly format: string;
  private readonly view: DataView;

  constructor(bytes: Uint8Array, format: string, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.format = format;
    this.at = start;
    this.end = end;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.end - this.at;
  }

  /** The error to throw: `what` is wrong at `byte`, by default the next one. */
  fail(what: string, byte = this.at): SiraError {
    return malformed(this.format, byte, what);
  }

  u8(what: string): number {
    return this.view.getUint8(this.step(1, what));
  }

  u16(what: string): number {
    return this.view.getUint16(this.step(2, what), true);
  }

  u32(what: string): number {
    return this.view.getUint32(this.step(4, what), true);
  }

  i32(what: string): number {
    return this.view.getInt32(this.step(4, what), true);
  }

  /** A 64-bit unsigned integer; above 2⁵³ − 1 it is refused. */
  u64(what: string): number {
    const place = this.step(8, what);
    const value = this.view.getUint32(place, true) + this.view.getUint32(place + 4, true) * 2 ** 32;
    if (!Number.isSafeInteger(value)) throw this.fail(`${what} is above 2^53 − 1`, place);
    return value;
  }

  /** A 64-bit signed integer that must be ≥ 0 and at most 2⁵³ − 1. */
  nonNegative64(what: string): number {
    if (this.left >= 8 && this.view.getInt32(this.at + 4, true) < 0) throw this.fail(`${what} is negative`);
    return this.u64(what);
  }

  /** A window onto the next `length` bytes. */
  take(length: number, what: string): Uint8Array {
    const place = this.step(length, what);
    return this.bytes.subarray(place, place + length);
  }

  /** A reader of the next `length` bytes alone, which this one skips. */
  window(length: number, what: string): ByteReader {
    const place = this.step(length, what);
    return new ByteReader(this.bytes, this.format, place, place + length);
  }

  skip(length: number, what: string): void {
    this.step(length, what);
  }

  private step(length: number, what: string): number {
    const place = this.at;
    if (length > this.end - place) {
      throw this.fail(`${what} takes ${length} bytes, but ${this.end - place} are left`);
    }
    this.at = place + length;
    return place;
  }
}
