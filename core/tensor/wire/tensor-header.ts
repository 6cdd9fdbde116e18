// The header of a tensor on Sira's wire, version 1: a fixed part of 56 bytes, the extents, the names, zeros up to a multiple of
// 64 bytes, where the payload begins. Every value has one place and one form, so a header has exactly one encoding; bytes that
// say the same in another way (padding that is not zero, a value whose flag is not set) are refused. All little-endian:
//
//    0  "SIRT"   4  version u8      5  data type u8   6  encoding u8    7  rank u8
//    8  flags u16 (1: deadline, 2: causal parent)    10  topic, 12 producer, 14 parent's producer: UTF-8 lengths u16
//   16  payload bytes u64   24  sequence u64   32  parent's sequence u64   40  deadline in microseconds u64
//   48  XXH32 of the payload   52  XXH32 of the header's bytes from 56 on, with XXH32 of bytes 0 to 51 as seed
//   56  an extent u64 for each axis, then topic, producer, parent's producer, then zeros
//
// Numbers reach 2⁵³ − 1. What the payload holds is tensor-message.ts's affair.

import { bytesPerElement, type DataType } from '../data-type.ts';
import { elementCount, formatShape, type Shape } from '../shape.ts';
import { ByteReader } from './byte-reader.ts';
import { defaultTensorLimits, malformed, shapeRefusal, type TensorLimits, unwritable } from './tensor-limits.ts';
import { malformedUtf8At, readUtf8, utf8Length, writeUtf8 } from './utf8.ts';
import { xxHash32 } from './xx-hash.ts';

export const tensorMagic: readonly number[] = [0x53, 0x49, 0x52, 0x54];
export const tensorWireVersion = 1;
/** The payload begins at a multiple of this many bytes. */
export const payloadAlignment = 64;
export const headerBytesMin = 64;
const fixedBytes = 56;
const checksumAt = 52;
const hasDeadline = 1;
const hasCausalParent = 2;
const format = 'tensor header';

/** Places in this list are codes on the wire: append, never reorder. */
export const wireDataTypes: readonly DataType[] = [
  ...(['bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'] as const),
  ...(['float8_e4m3', 'float8_e5m2', 'float16', 'bfloat16', 'float32', 'float64'] as const),
  ...(['complex64', 'complex128', 'string'] as const),
];

/** `raw`: the elements' bytes. `lengthPrefixed`: each string as a u32 of its UTF-8 bytes, then those. Codes as listed. */
export const wireEncodings = ['raw', 'lengthPrefixed'] as const;
export type WireEncoding = (typeof wireEncodings)[number];

/** A message on the bus, by its de-duplication key. */
export interface MessageIdentity {
  readonly producer: string;
  readonly sequence: number;
}

/** What a sender says about a tensor. */
export interface TensorLabel {
  readonly topic: string;
  readonly producer: string;
  /** The producer's own count, 0…2⁵³ − 1. */
  readonly sequence: number;
  /** The message that this one answers or was computed from. */
  readonly causalParent?: MessageIdentity;
  /** After this time nobody wants it; microseconds ≥ 0 on the clock of the kernel. */
  readonly deadlineMicros?: number;
}

/** What a header says about the elements. */
export interface PayloadForm {
  readonly dataType: DataType;
  readonly shape: Shape;
  readonly encoding: WireEncoding;
  readonly payloadBytes: number;
  /** XXH32 of the payload. */
  readonly payloadChecksum: number;
}

/** All that a header says. */
export interface TensorHeader extends TensorLabel, PayloadForm {
  /** Bytes of the header; the payload begins here. A multiple of 64. */
  readonly payloadOffset: number;
  /** Header and payload. */
  readonly messageBytes: number;
}

