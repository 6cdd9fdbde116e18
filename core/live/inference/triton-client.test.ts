// A client that knows nothing of Sira, NVIDIA's own in Python, against a kernel and an agent in processes of their own. It needs
// python3 with tritonclient: npm run provision:python puts it into the ignored folder .services.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest';
import { GRPCInferenceServiceClient } from '../../proto/generated/inference/open_inference_grpc.ts';
import { built, killed, LiveProcesses } from '../live-processes.contract.ts';

const packages = join(import.meta.dirname, '..', '..', '..', '.services', 'triton');
const python = { ...process.env, PYTHONPATH: packages };
const isThere =
  existsSync(packages) && spawnSync('python3', ['-c', 'import tritonclient.grpc'], { env: python }).status === 0;

let processes: LiveProcesses;
beforeEach(() => {
  processes = new LiveProcesses();
  onTestFailed(() => void process.stderr.write(processes.errors.join('')));
});
afterEach(() => processes.end());

async function isReady(address: string): Promise<void> {
  const client = new GRPCInferenceServiceClient(address, credentials.createInsecure());
  const end = performance.now() + 20_000;
  const ask = () =>
    new Promise<boolean>((resolve) =>
      client.modelReady({ name: 'linear', version: '' }, (error, answer) => resolve(error === null && answer.ready)),
    );
  while (!(await ask())) {
    if (performance.now() > end) throw new Error('the model is never ready');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  client.close();
}

test.skipIf(!isThere)('existing clients work unchanged, also after the kernel was killed', async () => {
  let kernel = await processes.startKernel();
  const program = join(built, 'core', 'live', 'examples', 'model-agent.js');
  const agent = processes.spawn(process.execPath, [program, processes.address, 'models']);
  let stops = 0;
  agent.stdout?.on('data', (text) => {
    stops += String(text).split('stopped').length - 1;
  });
  const runClient = async () => {
    await isReady(processes.address);
    const client = processes.spawn(
      'python3',
      [join(import.meta.dirname, 'triton_client.py'), processes.address],
      python,
    );
    let output = '';
    client.stdout?.on('data', (text) => {
      output += text;
    });
    const code = await new Promise((resolve) => client.once('close', resolve));
    expect({ code, output }).toEqual({ code: 0, output: 'ok\n' });
  };
  await runClient();
  await killed(kernel, 'SIGKILL');
  kernel = await processes.startKernel();
  await runClient();
  // Two deadlines in each; what was cancelled may not have begun.
  expect(stops).toBeGreaterThanOrEqual(4);
  expect(await killed(kernel, 'SIGTERM')).toBe(0);
});
