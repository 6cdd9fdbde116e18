// ONNX's TensorProto, the form of weights in models and of the inputs and outputs in model tests. raw_data is read as a window
// onto the bytes; the typed fields are unpacked bit by bit. Data in other files is refused: a reader without files cannot keep
// such a promise, and a path inside a message is a trap. Source: github.com/onnx/onnx, onnx/onnx.proto, message TensorProto.

import { bytesPerElement, type DataType } from '../data-type.ts';
import { elementCount, formatShape } from '../shape.ts';
import { TensorView } from '../tensor-view.ts';
import { ByteReader } from './byte-reader.ts';
import { TypedField } from './onnx-typed-field.ts';
import { type ProtobufField, ProtobufWriter, readFields, readInt64, wireTypes } from './protobuf.ts';
import { malformedBoolAt, rowMajorBytes, rowMajorStrings } from './row-major-bytes.ts';
import { checkedUtf8Length, readString } from './string-payload.ts';
import { defaultTensorLimits, shapeRefusal, type TensorLimits, unwritable } from './tensor-limits.ts';
import { utf8Length, writeUtf8 } from './utf8.ts';

export interface OnnxTensor {
  /** Empty when there is none. */
  readonly name: string;
  readonly tensor: TensorView;
}

const format = 'onnx';

/** Numbers of TensorProto.DataType. Those that are missing (the FNUZ floats, 4-bit numbers) have no data type here. */
const typeNumbers: Readonly<Record<DataType, number>> = {
  ...{ float32: 1, uint8: 2, int8: 3, uint16: 4, int16: 5, int32: 6, int64: 7, string: 8, bool: 9, float16: 10 },
  ...{ float64: 11, uint32: 12, uint64: 13, complex64: 14, complex128: 15, bfloat16: 16 },
  ...{ float8_e4m3: 17, float8_e5m2: 19 },
};

/** Numbers of TensorProto's fields. */
const fields = {
  ...{ dims: 1, dataType: 2, segment: 3, floatData: 4, int32Data: 5, stringData: 6, int64Data: 7, name: 8 },
  ...{ rawData: 9, doubleData: 10, uint64Data: 11, docString: 12, externalData: 13, dataLocation: 14 },
} as const;

/** What the message says, before it is known to fit together. */
interface Parts {
  dims: number[];
  typeNumber: number | undefined;
  typeAt: number;
  name: string;
  raw: ByteReader | undefined;
  strings: string[];
  typed: Map<number, TypedField>;
}

/** SIRA_TENSOR_INVALID, with the byte, for anything but one sound tensor within `limits`. */
export function readOnnxTensor(bytes: Uint8Array, limits: TensorLimits = defaultTensorLimits): OnnxTensor {
  const reader = new ByteReader(bytes, format);
  const parts = readParts(reader, limits);
  const { typeNumber, typeAt, dims, raw } = parts;
  if (typeNumber === undefined) throw reader.fail('no data_type', bytes.length);
  const dataType = Object.entries(typeNumbers).find(([, number]) => number === typeNumber)?.[0] as DataType | undefined;
  if (dataType === undefined) throw reader.fail(`no data type for ONNX's number ${typeNumber}`, typeAt);
  const refusal = shapeRefusal(dataType, dims, limits);
  if (refusal !== undefined) throw reader.fail(refusal, 0);
  const [filled, another] = [...parts.typed.values()].filter((field) => !field.isEmpty);
  if (another !== undefined) throw reader.fail('several typed fields at once', another.at);
  if (raw !== undefined && (filled !== undefined || parts.strings.length > 0))
    throw reader.fail('raw_data and a typed field at once', raw.at);
  if (parts.strings.length > 0 && (dataType !== 'string' || filled !== undefined))
    throw reader.fail(`string_data for ${dataType}`, typeAt);
  return { name: parts.name, tensor: tensorOf(reader, dataType, parts, filled) };
}

function tensorOf(
  reader: ByteReader,
  dataType: DataType,
  { dims, raw, strings, typeAt }: Parts,
  filled: TypedField | undefined,
): TensorView {
  const count = elementCount(dims);
  const expect = (found: number, unit: string, expected: number, at: number): void => {
    if (found !== expected)
      throw reader.fail(`${found} ${unit} for ${dataType} of shape ${formatShape(dims)}, which takes ${expected}`, at);
  };
  if (dataType === 'string') {
    if (raw !== undefined || filled !== undefined) throw reader.fail('strings stand in string_data', typeAt);
    expect(strings.length, 'strings', count, typeAt);
    return new TensorView(dataType, dims, strings);
  }
  const byteLength = count * bytesPerElement(dataType);
  if (raw === undefined) {
    // Without data it is an empty tensor, or the data was lost.
    if (filled === undefined) expect(0, 'elements', count, typeAt);
    return new TensorView(dataType, dims, filled?.toBytes(dataType, count) ?? new Uint8Array(0));
  }
  expect(raw.left, 'bytes', byteLength, raw.at);
  const data = reader.bytes.subarray(raw.at, raw.end);
  const wrong = dataType === 'bool' ? malformedBoolAt(data) : -1;
  if (wrong >= 0) throw reader.fail(`a bool of ${data[wrong]}; it is 0 or 1`, raw.at + wrong);
  return new TensorView(dataType, dims, data);
}

