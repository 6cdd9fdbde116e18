import type { Tensor2D } from '@tensorflow/tfjs-node';
import { expect, test } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { runGru } from '../../core/policy/forecast/gru-network.ts';
import { openTensorFlow } from '../tensorflow/tensorflow.ts';
import { absoluteError } from './accuracy.ts';
import type { SeriesShape } from './forecaster.ts';
import { gru } from './gru.ts';
import { seasonalNaive } from './naive.ts';
import { forward, trainGru } from './train-gru.ts';

const shape: SeriesShape = { periods: [6], lowerBound: 0 };
const training = {
  ...{ period: 6, seasonCount: 4, hiddenSize: 8, horizon: 8, stride: 1 },
  ...{ epochs: 15, batchSize: 128, learningRate: 0.02, seed: 5 },
};

/** A season whose height swings from day to day, so that the last day is a poor guide to the next. */
function swinging(seed: number): Float64Array {
  const stream = new RandomStream(seed, 'swinging');
  const season = [1, 3, 8, 9, 4, 2];
  const start = stream.nextBelow(2);
  return Float64Array.from({ length: 126 }, (_, index) => {
    const height = (Math.floor(index / 6) + start) % 2 === 0 ? 2 : 1;
    return 10 + height * season[index % 6]! + stream.nextFloat();
  });
}

const series = Array.from({ length: 16 }, (_, seed) => swinging(seed));

test('trained on wasm it repeats bit by bit, learns what a season ago does not tell, and runs as plain arithmetic', async () => {
  const tf = await openTensorFlow('wasm');
  const held = tf.memory().numTensors;
  const known = series.map((values) => values.slice(0, 118));
  const { weights, losses } = trainGru(tf, known, training);
  expect(trainGru(tf, known, training).weights).toEqual(weights);
  expect(trainGru(tf, known, { ...training, seed: 6 }).weights).not.toEqual(weights);
  expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
  expect(tf.memory().numTensors).toBe(held);

  let error = 0;
  let naiveError = 0;
  for (const [index, values] of known.entries()) {
    const actual = series[index]!.slice(118);
    const forecast = gru(weights).fit(values, shape).forecast(8);
    expect(forecast.every(Number.isFinite)).toBe(true);
    error += absoluteError(actual, forecast);
    naiveError += absoluteError(actual, seasonalNaive().fit(values, shape).forecast(8));
  }
  expect(error).toBeLessThan(naiveError / 2);

  // The arithmetic of the kernel's side and TensorFlow's agree.
  const window = Float64Array.from({ length: 24 }, (_, at) => Math.fround(((at * 7) % 11) / 5 - 1));
  const mine = runGru(weights, window);
  const tensors = [
    tf.tensor2d(weights.input, [6, 24]),
    tf.tensor2d(weights.recurrent, [8, 24]),
    tf.tensor1d(weights.inputBias),
    tf.tensor1d(weights.recurrentBias),
    tf.tensor2d(weights.output, [8, 8]),
    tf.tensor1d(weights.outputBias),
  ];
  const theirs = tf.tidy(() =>
    forward(tf, tensors, tf.tensor2d([...window], [1, 24]) as Tensor2D, training).dataSync(),
  );
  for (const [step, value] of mine.entries()) expect(Math.abs(value - theirs[step]!)).toBeLessThan(1e-5);
  tf.dispose(tensors);
});

test('values appended move the window', async () => {
  const tf = await openTensorFlow('wasm');
  const { weights } = trainGru(tf, series, { ...training, epochs: 1 });
  const values = series[0]!;
  const fitted = gru(weights).fit(values.slice(0, 100), shape);
  for (const value of values.subarray(100)) fitted.append(value);
  expect(fitted.forecast(8)).toEqual(gru(weights).fit(values, shape).forecast(8));
});
