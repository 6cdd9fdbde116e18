// Arrow IPC: streams and files of record batches, and Tensor messages, read into tensors. Damage is an error; a column that no
// tensor can hold is a value with its reason, so that the others can be had. Dictionaries are skipped, and refused with the
// columns that need them; compressed bodies and sparse tensors are refused. Source: github.com/apache/arrow, format/*.fbs.

import { SiraError } from '../../base/errors.ts';
import { bytesPerElement } from '../data-type.ts';
import { elementCount, formatShape } from '../shape.ts';
import { TensorView } from '../tensor-view.ts';
import { type ArrowBatch, readRecordBatch } from './arrow-batch.ts';
import { type ArrowMessage, arrowFormat, headerTypes, readMessage } from './arrow-message.ts';
import { type ArrowSchema, numberType, readSchema } from './arrow-schema.ts';
import { ByteReader } from './byte-reader.ts';
import { FlatBuffer } from './flat-buffer.ts';
import { defaultTensorLimits, shapeRefusal, type TensorLimits } from './tensor-limits.ts';

export interface ArrowTable {
  readonly schema: ArrowSchema;
  readonly batches: readonly ArrowBatch[];
}

const fileMagic: readonly number[] = [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31];

/** A stream or file of record batches. SIRA_TENSOR_INVALID, with the byte, for anything else. */
export function readArrowTable(bytes: Uint8Array, limits: TensorLimits = defaultTensorLimits): ArrowTable {
  return beginsWith(bytes, fileMagic) ? readFile(bytes, limits) : readStream(bytes, limits);
}

/** The column as a tensor of one batch, for callers who need it. SIRA_TENSOR_INVALID if it is missing, refused or has nulls. */
export function requireColumn(batch: ArrowBatch, name: string): TensorView {
  const column = batch.columns.find((one) => one.name === name);
  const reason = column === undefined ? 'is not there' : (column.refusal ?? (column.valid && 'has nulls'));
  if (column?.tensor === undefined || reason !== undefined)
    throw new SiraError('SIRA_TENSOR_INVALID', `arrow: column ${name}: ${reason}`, { field: name });
  return column.tensor;
}

function readStream(bytes: Uint8Array, limits: TensorLimits): ArrowTable {
  const reader = new ByteReader(bytes, arrowFormat);
  const first = readMessage(reader, limits);
  if (first?.headerType !== headerTypes.schema) throw reader.fail('no stream: it begins with a schema', 0);
  const schema = readSchema(first.header, first.version, limits);
  const batches: ArrowBatch[] = [];
  for (;;) {
    const message = readMessage(reader, limits);
    if (message === undefined) break;
    if (message.headerType === headerTypes.dictionaryBatch) continue;
    if (message.headerType !== headerTypes.recordBatch)
      throw reader.fail(`message ${message.headerType} has no place in a stream`, message.at);
    if (batches.length === limits.tensorsMax) throw reader.fail(`more than ${limits.tensorsMax} batches`, message.at);
    batches.push(readRecordBatch(bytes, message, schema.fields, limits));
  }
  if (reader.left !== 0) throw reader.fail(`${reader.left} bytes after the end of the stream`);
  return { schema, batches };
}

