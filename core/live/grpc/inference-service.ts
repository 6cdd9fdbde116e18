// The Open Inference Protocol, version 2, over gRPC (proto/inference): existing clients speak to the kernel's agents as to any
// inference server. What a request is and how it is answered stands in inference/.

import { type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { context, propagation } from '@opentelemetry/api';
import { errorTable, SiraError } from '../../base/errors.ts';
import type {
  GRPCInferenceServiceServer,
  InferParameter,
  ModelInferRequest,
  ModelInferResponse,
  ModelMetadataResponse,
} from '../../proto/generated/inference/open_inference_grpc.ts';
import type { Parameters, ParameterValue } from '../client/work.ts';
import { inferenceNameOf } from '../inference/data-type-names.ts';
import type { InferenceDesk } from '../inference/inference-desk.ts';
import { inputsOf, invalid, outputMessages } from '../inference/inference-tensors.ts';
import type { Model, TensorSignature } from '../inference/model-table.ts';
import type { Logger } from '../logger.ts';

export const serverName = 'sira-kernel';

export function inferenceService(desk: InferenceDesk, logger: Logger): GRPCInferenceServiceServer {
  /** Answers with what `make` gives, or with the status of what it throws. */
  const answer = <Response>(callback: sendUnaryData<Response>, make: () => Response): void => {
    let response: Response;
    try {
      response = make();
    } catch (error) {
      callback(statusOf(error, logger));
      return;
    }
    callback(null, response);
  };
  return {
    serverLive: (_call, callback) => callback(null, { live: true }),
    serverReady: (_call, callback) => callback(null, { ready: desk.isReady }),
    modelReady: ({ request }, callback) => answer(callback, () => ({ ready: isReady(desk, request) })),
    serverMetadata: (_call, callback) =>
      answer(callback, () => ({ name: serverName, version: desk.version, extensions: [] })),
    modelMetadata: ({ request }, callback) =>
      answer(callback, () => {
        return metadata(desk, desk.model(request.name, request.version));
      }),
    modelInfer: (call, callback) => {
      infer(desk, call).then(
        (response) => callback(null, response),
        (error: unknown) => callback(statusOf(error, logger)),
      );
    },
  };
}

/** A model that nobody offers is not ready: that is an answer, no error. */
function isReady(desk: InferenceDesk, { name, version }: { readonly name: string; readonly version: string }): boolean {
  try {
    return desk.isReady && desk.isModelReady(desk.model(name, version));
  } catch {
    return false;
  }
}

function metadata(desk: InferenceDesk, model: Model): ModelMetadataResponse {
  return {
    name: model.name,
    versions: desk.models.versions(model.name).filter((version) => version !== ''),
    platform: model.platform,
    inputs: model.inputs.map(signatureMessage),
    outputs: model.outputs.map(signatureMessage),
    properties: new Map(model.properties),
  };
}

function signatureMessage({ name, dataType, shape }: TensorSignature) {
  return { name, datatype: inferenceNameOf(dataType) ?? '', shape: [...shape] };
}

async function infer(
  desk: InferenceDesk,
  call: ServerUnaryCall<ModelInferRequest, ModelInferResponse>,
): Promise<ModelInferResponse> {
  const { request } = call;
  const abort = new AbortController();
  call.on('cancelled', () => abort.abort());
  if (call.cancelled) abort.abort();
  const parameters = parametersOf(request.parameters);
  const result = await context.with(propagation.extract(context.active(), call.metadata.getMap()), () =>
    desk.infer({
      model: request.modelName,
      version: request.modelVersion,
      parameters,
      inputs: inputsOf(request),
      outputs: request.outputs.map(({ name }) => name),
      timeoutMicros: timeoutOf(parameters, call.getDeadline()),
      signal: abort.signal,
    }),
  );
  const raw = request.rawInputContents.length > 0 || request.inputs.length === 0;
  return {
    modelName: result.model.name,
    modelVersion: result.model.version,
    id: request.id,
    parameters: new Map(),
    ...outputMessages(result.outputs, raw),
  };
}

/** The sooner of the call's deadline and the parameter `timeout`, microseconds, by which clients of Triton ask for one. */
function timeoutOf({ timeout }: Parameters, deadline: Date | number): number | undefined {
  const left = Number(deadline) - Date.now();
  const limits = [
    ...(Number.isFinite(left) ? [Math.max(0, left * 1000)] : []),
    ...(typeof timeout === 'number' && timeout > 0 ? [timeout] : []),
  ];
  return limits.length === 0 ? undefined : Math.min(...limits);
}

function parametersOf(messages: ReadonlyMap<string, InferParameter>): Parameters {
  const parameters: [string, ParameterValue][] = [];
  for (const [name, { parameterChoice }] of messages) {
    const value = parameterChoice?.value;
    if (value === undefined) throw invalid(`the parameter "${name}" has no value`);
    parameters.push([name, value]);
  }
  return Object.fromEntries(parameters);
}

function statusOf(error: unknown, logger: Logger): { readonly code: status; readonly details: string } {
  if (error instanceof SiraError)
    return { code: errorTable[error.code].grpc as status, details: `${error.code}: ${error.message}` };
  logger.error({ error: error instanceof Error ? error.stack : String(error) }, 'an inference request failed');
  return { code: status.INTERNAL, details: 'SIRA_DEFECT: the request could not be answered' };
}
