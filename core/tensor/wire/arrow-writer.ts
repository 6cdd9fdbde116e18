// Tensors as Arrow IPC: a Tensor message each, or the columns of one record batch in a stream, where the first axis counts the
// rows and further axes become fixed-size lists. Bodies begin at multiples of 64 bytes. Types that Arrow lacks (bfloat16, the
// 8-bit floats, complex numbers) are refused. Source: github.com/apache/arrow, format/*.fbs, columnar format "IPC".

import { type DataType, dataTypes } from '../data-type.ts';
import { formatShape } from '../shape.ts';
import type { TensorView } from '../tensor-view.ts';
import { arrowFormat, headerTypes } from './arrow-message.ts';
import { alignUp, FlatBufferWriter, type FlatPiece, type FlatValue } from './flat-buffer-writer.ts';
import { rowMajorBytes, rowMajorStrings } from './row-major-bytes.ts';
import { checkedUtf8Length } from './string-payload.ts';
import { defaultTensorLimits, unwritable } from './tensor-limits.ts';
import { utf8Length, writeUtf8 } from './utf8.ts';

export interface NamedTensor {
  readonly name: string;
  readonly tensor: TensorView;
}

const metadataVersion5 = 4;
const bodyAlignment = 64;
const typeNumbers = { int: 2, floatingPoint: 3, utf8: 5, bool: 6, fixedSizeList: 16 } as const;
const endOfStream: readonly number[] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

const u8 = (value: number): FlatValue => ({ kind: 'u8', value });
const i16 = (value: number): FlatValue => ({ kind: 'i16', value });
const i32 = (value: number): FlatValue => ({ kind: 'i32', value });
const size64 = (value: number): FlatValue => ({ kind: 'size64', value });
const ref = (value: FlatPiece): FlatValue => ({ kind: 'piece', value });

/** One Tensor message, row-major. SIRA_TENSOR_INVALID for types other than whole numbers and floats of 16 to 64 bits. */
export function writeArrowTensor(tensor: TensorView): Uint8Array {
  const { kind } = dataTypes[tensor.dataType];
  if (kind !== 'signed' && kind !== 'unsigned' && kind !== 'float')
    throw unwritable(arrowFormat, `no tensors of ${tensor.dataType}`);
  const writer = new FlatBufferWriter();
  const type = elementType(writer, tensor.dataType);
  const dims = tensor.shape.map((extent) => writer.table({ 0: size64(extent) }));
  const body = rowMajorBytes(tensor, arrowFormat);
  const size = dataTypes[tensor.dataType].bytes;
  const strides = tensor.shape.map((_, axis) =>
    tensor.shape.slice(axis + 1).reduce((product, extent) => product * Math.max(1, extent), size),
  );
  const header = writer.table({
    ...{ 0: u8(type.number), 1: ref(type.table), 2: ref(writer.vectorOf(dims)) },
    ...{ 3: ref(writer.vectorOfSizes(strides)), 4: { kind: 'sizes', value: [0, body.length] } },
  });
  return concatenate(message(writer, headerTypes.tensor, header, [body]));
}

/**
 * A stream of one record batch: `columns` all have the same first extent, the count of rows. SIRA_TENSOR_INVALID for a scalar,
 * unequal counts, names without UTF-8, or a type that Arrow lacks.
 */
export function writeArrowTable(columns: readonly NamedTensor[]): Uint8Array {
  const rowCount = columns[0]?.tensor.shape[0] ?? 0;
  for (const { name, tensor } of columns) {
    if (tensor.shape[0] !== rowCount)
      throw unwritable(arrowFormat, `column ${name} of shape ${formatShape(tensor.shape)} has not ${rowCount} rows`);
    const length = utf8Length(name);
    if (length < 0 || length > defaultTensorLimits.nameBytesMax) throw unwritable(arrowFormat, 'a name does not fit');
  }
  const schema = new FlatBufferWriter();
  const fields = columns.map(({ name, tensor }) => field(schema, name, tensor.dataType, tensor.shape.slice(1)));
  const schemaTable = schema.table({ 0: i16(0), 1: ref(schema.vectorOf(fields)) });
  const batch = new FlatBufferWriter();
  const nodes: number[] = [];
  const buffers: Uint8Array[] = [];
  for (const { tensor } of columns) addColumn(tensor, nodes, buffers);
  const places: number[] = [];
  let end = 0;
  for (const buffer of buffers) {
    places.push(end, buffer.length);
    end = alignUp(end + buffer.length, bodyAlignment);
  }
  const batchTable = batch.table({
    ...{ 0: size64(rowCount), 1: ref(batch.vectorOfSizes(nodes, 2)), 2: ref(batch.vectorOfSizes(places, 2)) },
  });
  return concatenate([
    ...message(schema, headerTypes.schema, schemaTable, []),
    ...message(batch, headerTypes.recordBatch, batchTable, buffers),
    Uint8Array.from(endOfStream),
  ]);
}

