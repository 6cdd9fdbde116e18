// Tensors as they stand in messages, and as programs use them. A tensor that came is a window onto the message's bytes.

import { SiraError } from '../../base/errors.ts';
import type { NamedTensor, PlainTensor, DataType as TypeNumber } from '../../proto/generated/sira/v1/tensor.ts';
import { type DataType, dataTypes } from '../../tensor/data-type.ts';
import { elementCount } from '../../tensor/shape.ts';
import { TensorView } from '../../tensor/tensor-view.ts';
import { malformedBoolAt, rowMajorBytes, rowMajorStrings } from '../../tensor/wire/row-major-bytes.ts';
import { decodeStrings, encodeStrings } from '../../tensor/wire/string-payload.ts';
import { wireDataTypes } from '../../tensor/wire/tensor-header.ts';
import { defaultTensorLimits } from '../../tensor/wire/tensor-limits.ts';
import { decodeTensorMessage } from '../../tensor/wire/tensor-message.ts';

export type Tensors = Readonly<Record<string, TensorView>>;

const format = 'tensor';

/** The wire's numbers are those of {@link wireDataTypes}, from 1. */
function numberOf(dataType: DataType): TypeNumber {
  return (wireDataTypes.indexOf(dataType) + 1) as TypeNumber;
}

export function tensorsToMessages(tensors: Tensors): NamedTensor[] {
  return Object.entries(tensors).map(([name, tensor]) => ({
    name,
    form: { $case: 'plain', value: plainTensor(tensor) },
  }));
}

/** SIRA_TENSOR_INVALID for a tensor that is not whole, or lies elsewhere. */
export function tensorsOfMessages(messages: readonly NamedTensor[]): Tensors {
  return Object.fromEntries(messages.map((message) => [message.name, tensorOf(message)]));
}

function plainTensor(tensor: TensorView): PlainTensor {
  const { dataType, shape } = tensor;
  const data = dataType === 'string' ? encodeStrings(rowMajorStrings(tensor, format)) : rowMajorBytes(tensor, format);
  return { dataType: numberOf(dataType), shape: [...shape], data };
}

function tensorOf({ name, form }: NamedTensor): TensorView {
  if (form?.$case === 'message') return decodeTensorMessage(form.value).tensor;
  if (form?.$case !== 'plain')
    throw new SiraError(
      'SIRA_TENSOR_INVALID',
      `the tensor "${name}" ${form === undefined ? 'is empty' : 'lies elsewhere'}`,
    );
  const { dataType: number, shape, data } = form.value;
  const dataType = wireDataTypes[number - 1];
  if (dataType === undefined) throw new SiraError('SIRA_TENSOR_INVALID', `the tensor "${name}" has no known type`);
  if (dataType === 'string') {
    const strings = decodeStrings(data, 0, elementCount(shape), defaultTensorLimits);
    return new TensorView(dataType, shape, strings);
  }
  const bytes = elementCount(shape) * dataTypes[dataType].bytes;
  if (data.length !== bytes)
    throw new SiraError(
      'SIRA_TENSOR_INVALID',
      `the tensor "${name}" has ${data.length} bytes; its shape says ${bytes}`,
    );
  if (dataType === 'bool' && malformedBoolAt(data) >= 0)
    throw new SiraError('SIRA_TENSOR_INVALID', `the tensor "${name}" has bools that are neither 0 nor 1`);
  // A Buffer would share its memory with what its `slice` gives.
  return new TensorView(dataType, shape, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

/** Arrays of the language that hold a type's elements as they lie in memory. */
const arrays = {
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

export type NumberArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** A tensor over the memory of `array`, whose type it takes; without `shape` it has one axis. Little-endian machines only. */
export function tensorFrom(array: NumberArray, shape: readonly number[] = [array.length]): TensorView {
  const [dataType] = Object.entries(arrays).find(([, type]) => array instanceof type) as [DataType, unknown];
  return new TensorView(dataType, shape, new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
}

/** The elements in row-major order, in memory of their own. SIRA_TENSOR_INVALID for types that no array holds. */
export function arrayFrom(tensor: TensorView): NumberArray {
  const type = (arrays as Readonly<Record<string, (typeof arrays)[keyof typeof arrays]>>)[tensor.dataType];
  if (type === undefined) throw new SiraError('SIRA_TENSOR_INVALID', `no array holds elements of ${tensor.dataType}`);
  const bytes = rowMajorBytes(tensor, format);
  return new type(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
}
