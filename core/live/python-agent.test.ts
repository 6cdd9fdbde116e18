// The example agent in Python serves a kernel that is killed and started again. It needs python3 with grpcio and protobuf:
// npm run provision:python puts them into the ignored folder .services.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest';
import { arrayFrom, Submitter, tensorFrom } from './client.ts';
import { killed, LiveProcesses } from './live-processes.contract.ts';

const root = join(import.meta.dirname, '..', '..');
const packages = join(root, '.services', 'python');
const python = { ...process.env, PYTHONPATH: packages };
const isThere =
  existsSync(packages) && spawnSync('python3', ['-c', 'import grpc, google.protobuf'], { env: python }).status === 0;

let processes: LiveProcesses;
beforeEach(() => {
  processes = new LiveProcesses();
  onTestFailed(() => void process.stderr.write(processes.errors.join('')));
});
afterEach(() => processes.end());

test.skipIf(!isThere)('an agent in Python does its work, whatever happens to the kernel', async () => {
  let kernel = await processes.startKernel();
  const program = join(root, 'core', 'proto', 'examples', 'python', 'agent.py');
  const descriptors = join(root, 'core', 'proto', 'baseline.binpb');
  processes.spawn('python3', [program, descriptors, processes.address, 'py'], python);
  const submitter = await Submitter.connect({ address: processes.address, name: 'tester' });
  const multiply = async (factor: number) => {
    const left = tensorFrom(Float64Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    const right = tensorFrom(Float64Array.of(factor, 0, 0, factor, 1, 1), [3, 2]);
    const end = await submitter.run({ function: 'matrix-multiply', inputs: { left, right } });
    expect(end).toMatchObject({ outcome: 'completed', agent: 'py' });
    expect(end.outputs.product!.shape).toEqual([2, 2]);
    expect([...arrayFrom(end.outputs.product!)]).toEqual([factor + 3, 2 * factor + 3, 4 * factor + 6, 5 * factor + 6]);
  };
  await multiply(2);
  const many = Promise.all(Array.from({ length: 50 }, (_, factor) => multiply(factor)));
  await killed(kernel, 'SIGKILL');
  kernel = await processes.startKernel();
  await many;

  const wrong = await submitter.run({ function: 'matrix-multiply', inputs: {} });
  expect(wrong).toMatchObject({ outcome: 'failed', failure: expect.stringContaining('KeyError') });
  await submitter.close();
  expect(await killed(kernel, 'SIGTERM')).toBe(0);
});