function elementType(writer: FlatBufferWriter, dataType: DataType): { number: number; table: FlatPiece } {
  const { kind, bytes } = dataTypes[dataType];
  if (kind === 'boolean') return { number: typeNumbers.bool, table: writer.table({}) };
  if (kind === 'string') return { number: typeNumbers.utf8, table: writer.table({}) };
  const precision = ['float16', 'float32', 'float64'].indexOf(dataType);
  if (precision >= 0) return { number: typeNumbers.floatingPoint, table: writer.table({ 0: i16(precision) }) };
  if (kind !== 'signed' && kind !== 'unsigned') throw unwritable(arrowFormat, `no data type for ${dataType}`);
  return {
    number: typeNumbers.int,
    table: writer.table({ 0: i32(8 * bytes), 1: u8(kind === 'signed' ? 1 : 0) }),
  };
}

function field(writer: FlatBufferWriter, name: string, dataType: DataType, inner: readonly number[]): FlatPiece {
  const [size, ...deeper] = inner;
  const children = size === undefined ? [] : [field(writer, 'item', dataType, deeper)];
  if (size !== undefined && size >= 2 ** 31) throw unwritable(arrowFormat, `a list of ${size}`);
  const type =
    size === undefined
      ? elementType(writer, dataType)
      : { number: typeNumbers.fixedSizeList, table: writer.table({ 0: i32(size) }) };
  return writer.table({
    ...{ 0: ref(writer.text(name)), 1: u8(0), 2: u8(type.number), 3: ref(type.table) },
    5: ref(writer.vectorOf(children)),
  });
}

/** Node and validity of each list level, then of the elements; without nulls the bitmaps are empty. */
function addColumn(tensor: TensorView, nodes: number[], buffers: Uint8Array[]): void {
  let count = 1;
  for (const extent of tensor.shape) {
    count *= extent;
    nodes.push(count, 0);
    buffers.push(new Uint8Array(0));
  }
  if (tensor.dataType === 'string') buffers.push(...textBuffers(rowMajorStrings(tensor, arrowFormat)));
  else if (tensor.dataType === 'bool') buffers.push(packBits(rowMajorBytes(tensor, arrowFormat)));
  else buffers.push(rowMajorBytes(tensor, arrowFormat));
}

function textBuffers(texts: readonly string[]): [Uint8Array, Uint8Array] {
  const lengths = texts.map((text, index) => checkedUtf8Length(text, index, arrowFormat));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total >= 2 ** 31) throw unwritable(arrowFormat, `texts of ${total} bytes`);
  const offsets = new DataView(new ArrayBuffer(4 * (texts.length + 1)));
  const data = new Uint8Array(total);
  let at = 0;
  texts.forEach((text, index) => {
    at = writeUtf8(text, data, at);
    offsets.setInt32(4 * (index + 1), at, true);
  });
  return [new Uint8Array(offsets.buffer), data];
}

function packBits(bytes: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(bytes.length / 8));
  for (let index = 0; index < bytes.length; index++) bits[index >> 3] |= bytes[index] << (index & 7);
  return bits;
}

/** The message's pieces: prefix and metadata up to a multiple of 64 bytes, then each buffer padded to the same. */
function message(
  writer: FlatBufferWriter,
  headerType: number,
  header: FlatPiece,
  buffers: readonly Uint8Array[],
): Uint8Array[] {
  const bodyLength = buffers.reduce((sum, buffer) => sum + alignUp(buffer.length, bodyAlignment), 0);
  writer.table({ 0: i16(metadataVersion5), 1: u8(headerType), 2: ref(header), 3: size64(bodyLength) });
  const metadata = writer.finish();
  const head = new Uint8Array(alignUp(8 + metadata.length, bodyAlignment));
  const view = new DataView(head.buffer);
  view.setUint32(0, 0xffffffff, true);
  view.setUint32(4, head.length - 8, true);
  head.set(metadata, 8);
  return [head, ...buffers.flatMap((buffer) => [buffer, padding(buffer.length)])];
}

function padding(length: number): Uint8Array {
  return new Uint8Array(alignUp(length, bodyAlignment) - length);
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
