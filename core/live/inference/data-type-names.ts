// The element types by the names that the Open Inference Protocol gives them. Types that it does not know (8-bit floats, complex
// numbers) have none.

import type { DataType } from '../../tensor/data-type.ts';

const names = {
  bool: 'BOOL',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  float16: 'FP16',
  bfloat16: 'BF16',
  float32: 'FP32',
  float64: 'FP64',
  string: 'BYTES',
} as const satisfies Partial<Record<DataType, string>>;

export type InferenceDataType = keyof typeof names;

const types: ReadonlyMap<string, InferenceDataType> = new Map(
  Object.entries(names).map(([type, name]) => [name, type as InferenceDataType]),
);

export const inferenceTypeNames: readonly string[] = Object.values(names);

/** `undefined` for types that the protocol does not know. */
export function inferenceNameOf(dataType: DataType): string | undefined {
  return (names as Partial<Record<DataType, string>>)[dataType];
}

/** `undefined` for names that are none of the protocol's. */
export function inferenceTypeNamed(name: string): InferenceDataType | undefined {
  return types.get(name);
}