/** Magic, padding, the stream, then a footer that says where each batch lies, its length, magic. */
function readFile(bytes: Uint8Array, limits: TensorLimits): ArrowTable {
  const reader = new ByteReader(bytes, arrowFormat);
  const lengthAt = bytes.length - fileMagic.length - 4;
  if (lengthAt < 8 || !beginsWith(bytes.subarray(lengthAt + 4), fileMagic))
    throw reader.fail('a file cut off: the closing magic is missing', bytes.length);
  reader.at = lengthAt;
  const length = reader.u32('length of the footer');
  if (length > lengthAt - 8 || length > limits.headerBytesMax)
    throw reader.fail(`a footer of ${length} bytes in a file of ${bytes.length}`, lengthAt);
  const footerAt = lengthAt - length;
  const footer = new FlatBuffer(bytes, arrowFormat, footerAt, lengthAt).root();
  const schemaTable = footer.table(1);
  if (schemaTable === undefined) throw reader.fail('a footer without schema', footerAt);
  const schema = readSchema(schemaTable, footer.i16(0), limits);
  const blocks = footer.vector(3, 24);
  if (blocks.count > limits.tensorsMax) throw reader.fail(`more than ${limits.tensorsMax} batches`, blocks.at);
  const batches: ArrowBatch[] = [];
  let end = 8;
  for (let index = 0; index < blocks.count; index++) {
    const at = blocks.at + 24 * index;
    const offset = footer.buffer.size64(at);
    if (offset < end || offset > footerAt) throw reader.fail(`block ${index} begins at ${offset}, before ${end}`, at);
    const inside = new ByteReader(bytes, arrowFormat, offset, footerAt);
    const message = readMessage(inside, limits);
    if (message?.headerType !== headerTypes.recordBatch) throw reader.fail(`block ${index} is no record batch`, at);
    batches.push(readRecordBatch(bytes, message, schema.fields, limits));
    end = inside.at;
  }
  return { schema, batches };
}

/**
 * The Tensor message that `bytes` begin with, and the byte after it: `pyarrow.ipc.write_tensor` writes one behind the other.
 * The data is a window onto `bytes`, with the strides that the message gives.
 */
export function readArrowTensor(
  bytes: Uint8Array,
  limits: TensorLimits = defaultTensorLimits,
  start = 0,
): { readonly tensor: TensorView; readonly end: number } {
  const reader = new ByteReader(bytes, arrowFormat, start);
  const message = readMessage(reader, limits);
  if (message?.headerType === headerTypes.sparseTensor) throw reader.fail('a sparse tensor', message.at);
  if (message?.headerType !== headerTypes.tensor) throw reader.fail('no Tensor message', start);
  return { tensor: tensorOf(bytes, message, limits), end: reader.at };
}

function tensorOf(
  bytes: Uint8Array,
  { header, at, bodyStart, bodyEnd }: ArrowMessage,
  limits: TensorLimits,
): TensorView {
  const { buffer } = header;
  const type = header.table(1);
  const dataType = type && numberType(header.u8(0), type);
  if (dataType === undefined || dataType === 'string')
    throw buffer.fail(`a tensor of Arrow's type ${header.u8(0)}, which is no number of 8 to 64 bits`, at);
  const dims = header.tables(2, limits);
  if (dims.length > limits.rankMax) throw buffer.fail(`${dims.length} axes; the limit is ${limits.rankMax}`, at);
  const shape = dims.map((dim) => dim.size64(0));
  const refusal = shapeRefusal(dataType, shape, limits);
  if (refusal !== undefined) throw buffer.fail(refusal, at);
  const place = header.place(4);
  if (place === 0) throw buffer.fail('a tensor without data', at);
  const offset = buffer.size64(place);
  const length = buffer.size64(place + 8);
  if (offset + length > bodyEnd - bodyStart) throw buffer.fail('data beyond the body', place);
  const data = bytes.subarray(bodyStart + offset, bodyStart + offset + length);
  const size = bytesPerElement(dataType);
  const steps = header.vector(3, 8);
  const isWhole = steps.count === 0 || steps.count === shape.length;
  const strides = Array.from({ length: steps.count }, (_, axis) => buffer.size64(steps.at + 8 * axis) / size);
  // Strides of zero would let a few bytes stand for any number of elements.
  if (length < size * elementCount(shape)) throw buffer.fail(`${length} bytes for ${formatShape(shape)}`, place);
  if (!isWhole || !strides.every(Number.isInteger))
    throw buffer.fail(`strides that are not whole elements of ${shape.length} axes`, steps.at);
  try {
    return new TensorView(dataType, shape, data, steps.count === 0 ? undefined : { strides, offset: 0 });
  } catch (error) {
    if (error instanceof SiraError) throw buffer.fail(error.message, at);
    throw error;
  }
}

function beginsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, index) => bytes[index] === byte);
}
