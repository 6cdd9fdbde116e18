// Trains the recurrent forecaster of gru.ts on many series at once, by mean absolute error in units of each window's spread. The same
// seed gives the same weights on the same backend.

import type { Scalar, Tensor, Tensor2D, Variable } from '@tensorflow/tfjs-node';
import { assert } from '../../core/base/assert.ts';
import { fixedLog } from '../../core/base/fixed-math.ts';
import { RandomStream } from '../../core/base/random.ts';
import { type GruWeights, standardWindow } from '../../core/policy/forecast/gru-network.ts';
import { glorotVariable, trainSupervised, zeroVariable } from '../tensorflow/seeded-training.ts';
import type { TensorFlow } from '../tensorflow/tensorflow.ts';

export interface GruTraining {
  readonly period: number;
  readonly seasonCount: number;
  readonly hiddenSize: number;
  readonly horizon: number;
  /** Samples between the ends of training windows; best without a common divisor with the period. */
  readonly stride: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly seed: number;
  onEpoch?(epoch: number, loss: number): boolean | undefined;
}

/** Answers the weights and the mean loss of each epoch. Series too short for a window are left out. */
export function trainGru(
  tf: TensorFlow,
  series: readonly Float64Array[],
  training: GruTraining,
): { readonly weights: GruWeights; readonly losses: readonly number[] } {
  const { period, seasonCount, hiddenSize, horizon } = training;
  const stream = new RandomStream(training.seed, 'gru');
  const { windows, targets, count } = examples(series, training);
  assert(count > 0, 'some series is long enough');
  const variables = [
    glorotVariable(tf, stream, [period, 3 * hiddenSize]),
    glorotVariable(tf, stream, [hiddenSize, 3 * hiddenSize]),
    zeroVariable(tf, [3 * hiddenSize]),
    zeroVariable(tf, [3 * hiddenSize]),
    glorotVariable(tf, stream, [hiddenSize, horizon]),
    zeroVariable(tf, [horizon]),
  ] as const;
  const inputs = tf.tensor2d(windows, [count, seasonCount * period]);
  const wanted = tf.tensor2d(targets, [count, horizon]);
  try {
    const losses = trainSupervised(tf, {
      inputs,
      targets: wanted,
      variables,
      loss: (batch, actual) =>
        tf.mean(tf.abs(tf.sub(actual, forward(tf, variables, batch as Tensor2D, training)))) as Scalar,
      epochs: training.epochs,
      batchSize: training.batchSize,
      learningRate: training.learningRate,
      stream,
      ...(training.onEpoch === undefined ? {} : { onEpoch: training.onEpoch }),
    });
    const [input, recurrent, inputBias, recurrentBias, output, outputBias] = variables.map((variable) =>
      Float32Array.from(variable.dataSync()),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
    const sizes = { period, seasonCount, hiddenSize, horizon };
    return { weights: { ...sizes, input, recurrent, inputBias, recurrentBias, output, outputBias }, losses };
  } finally {
    tf.dispose([inputs, wanted, ...variables]);
  }
}

/** What gru.ts computes, for a batch: [examples, horizon]. */
export function forward(
  tf: TensorFlow,
  [input, recurrent, inputBias, recurrentBias, output, outputBias]: readonly (Variable | Tensor)[],
  windows: Tensor2D,
  { period, seasonCount, hiddenSize, horizon }: Pick<GruTraining, 'period' | 'seasonCount' | 'hiddenSize' | 'horizon'>,
): Tensor2D {
  const rows = windows.shape[0];
  const part = (all: Tensor, which: number): Tensor2D =>
    tf.slice(all as Tensor2D, [0, which * hiddenSize], [rows, hiddenSize]);
  let state: Tensor2D = tf.zeros([rows, hiddenSize]);
  for (let season = 0; season < seasonCount; season++) {
    const values = tf.slice(windows, [0, season * period], [rows, period]);
    const fromInput = tf.add(tf.matMul(values, input as Tensor2D), inputBias!);
    const fromState = tf.add(tf.matMul(state, recurrent as Tensor2D), recurrentBias!);
    const update = tf.sigmoid(tf.add(part(fromInput, 0), part(fromState, 0)));
    const reset = tf.sigmoid(tf.add(part(fromInput, 1), part(fromState, 1)));
    const candidate = tf.tanh(tf.add(part(fromInput, 2), tf.mul(reset, part(fromState, 2))));
    state = tf.add(candidate, tf.mul(update, tf.sub(state, candidate)));
  }
  const last = tf.slice(windows, [0, (seasonCount - 1) * period], [rows, period]);
  const repeated = tf.slice(tf.tile(last, [1, Math.ceil(horizon / period)]), [0, 0], [rows, horizon]);
  return tf.add(repeated, tf.add(tf.matMul(state, output as Tensor2D), outputBias!));
}

function examples(
  series: readonly Float64Array[],
  { period, seasonCount, horizon, stride }: GruTraining,
): { windows: Float32Array; targets: Float32Array; count: number } {
  const length = period * seasonCount;
  const windows: number[] = [];
  const targets: number[] = [];
  let count = 0;
  for (const raw of series) {
    const values = raw.every((value) => value > 0) ? raw.map(fixedLog) : raw;
    for (let end = values.length - horizon; end >= length; end -= stride) {
      const { values: window, level, scale } = standardWindow(values, end, length, period);
      for (const value of window) windows.push(value);
      for (let step = 0; step < horizon; step++) targets.push((values[end + step]! - level) / scale);
      count += 1;
    }
  }
  return { windows: Float32Array.from(windows), targets: Float32Array.from(targets), count };
}
