// Safetensors, the format of model weights: a JSON header that names tensors, then their bytes. Reading makes windows onto the
// bytes that came. Writing gives the reference library's own bytes: metadata first, then tensors by falling type and rising
// name, header padded with spaces to a multiple of 8. Refused, as there: offsets that overlap or leave holes, bytes left over;
// and, where it is lenient, keys that come twice and keys that mean nothing.
// Source: github.com/huggingface/safetensors, README "Format" and safetensors/src/tensor.rs.

import { bytesPerElement, type DataType } from '../data-type.ts';
import { elementCount, formatShape } from '../shape.ts';
import { TensorView } from '../tensor-view.ts';
import { ByteReader } from './byte-reader.ts';
import { JsonScanner, quoteBriefly } from './json-scanner.ts';
import { malformedBoolAt, rowMajorBytes } from './row-major-bytes.ts';
import { defaultTensorLimits, shapeRefusal, type TensorLimits, unwritable } from './tensor-limits.ts';
import { compareCodePoints, utf8Length, writeUtf8 } from './utf8.ts';

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, TensorView>;
  readonly metadata: ReadonlyMap<string, string>;
}

const format = 'safetensors';
const metadataKey = '__metadata__';

/** In the reference library's order, by which it sorts on writing. complex128 and string have no name there. */
const typeNames: readonly (readonly [string, DataType])[] = [
  ['BOOL', 'bool'],
  ['U8', 'uint8'],
  ['I8', 'int8'],
  ['F8_E5M2', 'float8_e5m2'],
  ['F8_E4M3', 'float8_e4m3'],
  ['I16', 'int16'],
  ['U16', 'uint16'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['I32', 'int32'],
  ['U32', 'uint32'],
  ['F32', 'float32'],
  ['C64', 'complex64'],
  ['F64', 'float64'],
  ['I64', 'int64'],
  ['U64', 'uint64'],
];

interface Entry {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
  /** Where the header says so. */
  readonly at: number;
}

/** Names are ordered as their bytes lie. SIRA_TENSOR_INVALID, with the byte, for anything but a sound file within `limits`. */
export function readSafetensors(bytes: Uint8Array, limits: TensorLimits = defaultTensorLimits): SafetensorsFile {
  const reader = new ByteReader(bytes, format);
  const headerBytes = reader.u64('header length');
  if (headerBytes > limits.headerBytesMax)
    throw reader.fail(`a header of ${headerBytes} bytes; the limit is ${limits.headerBytesMax}`, 0);
  reader.skip(headerBytes, 'header');
  const { entries, metadata } = readHeader(new JsonScanner(bytes, format, 8, reader.at), limits, reader.at);
  const tensors = new Map<string, TensorView>();
  let begin = 0;
  for (const entry of entries.toSorted((left, right) => left.begin - right.begin || left.end - right.end)) {
    if (entry.begin !== begin)
      throw reader.fail(
        `${quoteBriefly(entry.name)} begins at offset ${entry.begin}, not where the last one ends, ${begin}`,
        entry.at,
      );
    begin = entry.end;
    if (begin > reader.left)
      throw reader.fail(`${quoteBriefly(entry.name)} ends at offset ${begin} of ${reader.left}`, entry.at);
    tensors.set(entry.name, tensorOf(reader, entry));
  }
  if (begin !== reader.left)
    throw reader.fail(`${reader.left - begin} bytes that belong to no tensor`, reader.at + begin);
  return { tensors, metadata };
}

function tensorOf(reader: ByteReader, { name, dataType, shape, begin, end, at }: Entry): TensorView {
  const expected = elementCount(shape) * bytesPerElement(dataType);
  if (end - begin !== expected)
    throw reader.fail(
      `${quoteBriefly(name)}, ${dataType} ${formatShape(shape)}, is ${expected} bytes, not ${end - begin}`,
      at,
    );
  const data = reader.bytes.subarray(reader.at + begin, reader.at + end);
  const wrong = dataType === 'bool' ? malformedBoolAt(data) : -1;
  if (wrong >= 0) throw reader.fail(`a bool of ${data[wrong]}; it is 0 or 1`, reader.at + begin + wrong);
  return new TensorView(dataType, shape, data);
}

function readHeader(
  json: JsonScanner,
  limits: TensorLimits,
  end: number,
): { entries: Entry[]; metadata: Map<string, string> } {
  const entries: Entry[] = [];
  const metadata = new Map<string, string>();
  json.object((name, keyAt) => {
    if (name === metadataKey) {
      json.object((key) => metadata.set(key, json.string()));
      return;
    }
    if (entries.length === limits.tensorsMax) throw json.fail(`more than ${limits.tensorsMax} tensors`, keyAt);
    if (utf8Length(name) > limits.nameBytesMax) throw json.fail(`a name above ${limits.nameBytesMax} bytes`, keyAt);
    entries.push(readEntry(json, limits, name, keyAt));
  });
  json.skipSpace();
  if (json.at !== end) throw json.fail('more than one object in the header');
  return { entries, metadata };
}

function readEntry(json: JsonScanner, limits: TensorLimits, name: string, at: number): Entry {
  let dataType: DataType | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  json.object((key, keyAt) => {
    if (key === 'dtype') {
      const typeName = json.string();
      dataType = typeNames.find(([known]) => known === typeName)?.[1];
      if (dataType === undefined) throw json.fail(`no data type ${quoteBriefly(typeName)}`, keyAt);
    } else if (key === 'shape') shape = json.integers(limits.rankMax);
    else if (key === 'data_offsets') offsets = json.integers(2);
    else throw json.fail(`key ${quoteBriefly(key)} means nothing here`, keyAt);
  });
  if (dataType === undefined || shape === undefined || offsets === undefined)
    throw json.fail(`${quoteBriefly(name)} lacks dtype, shape or data_offsets`, at);
  const refusal = shapeRefusal(dataType, shape, limits);
  if (refusal !== undefined) throw json.fail(refusal, at);
  const [begin, end] = offsets as [number?, number?];
  if (begin === undefined || end === undefined || begin > end)
    throw json.fail(`data_offsets of ${quoteBriefly(name)} are not [begin, end]`, at);
  return { name, dataType, shape, begin, end, at };
}

/** SIRA_TENSOR_INVALID for complex128, strings, and names without UTF-8. The order of the maps makes no difference. */
export function writeSafetensors(file: SafetensorsFile): Uint8Array {
  const tensors = [...file.tensors]
    .map(([name, tensor]) => ({ name: checkName(name), tensor, rank: typeRank(tensor.dataType) }))
    .toSorted((left, right) => right.rank - left.rank || compareCodePoints(left.name, right.name));
  const members: string[] = [];
  if (file.metadata.size > 0) {
    const pairs = [...file.metadata].toSorted(([left], [right]) => compareCodePoints(left, right));
    members.push(`"${metadataKey}":{${pairs.map(([key, value]) => `${quoted(key)}:${quoted(value)}`).join(',')}}`);
  }
  const payloads: Uint8Array[] = [];
  let end = 0;
  for (const { name, tensor, rank } of tensors) {
    const payload = rowMajorBytes(tensor, format);
    const offsets = `[${end},${end + payload.length}]`;
    members.push(
      `${quoted(name)}:{"dtype":"${typeNames[rank]![0]}","shape":[${tensor.shape.join(',')}],"data_offsets":${offsets}}`,
    );
    payloads.push(payload);
    end += payload.length;
  }
  return assemble(`{${members.join(',')}}`, payloads, end);
}

function assemble(header: string, payloads: readonly Uint8Array[], payloadBytes: number): Uint8Array {
  const used = utf8Length(header);
  const headerBytes = Math.ceil(used / 8) * 8;
  if (headerBytes > defaultTensorLimits.headerBytesMax) throw unwritable(format, `a header of ${headerBytes} bytes`);
  const bytes = new Uint8Array(8 + headerBytes + payloadBytes);
  new DataView(bytes.buffer).setUint32(0, headerBytes, true);
  writeUtf8(header, bytes, 8);
  bytes.fill(0x20, 8 + used, 8 + headerBytes);
  let at = 8 + headerBytes;
  for (const payload of payloads) {
    bytes.set(payload, at);
    at += payload.length;
  }
  return bytes;
}

function typeRank(dataType: DataType): number {
  const rank = typeNames.findIndex(([, known]) => known === dataType);
  if (rank < 0) throw unwritable(format, `no data type for ${dataType}`);
  return rank;
}

function checkName(name: string): string {
  if (name === metadataKey) throw unwritable(format, `${metadataKey} is no name of a tensor`);
  return name;
}

function quoted(text: string): string {
  if (utf8Length(text) < 0) throw unwritable(format, 'a name or value holds half a surrogate pair');
  return JSON.stringify(text);
}
