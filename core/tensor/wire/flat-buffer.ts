// Reading of FlatBuffers: a root table, tables by field number, strings, vectors, structs in place. Nothing is unpacked; every
// offset is followed only within the bytes given, so that a wrong one is an error with its place and never a stray read. What
// the fields mean, and how deep to follow them, is the caller's affair. Source: flatbuffers.dev, "Internals".

import type { SiraError } from '../../base/errors.ts';
import { malformed, type TensorLimits } from './tensor-limits.ts';
import { malformedUtf8At, readUtf8 } from './utf8.ts';

/** A table has an offset to its vtable, and something that leads to it. */
const tableBytesMin = 8;
/** A writer may store equal texts once. */
const textSharingMax = 8;

export class FlatBuffer {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly format: string;
  private readonly start: number;
  private readonly end: number;
  /** Tables and bytes of text that may still be read. Offsets can make the same bytes stand for any number of tables, so
   *  what is read is bounded by what honest bytes of this length could hold. */
  private tablesLeft: number;
  private textBytesLeft: number;

  /** Reads within bytes start…end alone; `format` names it in errors. */
  constructor(bytes: Uint8Array, format: string, start: number, end: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.format = format;
    this.start = start;
    this.end = end;
    this.tablesLeft = Math.ceil((end - start) / tableBytesMin);
    this.textBytesLeft = textSharingMax * (end - start);
  }

  root(): FlatTable {
    return new FlatTable(this, this.follow(this.start));
  }

  fail(what: string, byte: number): SiraError {
    return malformed(this.format, byte, what);
  }

  u8(at: number): number {
    return this.view.getUint8(this.check(at, 1));
  }

  u16(at: number): number {
    return this.view.getUint16(this.check(at, 2), true);
  }

  i16(at: number): number {
    return this.view.getInt16(this.check(at, 2), true);
  }

  i32(at: number): number {
    return this.view.getInt32(this.check(at, 4), true);
  }

  u32(at: number): number {
    return this.view.getUint32(this.check(at, 4), true);
  }

  /** A 64-bit length, count or offset: 0…2⁵³ − 1. */
  size64(at: number): number {
    const value = this.view.getUint32(this.check(at, 8), true) + this.view.getInt32(at + 4, true) * 2 ** 32;
    if (!Number.isSafeInteger(value) || value < 0) throw this.fail(`${value} is no size`, at);
    return value;
  }

  /** Where the unsigned offset at `at` leads. */
  follow(at: number): number {
    return this.check(at + this.u32(at), 4);
  }

  text(at: number, lengthMax: number): string {
    const length = this.u32(at);
    if (length > lengthMax) throw this.fail(`a text of ${length} bytes; the limit is ${lengthMax}`, at);
    const start = this.check(at + 4, length);
    this.textBytesLeft -= length;
    if (this.textBytesLeft < 0) throw this.fail('the same text over and over', at);
    const bytes = this.bytes.subarray(start, start + length);
    const wrong = malformedUtf8At(bytes);
    if (wrong >= 0) throw this.fail('a text that is not UTF-8', start + wrong);
    return readUtf8(bytes);
  }

  /** Counts a table that is read at `at`. */
  enter(at: number): void {
    this.tablesLeft -= 1;
    if (this.tablesLeft < 0) throw this.fail('the same table over and over', at);
  }

  /** `at`, if `length` bytes from there lie inside. */
  check(at: number, length: number): number {
    if (at >= this.start && at + length <= this.end) return at;
    const inside = Math.min(Math.max(at, this.start), this.end);
    throw this.fail(`an offset that leads outside of the metadata, to byte ${at}`, inside);
  }
}

/** A vector in place: `count` items of `itemBytes` from `at` on, all of them inside. */
export interface FlatVector {
  readonly at: number;
  readonly count: number;
}

export class FlatTable {
  readonly buffer: FlatBuffer;
  /** Where the table begins, for messages. */
  readonly at: number;
  private readonly fieldsAt: number;
  private readonly fieldsEnd: number;

  constructor(buffer: FlatBuffer, at: number) {
    buffer.enter(at);
    this.buffer = buffer;
    this.at = at;
    const vtable = at - buffer.i32(at);
    const length = buffer.u16(vtable);
    buffer.check(vtable, Math.max(4, length));
    this.fieldsAt = vtable + 4;
    this.fieldsEnd = vtable + length;
  }

  /** Where field `index` stands, or 0 if the table does not have it. */
  place(index: number): number {
    const slot = this.fieldsAt + 2 * index;
    if (slot + 2 > this.fieldsEnd) return 0;
    const offset = this.buffer.u16(slot);
    return offset === 0 ? 0 : this.at + offset;
  }

  u8(index: number, byDefault = 0): number {
    const at = this.place(index);
    return at === 0 ? byDefault : this.buffer.u8(at);
  }

  i16(index: number, byDefault = 0): number {
    const at = this.place(index);
    return at === 0 ? byDefault : this.buffer.i16(at);
  }

  i32(index: number, byDefault = 0): number {
    const at = this.place(index);
    return at === 0 ? byDefault : this.buffer.i32(at);
  }

  size64(index: number): number {
    const at = this.place(index);
    return at === 0 ? 0 : this.buffer.size64(at);
  }

  table(index: number): FlatTable | undefined {
    const at = this.place(index);
    return at === 0 ? undefined : new FlatTable(this.buffer, this.buffer.follow(at));
  }

  text(index: number, lengthMax: number): string {
    const at = this.place(index);
    return at === 0 ? '' : this.buffer.text(this.buffer.follow(at), lengthMax);
  }

  /** A vector of scalars or structs of `itemBytes`, empty if it is not there. */
  vector(index: number, itemBytes: number): FlatVector {
    const at = this.place(index);
    if (at === 0) return { at: 0, count: 0 };
    const vector = this.buffer.follow(at);
    const count = this.buffer.u32(vector);
    this.buffer.check(vector + 4, count * itemBytes);
    return { at: vector + 4, count };
  }

  /** The tables of a vector of tables, at most `limits.tensorsMax`. */
  tables(index: number, limits: TensorLimits): FlatTable[] {
    const { at, count } = this.vector(index, 4);
    if (count > limits.tensorsMax) throw this.buffer.fail(`a list of ${count}; the limit is ${limits.tensorsMax}`, at);
    return Array.from({ length: count }, (_, item) => new FlatTable(this.buffer, this.buffer.follow(at + 4 * item)));
  }
}
