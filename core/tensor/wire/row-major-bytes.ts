// A tensor's elements as the bytes that every format stores: row-major, together, little-endian. Bits are moved, never read
// as numbers, so that the payload of a NaN survives.

import { bytesPerElement, type FixedSizeDataType } from '../data-type.ts';
import type { TensorView } from '../tensor-view.ts';
import { defaultTensorLimits, shapeRefusal, unwritable } from './tensor-limits.ts';

/**
 * The elements' bytes: a window onto the tensor's own where they lie together, else a copy. Not for strings.
 * SIRA_TENSOR_INVALID when the default limits forbid the size (a broadcast view may stand for more than memory holds), or a
 * bool is neither 0 nor 1; `format` is named then.
 */
export function rowMajorBytes(tensor: TensorView, format: string): Uint8Array {
  checkSize(tensor, format);
  if (tensor.elementCount === 0) return new Uint8Array(0);
  const view = tensor.isContiguous ? tensor : tensor.copy();
  const start = view.offset * bytesPerElement(view.dataType);
  const bytes = (view.data as Uint8Array).subarray(start, start + view.byteLength);
  if (tensor.dataType === 'bool') {
    const wrong = malformedBoolAt(bytes);
    if (wrong >= 0) throw unwritable(format, `element ${wrong} is ${bytes[wrong]}, but a bool is 0 or 1`);
  }
  return bytes;
}

/** The elements of a tensor of strings, the last axis varying fastest. SIRA_TENSOR_INVALID beyond the default limits. */
export function rowMajorStrings(tensor: TensorView, format: string): readonly string[] {
  checkSize(tensor, format);
  return tensor.toElements() as string[];
}

function checkSize(tensor: TensorView, format: string): void {
  const refusal = shapeRefusal(tensor.dataType, tensor.shape, defaultTensorLimits);
  if (refusal !== undefined) throw unwritable(format, refusal);
}

/** Index of the first byte that is neither 0 nor 1, or −1: a bool has one form, else equal tensors would have unequal bytes. */
export function malformedBoolAt(bytes: Uint8Array): number {
  for (let index = 0; index < bytes.length; index++) if (bytes[index] > 1) return index;
  return -1;
}

/** A copy with the bytes of each number reversed; the two halves of a complex number keep their order. */
export function swapByteOrder(bytes: Uint8Array, dataType: FixedSizeDataType): Uint8Array {
  const size = bytesPerElement(dataType);
  return swapUnits(bytes, dataType === 'complex64' || dataType === 'complex128' ? size / 2 : size);
}

/** A copy with every `unit` bytes reversed. */
export function swapUnits(bytes: Uint8Array, unit: number): Uint8Array {
  const swapped = new Uint8Array(bytes.length);
  for (let start = 0; start < bytes.length; start += unit) {
    for (let index = 0; index < unit; index++) swapped[start + index] = bytes[start + unit - 1 - index];
  }
  return swapped;
}
