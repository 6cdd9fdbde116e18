// One record batch as tensors: a column of rows and, where it has nulls, a tensor of bools that says which elements are there.
// Numbers are windows onto the batch's body; bits and texts are unpacked. Buffers must follow one another as every writer lays
// them, so that a few bytes cannot stand for many columns. Source: github.com/apache/arrow, format/Message.fbs.

import { bytesPerElement } from '../data-type.ts';
import { TensorView } from '../tensor-view.ts';
import type { ArrowMessage } from './arrow-message.ts';
import { arrowFormat } from './arrow-message.ts';
import type { ArrowField, ArrowLayout } from './arrow-schema.ts';
import { ByteReader } from './byte-reader.ts';
import type { FlatTable, FlatVector } from './flat-buffer.ts';
import { quoteBriefly } from './json-scanner.ts';
import { readString } from './string-payload.ts';
import { shapeRefusal, type TensorLimits } from './tensor-limits.ts';

export interface ArrowColumn {
  readonly name: string;
  /** [rows, …axes of fixed-size lists]; what nulls stand on is whatever the writer left there. */
  readonly tensor: TensorView | undefined;
  /** Where an element is there: [rows] if only whole rows are null, else as the tensor. Nothing is null without it. */
  readonly valid: TensorView | undefined;
  /** Why there is no tensor. */
  readonly refusal: string | undefined;
}

export interface ArrowBatch {
  readonly rowCount: number;
  /** In the order of the schema. */
  readonly columns: readonly ArrowColumn[];
}

export function readRecordBatch(
  bytes: Uint8Array,
  message: ArrowMessage,
  fields: readonly ArrowField[],
  limits: TensorLimits,
): ArrowBatch {
  const table = message.header;
  if (table.table(3) !== undefined)
    throw table.buffer.fail('a compressed record batch; write it without compression', message.at);
  const rowCount = table.size64(0);
  const cursor = new BatchCursor(bytes, message, limits);
  const columns = fields.map((field) => cursor.column(field, rowCount));
  cursor.finish();
  return { rowCount, columns };
}

interface Values {
  readonly tensor: TensorView;
  readonly valid: Uint8Array | undefined;
  /** Some element within a row is null, not the whole row. */
  readonly hasInnerNulls: boolean;
}

/** Walks the batch's flat lists of nodes and buffers in step with the tree of layouts. */
class BatchCursor {
  private readonly bytes: Uint8Array;
  private readonly message: ArrowMessage;
  private readonly limits: TensorLimits;
  private readonly table: FlatTable;
  private readonly nodes: FlatVector;
  private readonly buffers: FlatVector;
  private readonly variadic: FlatVector;
  private nodeIndex = 0;
  private bufferIndex = 0;
  private variadicIndex = 0;
  /** Where the buffers so far end, in the body. */
  private used = 0;

  constructor(bytes: Uint8Array, message: ArrowMessage, limits: TensorLimits) {
    this.bytes = bytes;
    this.message = message;
    this.limits = limits;
    this.table = message.header;
    this.nodes = this.table.vector(1, 16);
    this.buffers = this.table.vector(2, 16);
    this.variadic = this.table.vector(4, 8);
  }

  column({ name, layout }: ArrowField, rowCount: number): ArrowColumn {
    if (layout.refusal !== undefined) {
      this.skip(layout);
      return { name, tensor: undefined, valid: undefined, refusal: layout.refusal };
    }
    const { tensor, valid, hasInnerNulls } = this.values(layout, rowCount, name);
    const validShape = hasInnerNulls ? tensor.shape : [rowCount];
    return {
      ...{ name, tensor, refusal: undefined },
      valid: valid === undefined ? undefined : new TensorView('bool', validShape, valid),
    };
  }

  finish(): void {
    if (this.nodeIndex !== this.nodes.count || this.bufferIndex !== this.buffers.count)
      throw this.fail('more nodes or buffers than the schema has');
  }

  private fail(what: string): Error {
    return this.table.buffer.fail(what, this.message.at);
  }

  private node(rowCount: number, name: string): number {
    if (this.nodeIndex === this.nodes.count) throw this.fail('fewer nodes than the schema has');
    const at = this.nodes.at + 16 * this.nodeIndex++;
    const length = this.table.buffer.size64(at);
    if (length !== rowCount)
      throw this.table.buffer.fail(`${quoteBriefly(name)} has ${length} values, not ${rowCount}`, at);
    return this.table.buffer.size64(at + 8);
  }

  private skip(layout: ArrowLayout): void {
    this.nodeIndex += 1;
    let count = layout.bufferCount;
    if (layout.isVariadic) {
      if (this.variadicIndex === this.variadic.count) throw this.fail('a count of buffers is missing');
      count += this.table.buffer.size64(this.variadic.at + 8 * this.variadicIndex++);
    }
    if (count > this.buffers.count - this.bufferIndex) throw this.fail('fewer buffers than the schema has');
    for (let index = 0; index < count; index++) this.buffer();
    for (const child of layout.children) this.skip(child);
  }

