// NumPy's .npy files. Row-major little-endian arrays are read as windows onto the bytes, Fortran order as a window with other
// strides; big-endian numbers are turned around, fixed-width texts are read into strings. Object arrays hold pickles, which
// run code when read: they are refused by their type, before their payload is looked at.

import { bytesPerElement, type FixedSizeDataType } from '../data-type.ts';
import { elementCount, rowMajorStrides } from '../shape.ts';
import { type TensorData, TensorView } from '../tensor-view.ts';
import { ByteReader } from './byte-reader.ts';
import { type NpyHeader, npyFormat, readNpyHeader, writeNpyHeader } from './npy-header.ts';
import { malformedBoolAt, rowMajorBytes, rowMajorStrings, swapByteOrder, swapUnits } from './row-major-bytes.ts';
import { checkedUtf8Length } from './string-payload.ts';
import { defaultTensorLimits, shapeRefusal, type TensorLimits, unwritable } from './tensor-limits.ts';
import { malformedUtf8At, readUtf8 } from './utf8.ts';

/** NumPy has no description for bfloat16 and the 8-bit floats: it writes them as raw bytes, which say no more what they are. */
const typeCodes: Readonly<Partial<Record<FixedSizeDataType, string>>> = {
  bool: 'b1',
  int8: 'i1',
  int16: 'i2',
  int32: 'i4',
  int64: 'i8',
  uint8: 'u1',
  uint16: 'u2',
  uint32: 'u4',
  uint64: 'u8',
  float16: 'f2',
  float32: 'f4',
  float64: 'f8',
  complex64: 'c8',
  complex128: 'c16',
};

/** SIRA_TENSOR_INVALID, with the byte, for anything but one sound array of plain elements within `limits`. */
export function readNpy(bytes: Uint8Array, limits: TensorLimits = defaultTensorLimits): TensorView {
  const header = readNpyHeader(bytes, limits);
  const reader = new ByteReader(bytes, npyFormat, header.payloadOffset);
  const [, order = '', code = ''] = /^([<>|]?)(.*)$/s.exec(header.description)!;
  const text = /^([SU])(\d{1,9})$/.exec(code);
  if (text !== null) return readTexts(reader, header, order, text[1] as 'S' | 'U', Number(text[2]), limits);
  const known = Object.entries(typeCodes).find(([, one]) => one === code);
  if (known === undefined) throw reader.fail(typeRefusal(header.description, code), header.descriptionAt);
  const dataType = known[0] as FixedSizeDataType;
  const size = bytesPerElement(dataType);
  if (size > 1 && order !== '<' && order !== '>')
    throw reader.fail(`type '${header.description}' does not say its byte order`, header.descriptionAt);
  checkExtents(reader, header, dataType, limits);
  const payload = takePayload(reader, header, size);
  const wrong = dataType === 'bool' ? malformedBoolAt(payload) : -1;
  if (wrong >= 0) throw reader.fail(`a bool of ${payload[wrong]}; it is 0 or 1`, header.payloadOffset + wrong);
  const data = size > 1 && order === '>' ? swapByteOrder(payload, dataType) : payload;
  return inOrder(dataType, header, data);
}

function typeRefusal(description: string, code: string): string {
  if (code.startsWith('O')) return `object arrays ('${description}') hold pickles, which are never read`;
  if (code.startsWith('V')) return `raw bytes ('${description}') do not say their type`;
  if (/^[mM]8/.test(code)) return `dates and durations ('${description}') have no data type here`;
  return `no data type '${description}'`;
}

function checkExtents(
  reader: ByteReader,
  header: NpyHeader,
  dataType: FixedSizeDataType | 'string',
  limits: TensorLimits,
): void {
  const refusal = shapeRefusal(dataType, header.shape, limits);
  if (refusal !== undefined) throw reader.fail(refusal, header.descriptionAt);
}

/** The array's bytes, which must end the file. */
function takePayload(reader: ByteReader, { shape, payloadOffset }: NpyHeader, elementBytes: number): Uint8Array {
  const payload = reader.take(elementCount(shape) * elementBytes, 'array');
  if (reader.left !== 0) throw reader.fail(`${reader.left} bytes after the array`, payloadOffset + payload.length);
  return payload;
}

