// What the Open Inference Protocol, version 2, says over HTTP, as JSON Schema: from it requests are checked and /openapi.json is made.
// Unlike the kernel's own routes, objects may hold more than is described, and errors are `{"error": …}`.

import { inferenceTypeNames } from '../inference/data-type-names.ts';
import { rankMax } from './json-tensors.ts';
import { flag, list, text } from './schemas.ts';

type Schema = Readonly<Record<string, unknown>>;

const tags = ['inference'];
const longest = { minLength: 1, maxLength: 300 } as const;

/** An object that may hold more than is described. */
function open(properties: Readonly<Record<string, Schema>>, description: string, required: readonly string[]): Schema {
  return { type: 'object', properties, required, ...(description === '' ? {} : { description }) };
}

const failure = open({ error: text('What was wrong, after its code of the one error table.') }, 'Problem.', ['error']);
const parameters = {
  type: 'object',
  additionalProperties: { type: ['string', 'number', 'boolean'] },
  description: 'By name. Of a request, "timeout" is how long its client waits, microseconds.',
};
const name = text('Its name.', longest);
const datatype = text('Type of its elements.', { enum: inferenceTypeNames });
const extent = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const tensorFields = {
  name,
  shape: { ...list(extent, 'Extents, outermost first.'), maxItems: rankMax },
  datatype,
  parameters,
  data: { type: 'array', items: {}, description: 'Elements in row-major order, nested or not.' },
};
const tensor = open(tensorFields, 'A tensor.', ['name', 'shape', 'datatype', 'data']);
const signature = open(
  { name, datatype, shape: list({ type: 'integer', minimum: -1 }, 'Extents; −1 for one that varies.') },
  'A tensor that a model takes or gives.',
  ['name', 'datatype', 'shape'],
);
const request = {
  ...open(
    {
      id: text('Comes back with the answer.'),
      parameters,
      inputs: { ...list(tensor, 'Every input of the model, once.'), maxItems: 1000 },
      outputs: {
        ...list(open({ name, parameters }, 'An output.', ['name']), 'Those that are wanted; all if left out or empty.'),
        maxItems: 1000,
      },
    },
    'A request to a model.',
    ['inputs'],
  ),
  examples: [{ inputs: [{ name: 'rows', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] }] }],
};
const response = open(
  {
    model_name: text('The model.'),
    model_version: text('The version that answered; left out for a model without versions.'),
    id: text('As in the request.'),
    outputs: list(tensor, 'In the order in which they were asked for, or of the model.'),
  },
  'What the model gave.',
  ['model_name', 'outputs'],
);
const serverMetadata = open(
  { name: text('Of the server.'), version: text('Of the server.'), extensions: list(text('An extension.')) },
  'The server.',
  ['name', 'version', 'extensions'],
);
const modelMetadata = open(
  {
    name: text('Its name.'),
    versions: list(text('A version.'), 'The highest first; left out for a model without versions.'),
    platform: text('What its agents say that it runs on.'),
    inputs: list(signature),
    outputs: list(signature),
  },
  'A model.',
  ['name', 'platform', 'inputs', 'outputs'],
);
const health = open({ live: flag('Always true.'), ready: flag('Whether requests are taken.') }, 'How the server is.', [
  'live',
]);
const modelHealth = open({ name: text('The model.'), ready: flag('Whether an agent serves it now.') }, 'How it is.', [
  ...['name', 'ready'],
]);

const modelName = text('Name of the model.', { ...longest, examples: ['linear'] });
const modelVersion = text('Its version.', { ...longest, examples: ['1'] });

function failures(...statuses: readonly number[]): Readonly<Record<number, Schema>> {
  return Object.fromEntries(statuses.map((status) => [status, failure]));
}

/** The schemas of the protocol's routes. */
export const inference = {
  server: {
    ...{ operationId: 'getInferenceServer', tags, summary: 'Name and version of the inference server' },
    response: { 200: serverMetadata, ...failures(400) },
  },
  live: {
    ...{ operationId: 'isInferenceLive', tags, summary: 'Whether the server works' },
    response: { 200: health, ...failures(400) },
  },
  ready: {
    ...{ operationId: 'isInferenceReady', tags, summary: 'Whether the server takes requests' },
    response: { 200: health, 503: health, ...failures(400) },
  },
  /** Of the routes of a model, of a version of it, or of the highest that is ready. */
  ofModel(isVersioned: boolean) {
    const describe = (operationId: string, summary: string) => ({
      operationId: isVersioned ? `${operationId}Version` : operationId,
      tags,
      summary,
      params: isVersioned
        ? open({ model: modelName, version: modelVersion }, '', ['model', 'version'])
        : open({ model: modelName }, '', ['model']),
    });
    return {
      model: {
        ...describe('getModel', 'Inputs and outputs of a model'),
        response: { 200: modelMetadata, ...failures(400, 404, 414) },
      },
      modelReady: {
        ...describe('isModelReady', 'Whether a model takes requests'),
        response: { 200: modelHealth, 503: modelHealth, ...failures(400, 404, 414) },
      },
      infer: {
        ...describe('infer', 'A request to a model: a task like any other. Takes the role submit'),
        body: request,
        response: { 200: response, ...failures(400, 404, 413, 414, 429, 500, 503, 504, 507) },
      },
    };
  },
} as const;
