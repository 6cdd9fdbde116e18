// A tensor on Sira's wire: header, then the elements as raw little-endian bytes from a multiple of 64 bytes on. Decoding makes
// a window onto the bytes that came, without moving them (strings excepted). The same tensor under the same label is always
// the same bytes, and only those bytes are accepted. Who sends, routes and keeps them is the bus's affair.

import { elementCount } from '../shape.ts';
import { TensorView } from '../tensor-view.ts';
import { malformedBoolAt, rowMajorBytes, rowMajorStrings } from './row-major-bytes.ts';
import { decodeStrings, encodeStrings } from './string-payload.ts';
import { decodeTensorHeader, encodeTensorHeader, type TensorHeader, type TensorLabel } from './tensor-header.ts';
import { defaultTensorLimits, malformed, type TensorLimits } from './tensor-limits.ts';
import { xxHash32 } from './xx-hash.ts';

const format = 'tensor message';

export interface TensorMessage {
  readonly header: TensorHeader;
  readonly tensor: TensorView;
}

/** Header and payload apart, for a sender that can gather: the payload is the tensor's own memory where it lies together. */
export interface TensorParts {
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
}

export interface DecodeOptions {
  readonly limits?: TensorLimits;
  /** Leave the payload's checksum unread: for bytes that never left this process or were verified by their transport. */
  readonly trustPayload?: boolean;
}

/** SIRA_TENSOR_INVALID when the label, the size or an element has no form on the wire. */
export function encodeTensorParts(label: TensorLabel, tensor: TensorView): TensorParts {
  const isString = tensor.dataType === 'string';
  const payload = isString ? encodeStrings(rowMajorStrings(tensor, format)) : rowMajorBytes(tensor, format);
  const header = encodeTensorHeader(label, {
    dataType: tensor.dataType,
    shape: tensor.shape,
    encoding: isString ? 'lengthPrefixed' : 'raw',
    payloadBytes: payload.length,
    payloadChecksum: xxHash32(payload),
  });
  return { header, payload };
}

/** Header and payload in one piece. */
export function encodeTensorMessage(label: TensorLabel, tensor: TensorView): Uint8Array {
  const { header, payload } = encodeTensorParts(label, tensor);
  const bytes = new Uint8Array(header.length + payload.length);
  bytes.set(header);
  bytes.set(payload, header.length);
  return bytes;
}

/**
 * Reads one whole message; `bytes` must end with it. The tensor's data is a window onto `bytes`: whoever writes to one writes
 * to the other. SIRA_TENSOR_INVALID for damaged, truncated or non-canonical bytes, and beyond the limits.
 */
export function decodeTensorMessage(bytes: Uint8Array, options: DecodeOptions = {}): TensorMessage {
  const { limits = defaultTensorLimits, trustPayload = false } = options;
  const header = decodeTensorHeader(bytes, limits);
  const { payloadOffset, messageBytes, payloadChecksum, dataType, shape } = header;
  if (bytes.length !== messageBytes)
    throw malformed(format, Math.min(bytes.length, messageBytes), `${bytes.length} bytes instead of ${messageBytes}`);
  const payload = bytes.subarray(payloadOffset);
  if (!trustPayload) {
    const actual = xxHash32(payload);
    if (actual !== payloadChecksum)
      throw malformed(format, payloadOffset, `the payload's checksum is ${actual}, not ${payloadChecksum}`);
  }
  if (dataType === 'string') {
    const strings = decodeStrings(bytes, payloadOffset, elementCount(shape), limits);
    return { header, tensor: new TensorView(dataType, shape, strings) };
  }
  if (dataType === 'bool') {
    const wrong = malformedBoolAt(payload);
    if (wrong >= 0) throw malformed(format, payloadOffset + wrong, `a bool of ${payload[wrong]}; it is 0 or 1`);
  }
  return { header, tensor: new TensorView(dataType, shape, payload) };
}
