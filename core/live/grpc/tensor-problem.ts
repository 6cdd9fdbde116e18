// What is wrong with a tensor in a message, told at the door from its description alone: nothing is copied, decoded or allocated,
// whatever its shape says. Elements (checksums, UTF-8, bools) are looked at by whoever reads them.

import { SiraError } from '../../base/errors.ts';
import type { NamedTensor } from '../../proto/generated/sira/v1/tensor.ts';
import { dataTypes } from '../../tensor/data-type.ts';
import { elementCount, formatShape } from '../../tensor/shape.ts';
import { decodeTensorHeader, wireDataTypes } from '../../tensor/wire/tensor-header.ts';
import { defaultTensorLimits, shapeRefusal } from '../../tensor/wire/tensor-limits.ts';
import { nameBytesMax } from './messages.ts';

const tensorsMax = 1024;

/** Of the inputs or outputs of one piece of work; `undefined` if they are sound. */
export function tensorsProblem(tensors: readonly NamedTensor[]): string | undefined {
  if (tensors.length > tensorsMax) return `${tensors.length} tensors; at most ${tensorsMax}`;
  const names = new Set<string>();
  for (const tensor of tensors) {
    const { name } = tensor;
    if (Buffer.byteLength(name, 'utf8') > nameBytesMax) return `the name of a tensor has at most ${nameBytesMax} bytes`;
    if (names.has(name)) return `two tensors are called "${name}"`;
    names.add(name);
    const problem = tensorProblem(tensor);
    if (problem !== undefined) return `the tensor "${name}" ${problem}`;
  }
  return undefined;
}

function tensorProblem({ form }: NamedTensor): string | undefined {
  if (form === undefined) return 'is empty';
  if (form.$case === 'reference') return undefined;
  if (form.$case === 'message') return messageProblem(form.value);
  const { dataType: number, shape, data } = form.value;
  const dataType = wireDataTypes[number - 1];
  if (dataType === undefined) return `has the type ${number}, which is none`;
  const refusal = shapeRefusal(dataType, shape, defaultTensorLimits);
  if (refusal !== undefined) return `has a wrong shape: ${refusal}`;
  const count = elementCount(shape);
  if (dataType === 'string')
    return count * 4 <= data.length ? undefined : `has ${data.length} bytes, too few for ${count} strings`;
  const bytes = count * dataTypes[dataType].bytes;
  return data.length === bytes
    ? undefined
    : `has ${data.length} bytes; ${formatShape(shape)} of ${dataType} has ${bytes}`;
}

function messageProblem(bytes: Uint8Array): string | undefined {
  try {
    const { messageBytes } = decodeTensorHeader(bytes);
    return messageBytes === bytes.length ? undefined : `has ${bytes.length} bytes; its header says ${messageBytes}`;
  } catch (error) {
    if (error instanceof SiraError) return `cannot be read: ${error.message}`;
    throw error;
  }
}
