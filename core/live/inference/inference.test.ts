// The Open Inference Protocol on a kernel in this process, over real sockets: what models there are, tensors of every type in
// both forms, who is refused and how, deadlines and cancellation.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  GRPCInferenceServiceClient,
  type InferTensorContents,
  type ModelInferRequest,
  type ModelInferResponse,
  type ModelMetadataResponse,
} from '../../proto/generated/inference/open_inference_grpc.ts';
import type { DataType } from '../../tensor/data-type.ts';
import { AgentConnection, type ModelDefinition, tensorFrom } from '../client.ts';
import { silentLogger } from '../logger.ts';
import { type RunningKernel, runKernel } from '../run-kernel.ts';
import { startSettings } from '../start-settings.ts';
import { inferenceNameOf } from './data-type-names.ts';
import { ModelTable } from './model-table.ts';

let folder = '';
let running: RunningKernel;
let agent: AgentConnection;
let client: GRPCInferenceServiceClient;
let stopped = 0;

const types: readonly DataType[] = [
  ...(['bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'] as const),
  ...(['float16', 'bfloat16', 'float32', 'float64', 'string'] as const),
];
const echoModel = (dataType: DataType): ModelDefinition => ({
  function: 'echo',
  name: `echo-${dataType}`,
  inputs: [{ name: 'x', dataType, shape: [-1] }],
  outputs: [{ name: 'x', dataType, shape: [-1] }],
});
const sumModel = (version: string): ModelDefinition => ({
  function: `sum-${version}`,
  name: 'sum',
  version,
  platform: 'test',
  inputs: [{ name: 'x', dataType: 'float64', shape: [-1, 2] }],
  outputs: [
    { name: 'sum', dataType: 'float64', shape: [1] },
    { name: 'version', dataType: 'float64', shape: [1] },
  ],
  properties: { who: 'me' },
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sira-inference-'));
  running = await runKernel(
    startSettings({
      data: join(folder, 'data'),
      grpc: { address: '127.0.0.1:0', heartbeatBatch: '20ms' },
      http: { address: '127.0.0.1:0' },
      durability: 'processCrash',
    }),
    '1.2.3',
    silentLogger,
  );
  const sum = (version: number) => ({
    [`sum-${version}`]: ({ x }: Parameters<NonNullable<typeof echo>>[0]) => ({
      sum: tensorFrom(Float64Array.of((x!.toElements() as number[]).reduce((a, b) => a + b, 0))),
      version: tensorFrom(Float64Array.of(version)),
    }),
  });
  const echo = (inputs: Readonly<Record<string, import('../client.ts').TensorView>>) => inputs;
  agent = AgentConnection.start({
    address: running.grpc.address,
    retryMicros: 200_000,
    agents: [
      {
        name: 'server',
        functions: {
          echo,
          ...sum(2),
          ...sum(10),
          forgetful: () => ({}),
          broken: () => {
            throw new Error('the weights are broken');
          },
          slow: (_, { signal }) =>
            new Promise((_resolve, reject) =>
              signal.addEventListener('abort', () => {
                stopped++;
                reject(new Error('stopped'));
              }),
            ),
        },
        models: [
          ...types.map(echoModel),
          sumModel('2'),
          sumModel('10'),
          { function: 'slow' },
          { function: 'broken' },
          { function: 'forgetful', outputs: [{ name: 'y', dataType: 'int8', shape: [] }] },
        ],
      },
    ],
  });
  client = new GRPCInferenceServiceClient(running.grpc.address, credentials.createInsecure());
  await until(
    async () => (await ask<{ ready: boolean }>((done) => client.modelReady({ name: 'sum', version: '' }, done))).ready,
  );
});
afterAll(async () => {
  client.close();
  agent.stop();
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Callback<Response> = (error: ServiceError | null, response: Response) => void;
function ask<Response>(call: (callback: Callback<Response>) => unknown): Promise<Response> {
  return new Promise((resolve, reject) => {
    call((error, response) => (error === null ? resolve(response) : reject(error)));
  });
}
async function until(condition: () => boolean | Promise<boolean>, millis = 8000): Promise<void> {
  const end = performance.now() + millis;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const noContents: InferTensorContents = {
  ...{ boolContents: [], intContents: [], int64Contents: [], uintContents: [], uint64Contents: [] },
  ...{ fp32Contents: [], fp64Contents: [], bytesContents: [] },
};
function request(modelName: string, changes: Partial<ModelInferRequest> = {}): ModelInferRequest {
  const empty = { modelVersion: '', id: '', parameters: new Map(), inputs: [], outputs: [], rawInputContents: [] };
  return { modelName, ...empty, ...changes };
}
function input(name: string, datatype: string, shape: number[], contents?: Partial<InferTensorContents>) {
  const given = contents === undefined ? undefined : { ...noContents, ...contents };
  return { name, datatype, shape, parameters: new Map(), contents: given };
}
const infer = (message: ModelInferRequest) => ask<ModelInferResponse>((done) => client.modelInfer(message, done));
const doubles = (...values: number[]) => Buffer.from(Float64Array.from(values).buffer);
const numbers = (bytes: Uint8Array) => [
  ...new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)),
];
const sumOf = (changes: Partial<ModelInferRequest> = {}) =>
  request('sum', { inputs: [input('x', 'FP64', [2, 2])], rawInputContents: [doubles(1, 2, 3, 4)], ...changes });

describe('what there is', () => {
  test('the server lives, is ready, and says who it is', async () => {
    expect(await ask((done) => client.serverLive({}, done))).toEqual({ live: true });
    expect(await ask((done) => client.serverReady({}, done))).toEqual({ ready: true });
    expect(await ask((done) => client.serverMetadata({}, done))).toEqual({
      name: 'sira-kernel',
      version: '1.2.3',
      extensions: [],
    });
  });

  test('models are what agents describe; nobody else’s are ready', async () => {
    const metadata = await ask<ModelMetadataResponse>((done) =>
      client.modelMetadata({ name: 'sum', version: '' }, done),
    );
    expect(metadata).toEqual({
      name: 'sum',
      versions: ['10', '2'],
      platform: 'test',
      inputs: [{ name: 'x', datatype: 'FP64', shape: [-1, 2] }],
      outputs: [
        { name: 'sum', datatype: 'FP64', shape: [1] },
        { name: 'version', datatype: 'FP64', shape: [1] },
      ],
      properties: new Map([['who', 'me']]),
    });
    expect(await ask((done) => client.modelReady({ name: 'sum', version: '3' }, done))).toEqual({ ready: false });
    expect(await ask((done) => client.modelReady({ name: 'toString', version: '' }, done))).toEqual({ ready: false });
    await expect(ask((done) => client.modelMetadata({ name: 'none', version: '' }, done))).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  test('a table of models forgets with the agent, and keeps to the first description', () => {
    const table = new ModelTable();
    const model = (work: string) => ({
      ...{ function: work, name: 'm', version: '', platform: '', inputs: [], outputs: [], request: undefined },
      ...{ estimateMicros: 1, properties: new Map() },
    });
    table.describe('a', [model('one')]);
    table.describe('b', [model('two')]);
    expect(table.find('m', '')?.function).toBe('one');
    expect(table.agentsOf(model('one'))).toEqual(['a']);
    table.forget('a');
    expect(table.find('m', '')?.function).toBe('two');
    table.describe('b', []);
    expect([...table.names()]).toEqual([]);
  });
});

describe('inference', () => {
  test('raw contents in and out, the highest version, outputs in the order asked for', async () => {
    const answer = await infer(sumOf({ id: 'one' }));
    expect(answer).toMatchObject({ modelName: 'sum', modelVersion: '10', id: 'one' });
    expect(answer.outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape }))).toEqual([
      { name: 'sum', datatype: 'FP64', shape: [1] },
      { name: 'version', datatype: 'FP64', shape: [1] },
    ]);
    expect(answer.rawOutputContents.map(numbers)).toEqual([[10], [10]]);
    const wanted = [{ name: 'version', parameters: new Map() }];
    const older = await infer(sumOf({ modelVersion: '2', outputs: wanted }));
    expect(older.modelVersion).toBe('2');
    expect(older.rawOutputContents.map(numbers)).toEqual([[2]]);
  });

  const typed: readonly (readonly [DataType, Partial<InferTensorContents>])[] = [
    ['bool', { boolContents: [true, false] }],
    ['int8', { intContents: [-128, 127] }],
    ['int16', { intContents: [-32768, 32767] }],
    ['int32', { intContents: [-(2 ** 31), 2 ** 31 - 1] }],
    ['int64', { int64Contents: ['-9223372036854775808', '9007199254740993'] }],
    ['uint8', { uintContents: [0, 255] }],
    ['uint16', { uintContents: [0, 65535] }],
    ['uint32', { uintContents: [0, 2 ** 32 - 1] }],
    ['uint64', { uint64Contents: ['0', '18446744073709551615'] }],
    ['float32', { fp32Contents: [0.5, Number.NEGATIVE_INFINITY] }],
    ['float64', { fp64Contents: [0.1, -0] }],
    ['string', { bytesContents: [Buffer.from('zwölf'), Buffer.from('')] }],
  ];
  test.each(typed)('%s as typed contents comes back as such', async (dataType, contents) => {
    const name = inferenceNameOf(dataType) as string;
    const answer = await infer(request(`echo-${dataType}`, { inputs: [input('x', name, [2], contents)] }));
    expect(answer.rawOutputContents).toEqual([]);
    expect(answer.outputs[0]).toMatchObject({ name: 'x', datatype: name, shape: [2] });
    expect(answer.outputs[0]!.contents).toEqual({ ...noContents, ...contents });
  });

  test.each([
    ['float16', '003c017e'],
    ['bfloat16', '803f817f'],
    ['float32', '0000803f010080ff'],
    ['uint64', 'ffffffffffffffff0000000000000000'],
    ['string', '01000000610200000062c3a4'.replace('62c3a4', 'c3a4')],
  ] as const)('%s as raw contents keeps every bit', async (dataType, hex) => {
    const raw = Buffer.from(hex, 'hex');
    const name = inferenceNameOf(dataType) as string;
    const answer = await infer(
      request(`echo-${dataType}`, { inputs: [input('x', name, [2])], rawInputContents: [raw] }),
    );
    expect(Buffer.from(answer.rawOutputContents[0]!).toString('hex')).toBe(hex);
  });

  test('many at once are each answered with their own', async () => {
    const all = Array.from({ length: 64 }, (_, index) =>
      infer(sumOf({ id: String(index), rawInputContents: [doubles(index, 0, 0, 0)] })).then((answer) => [
        answer.id,
        numbers(answer.rawOutputContents[0]!)[0],
      ]),
    );
    expect(await Promise.all(all)).toEqual(Array.from({ length: 64 }, (_, index) => [String(index), index]));
    expect(running.grpc.inference.underWayCount).toBe(0);
  });
});

