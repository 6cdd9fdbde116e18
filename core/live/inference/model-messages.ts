// Descriptions of models as they stand in an agent's hello, and as the kernel's services use them.

import { type Result, refused } from '../../base/status.ts';
import type { AgentHello, ModelDescription, TensorDescription } from '../../proto/generated/sira/v1/agent_service.ts';
import type { DataType as TypeNumber } from '../../proto/generated/sira/v1/tensor.ts';
import type { ResourceRequest } from '../../scheduler/request.ts';
import { wireDataTypes } from '../../tensor/wire/tensor-header.ts';
import { inferenceNameOf } from './data-type-names.ts';
import { checkedModels, type Model, type TensorSignature } from './model-table.ts';

const modelsMax = 1000;
const tensorsMax = 1000;
const nameBytesMax = 200;
const rankMax = 32;

/** The models of a hello, or why they cannot be served. */
export function modelsOf({ models, capabilities }: AgentHello): Result<readonly Model[]> {
  if (models.length > modelsMax)
    return refused('SIRA_MESSAGE_REFUSED', `${models.length} models; at most ${modelsMax}`);
  for (const model of models) {
    const problem = modelProblem(model, capabilities);
    if (problem !== undefined)
      return refused('SIRA_MESSAGE_REFUSED', `the model "${model.name || model.function}": ${problem}`);
  }
  return checkedModels(models.map(modelOf));
}

function modelProblem(model: ModelDescription, capabilities: ReadonlyMap<string, number>): string | undefined {
  const { inputs, outputs } = model;
  if (!capabilities.has(model.function)) return `the agent has no function "${model.function}"`;
  if (Buffer.byteLength(model.name) > nameBytesMax || Buffer.byteLength(model.version) > nameBytesMax)
    return `name and version have at most ${nameBytesMax} bytes`;
  if (inputs.length > tensorsMax || outputs.length > tensorsMax) return `at most ${tensorsMax} inputs and outputs`;
  return tensorsProblem('input', inputs) ?? tensorsProblem('output', outputs);
}

function tensorsProblem(what: string, tensors: readonly TensorDescription[]): string | undefined {
  const names = new Set<string>();
  for (const { name, dataType, shape } of tensors) {
    const type = wireDataTypes[dataType - 1];
    if (name === '' || names.has(name)) return `an ${what} named "${name}", which is no name or is taken`;
    if (type === undefined || inferenceNameOf(type) === undefined)
      return `the ${what} "${name}" has a type that clients of the protocol do not know`;
    if (shape.length > rankMax || shape.some((extent) => extent < -1))
      return `the ${what} "${name}" has the shape [${shape}]`;
    names.add(name);
  }
  return undefined;
}

function modelOf(message: ModelDescription): Model {
  const { request } = message;
  return {
    function: message.function,
    name: message.name || message.function,
    version: message.version,
    platform: message.platform,
    inputs: message.inputs.map(signatureOf),
    outputs: message.outputs.map(signatureOf),
    request:
      request === undefined
        ? undefined
        : { ...request, gpuMilli: request.gpuMilli || 1000, machineCount: request.machineCount || 1 },
    estimateMicros: message.estimateMicros || 1_000_000,
    properties: message.properties,
  };
}

function signatureOf({ name, dataType, shape }: TensorDescription): TensorSignature {
  return { name, dataType: wireDataTypes[dataType - 1]!, shape };
}

/** As programs describe a model: what is left out has a default. */
export interface ModelDefinition extends Partial<Omit<Model, 'request' | 'properties' | 'function'>> {
  /** One of the agent's functions. */
  readonly function: string;
  /** Default: a tenth of a core. */
  readonly request?: Partial<ResourceRequest> | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
}

export function modelMessage(model: ModelDefinition): ModelDescription {
  const { request } = model;
  return {
    function: model.function,
    name: model.name ?? '',
    version: model.version ?? '',
    platform: model.platform ?? '',
    inputs: (model.inputs ?? []).map(signatureMessage),
    outputs: (model.outputs ?? []).map(signatureMessage),
    request:
      request === undefined
        ? undefined
        : {
            cpuMilli: request.cpuMilli ?? 0,
            memoryMib: request.memoryMib ?? 0,
            gpuCount: request.gpuCount ?? 0,
            gpuMilli: request.gpuMilli ?? 0,
            gpuModels: [...(request.gpuModels ?? [])],
            machineCount: request.machineCount ?? 0,
          },
    estimateMicros: model.estimateMicros ?? 0,
    properties: new Map(Object.entries(model.properties ?? {})),
  };
}

function signatureMessage({ name, dataType, shape }: TensorSignature): TensorDescription {
  return { name, dataType: (wireDataTypes.indexOf(dataType) + 1) as TypeNumber, shape: [...shape] };
}
