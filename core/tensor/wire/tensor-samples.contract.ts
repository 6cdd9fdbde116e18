// What the tests of the wire formats share: tensors drawn with every bit pattern, the bits of a tensor to compare, and where
// the test files lie.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect } from 'vitest';
import { SiraError } from '../../base/errors.ts';
import { type DataType, dataTypes, type FixedSizeDataType } from '../data-type.ts';
import { elementCount } from '../shape.ts';
import { TensorView } from '../tensor-view.ts';
import { rowMajorBytes } from './row-major-bytes.ts';

/** Test data of the project, and the larger set that may lie beside the project. */
export const dataFolder = fileURLToPath(new URL('../../../scenarios/data/tensor-wire/', import.meta.url));
export const sharedFolder = fileURLToPath(new URL('../../../../shared/data/tensor-wire/', import.meta.url));

/** Absent on a newcomer's machine; where it is decided whether the project is sound it must be there. */
export const isSharedMissing = !existsSync(sharedFolder) && (process.env.CI ?? '') === '';

export const allDataTypes = Object.keys(dataTypes) as DataType[];

/** Everything that must survive a format: type, shape, bits. */
export function bitsOf(tensor: TensorView): { dataType: DataType; shape: readonly number[]; content: unknown } {
  const { dataType, shape } = tensor;
  const content =
    dataType === 'string' ? tensor.toElements() : Buffer.from(rowMajorBytes(tensor, 'test')).toString('hex');
  return { dataType, shape: [...shape], content };
}

/** Tensors of any bits, some of them windows whose elements do not lie together. */
export function arbitraryTensor(types: readonly DataType[] = allDataTypes): fc.Arbitrary<TensorView> {
  return fc
    .record({
      dataType: fc.constantFrom(...types),
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
      isTransposed: fc.boolean(),
    })
    .chain(({ dataType, shape, isTransposed }) =>
      arbitraryData(dataType, elementCount(shape)).map((data) => {
        const tensor = new TensorView(dataType, shape, data);
        return isTransposed ? tensor.transpose() : tensor;
      }),
    );
}

function arbitraryData(dataType: DataType, count: number): fc.Arbitrary<Uint8Array | string[]> {
  if (dataType === 'string')
    return fc.array(fc.string({ unit: 'binary', maxLength: 8 }), { minLength: count, maxLength: count });
  const length = count * dataTypes[dataType as FixedSizeDataType].bytes;
  const max = dataType === 'bool' ? 1 : 255;
  return fc.uint8Array({ minLength: length, maxLength: length, max });
}

/** What `read` gives, or `undefined` after a coded error that says where; anything else that it throws is a defect. */
export function readOrRefusal<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SiraError)) throw error;
    expect(error.code).toBe('SIRA_TENSOR_INVALID');
    expect(error.message).toMatch(/^[\w ]+, byte \d+: ./);
    return undefined;
  }
}
