// Tasks handed over with one request, and their results asked for with another: for curl, and for whoever holds no stream. Tensors
// are JSON, as in the Open Inference Protocol.

import type { FastifyInstance } from 'fastify';
import type { ResourceRequest } from '../../scheduler/request.ts';
import { QueueFullError } from '../client/submitter.ts';
import type { TaskEnd } from '../client/task.ts';
import type { Parameters } from '../client/work.ts';
import { mayKnow } from '../grpc/unary-submission.ts';
import { inferenceTypeNames } from '../inference/data-type-names.ts';
import { identityOfRequest } from '../security/http-guard.ts';
import { anybody } from '../security/identity.ts';
import type { TaskDesk } from '../tasks/task-desk.ts';
import { type JsonTensor, rankMax, tensorsOfJson, tensorText } from './json-tensors.ts';
import { answers, integer, list, number, object, orNull, text } from './schemas.ts';

const whole = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;
const name = (what: string) => text(what, { minLength: 1, maxLength: 200 });
const anyValue = { type: ['string', 'number', 'boolean'] };
const parameters = { type: 'object', additionalProperties: anyValue, maxProperties: 1000, description: 'By name.' };
const shape = list({ type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }, 'Extents, outermost first.');
const tensor = object({
  name: name('Its name.'),
  shape: { ...shape, maxItems: rankMax },
  datatype: text('As in the Open Inference Protocol.', { enum: inferenceTypeNames }),
  data: { type: 'array', items: {}, description: 'Elements in row-major order, nested or not.' },
});
const request = object(
  {
    cpuMilli: number('Thousandths of a core; 100 if left out.', { minimum: 0, maximum: 1e9 }),
    memoryMib: number('MiB.', { minimum: 0, maximum: 1e12 }),
    gpuCount: integer('GPUs on each machine.', { minimum: 0, maximum: 64 }),
    gpuMilli: integer('Thousandths of each GPU.', { minimum: 1, maximum: 1000 }),
    gpuModels: { ...list(name('A model.'), 'Models that will do; empty for any.'), maxItems: 100 },
    machineCount: integer('Machines at once.', { minimum: 1, maximum: 65_536 }),
  },
  'What it asks of each of its machines.',
  ['cpuMilli', 'memoryMib', 'gpuCount', 'gpuMilli', 'gpuModels', 'machineCount'],
);
const body = object(
  {
    function: name('It runs on agents that have this function.'),
    parameters,
    inputs: { ...list(tensor, 'Input tensors.'), maxItems: 1000 },
    request,
    estimateMicros: integer('Expected time of the work; a second if left out.', whole),
    priority: number('More important is larger.', { minimum: -1e9, maximum: 1e9 }),
    tenant: text('For whom.', { maxLength: 200 }),
    size: number("Amount of work in the function's own unit, above 0.", { exclusiveMinimum: 0, maximum: 1e15 }),
    checkpointMicros: integer('Service between two checkpoints that the work saves.', whole),
  },
  'A task.',
  ['parameters', 'inputs', 'request', 'estimateMicros', 'priority', 'tenant', 'size', 'checkpointMicros'],
);
const result = object(
  {
    task: integer('Its number.'),
    outcome: orNull(
      text('How it ended; null while it has not.', { enum: ['completed', 'failed', 'dropped', 'cancelled', null] }),
    ),
    attempts: integer('How often it was begun.'),
    agent: text('The last one that it ran on, empty if there was none.'),
    queueMicros: integer('Time in the agent before the work began.'),
    serviceMicros: integer('Time of the work.'),
    joules: number('Energy, 0 where nobody measured it.'),
    failure: text('Why it failed or was dropped.'),
    outputs: list(tensor, 'Output tensors.'),
  },
  'How a task ended.',
  ['attempts', 'agent', 'queueMicros', 'serviceMicros', 'joules', 'failure', 'outputs'],
);

interface SubmitBody {
  readonly function: string;
  readonly parameters?: Parameters;
  readonly inputs?: readonly JsonTensor[];
  readonly request?: Partial<ResourceRequest>;
  readonly estimateMicros?: number;
  readonly priority?: number;
  readonly tenant?: string;
  readonly size?: number;
  readonly checkpointMicros?: number;
}

export function submitRoutes(server: FastifyInstance, desk: TaskDesk, bodyBytesMax: number): void {
  server.post<{ Body: SubmitBody; Headers: { 'idempotency-key'?: string } }>(
    '/v1/tasks',
    {
      bodyLimit: bodyBytesMax,
      schema: {
        operationId: 'submitTask',
        tags: ['tasks'],
        summary: 'Hand over a task; answered when it is on the disk. Takes the role submit',
        headers: {
          type: 'object',
          properties: {
            'idempotency-key': text('The same key of the same caller is the same task, however often it is sent.', {
              minLength: 1,
              maxLength: 200,
            }),
          },
        },
        body,
        response: withStatus(
          202,
          answers(
            object({ task: integer('Its number.'), result: text('Where its result can be asked for.') }),
            413,
            429,
            503,
          ),
        ),
      },
    },
    async ({ body: { inputs = [], ...description }, headers, ...rest }, reply) => {
      void rest;
      const caller = identityOfRequest(reply.request) ?? anybody;
      const key = headers['idempotency-key'] ?? '';
      try {
        const task = await desk.submit(caller.name, key, { ...description, inputs: tensorsOfJson(inputs) });
        const where = `/v1/tasks/${task}/result`;
        return reply.code(202).header('location', where).send({ task, result: where });
      } catch (error) {
        if (error instanceof QueueFullError)
          reply.header('retry-after', String(Math.max(1, Math.ceil(error.retryAfterMicros / 1_000_000))));
        throw error;
      }
    },
  );
  server.get<{ Params: { number: number }; Querystring: { waitMicros: number } }>(
    '/v1/tasks/:number/result',
    {
      schema: {
        operationId: 'getTaskResult',
        tags: ['tasks'],
        summary: 'How a task ended that was handed over by a request of the same caller; kept for a quarter of an hour',
        params: object({ number: integer('The task.', whole) }),
        querystring: object(
          {
            waitMicros: integer('How long to wait for its end.', { minimum: 0, maximum: 300_000_000, default: 0 }),
          },
          '',
          ['waitMicros'],
        ),
        response: answers(result, 404),
      },
    },
    async ({ params, query }, reply) => {
      const known = await desk.find(
        params.number,
        mayKnow(identityOfRequest(reply.request) ?? anybody),
        query.waitMicros,
      );
      return reply
        .type('application/json; charset=utf-8')
        .serializer((made) => made as string)
        .send(known.end === undefined ? JSON.stringify({ task: known.task, outcome: null }) : endText(known.end));
    },
  );
}

/** The elements of tensors are written as they are: JSON knows whole numbers of any length. */
function endText(end: TaskEnd): string {
  const { task, outcome, attempts, agent, queueMicros, serviceMicros, joules, failure } = end;
  const head = JSON.stringify({ task, outcome, attempts, agent, queueMicros, serviceMicros, joules, failure });
  const tensors = Object.entries(end.outputs).map(([output, view]) => tensorText(output, view));
  return `${head.slice(0, -1)},"outputs":[${tensors.join(',')}]}`;
}

/** The good answer has another status than 200. */
function withStatus(code: number, response: Readonly<Record<string, object>>): Readonly<Record<string, object>> {
  const { 200: good, ...problems } = response;
  return { [code]: good as object, ...problems };
}