function readParts(reader: ByteReader, limits: TensorLimits): Parts {
  const parts: Parts = {
    ...{ dims: [], typeNumber: undefined, typeAt: 0, name: '', raw: undefined, strings: [] },
    typed: new Map([4, 5, 7, 10, 11].map((number) => [number, new TypedField(number)])),
  };
  const seen = new Set<number>();
  readFields(reader, (field) => {
    const isRepeated =
      field.number === fields.dims || field.number === fields.stringData || parts.typed.has(field.number);
    if (!isRepeated && field.number <= fields.dataLocation && field.number !== fields.externalData) {
      if (seen.has(field.number)) throw reader.fail(`field ${field.number} comes twice`, field.at);
      seen.add(field.number);
    }
    readField(field, parts, limits);
  });
  return parts;
}

function readField(field: ProtobufField, parts: Parts, limits: TensorLimits): void {
  const { number, content, at } = field;
  const typed = parts.typed.get(number);
  if (typed !== undefined) typed.add(field);
  else if (number === fields.dims) readDims(field, parts.dims, limits);
  else if (number === fields.dataType) {
    parts.typeAt = at;
    parts.typeNumber = Number(readInt64(expectType(field, wireTypes.varint)));
  } else if (number === fields.stringData) {
    if (parts.strings.length === limits.stringsMax) throw content.fail(`more than ${limits.stringsMax} strings`, at);
    expectType(field, wireTypes.lengthDelimited);
    parts.strings.push(readString(content, content.left, limits));
  } else if (number === fields.name) {
    expectType(field, wireTypes.lengthDelimited);
    if (content.left > limits.nameBytesMax) throw content.fail(`a name of ${content.left} bytes`, at);
    parts.name = readString(content, content.left, limits);
  } else if (number === fields.rawData) parts.raw = expectType(field, wireTypes.lengthDelimited);
  else if (number === fields.segment) throw content.fail('a segment of a larger tensor', at);
  else if (number === fields.externalData) throw content.fail('the data is in another file, which is never opened', at);
  else if (number === fields.dataLocation && readInt64(expectType(field, wireTypes.varint)) !== 0n)
    throw content.fail('the data is in another file, which is never opened', at);
  // Documentation, metadata and what later versions add do not change the tensor.
}

function readDims(field: ProtobufField, dims: number[], limits: TensorLimits): void {
  const { content, wireType, at } = field;
  if (wireType !== wireTypes.varint) expectType(field, wireTypes.lengthDelimited);
  while (content.left > 0) {
    const extent = readInt64(content);
    if (extent < 0n || extent > BigInt(Number.MAX_SAFE_INTEGER)) throw content.fail(`an extent of ${extent}`, at);
    if (dims.length === limits.rankMax) throw content.fail(`more than ${limits.rankMax} axes`, at);
    dims.push(Number(extent));
  }
}

function expectType({ wireType, content, number, at }: ProtobufField, expected: number): ByteReader {
  if (wireType !== expected) throw content.fail(`field ${number} has wire type ${wireType}, not ${expected}`, at);
  return content;
}

/** The bytes that ONNX's own numpy_helper.from_array serializes to: raw_data, or string_data for strings. */
export function writeOnnxTensor({ name, tensor }: OnnxTensor): Uint8Array {
  const writer = new ProtobufWriter();
  for (const extent of tensor.shape) writer.varint(fields.dims, extent);
  writer.varint(fields.dataType, typeNumbers[tensor.dataType]);
  if (tensor.dataType === 'string') {
    rowMajorStrings(tensor, format).forEach((text, index) => {
      checkedUtf8Length(text, index, format);
      writer.bytes(fields.stringData, utf8Bytes(text));
    });
  }
  if (name !== '') {
    const length = utf8Length(name);
    if (length < 0 || length > defaultTensorLimits.nameBytesMax)
      throw unwritable(format, `the name ${name} does not fit`);
    writer.bytes(fields.name, utf8Bytes(name));
  }
  if (tensor.dataType !== 'string') writer.bytes(fields.rawData, rowMajorBytes(tensor, format));
  return writer.finish();
}

function utf8Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text));
  writeUtf8(text, bytes, 0);
  return bytes;
}
