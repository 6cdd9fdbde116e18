// Strings as payload bytes: each a u32 of its UTF-8 length, then those bytes; as in the raw contents of BYTES tensors of the
// Open Inference Protocol. Nothing is read as text before it is known to be UTF-8, nothing allocated for what is not there.

import { ByteReader } from './byte-reader.ts';
import { defaultTensorLimits, type TensorLimits, unwritable } from './tensor-limits.ts';
import { malformedUtf8At, readUtf8, utf8Length, writeUtf8 } from './utf8.ts';

const format = 'string payload';

/** SIRA_TENSOR_INVALID for half a surrogate pair, a string or a whole beyond the default limits. */
export function encodeStrings(strings: readonly string[]): Uint8Array {
  const lengths = strings.map((text, index) => checkedUtf8Length(text, index, format));
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + 4 + length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (let index = 0; index < strings.length; index++) {
    view.setUint32(at, lengths[index], true);
    at = writeUtf8(strings[index]!, bytes, at + 4);
  }
  return bytes;
}

/** UTF-8 bytes of string `index`, or SIRA_TENSOR_INVALID in the name of `formatName`. */
export function checkedUtf8Length(text: string, index: number, formatName: string): number {
  const length = utf8Length(text);
  if (length < 0) throw unwritable(formatName, `string ${index} holds half a surrogate pair`);
  if (length > defaultTensorLimits.stringBytesMax)
    throw unwritable(
      formatName,
      `string ${index} of ${length} bytes; the limit is ${defaultTensorLimits.stringBytesMax}`,
    );
  return length;
}

/** Exactly `count` strings from bytes `start`… of `bytes`. SIRA_TENSOR_INVALID for anything else. */
export function decodeStrings(bytes: Uint8Array, start: number, count: number, limits: TensorLimits): string[] {
  const reader = new ByteReader(bytes, format, start);
  if (count * 4 > reader.left) throw reader.fail(`${count} strings do not fit into ${reader.left} bytes`);
  const strings: string[] = [];
  for (let index = 0; index < count; index++) strings.push(readString(reader, reader.u32('string length'), limits));
  if (reader.left !== 0) throw reader.fail(`${reader.left} bytes after the last string`);
  return strings;
}

/** The next `length` bytes as text. */
export function readString(reader: ByteReader, length: number, limits: TensorLimits): string {
  if (length > limits.stringBytesMax)
    throw reader.fail(`a string of ${length} bytes; the limit is ${limits.stringBytesMax}`);
  const start = reader.at;
  const text = reader.take(length, 'string');
  const wrong = malformedUtf8At(text);
  if (wrong >= 0) throw reader.fail('a string that is not UTF-8', start + wrong);
  return readUtf8(text);
}
