import { whyNotNative } from '@tensorflow/tfjs-node/location';
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { glorotVariable, shuffledBatches, trainSupervised, weightsDigest, zeroVariable } from './seeded-training.ts';
import { type BackendName, currentBackend, openTensorFlow } from './tensorflow.ts';

interface Trained {
  readonly digest: string;
  readonly losses: readonly number[];
}

/** A small network with a convolution learns to tell rising from falling series; everything is drawn from `seed`. */
async function trainOn(backend: BackendName, seed: number): Promise<Trained> {
  const tf = await openTensorFlow(backend);
  expect(currentBackend()).toBe(backend);
  const held = tf.memory().numTensors;
  const stream = new RandomStream(seed, 'training test');
  const count = 96;
  const length = 12;
  const series = new Float32Array(count * length);
  const labels = new Float32Array(count);
  for (let row = 0; row < count; row++) {
    const slope = stream.nextFloat() - 0.5;
    labels[row] = slope > 0 ? 1 : 0;
    for (let at = 0; at < length; at++) series[row * length + at] = slope * at + 0.3 * stream.nextFloat();
  }
  const inputs = tf.tensor2d(series, [count, length]);
  const targets = tf.tensor2d(labels, [count, 1]);
  const kernel = glorotVariable(tf, stream, [3, 1, 4]);
  const weights = [kernel, glorotVariable(tf, stream, [length * 4, 1]), zeroVariable(tf, [1])] as const;
  const losses = trainSupervised(tf, {
    inputs,
    targets,
    variables: weights,
    loss: (rows, wanted) => {
      const folded = tf.relu(tf.conv1d(tf.reshape(rows, [-1, length, 1]) as never, kernel as never, 1, 'same'));
      const logits = tf.add(tf.matMul(tf.reshape(folded, [-1, length * 4]), weights[1]), weights[2]);
      return tf.losses.sigmoidCrossEntropy(wanted, logits);
    },
    epochs: 12,
    batchSize: 20,
    learningRate: 0.02,
    stream,
  });
  const digest = weightsDigest(weights);
  tf.dispose([inputs, targets, ...weights]);
  expect(tf.memory().numTensors - held, 'tensors left behind').toBe(0);
  return { digest, losses };
}

async function expectRepeatable(backend: BackendName): Promise<void> {
  const first = await trainOn(backend, 7);
  const second = await trainOn(backend, 7);
  const other = await trainOn(backend, 8);
  expect(second).toEqual(first);
  expect(other.digest).not.toBe(first.digest);
  expect(first.losses).toHaveLength(12);
  expect(first.losses.at(-1)).toBeLessThan(first.losses[0]! / 2);
}

describe('training repeats bit by bit, and learns', () => {
  test('on wasm', () => expectRepeatable('wasm'));

  test('on cpu', () => expectRepeatable('cpu'));

  const missing = whyNotNative();
  test.skipIf(missing !== '')(
    `on native${missing === '' ? '' : ` (skipped: ${missing}; npm run provision:tensorflow)`}`,
    async () => {
      await expectRepeatable('native');
      const native = await trainOn('native', 9);
      const wasm = await trainOn('wasm', 9);
      for (const [epoch, loss] of native.losses.entries()) expect(loss).toBeCloseTo(wasm.losses[epoch]!, 3);
    },
  );
});

describe('batches', () => {
  test('every example comes once in an epoch, in an order that the seed decides', () => {
    const batches = shuffledBatches(new RandomStream(1, 'batches'), 23, 5);
    expect(batches.map((batch) => batch.length)).toEqual([5, 5, 5, 5, 3]);
    const order = batches.flatMap((batch) => [...batch]);
    expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 23 }, (_, index) => index));
    expect(order).not.toEqual(order.toSorted((a, b) => a - b));
    expect(shuffledBatches(new RandomStream(1, 'batches'), 23, 5)).toEqual(batches);
    expect(shuffledBatches(new RandomStream(2, 'batches'), 23, 5)).not.toEqual(batches);
  });
});
