// Columns of an Arrow schema as tensors see them: which have one (numbers, bools, texts, fixed-size lists and binaries, dates
// and times as their whole numbers) and why the others have none, and how many buffers each takes in a record batch, so that
// the columns behind a refused one are still found. Source: github.com/apache/arrow, format/Schema.fbs.

import type { DataType } from '../data-type.ts';
import { readKeyValues } from './arrow-message.ts';
import type { FlatTable } from './flat-buffer.ts';
import type { TensorLimits } from './tensor-limits.ts';

/** How a column lies in a record batch. */
export interface ArrowLayout {
  /** `other` has no tensor; only its buffers are counted. */
  readonly kind: 'numbers' | 'bits' | 'texts' | 'longTexts' | 'fixedList' | 'other';
  /** Of the elements at the bottom; meaningless for `other`. */
  readonly dataType: DataType;
  /** Axes behind the rows. */
  readonly innerShape: readonly number[];
  /** Buffers of its own, those of its children not counted. */
  readonly bufferCount: number;
  /** Has a validity bitmap as its first buffer. */
  readonly hasValidity: boolean;
  /** As many buffers more as the batch says (views). */
  readonly isVariadic: boolean;
  readonly children: readonly ArrowLayout[];
  /** Why there is no tensor. */
  readonly refusal: string | undefined;
}

export interface ArrowField {
  readonly name: string;
  readonly nullable: boolean;
  readonly layout: ArrowLayout;
  readonly metadata: ReadonlyMap<string, string>;
}

