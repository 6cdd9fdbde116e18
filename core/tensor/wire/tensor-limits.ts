// What a reader of foreign bytes may be asked to hold. Every size that a header claims is compared with these limits, and with
// the bytes that are really there, before anything of that size is allocated. Shapes themselves are shape.ts's affair.

import { SiraError } from '../../base/errors.ts';
import { type DataType, dataTypes } from '../data-type.ts';
import { formatShape, rankMax, type Shape } from '../shape.ts';

export interface TensorLimits {
  /** Axes of a tensor, at most 32. */
  readonly rankMax: number;
  /** Bytes of one tensor's elements. */
  readonly tensorBytesMax: number;
  /** Elements of one tensor of strings. */
  readonly stringsMax: number;
  /** UTF-8 bytes of one string element. */
  readonly stringBytesMax: number;
  /** UTF-8 bytes of a name: topic, producer, tensor, column; at most 65,535. */
  readonly nameBytesMax: number;
  /** Bytes of the text or table that describes the tensors of a file. */
  readonly headerBytesMax: number;
  /** Tensors, columns or record batches of one file. */
  readonly tensorsMax: number;
}

export const defaultTensorLimits: TensorLimits = {
  rankMax,
  tensorBytesMax: 2 ** 32,
  stringsMax: 2 ** 22,
  stringBytesMax: 2 ** 20,
  nameBytesMax: 1024,
  headerBytesMax: 2 ** 24,
  tensorsMax: 2 ** 16,
};

/** SIRA_TENSOR_INVALID that says which format, at which byte, and what is wrong there. */
export function malformed(format: string, byte: number, what: string, remedy?: string): SiraError {
  return new SiraError(
    'SIRA_TENSOR_INVALID',
    `${format}, byte ${byte}: ${what}`,
    { field: `byte ${byte}` },
    remedy ?? 'The bytes are damaged, of another format, or use a feature that is refused; write them again.',
  );
}

/** SIRA_TENSOR_INVALID for a tensor that a format cannot hold. */
export function unwritable(format: string, what: string): SiraError {
  return new SiraError(
    'SIRA_TENSOR_INVALID',
    `${format}: ${what}`,
    {},
    'Convert the tensor, or choose another format.',
  );
}

/** What is wrong with a shape that a header claims, or `undefined`. Nothing is allocated, whatever the extents. */
export function shapeRefusal(dataType: DataType, shape: Shape, limits: TensorLimits): string | undefined {
  if (shape.length > limits.rankMax) return `${shape.length} axes; the limit is ${limits.rankMax}`;
  const bytes = dataTypes[dataType].bytes;
  const countMax = bytes === 0 ? limits.stringsMax : Math.floor(limits.tensorBytesMax / bytes);
  let strideMax = 1;
  let isEmpty = false;
  for (const extent of shape) {
    if (!Number.isSafeInteger(extent) || extent < 0) return `an extent of ${extent} is no whole number ≥ 0`;
    if (extent === 0) isEmpty = true;
    else if (extent > Math.floor(Number.MAX_SAFE_INTEGER / strideMax))
      return `shape ${formatShape(shape)} overflows the count of elements`;
    else strideMax *= extent;
  }
  if (isEmpty || strideMax <= countMax) return undefined;
  return `shape ${formatShape(shape)} of ${dataType} has more than ${countMax} elements, the limit`;
}