function inOrder(dataType: FixedSizeDataType | 'string', header: NpyHeader, data: TensorData): TensorView {
  if (!header.isFortranOrder) return new TensorView(dataType, header.shape, data);
  const strides = rowMajorStrides(header.shape.toReversed()).toReversed();
  return new TensorView(dataType, header.shape, data, { strides, offset: 0 });
}

/** `S`: bytes, here UTF-8; `U`: UTF-32 code points. Both are padded with zeros to `width`, which NumPy takes off again. */
function readTexts(
  reader: ByteReader,
  header: NpyHeader,
  order: string,
  kind: 'S' | 'U',
  width: number,
  limits: TensorLimits,
): TensorView {
  if (kind === 'U' && order !== '<' && order !== '>')
    throw reader.fail(`type '${header.description}' does not say its byte order`, header.descriptionAt);
  const elementBytes = kind === 'S' ? width : 4 * width;
  if (elementBytes > 4 * limits.stringBytesMax)
    throw reader.fail(`texts of ${width}; the limit is ${limits.stringBytesMax} bytes`, header.descriptionAt);
  checkExtents(reader, header, 'string', limits);
  if (elementBytes === 0 && elementCount(header.shape) > 0)
    throw reader.fail('texts of no width, of which a file could hold any number', header.descriptionAt);
  const payload = takePayload(reader, header, elementBytes);
  const units = kind === 'U' && order === '>' ? swapUnits(payload, 4) : payload;
  const strings: string[] = [];
  for (let index = 0; index < elementCount(header.shape); index++) {
    const start = index * elementBytes;
    const element = units.subarray(start, start + elementBytes);
    const text = kind === 'S' ? textOfUtf8(element) : textOfCodePoints(element);
    if (text === undefined)
      throw reader.fail(
        `element ${index} is no ${kind === 'S' ? 'UTF-8' : 'Unicode'} text`,
        header.payloadOffset + start,
      );
    strings.push(text);
  }
  return inOrder('string', header, strings);
}

function textOfUtf8(element: Uint8Array): string | undefined {
  const length = element.findLastIndex((byte) => byte !== 0) + 1;
  const used = element.subarray(0, length);
  return malformedUtf8At(used) < 0 ? readUtf8(used) : undefined;
}

function textOfCodePoints(element: Uint8Array): string | undefined {
  const length = Math.ceil((element.findLastIndex((byte) => byte !== 0) + 1) / 4);
  const view = new DataView(element.buffer, element.byteOffset, element.byteLength);
  let text = '';
  for (let index = 0; index < length; index++) {
    const code = view.getUint32(4 * index, true);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
    text += String.fromCodePoint(code);
  }
  return text;
}

/**
 * The bytes that numpy.save writes for the same array in row-major order; strings become `<U`. SIRA_TENSOR_INVALID for
 * bfloat16, the 8-bit floats, and strings that end in U+0000, which NumPy takes for padding.
 */
export function writeNpy(tensor: TensorView): Uint8Array {
  if (tensor.dataType === 'string') return writeTexts(tensor);
  const code = typeCodes[tensor.dataType];
  if (code === undefined) throw unwritable(npyFormat, `no data type for ${tensor.dataType}`);
  const order = bytesPerElement(tensor.dataType) === 1 ? '|' : '<';
  return joined(writeNpyHeader(order + code, tensor.shape), rowMajorBytes(tensor, npyFormat));
}

function writeTexts(tensor: TensorView): Uint8Array {
  const points = rowMajorStrings(tensor, npyFormat).map((text, index) => {
    checkedUtf8Length(text, index, npyFormat);
    if (text.endsWith('\0')) throw unwritable(npyFormat, `string ${index} ends in U+0000`);
    return Array.from(text, (character) => character.codePointAt(0)!);
  });
  // NumPy makes empty texts one character wide.
  const width = points.reduce((longest, text) => Math.max(longest, text.length), 1);
  if (points.length * width * 4 > defaultTensorLimits.tensorBytesMax)
    throw unwritable(npyFormat, `${points.length} texts of ${width} characters`);
  const payload = new Uint8Array(points.length * width * 4);
  const view = new DataView(payload.buffer);
  points.forEach((text, index) => {
    for (let place = 0; place < text.length; place++) view.setUint32(4 * (index * width + place), text[place], true);
  });
  return joined(writeNpyHeader(`<U${width}`, tensor.shape), payload);
}

function joined(header: Uint8Array, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(header.length + payload.length);
  bytes.set(header);
  bytes.set(payload, header.length);
  return bytes;
}
