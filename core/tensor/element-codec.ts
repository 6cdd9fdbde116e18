// One element to and from bytes, little-endian as on every wire that Sira speaks, for each data type of fixed size.

import { SiraError } from '../base/errors.ts';
import { powerOfTwo } from '../base/float-bits.ts';
import { dataTypes, type FixedSizeDataType } from './data-type.ts';
import { decodeSmallFloat, encodeSmallFloat, type SmallFloat } from './small-float.ts';

/** An element: 64-bit integers are bigints, a complex number is [real, imaginary]. */
export type Element = number | bigint | boolean | string | readonly [number, number];

/** Reads the element of `dataType` at byte `place`. */
export function readElement(view: DataView, place: number, dataType: FixedSizeDataType): Element {
  switch (dataType) {
    case 'bool':
      return view.getUint8(place) !== 0;
    case 'int8':
      return view.getInt8(place);
    case 'int16':
      return view.getInt16(place, true);
    case 'int32':
      return view.getInt32(place, true);
    case 'int64':
      return view.getBigInt64(place, true);
    case 'uint8':
      return view.getUint8(place);
    case 'uint16':
      return view.getUint16(place, true);
    case 'uint32':
      return view.getUint32(place, true);
    case 'uint64':
      return view.getBigUint64(place, true);
    case 'float8_e4m3':
    case 'float8_e5m2':
      return decodeSmallFloat(dataType, view.getUint8(place));
    case 'float16':
    case 'bfloat16':
      return decodeSmallFloat(dataType, view.getUint16(place, true));
    case 'float32':
      return view.getFloat32(place, true);
    case 'float64':
      return view.getFloat64(place, true);
    case 'complex64':
      return [view.getFloat32(place, true), view.getFloat32(place + 4, true)];
    case 'complex128':
      return [view.getFloat64(place, true), view.getFloat64(place + 8, true)];
  }
}

/**
 * Writes `element` as `dataType` at byte `place`. Floats round to nearest even; an integer out of range, or an element of
 * the wrong kind, is SIRA_TENSOR_INVALID.
 */
export function writeElement(view: DataView, place: number, dataType: FixedSizeDataType, element: Element): void {
  const { kind } = dataTypes[dataType];
  if (kind === 'boolean') view.setUint8(place, requireKind<boolean>(element, 'boolean', dataType) ? 1 : 0);
  else if (kind === 'float') writeFloat(view, place, dataType, requireKind<number>(element, 'number', dataType));
  else if (kind === 'complex') writeComplex(view, place, dataType, element);
  else writeInteger(view, place, dataType, element);
}

function writeFloat(view: DataView, place: number, dataType: FixedSizeDataType, value: number): void {
  if (dataType === 'float64') view.setFloat64(place, value, true);
  else if (dataType === 'float32') view.setFloat32(place, value, true);
  else if (dataTypes[dataType].bytes === 2)
    view.setUint16(place, encodeSmallFloat(dataType as SmallFloat, value), true);
  else view.setUint8(place, encodeSmallFloat(dataType as SmallFloat, value));
}

function writeComplex(view: DataView, place: number, dataType: FixedSizeDataType, element: Element): void {
  if (!Array.isArray(element) || element.length !== 2) throw wrong(element, dataType);
  const half = dataType === 'complex64' ? 'float32' : 'float64';
  writeFloat(view, place, half, requireKind<number>(element[0], 'number', dataType));
  writeFloat(view, place + dataTypes[half].bytes, half, requireKind<number>(element[1], 'number', dataType));
}

function writeInteger(view: DataView, place: number, dataType: FixedSizeDataType, element: Element): void {
  const { kind, bytes } = dataTypes[dataType];
  const isWide = bytes === 8;
  if (isWide && typeof element === 'number' && Number.isSafeInteger(element)) {
    writeInteger(view, place, dataType, BigInt(element));
    return;
  }
  if (isWide) {
    const value = requireKind<bigint>(element, 'bigint', dataType);
    const wrapped = kind === 'signed' ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
    if (wrapped !== value) throw wrong(element, dataType);
    view.setBigUint64(place, BigInt.asUintN(64, value), true);
    return;
  }
  const value = requireKind<number>(element, 'number', dataType);
  const span = powerOfTwo(8 * bytes);
  const least = kind === 'signed' ? -span / 2 : 0;
  if (!Number.isInteger(value) || value < least || value >= least + span) throw wrong(element, dataType);
  if (bytes === 1) view.setUint8(place, value);
  else if (bytes === 2) view.setUint16(place, value, true);
  else view.setUint32(place, value, true);
}

function requireKind<T>(element: Element, kind: 'number' | 'bigint' | 'boolean', dataType: FixedSizeDataType): T {
  if (typeof element !== kind) throw wrong(element, dataType);
  return element as T;
}

function wrong(element: Element, dataType: FixedSizeDataType): SiraError {
  return new SiraError('SIRA_TENSOR_INVALID', `${typeof element} ${String(element)} is no element of type ${dataType}`);
}
