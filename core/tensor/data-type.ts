// The element types of tensors, by name and size. Names are those of the ONNX and safetensors world in lower case; how an
// element is read and written is element-codec.ts's affair, how the small floats round small-float.ts's.

import { SiraError } from '../base/errors.ts';

export type DataTypeKind = 'boolean' | 'signed' | 'unsigned' | 'float' | 'complex' | 'string';

interface DataTypeEntry {
  readonly kind: DataTypeKind;
  /** Bytes of one element; 0 for strings, whose length varies. */
  readonly bytes: 0 | 1 | 2 | 4 | 8 | 16;
}

/** Every element type. A bool takes a whole byte, as on the wire; a complex number is two floats, the real part first. */
export const dataTypes = {
  bool: { kind: 'boolean', bytes: 1 },
  int8: { kind: 'signed', bytes: 1 },
  int16: { kind: 'signed', bytes: 2 },
  int32: { kind: 'signed', bytes: 4 },
  int64: { kind: 'signed', bytes: 8 },
  uint8: { kind: 'unsigned', bytes: 1 },
  uint16: { kind: 'unsigned', bytes: 2 },
  uint32: { kind: 'unsigned', bytes: 4 },
  uint64: { kind: 'unsigned', bytes: 8 },
  float8_e4m3: { kind: 'float', bytes: 1 },
  float8_e5m2: { kind: 'float', bytes: 1 },
  float16: { kind: 'float', bytes: 2 },
  bfloat16: { kind: 'float', bytes: 2 },
  float32: { kind: 'float', bytes: 4 },
  float64: { kind: 'float', bytes: 8 },
  complex64: { kind: 'complex', bytes: 8 },
  complex128: { kind: 'complex', bytes: 16 },
  string: { kind: 'string', bytes: 0 },
} as const satisfies Record<string, DataTypeEntry>;

export type DataType = keyof typeof dataTypes;

/** All data types whose elements have one size. */
export type FixedSizeDataType = Exclude<DataType, 'string'>;

/** Bytes of one element, 1…16. SIRA_TENSOR_INVALID for strings. */
export function bytesPerElement(dataType: DataType): number {
  const { bytes } = dataTypes[dataType];
  if (bytes === 0) throw new SiraError('SIRA_TENSOR_INVALID', 'a string has no fixed size in bytes');
  return bytes;
}