describe('refused', () => {
  const bytes = doubles(1, 2, 3, 4);
  test.each<readonly [string, ModelInferRequest, status, RegExp]>([
    ['a model that is none', request('none'), status.NOT_FOUND, /no agent offers/],
    ['a version that is none', sumOf({ modelVersion: '7' }), status.NOT_FOUND, /10, 2/],
    ['a missing input', request('sum'), status.INVALID_ARGUMENT, /"x", which is missing/],
    [
      'an input too many',
      sumOf({
        inputs: [input('x', 'FP64', [2, 2]), input('y', 'BOOL', [0])],
        rawInputContents: [bytes, Buffer.alloc(0)],
      }),
      status.INVALID_ARGUMENT,
      /no input "y"/,
    ],
    [
      'an input twice',
      sumOf({ inputs: [input('x', 'FP64', [2, 2]), input('x', 'FP64', [2, 2])], rawInputContents: [bytes, bytes] }),
      status.INVALID_ARGUMENT,
      /two inputs/,
    ],
    [
      'another type',
      sumOf({ inputs: [input('x', 'INT64', [2, 2])] }),
      status.INVALID_ARGUMENT,
      /as float64, not int64/,
    ],
    ['another shape', sumOf({ inputs: [input('x', 'FP64', [4])] }), status.INVALID_ARGUMENT, /in the shape/],
    ['a type that is none', sumOf({ inputs: [input('x', 'FP8', [2, 2])] }), status.INVALID_ARGUMENT, /"FP8"/],
    ['a negative extent', sumOf({ inputs: [input('x', 'FP64', [-2, -2])] }), status.INVALID_ARGUMENT, /shape/],
    ['too few bytes', sumOf({ rawInputContents: [doubles(1)] }), status.INVALID_ARGUMENT, /8 bytes/],
    [
      'raw contents for another number of inputs',
      sumOf({ rawInputContents: [bytes, bytes] }),
      status.INVALID_ARGUMENT,
      /2 entries for 1/,
    ],
    [
      'both forms',
      sumOf({ inputs: [input('x', 'FP64', [2, 2], { fp64Contents: [1, 2, 3, 4] })] }),
      status.INVALID_ARGUMENT,
      /beside/,
    ],
    [
      'too few elements',
      sumOf({ inputs: [input('x', 'FP64', [2, 2], { fp64Contents: [1] })], rawInputContents: [] }),
      status.INVALID_ARGUMENT,
      /4 elements, not 1/,
    ],
    [
      'an element out of range',
      request('echo-int8', { inputs: [input('x', 'INT8', [1], { intContents: [300] })] }),
      status.INVALID_ARGUMENT,
      /300/,
    ],
    [
      'bytes that are no text',
      request('echo-string', { inputs: [input('x', 'BYTES', [1], { bytesContents: [Buffer.from([0xff])] })] }),
      status.INVALID_ARGUMENT,
      /UTF-8/,
    ],
    [
      'an output that is none',
      sumOf({ outputs: [{ name: 'z', parameters: new Map() }] }),
      status.INVALID_ARGUMENT,
      /no output "z"/,
    ],
    ['what the agent fails at', request('broken'), status.INTERNAL, /the weights are broken/],
    ['what the agent forgets', request('forgetful'), status.INTERNAL, /gave no output "y"/],
  ])('%s', async (_what, message, code, details) => {
    await expect(infer(message)).rejects.toMatchObject({ code, details: expect.stringMatching(details) });
  });
});

