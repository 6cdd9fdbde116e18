// The Open Inference Protocol, version 2, over HTTP, with tensors as JSON. Its errors are the protocol's, `{"error": …}`, not problem
// details. What a request is and how it is answered stands in inference/.

import { context, propagation } from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorTable, SiraError } from '../../base/errors.ts';
import type { Parameters } from '../client/work.ts';
import { inferenceNameOf } from '../inference/data-type-names.ts';
import type { InferenceDesk } from '../inference/inference-desk.ts';
import type { Model, TensorSignature } from '../inference/model-table.ts';
import type { Logger } from '../logger.ts';
import { inference } from './inference-schemas.ts';
import { type JsonTensor, tensorsOfJson, tensorText } from './json-tensors.ts';

interface ModelParams {
  readonly model: string;
  readonly version?: string;
}

interface InferBody {
  readonly id?: string;
  readonly parameters?: Parameters;
  readonly inputs: readonly JsonTensor[];
  readonly outputs?: readonly { readonly name: string }[];
}

export function inferenceRoutes(
  server: FastifyInstance,
  desk: InferenceDesk,
  bodyBytesMax: number,
  logger: Logger,
): void {
  server.register(async (scope) => {
    scope.setErrorHandler((error: Error & { readonly statusCode?: number }, request, reply) =>
      answerInferenceError(error, request, reply, logger),
    );
    scope.get('/v2', { schema: inference.server }, () => ({
      name: 'sira-kernel',
      version: desk.version,
      extensions: [],
    }));
    scope.get('/v2/health/live', { schema: inference.live }, () => ({ live: true }));
    scope.get('/v2/health/ready', { schema: inference.ready }, (_, reply) =>
      reply.code(desk.isReady ? 200 : 503).send({ live: true, ready: desk.isReady }),
    );
    for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
      const { model: modelSchema, modelReady, infer: inferSchema } = inference.ofModel(path.endsWith(':version'));
      scope.get<{ Params: ModelParams }>(path, { schema: modelSchema }, ({ params: { model, version = '' } }) =>
        metadata(desk, desk.model(model, version)),
      );
      scope.get<{ Params: ModelParams }>(
        `${path}/ready`,
        { schema: modelReady },
        ({ params: { model, version = '' } }, reply) => {
          const found = desk.model(model, version);
          const ready = desk.isReady && desk.isModelReady(found);
          return reply.code(ready ? 200 : 503).send({ name: found.name, ready });
        },
      );
      scope.post<{ Params: ModelParams; Body: InferBody }>(
        `${path}/infer`,
        { bodyLimit: bodyBytesMax, schema: inferSchema },
        (request, reply) => infer(desk, request, reply),
      );
    }
  });
}

function metadata(desk: InferenceDesk, model: Model) {
  const versions = desk.models.versions(model.name).filter((version) => version !== '');
  return {
    name: model.name,
    ...(versions.length > 0 ? { versions } : {}),
    platform: model.platform,
    inputs: model.inputs.map(signatureView),
    outputs: model.outputs.map(signatureView),
  };
}

function signatureView({ name: tensor, dataType, shape: extents }: TensorSignature) {
  return { name: tensor, datatype: inferenceNameOf(dataType), shape: extents };
}

async function infer(
  desk: InferenceDesk,
  { params, body, raw, headers }: FastifyRequest<{ Params: ModelParams; Body: InferBody }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const abort = new AbortController();
  // The answer's connection closes before the answer is whole: nobody waits for it.
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) abort.abort();
  });
  if (raw.destroyed && !raw.complete) abort.abort();
  const { model, outputs } = await context.with(propagation.extract(context.active(), headers), () =>
    desk.infer({
      model: params.model,
      version: params.version ?? '',
      parameters: body.parameters ?? {},
      inputs: tensorsOfJson(body.inputs),
      outputs: (body.outputs ?? []).map((output) => output.name),
      timeoutMicros: typeof body.parameters?.timeout === 'number' ? body.parameters.timeout : undefined,
      signal: abort.signal,
    }),
  );
  const answer = {
    model_name: model.name,
    ...(model.version === '' ? {} : { model_version: model.version }),
    ...(body.id === undefined ? {} : { id: body.id }),
  };
  const tensors = outputs.map(([tensor, view]) => tensorText(tensor, view));
  const text = `${JSON.stringify(answer).slice(0, -1)},"outputs":[${tensors.join(',')}]}`;
  return reply
    .type('application/json; charset=utf-8')
    .serializer((made) => made as string)
    .send(text);
}

/** Also for what the framework refuses before there is a route. */
export function answerInferenceError(
  error: Error & { readonly statusCode?: number },
  { url }: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): FastifyReply {
  const known = error instanceof SiraError ? errorTable[error.code].http : (error.statusCode ?? 500);
  if (!(error instanceof SiraError) && known >= 500)
    logger.error({ url, error: error.stack }, 'an inference request failed');
  const text =
    error instanceof SiraError ? `${error.code}: ${error.message}` : known < 500 ? error.message : 'SIRA_DEFECT';
  return reply
    .code(known)
    .type('application/json; charset=utf-8')
    .serializer((body) => JSON.stringify(body))
    .send({ error: text });
}
