// The five typed fields of ONNX's TensorProto (float_data, int32_data, int64_data, double_data, uint64_data), packed or not,
// and the element bytes that they stand for. Small types travel in int32_data: whole numbers by value, the small floats by
// their bits. A value that its type cannot hold is refused, never cut. Bits of floats are copied, not read as numbers.

import { bytesPerElement, type DataType, dataTypes, type FixedSizeDataType } from '../data-type.ts';
import type { ByteReader } from './byte-reader.ts';
import { type ProtobufField, readInt64, readVarint, wireTypes } from './protobuf.ts';

const floatData = 4;
const int32Data = 5;
const int64Data = 7;
const doubleData = 10;
const uint64Data = 11;

/** The field in which each type stands. */
const fieldOf: Readonly<Record<FixedSizeDataType, number>> = {
  ...{ float32: floatData, complex64: floatData, float64: doubleData, complex128: doubleData },
  ...{ int64: int64Data, uint32: uint64Data, uint64: uint64Data },
  ...{ bool: int32Data, int8: int32Data, int16: int32Data, int32: int32Data, uint8: int32Data, uint16: int32Data },
  ...{ float16: int32Data, bfloat16: int32Data, float8_e4m3: int32Data, float8_e5m2: int32Data },
};

export class TypedField {
  readonly number: number;
  private readonly parts: ByteReader[] = [];
  private firstAt = 0;

  constructor(number: number) {
    this.number = number;
  }

  /** Where the first value stands, for messages. */
  get at(): number {
    return this.firstAt;
  }

  get isEmpty(): boolean {
    return this.parts.length === 0;
  }

  /** Adds one occurrence: a packed run, or a single value. An empty run says nothing. */
  add({ wireType, content, at }: ProtobufField): void {
    const single =
      this.number === floatData ? wireTypes.fixed32 : this.number === doubleData ? wireTypes.fixed64 : wireTypes.varint;
    if (wireType !== single && wireType !== wireTypes.lengthDelimited)
      throw content.fail(`field ${this.number} has wire type ${wireType}, not ${single}`, at);
    if (content.left === 0) return;
    if (this.isEmpty) this.firstAt = at;
    this.parts.push(content);
  }

  /** The bytes of `count` elements of `dataType`. SIRA_TENSOR_INVALID if there are not as many, or one does not fit. */
  toBytes(dataType: DataType, count: number): Uint8Array {
    const first = this.parts[0]!;
    if (dataType === 'string' || fieldOf[dataType] !== this.number)
      throw first.fail(`field ${this.number} does not hold ${dataType}`, this.firstAt);
    const encoded = this.parts.reduce((sum, part) => sum + part.left, 0);
    const isFixed = this.number === floatData || this.number === doubleData;
    // A varint takes at least a byte: with fewer bytes than elements nothing is allocated.
    const byteLength = count * bytesPerElement(dataType);
    if (isFixed ? encoded !== byteLength : encoded < count)
      throw first.fail(`${encoded} bytes of field ${this.number} for ${count} elements of ${dataType}`, this.firstAt);
    const bytes = new Uint8Array(byteLength);
    if (isFixed) this.copyInto(bytes);
    else this.readInto(new DataView(bytes.buffer), dataType, count);
    return bytes;
  }

  private copyInto(bytes: Uint8Array): void {
    let at = 0;
    for (const part of this.parts) {
      bytes.set(part.bytes.subarray(part.at, part.end), at);
      at += part.left;
    }
  }

  private readInto(view: DataView, dataType: FixedSizeDataType, count: number): void {
    let index = 0;
    for (const part of this.parts) {
      while (part.left > 0) {
        if (index === count) throw part.fail(`more than the ${count} elements of the shape`);
        writeInteger(view, index++, dataType, part, this.number);
      }
    }
    if (index !== count) throw this.parts[0]!.fail(`${index} elements instead of ${count}`, this.firstAt);
  }
}

function writeInteger(
  view: DataView,
  index: number,
  dataType: FixedSizeDataType,
  part: ByteReader,
  field: number,
): void {
  const at = part.at;
  const { kind, bytes } = dataTypes[dataType];
  const value = field === uint64Data ? readVarint(part) : readInt64(part);
  const bits = BigInt(8 * bytes);
  const isSigned = kind === 'signed';
  const least = isSigned ? -(1n << (bits - 1n)) : 0n;
  const most = dataType === 'bool' ? 1n : (1n << (isSigned ? bits - 1n : bits)) - 1n;
  if (value < least || value > most) throw part.fail(`${value} does not fit ${dataType}`, at);
  const place = index * bytes;
  if (bytes === 8) view.setBigUint64(place, BigInt.asUintN(64, value), true);
  else if (bytes === 4) view.setUint32(place, Number(BigInt.asUintN(32, value)), true);
  else if (bytes === 2) view.setUint16(place, Number(BigInt.asUintN(16, value)), true);
  else view.setUint8(place, Number(BigInt.asUintN(8, value)));
}
