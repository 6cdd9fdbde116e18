import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { nativeFiles, recipe, version, whyNotNative } from '@tensorflow/tfjs-node/location';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTensorFlow } from './tensorflow.ts';

const packagePath = createRequire(import.meta.url).resolve('@tensorflow/tfjs-node');
let home = '';

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'sira-tensorflow-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Loads the package in a process of its own and prints what it chose, before and after waiting. */
function load(environment: Record<string, string>): { status: number | null; stdout: string; stderr: string } {
  const script = `
    const tf = require(${JSON.stringify(packagePath)});
    const before = tf.backendChoice();
    const sum = tf.sum(tf.tensor1d([1, 2, 3])).dataSync()[0];
    tf.ready().then(() => console.log(JSON.stringify({ before, sum, after: tf.backendChoice(), inner: tf.getBackend() })));`;
  return spawnSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    env: { ...process.env, SIRA_TENSORFLOW_HOME: home, SIRA_TENSORFLOW_BACKEND: '', ...environment },
  });
}

describe('the package picks the best backend there is', () => {
  test('without a native build: at once on cpu, on wasm for those who wait, and says why', () => {
    const { status, stdout, stderr } = load({});
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const why = process.platform === 'linux' && process.arch === 'x64' ? 'not built yet' : expect.any(String);
    expect(JSON.parse(stdout)).toEqual({
      before: { name: 'cpu', reason: why },
      sum: 6,
      after: { name: 'wasm', reason: why },
      inner: 'wasm',
    });
  });

  test('the environment may insist on one', () => {
    expect(JSON.parse(load({ SIRA_TENSORFLOW_BACKEND: 'cpu' }).stdout)).toMatchObject({ inner: 'cpu' });
    expect(JSON.parse(load({ SIRA_TENSORFLOW_BACKEND: 'wasm' }).stdout)).toMatchObject({ inner: 'wasm' });
    const native = load({ SIRA_TENSORFLOW_BACKEND: 'native' });
    expect(native.status).toBe(1);
    expect(native.stderr).toContain('npm run provision:tensorflow');
    const unknown = load({ SIRA_TENSORFLOW_BACKEND: 'gpu' });
    expect(unknown.status).toBe(1);
    expect(unknown.stderr).toContain('it may be native, wasm, cpu');
  });

  test.runIf(process.platform === 'linux' && process.arch === 'x64')(
    'a native build that does not load is named in a warning, and wasm is used',
    () => {
      const files = nativeFiles(join(home, 'native'));
      for (const file of [files.binding, files.library, files.framework, ...files.standIns, join(files.scripts, 'x')]) {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, 'no library');
      }
      for (const name of ['proto/api_pb.js', 'nodejs_kernel_backend.js', 'register_all_kernels.js']) {
        mkdirSync(dirname(join(files.scripts, name)), { recursive: true });
        writeFileSync(join(files.scripts, name), '');
      }
      writeFileSync(files.record, JSON.stringify({ version, recipe }));
      expect(whyNotNative(home)).toBe('');
      const { status, stdout, stderr } = load({});
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ inner: 'wasm' });
      expect(stderr).toMatch(/SIRA_TENSORFLOW.*the native build does not load/s);
      writeFileSync(files.record, JSON.stringify({ version, recipe: recipe - 1 }));
      expect(whyNotNative(home)).toBe('built for another version of this project');
      expect(load({}).stderr).toBe('');
      rmSync(files.binding);
      writeFileSync(files.record, JSON.stringify({ version, recipe }));
      expect(whyNotNative(home)).toContain('tfjs_binding.node is missing');
    },
  );
});

test('what wasm lacks runs there all the same: the gradient of a convolution, and nothing is left behind', async () => {
  const tf = await openTensorFlow('cpu');
  const gradients = (): number[] =>
    tf.tidy(() => {
      const images = tf.reshape(tf.linspace(0, 1, 150), [2, 5, 5, 3]);
      const filters = tf.reshape(tf.linspace(-1, 1, 108), [3, 3, 3, 4]);
      const slopes = tf.grads((image, filter) =>
        tf.sum(tf.square(tf.conv2d(image as never, filter as never, 1, 'same'))),
      )([images, filters]);
      return slopes.flatMap((slope) => [...slope.dataSync()]);
    });
  const wanted = gradients();
  const cpuHeld = tf.backend().numDataIds();
  await openTensorFlow('wasm');
  const wasmHeld = tf.backend().numDataIds();
  const found = gradients();
  expect(found).toHaveLength(150 + 108);
  for (const [index, value] of found.entries()) expect(value).toBeCloseTo(wanted[index]!, 3);
  expect(tf.backend().numDataIds()).toBe(wasmHeld);
  expect(tf.findBackend('cpu').numDataIds()).toBe(cpuHeld);
});