export interface ArrowSchema {
  readonly fields: readonly ArrowField[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** Numbers of the union Type. */
const types = {
  ...{ null: 1, int: 2, floatingPoint: 3, binary: 4, utf8: 5, bool: 6, decimal: 7, date: 8, time: 9, timestamp: 10 },
  ...{ interval: 11, list: 12, struct: 13, union: 14, fixedSizeBinary: 15, fixedSizeList: 16, map: 17, duration: 18 },
  ...{ largeBinary: 19, largeUtf8: 20, largeList: 21, runEndEncoded: 22, binaryView: 23, utf8View: 24 },
  ...{ listView: 25, largeListView: 26 },
} as const;

/** Lists within lists: deeper than any tensor has axes. */
const depthMax = 32;

/** `version` is the message's: unions had a validity bitmap up to V4. */
export function readSchema(table: FlatTable, version: number, limits: TensorLimits): ArrowSchema {
  if (table.i16(0) !== 0) throw table.buffer.fail('big-endian columns', table.at);
  const fields = table.tables(1, limits).map((field) => ({
    name: field.text(0, limits.nameBytesMax),
    nullable: field.u8(1) !== 0,
    layout: readLayout(field, version, limits, 0),
    metadata: readKeyValues(field, 6, limits),
  }));
  return { fields, metadata: readKeyValues(table, 2, limits) };
}

function readLayout(field: FlatTable, version: number, limits: TensorLimits, depth: number): ArrowLayout {
  if (depth > depthMax) throw field.buffer.fail(`fields nested more than ${depthMax} deep`, field.at);
  const type = field.table(3);
  if (type === undefined) throw field.buffer.fail('a field without type', field.at);
  if (field.table(4) !== undefined) return other(2, 'dictionary-encoded; decode it before writing');
  const children = field.tables(5, limits).map((child) => readLayout(child, version, limits, depth + 1));
  return layoutOf(field.u8(2), type, children, version);
}

function layoutOf(typeNumber: number, type: FlatTable, children: ArrowLayout[], version: number): ArrowLayout {
  switch (typeNumber) {
    case types.bool:
      return leaf('bits', 'bool', 2);
    case types.utf8:
      return leaf('texts', 'string', 3);
    case types.largeUtf8:
      return leaf('longTexts', 'string', 3);
    case types.fixedSizeBinary:
      return { ...leaf('numbers', 'uint8', 2), innerShape: [extent(type, 0)] };
    case types.fixedSizeList:
      return fixedList(type, children);
    case types.null:
      return { ...other(0, 'nulls without type', children), hasValidity: false };
    case types.union: {
      const hasValidity = version < 4;
      const bufferCount = (type.i16(0) === 0 ? 1 : 2) + (hasValidity ? 1 : 0);
      return { ...other(bufferCount, 'a union', children), hasValidity };
    }
    case types.runEndEncoded:
      return { ...other(0, 'run-end encoded; decode it before writing', children), hasValidity: false };
    case types.binary:
    case types.largeBinary:
      return other(3, 'binary of any length; a tensor takes UTF-8 texts or fixed-size binary');
    case types.binaryView:
    case types.utf8View:
      return { ...other(2, 'views; write it as utf8'), isVariadic: true };
    case types.list:
    case types.largeList:
    case types.map:
      return other(2, 'lists of different lengths', children);
    case types.listView:
    case types.largeListView:
      return other(3, 'lists of different lengths', children);
    case types.struct:
      return other(1, 'a struct; write its fields as columns', children);
    case types.decimal:
      return other(2, 'decimals');
    default:
      return primitive(typeNumber, type);
  }
}

function primitive(typeNumber: number, type: FlatTable): ArrowLayout {
  const dataType = numberType(typeNumber, type);
  if (dataType !== undefined) return leaf('numbers', dataType, 2);
  if (typeNumber === types.interval) return other(2, 'intervals of several parts');
  throw type.buffer.fail(`type ${typeNumber} is unknown, or its width is`, type.at);
}

/** The data type of a tensor or column of Arrow's type `typeNumber`, if its elements are numbers of one. */
export function numberType(typeNumber: number, type: FlatTable): DataType | undefined {
  const width = (bits: number): DataType | undefined => (bits === 32 ? 'int32' : bits === 64 ? 'int64' : undefined);
  if (typeNumber === types.int) return integerType(type.i32(0), type.u8(1) !== 0);
  if (typeNumber === types.floatingPoint) return (['float16', 'float32', 'float64'] as const)[type.i16(0)];
  if (typeNumber === types.date) return type.i16(0, 1) === 0 ? 'int32' : 'int64';
  if (typeNumber === types.time) return width(type.i32(1, 32));
  if (typeNumber === types.timestamp || typeNumber === types.duration) return 'int64';
  if (typeNumber === types.interval && type.i16(0) === 0) return 'int32';
  return undefined;
}

function integerType(bits: number, isSigned: boolean): DataType | undefined {
  if (bits === 8) return isSigned ? 'int8' : 'uint8';
  if (bits === 16) return isSigned ? 'int16' : 'uint16';
  if (bits === 32) return isSigned ? 'int32' : 'uint32';
  return bits !== 64 ? undefined : isSigned ? 'int64' : 'uint64';
}

function fixedList(type: FlatTable, children: ArrowLayout[]): ArrowLayout {
  const [child] = children;
  if (child === undefined || children.length > 1) throw type.buffer.fail('a list without its one child', type.at);
  const { dataType, innerShape, refusal } = child;
  if (refusal !== undefined) return other(1, `a fixed-size list of ${refusal}`, children);
  return {
    ...{ kind: 'fixedList', dataType, innerShape: [extent(type, 0), ...innerShape], bufferCount: 1 },
    ...{ hasValidity: true, isVariadic: false, children, refusal },
  };
}

function extent(type: FlatTable, index: number): number {
  const value = type.i32(index);
  if (value < 0) throw type.buffer.fail(`a size of ${value}`, type.at);
  return value;
}

function leaf(kind: 'numbers' | 'bits' | 'texts' | 'longTexts', dataType: DataType, bufferCount: number): ArrowLayout {
  return {
    ...{ kind, dataType, innerShape: [], bufferCount, hasValidity: true, isVariadic: false },
    ...{ children: [], refusal: undefined },
  };
}

function other(bufferCount: number, refusal: string, children: readonly ArrowLayout[] = []): ArrowLayout {
  return {
    ...{ kind: 'other', dataType: 'uint8', innerShape: [], bufferCount, hasValidity: true, isVariadic: false },
    ...{ children, refusal },
  };
}
