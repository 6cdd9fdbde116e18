// As much of the protocol buffers encoding as messages of tensors need: fields in the order in which they come, varints of at
// most ten bytes, and a writer. No field is kept that the caller did not ask for, no nesting is followed unasked, and a group
// (wire types 3 and 4, gone since proto3) is refused. Source: protobuf.dev, "Encoding".

import { ByteReader } from './byte-reader.ts';

export const wireTypes = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;

/** A field as it stands: where it begins, its number, its wire type, and a reader that holds its content alone. */
export interface ProtobufField {
  readonly at: number;
  readonly number: number;
  readonly wireType: number;
  readonly content: ByteReader;
}

/** Gives every field of the message that `reader` holds to `visit`, in order. */
export function readFields(reader: ByteReader, visit: (field: ProtobufField) => void): void {
  while (reader.left > 0) {
    const at = reader.at;
    const key = readVarint(reader);
    const number = Number(key >> 3n);
    const wireType = Number(key & 7n);
    if (number === 0 || number > 0x1fffffff) throw reader.fail(`no field has number ${number}`, at);
    visit({ at, number, wireType, content: readContent(reader, wireType, at) });
  }
}

function readContent(reader: ByteReader, wireType: number, at: number): ByteReader {
  if (wireType === wireTypes.fixed64) return reader.window(8, 'field');
  if (wireType === wireTypes.fixed32) return reader.window(4, 'field');
  if (wireType === wireTypes.lengthDelimited) {
    const length = readVarint(reader);
    if (length > BigInt(reader.left)) throw reader.fail(`a field of ${length} bytes, but ${reader.left} are left`, at);
    return reader.window(Number(length), 'field');
  }
  if (wireType !== wireTypes.varint) throw reader.fail(`wire type ${wireType} is refused`, at);
  const start = reader.at;
  readVarint(reader);
  return new ByteReader(reader.bytes, reader.format, start, reader.at);
}

/** An unsigned 64-bit integer, 0…2⁶⁴ − 1. */
export function readVarint(reader: ByteReader): bigint {
  const start = reader.at;
  // The first seven groups fit a double exactly and are nearly always all.
  let low = 0;
  let scale = 1;
  for (let index = 0; index < 7; index++) {
    const byte = reader.u8('varint');
    low += (byte & 0x7f) * scale;
    if (byte < 0x80) return BigInt(low);
    scale *= 128;
  }
  let value = BigInt(low);
  for (let index = 7; index < 10; index++) {
    const byte = reader.u8('varint');
    if (index === 9 && byte > 1) break;
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return value;
  }
  throw reader.fail('a varint above 64 bits', start);
}

/** A varint that is an int64, two's complement. */
export function readInt64(reader: ByteReader): bigint {
  return BigInt.asIntN(64, readVarint(reader));
}

/** Collects the fields of one message; give them in rising order of their numbers for the canonical form. */
export class ProtobufWriter {
  private readonly pieces: Uint8Array[] = [];
  private length = 0;

  varint(number: number, value: bigint | number): void {
    this.key(number, wireTypes.varint);
    this.append(varintBytes(BigInt.asUintN(64, BigInt(value))));
  }

  /** The content is not copied before `finish`. */
  bytes(number: number, content: Uint8Array): void {
    this.key(number, wireTypes.lengthDelimited);
    this.append(varintBytes(BigInt(content.length)));
    this.append(content);
  }

  finish(): Uint8Array {
    const result = new Uint8Array(this.length);
    let at = 0;
    for (const piece of this.pieces) {
      result.set(piece, at);
      at += piece.length;
    }
    return result;
  }

  private key(number: number, wireType: number): void {
    this.append(varintBytes(BigInt(number * 8 + wireType)));
  }

  private append(piece: Uint8Array): void {
    this.pieces.push(piece);
    this.length += piece.length;
  }
}

function varintBytes(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