  /** The next buffer as bytes of the whole input. */
  private buffer(): Uint8Array {
    if (this.bufferIndex === this.buffers.count) throw this.fail('fewer buffers than the schema has');
    const at = this.buffers.at + 16 * this.bufferIndex++;
    const offset = this.table.buffer.size64(at);
    const length = this.table.buffer.size64(at + 8);
    const { bodyStart, bodyEnd } = this.message;
    if (length === 0) return this.bytes.subarray(bodyStart, bodyStart);
    if (offset + length > bodyEnd - bodyStart) throw this.table.buffer.fail('a buffer beyond the body', at);
    if (offset < this.used) throw this.table.buffer.fail('buffers that overlap or come out of order', at);
    this.used = offset + length;
    return this.bytes.subarray(bodyStart + offset, bodyStart + offset + length);
  }

  /** At least `length` bytes of the next buffer; what lies behind them is padding. */
  private bufferOf(length: number, name: string): Uint8Array {
    const buffer = this.buffer();
    if (buffer.length < length)
      throw this.fail(`${quoteBriefly(name)} has a buffer of ${buffer.length} bytes instead of ${length}`);
    return buffer.subarray(0, length);
  }

  private validity(rowCount: number, nullCount: number, name: string): Uint8Array | undefined {
    const bitmap = this.buffer();
    if (nullCount === 0) return undefined;
    if (bitmap.length < Math.ceil(rowCount / 8))
      throw this.fail(`${quoteBriefly(name)} has nulls, but no bitmap that says which`);
    return unpackBits(bitmap, rowCount);
  }

  /** Of `rowCount` rows, each of the layout's inner shape. */
  private values(layout: ArrowLayout, rowCount: number, name: string): Values {
    const { dataType, innerShape, kind } = layout;
    const shape = [rowCount, ...innerShape];
    const refusal = shapeRefusal(dataType, shape, this.limits);
    if (refusal !== undefined) throw this.fail(`${quoteBriefly(name)}: ${refusal}`);
    const nullCount = this.node(rowCount, name);
    const valid = this.validity(rowCount, nullCount, name);
    const result = (data: Uint8Array | string[]): Values => ({
      tensor: new TensorView(dataType, shape, data),
      ...{ valid, hasInnerNulls: false },
    });
    if (kind === 'bits') return result(unpackBits(this.bufferOf(Math.ceil(rowCount / 8), name), rowCount));
    if (kind === 'texts') return result(this.texts(rowCount, 4, name));
    if (kind === 'longTexts') return result(this.texts(rowCount, 8, name));
    if (kind === 'fixedList') return this.list(layout, rowCount, valid, name);
    const [width = 1] = innerShape;
    return result(this.bufferOf(rowCount * width * bytesPerElement(dataType), name));
  }

  private list(layout: ArrowLayout, rowCount: number, outer: Uint8Array | undefined, name: string): Values {
    const [size, ...inner] = layout.innerShape as [number, ...number[]];
    const child = this.values(layout.children[0]!, rowCount * size, name);
    const tensor = new TensorView(layout.dataType, [rowCount, size, ...inner], child.tensor.data);
    if (child.valid === undefined) return { tensor, valid: outer, hasInnerNulls: false };
    // An element is there if it is and everything around it is.
    const valid = new Uint8Array(tensor.elementCount);
    const perChild = Math.max(1, tensor.elementCount / child.valid.length);
    const perRow = tensor.elementCount / rowCount;
    for (let index = 0; index < valid.length; index++) {
      const isThere = child.valid[Math.floor(index / perChild)] === 1;
      valid[index] = isThere && (outer === undefined || outer[Math.floor(index / perRow)] === 1) ? 1 : 0;
    }
    return { tensor, valid, hasInnerNulls: true };
  }

  private texts(rowCount: number, offsetBytes: 4 | 8, name: string): string[] {
    // No rows may come with no offsets at all.
    const offsets = this.bufferOf(rowCount === 0 ? 0 : (rowCount + 1) * offsetBytes, name);
    const data = this.buffer();
    if (rowCount === 0) return [];
    const reader = new ByteReader(offsets, arrowFormat);
    const next = (): number => (offsetBytes === 4 ? reader.u32('offset') : reader.u64('offset'));
    const strings: string[] = [];
    // Positions in messages are those of the whole input.
    const start = data.byteOffset - this.bytes.byteOffset;
    let begin = next();
    for (let row = 0; row < rowCount; row++) {
      const end = next();
      if (end < begin || end > data.length)
        throw this.fail(`${quoteBriefly(name)} row ${row}: offsets ${begin} to ${end}`);
      const text = new ByteReader(this.bytes, arrowFormat, start + begin, start + end);
      strings.push(readString(text, end - begin, this.limits));
      begin = end;
    }
    return strings;
  }
}

/** One byte, 0 or 1, for each of `count` bits, the lowest first. */
function unpackBits(bits: Uint8Array, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let index = 0; index < count; index++) bytes[index] = (bits[index >> 3] >> (index & 7)) & 1;
  return bytes;
}