/** The one encoding of a header. SIRA_TENSOR_INVALID when a name, number or shape does not fit. */
export function encodeTensorHeader(label: TensorLabel, form: PayloadForm): Uint8Array {
  const { topic, producer, causalParent, deadlineMicros } = label;
  const { shape } = form;
  const parentProducer = causalParent === undefined ? '' : causalParent.producer;
  const topicBytes = nameBytes(topic);
  const producerBytes = nameBytes(producer);
  const parentBytes = nameBytes(parentProducer);
  const refusal = shapeRefusal(form.dataType, shape, defaultTensorLimits);
  if (refusal !== undefined) throw unwritable(format, refusal);
  const bytes = new Uint8Array(alignPayload(fixedBytes + 8 * shape.length + topicBytes + producerBytes + parentBytes));
  const view = new DataView(bytes.buffer);
  bytes.set(tensorMagic);
  bytes[4] = tensorWireVersion;
  bytes[5] = wireDataTypes.indexOf(form.dataType);
  bytes[6] = wireEncodings.indexOf(form.encoding);
  bytes[7] = shape.length;
  const flags = (deadlineMicros === undefined ? 0 : hasDeadline) | (causalParent === undefined ? 0 : hasCausalParent);
  view.setUint16(8, flags, true);
  view.setUint16(10, topicBytes, true);
  view.setUint16(12, producerBytes, true);
  view.setUint16(14, parentBytes, true);
  setUint64(view, 16, form.payloadBytes, 'payload bytes');
  setUint64(view, 24, label.sequence, 'sequence');
  setUint64(view, 32, causalParent === undefined ? 0 : causalParent.sequence, 'sequence of the causal parent');
  setUint64(view, 40, deadlineMicros ?? 0, 'deadline');
  view.setUint32(48, form.payloadChecksum, true);
  for (let axis = 0; axis < shape.length; axis++) setUint64(view, fixedBytes + 8 * axis, shape[axis], 'extent');
  let at = writeUtf8(topic, bytes, fixedBytes + 8 * shape.length);
  at = writeUtf8(producer, bytes, at);
  writeUtf8(parentProducer, bytes, at);
  view.setUint32(checksumAt, tensorHeaderChecksum(bytes, bytes.length), true);
  return bytes;
}

/** The checksum that belongs into the header that is the first `headerBytes` of `bytes`; the one there is left out. */
export function tensorHeaderChecksum(bytes: Uint8Array, headerBytes: number): number {
  return xxHash32(bytes, xxHash32(bytes, 0, 0, checksumAt), fixedBytes, headerBytes);
}

/**
 * Reads the header at the start of `bytes`; what follows it is not looked at and need not be there yet. SIRA_TENSOR_INVALID
 * when it is damaged, not canonical, of another version, or beyond `limits`.
 */
export function decodeTensorHeader(bytes: Uint8Array, limits: TensorLimits = defaultTensorLimits): TensorHeader {
  const reader = new ByteReader(bytes, format);
  checkMagic(reader);
  const dataType = wireDataTypes[reader.u8('data type')];
  if (dataType === undefined) throw reader.fail(`no data type has code ${bytes[5]}`, 5);
  const encoding = wireEncodings[reader.u8('encoding')];
  if (encoding === undefined || (encoding === 'raw') === (dataType === 'string'))
    throw reader.fail(`encoding ${bytes[6]} is not that of ${dataType}`, 6);
  const rank = reader.u8('rank');
  if (rank > limits.rankMax) throw reader.fail(`${rank} axes; the limit is ${limits.rankMax}`, 7);
  const flags = reader.u16('flags');
  if (flags > (hasDeadline | hasCausalParent)) throw reader.fail(`flags ${flags} are not of this version`, 8);
  const topicBytes = nameLength(reader, limits);
  const producerBytes = nameLength(reader, limits);
  const parentBytes = nameLength(reader, limits);
  const payloadBytes = reader.u64('payload bytes');
  const sequence = reader.u64('sequence');
  const parentSequence = reader.u64('sequence of the causal parent');
  const deadline = reader.u64('deadline');
  const payloadChecksum = reader.u32('payload checksum');
  const headerChecksum = reader.u32('header checksum');
  if ((flags & hasDeadline) === 0 && deadline !== 0) throw reader.fail('a deadline without its flag', 40);
  if ((flags & hasCausalParent) === 0 && parentSequence !== 0) throw reader.fail('a parent without its flag', 32);
  if ((flags & hasCausalParent) === 0 && parentBytes !== 0) throw reader.fail('a parent without its flag', 14);
  const shape = new Array<number>(rank);
  for (let axis = 0; axis < rank; axis++) shape[axis] = reader.u64('extent');
  const topic = readName(reader, topicBytes);
  const producer = readName(reader, producerBytes);
  const parentProducer = readName(reader, parentBytes);
  const payloadOffset = checkPadding(reader);
  const checksum = tensorHeaderChecksum(bytes, payloadOffset);
  if (checksum !== headerChecksum)
    throw reader.fail(`the header's checksum is ${checksum}, not ${headerChecksum}`, checksumAt);
  checkPayloadSize(reader, dataType, shape, payloadBytes, limits);
  // Optional members are added afterwards: spreading them in costs more than all the rest.
  const header: { -readonly [Key in keyof TensorHeader]: TensorHeader[Key] } = {
    dataType,
    shape,
    encoding,
    topic,
    producer,
    sequence,
    payloadBytes,
    payloadChecksum,
    payloadOffset,
    messageBytes: payloadOffset + payloadBytes,
  };
  if ((flags & hasCausalParent) !== 0) header.causalParent = { producer: parentProducer, sequence: parentSequence };
  if ((flags & hasDeadline) !== 0) header.deadlineMicros = deadline;
  return header;
}

