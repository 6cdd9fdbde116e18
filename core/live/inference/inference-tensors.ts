// Tensors as the Open Inference Protocol's messages hold them: raw bytes beside the description, or elements in the field of
// their type. Strings are BYTES and must be UTF-8, as everywhere in the kernel.

import { SiraError } from '../../base/errors.ts';
import type {
  InferTensorContents,
  ModelInferRequest,
  ModelInferResponse,
} from '../../proto/generated/inference/open_inference_grpc.ts';
import type { DataType as TypeNumber } from '../../proto/generated/sira/v1/tensor.ts';
import type { Element } from '../../tensor/element-codec.ts';
import { elementCount } from '../../tensor/shape.ts';
import { TensorView } from '../../tensor/tensor-view.ts';
import { wireDataTypes } from '../../tensor/wire/tensor-header.ts';
import { type Tensors, tensorsOfMessages, tensorsToMessages } from '../client/tensors.ts';
import { type InferenceDataType, inferenceNameOf, inferenceTypeNamed } from './data-type-names.ts';

type Input = ModelInferRequest['inputs'][number];
type NamedTensors = readonly (readonly [name: string, tensor: TensorView])[];

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function invalid(detail: string): SiraError {
  return new SiraError('SIRA_REQUEST_INVALID', detail);
}

/** The inputs of a request. SIRA_REQUEST_INVALID or SIRA_TENSOR_INVALID for what is not whole. */
export function inputsOf({ inputs, rawInputContents: raw }: ModelInferRequest): Tensors {
  if (raw.length > 0 && raw.length !== inputs.length)
    throw invalid(`raw_input_contents has ${raw.length} entries for ${inputs.length} inputs`);
  const names = new Set<string>();
  const tensors: [string, TensorView][] = [];
  for (const [index, input] of inputs.entries()) {
    const { name, contents } = input;
    if (names.has(name)) throw invalid(`two inputs are called "${name}"`);
    names.add(name);
    if (raw.length > 0 && contents !== undefined) throw invalid(`"${name}" has contents beside raw_input_contents`);
    tensors.push([name, raw.length > 0 ? rawTensor(input, raw[index]!) : typedTensor(input, contents)]);
  }
  return Object.fromEntries(tensors);
}

/** The type called `datatype`, with a shape that is one. */
export function typeOf(name: string, datatype: string, shape: readonly number[]): InferenceDataType {
  const dataType = inferenceTypeNamed(datatype);
  if (dataType === undefined) throw invalid(`"${name}" has the datatype "${datatype}", which is unknown`);
  if (shape.some((extent) => !Number.isSafeInteger(extent) || extent < 0))
    throw invalid(`"${name}" has the shape [${shape}]`);
  return dataType;
}

function rawTensor({ name, datatype, shape }: Input, data: Uint8Array): TensorView {
  const number = (wireDataTypes.indexOf(typeOf(name, datatype, shape)) + 1) as TypeNumber;
  const [tensor] = Object.values(
    tensorsOfMessages([{ name, form: { $case: 'plain', value: { dataType: number, shape, data } } }]),
  );
  return tensor!;
}

function typedTensor({ name, datatype, shape }: Input, contents: InferTensorContents | undefined): TensorView {
  const dataType = typeOf(name, datatype, shape);
  if (contents === undefined && elementCount(shape) > 0) throw invalid(`"${name}" has no contents`);
  if (dataType === 'float16' || dataType === 'bfloat16')
    throw invalid(`"${name}": ${datatype} is given in raw_input_contents`);
  const elements = contents === undefined ? [] : elementsOf(name, dataType, contents);
  return TensorView.from(dataType, shape, elements);
}

function elementsOf(name: string, dataType: InferenceDataType, contents: InferTensorContents): readonly Element[] {
  switch (dataType) {
    case 'bool':
      return contents.boolContents;
    case 'int8':
    case 'int16':
    case 'int32':
      return contents.intContents;
    case 'int64':
      return contents.int64Contents.map(BigInt);
    case 'uint8':
    case 'uint16':
    case 'uint32':
      return contents.uintContents;
    case 'uint64':
      return contents.uint64Contents.map(BigInt);
    case 'float32':
      return contents.fp32Contents;
    case 'float64':
      return contents.fp64Contents;
    default:
      return contents.bytesContents.map((bytes, index) => textOf(name, index, bytes));
  }
}

function textOf(name: string, index: number, bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalid(`element ${index} of "${name}" is not UTF-8`);
  }
}

/** The outputs of a response: raw if `raw`, or if one has no field of its type; else typed. */
export function outputMessages(
  outputs: NamedTensors,
  raw: boolean,
): Pick<ModelInferResponse, 'outputs' | 'rawOutputContents'> {
  const isRaw = raw || outputs.some(([, { dataType }]) => dataType === 'float16' || dataType === 'bfloat16');
  const described = outputs.map(([name, tensor]) => ({
    name,
    datatype: nameOfType(name, tensor),
    shape: [...tensor.shape],
    parameters: new Map(),
    contents: isRaw ? undefined : contentsOf(tensor),
  }));
  const rawOutputContents = isRaw ? outputs.map(([name, tensor]) => rawBytes(name, tensor)) : [];
  return { outputs: described, rawOutputContents };
}

/** SIRA_WORK_FAILED for a type that clients do not know. */
export function nameOfType(name: string, { dataType }: TensorView): string {
  const known = inferenceNameOf(dataType);
  if (known === undefined)
    throw new SiraError('SIRA_WORK_FAILED', `the output "${name}" is ${dataType}, which the protocol does not know`);
  return known;
}

function rawBytes(name: string, tensor: TensorView): Uint8Array {
  const form = tensorsToMessages({ [name]: tensor })[0]?.form;
  return form?.$case === 'plain' ? form.value.data : new Uint8Array(0);
}

function contentsOf(tensor: TensorView): InferTensorContents {
  const contents: InferTensorContents = {
    boolContents: [],
    intContents: [],
    int64Contents: [],
    uintContents: [],
    uint64Contents: [],
    fp32Contents: [],
    fp64Contents: [],
    bytesContents: [],
  };
  const elements = tensor.toElements();
  switch (tensor.dataType) {
    case 'bool':
      return { ...contents, boolContents: elements as boolean[] };
    case 'int64':
      return { ...contents, int64Contents: elements.map(String) };
    case 'uint64':
      return { ...contents, uint64Contents: elements.map(String) };
    case 'uint8':
    case 'uint16':
    case 'uint32':
      return { ...contents, uintContents: elements as number[] };
    case 'float32':
      return { ...contents, fp32Contents: elements as number[] };
    case 'float64':
      return { ...contents, fp64Contents: elements as number[] };
    case 'string':
      return { ...contents, bytesContents: elements.map((text) => Buffer.from(text as string, 'utf8')) };
    default:
      return { ...contents, intContents: elements as number[] };
  }
}
