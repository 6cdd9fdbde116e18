// Training that repeats: initial weights, order of examples and batches all come from one named, seeded stream. TensorFlow.js' own
// `model.fit` shuffles with the global random source, and its initializers draw from it too, so neither is used.

import type { Scalar, Tensor, Variable } from '@tensorflow/tfjs-node';
import { assert } from '../../core/base/assert.ts';
import { Digest } from '../../core/base/digest.ts';
import type { RandomStream } from '../../core/base/random.ts';
import type { TensorFlow } from './tensorflow.ts';

/** A trainable tensor of `shape` […window, inputs, outputs], uniform in ±√(6/(fan in + fan out)) (Glorot and Bengio, AISTATS 2010,
 *  equation 16); of a dense layer the window is empty. */
export function glorotVariable(tf: TensorFlow, stream: RandomStream, shape: readonly number[]): Variable {
  const window = shape.slice(0, -2).reduce((product, extent) => product * extent, 1);
  const limit = Math.sqrt(6 / (window * (shape.at(-2)! + shape.at(-1)!)));
  const values = new Float32Array(window * shape.at(-2)! * shape.at(-1)!);
  for (let index = 0; index < values.length; index++) values[index] = (2 * stream.nextFloat() - 1) * limit;
  return variable(tf, tf.tensor(values, [...shape]));
}

/** A trainable tensor of `shape`, zero at first. */
export function zeroVariable(tf: TensorFlow, shape: readonly number[]): Variable {
  return variable(tf, tf.zeros([...shape]));
}

function variable(tf: TensorFlow, initial: Tensor): Variable {
  const made = tf.variable(initial);
  initial.dispose();
  return made;
}

/** The numbers 0 … `count` − 1, shuffled and cut into batches of `batchSize`; the last one may be shorter. */
export function shuffledBatches(stream: RandomStream, count: number, batchSize: number): Int32Array[] {
  assert(count > 0 && batchSize > 0, 'there is something to cut, into batches that hold something');
  const order = stream.shuffle(Array.from({ length: count }, (_, index) => index));
  const batches: Int32Array[] = [];
  for (let start = 0; start < count; start += batchSize)
    batches.push(Int32Array.from(order.slice(start, start + batchSize)));
  return batches;
}

export interface SupervisedTraining {
  /** [examples, …]. */
  readonly inputs: Tensor;
  /** [examples, …]. */
  readonly targets: Tensor;
  readonly variables: readonly Variable[];
  /** Mean loss of a batch. */
  loss(inputs: Tensor, targets: Tensor): Scalar;
  readonly epochs: number;
  readonly batchSize: number;
  /** Adam's step size (Kingma and Ba, ICLR 2015). */
  readonly learningRate: number;
  readonly stream: RandomStream;
  /** Told after each epoch, from 0, with the mean loss over its batches; training ends early if it answers `false`. */
  onEpoch?(epoch: number, loss: number): boolean | undefined;
}

/** Trains by Adam on shuffled batches. Answers the mean loss of each epoch; the variables hold the result. */
export function trainSupervised(tf: TensorFlow, training: SupervisedTraining): number[] {
  const { inputs, targets, variables, epochs, batchSize, learningRate, stream } = training;
  const count = inputs.shape[0]!;
  assert(count === targets.shape[0], 'each example has a target');
  const optimizer = tf.train.adam(learningRate);
  const losses: number[] = [];
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const batches = shuffledBatches(stream, count, batchSize);
      let sum = 0;
      for (const batch of batches) {
        sum += tf.tidy(() => {
          const rows = tf.tensor1d(batch, 'int32');
          const batchInputs = tf.gather(inputs, rows);
          const batchTargets = tf.gather(targets, rows);
          const cost = optimizer.minimize(() => training.loss(batchInputs, batchTargets), true, [...variables])!;
          return cost.dataSync()[0]! * batch.length;
        });
      }
      losses.push(sum / count);
      if (training.onEpoch?.(epoch, sum / count) === false) break;
    }
  } finally {
    optimizer.dispose();
  }
  return losses;
}

/** A digest over the exact bits of tensors, to compare two trainings. */
export function weightsDigest(tensors: readonly Tensor[]): string {
  const digest = new Digest();
  for (const tensor of tensors) {
    for (const extent of tensor.shape) digest.addInteger(extent);
    const values = tensor.dataSync();
    digest.addBytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return digest.toHex();
}