function nameLength(reader: ByteReader, limits: TensorLimits): number {
  const length = reader.u16('length of a name');
  if (length > limits.nameBytesMax)
    throw reader.fail(`a name of ${length} bytes; the limit is ${limits.nameBytesMax}`, reader.at - 2);
  return length;
}

function alignPayload(headerBytes: number): number {
  return Math.ceil(headerBytes / payloadAlignment) * payloadAlignment;
}

/** Where the payload begins: up to there all is zero. */
function checkPadding(reader: ByteReader): number {
  const end = alignPayload(reader.at);
  const start = reader.at;
  reader.skip(end - start, 'padding');
  for (let at = start; at < end; at++) if (reader.bytes[at] !== 0) throw reader.fail('padding that is not zero', at);
  return end;
}

function checkMagic(reader: ByteReader): void {
  const magic = reader.take(4, 'magic');
  if (tensorMagic.some((byte, index) => magic[index] !== byte))
    throw reader.fail('no tensor: it begins with "SIRT"', 0);
  const version = reader.u8('version');
  if (version !== tensorWireVersion)
    throw malformed(
      format,
      4,
      `version ${version}; this reads ${tensorWireVersion}`,
      'Use a version that both sides know.',
    );
}

function checkPayloadSize(
  reader: ByteReader,
  dataType: DataType,
  shape: Shape,
  payloadBytes: number,
  limits: TensorLimits,
): void {
  const refusal = shapeRefusal(dataType, shape, limits);
  if (refusal !== undefined) throw reader.fail(refusal, fixedBytes);
  if (payloadBytes > limits.tensorBytesMax)
    throw reader.fail(`a payload of ${payloadBytes} bytes; the limit is ${limits.tensorBytesMax}`, 16);
  const count = elementCount(shape);
  // A string takes at least its length prefix, and an empty tensor has no payload.
  const isSound =
    dataType === 'string'
      ? payloadBytes >= 4 * count && (count > 0 || payloadBytes === 0)
      : payloadBytes === count * bytesPerElement(dataType);
  if (!isSound) throw reader.fail(`${payloadBytes} payload bytes for ${dataType} of shape ${formatShape(shape)}`, 16);
}

function readName(reader: ByteReader, length: number): string {
  const start = reader.at;
  const bytes = reader.take(length, 'name');
  const wrong = malformedUtf8At(bytes);
  if (wrong >= 0) throw reader.fail('a name that is not UTF-8', start + wrong);
  return readUtf8(bytes);
}

function nameBytes(name: string): number {
  const length = utf8Length(name);
  if (length < 0) throw unwritable(format, 'a name holds half a surrogate pair');
  if (length > defaultTensorLimits.nameBytesMax)
    throw unwritable(format, `a name of ${length} bytes; the limit is ${defaultTensorLimits.nameBytesMax}`);
  return length;
}

function setUint64(view: DataView, at: number, value: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < 0) throw unwritable(format, `${what} ${value} is no whole number ≥ 0`);
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}
