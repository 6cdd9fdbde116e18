// The Open Inference Protocol over HTTP on a kernel in this process: JSON in and out, and its errors.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AgentConnection } from '../client.ts';
import { silentLogger } from '../logger.ts';
import { type RunningKernel, runKernel } from '../run-kernel.ts';
import { startSettings } from '../start-settings.ts';

let folder = '';
let running: RunningKernel;
let agent: AgentConnection;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sira-inference-http-'));
  const grpc = { address: '127.0.0.1:0', heartbeatBatch: '20ms' };
  const fields = { data: join(folder, 'data'), grpc, http: { address: '127.0.0.1:0' } };
  running = await runKernel(startSettings({ ...fields, durability: 'processCrash' }), '1.2.3', silentLogger);
  const tensors = (['int64', 'float32', 'string', 'bool'] as const).map((dataType) => ({
    ...{ name: dataType, dataType, shape: [-1, 2] },
  }));
  agent = AgentConnection.start({
    address: running.grpc.address,
    agents: [
      {
        name: 'server',
        functions: { echo: (inputs) => inputs, slow: () => new Promise(() => {}) },
        models: [{ function: 'echo', version: '1', inputs: tensors, outputs: tensors }, { function: 'slow' }],
      },
    ],
  });
  const end = performance.now() + 8000;
  while ((await get('/v2/models/echo/ready')).status !== 200) {
    if (performance.now() > end) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});
afterAll(async () => {
  agent.stop();
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

const get = (path: string) => fetch(`${running.http.url}${path}`);
const post = (path: string, body: string) =>
  fetch(`${running.http.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
const inputs = [
  { name: 'int64', shape: [2, 2], datatype: 'INT64', data: [1, 2, 3, -4] },
  {
    ...{ name: 'float32', shape: [2, 2], datatype: 'FP32' },
    data: [
      [0.5, 1],
      [2, 3],
    ],
  },
  { name: 'string', shape: [1, 2], datatype: 'BYTES', data: [['zwölf', '']] },
  { name: 'bool', shape: [1, 2], datatype: 'BOOL', data: [true, false] },
];

test('what there is', async () => {
  expect(await (await get('/v2')).json()).toEqual({ name: 'sira-kernel', version: '1.2.3', extensions: [] });
  expect((await get('/v2/health/live')).status).toBe(200);
  expect((await get('/v2/health/ready')).status).toBe(200);
  expect(await (await get('/v2/models/echo/versions/1')).json()).toMatchObject({
    name: 'echo',
    versions: ['1'],
    inputs: [
      { name: 'int64', datatype: 'INT64', shape: [-1, 2] },
      { name: 'float32' },
      { name: 'string', datatype: 'BYTES' },
      { name: 'bool' },
    ],
  });
  expect(await (await get('/v2/models/echo/ready')).json()).toEqual({ name: 'echo', ready: true });
});

test('a request and its answer, nested or flat', async () => {
  const answer = await post('/v2/models/echo/infer', JSON.stringify({ id: 'a', inputs }));
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({
    model_name: 'echo',
    model_version: '1',
    id: 'a',
    outputs: inputs.map((input) => ({ ...input, data: input.data.flat() })),
  });
  const one = await post(
    '/v2/models/echo/versions/1/infer',
    JSON.stringify({ inputs, outputs: [{ name: 'bool' }], parameters: { a: 1 } }),
  );
  expect(((await one.json()) as { outputs: { name: string }[] }).outputs.map(({ name }) => name)).toEqual(['bool']);
});

test.each([
  ['a model that is none', '/v2/models/none/infer', { inputs: [] }, 404],
  ['a version that is none', '/v2/models/echo/versions/2/infer', { inputs }, 404],
  ['no inputs', '/v2/models/echo/infer', {}, 400],
  ['a missing input', '/v2/models/echo/infer', { inputs: inputs.slice(1) }, 400],
  ['too few elements', '/v2/models/echo/infer', { inputs: [{ ...inputs[0], data: [1] }, ...inputs.slice(1)] }, 400],
  ['elements of another kind', '/v2/models/echo/infer', { inputs: [{ ...inputs[0], data: ['1', 2, 3, 4] }] }, 400],
  ['what is no element', '/v2/models/echo/infer', { inputs: [{ ...inputs[0], data: [null] }] }, 400],
  ['what comes too late', '/v2/models/slow/infer', { inputs: [], parameters: { timeout: 100_000 } }, 504],
])('%s is an error of the protocol', async (_what, path, body, status) => {
  const answer = await post(path, JSON.stringify(body));
  expect(answer.status).toBe(status);
  expect(await answer.json()).toEqual({ error: expect.any(String) });
});

test('a client that goes away ends the work', async () => {
  const abort = new AbortController();
  const asked = fetch(`${running.http.url}/v2/models/slow/infer`, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"inputs":[]}', signal: abort.signal },
  });
  const end = performance.now() + 8000;
  const until = async (count: number) => {
    while (running.grpc.inference.underWayCount !== count) {
      if (performance.now() > end) throw new Error('waited in vain');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await until(1);
  abort.abort();
  await expect(asked).rejects.toThrow();
  await until(0);
});