describe('given up', () => {
  test('a deadline ends the work', async () => {
    const before = stopped;
    const asked = ask<ModelInferResponse>((done) =>
      client.modelInfer(request('slow'), { deadline: Date.now() + 300 } as never, done as never),
    );
    await expect(asked).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await until(() => stopped === before + 1);
    await until(() => running.live.kernel.control.tasks.size === 0);
  });

  test('the parameter of Triton’s clients does', async () => {
    const before = stopped;
    const parameters = new Map([['timeout', { parameterChoice: { $case: 'int64Param' as const, value: 200_000 } }]]);
    await expect(infer(request('slow', { parameters }))).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await until(() => stopped === before + 1);
  });

  test('and so does the client that goes away', async () => {
    const before = stopped;
    let call: { cancel(): void } | undefined;
    const asked = ask<ModelInferResponse>((done) => {
      call = client.modelInfer(request('slow'), done);
    });
    await until(() => agent.runningCount === 1);
    call?.cancel();
    await expect(asked).rejects.toMatchObject({ code: status.CANCELLED });
    await until(() => stopped === before + 1);
  });

  test('what an operator cancels has failed', async () => {
    const asked = infer(request('slow'));
    asked.catch(() => {});
    await until(() => agent.runningCount === 1);
    const [task] = running.live.kernel.control.tasks.values();
    running.live.give({ kind: 'taskCancelled', submitter: task!.submitter, submission: task!.submission });
    await expect(asked).rejects.toMatchObject({ code: status.INTERNAL, details: expect.stringMatching(/cancelled/) });
  });
});
