// What is exported and read back runs as the fitted model does: the same bits, value after value, also over a snapshot.

import { describe, expect, test } from 'vitest';
import { SiraError } from '../../core/base/errors.ts';
import { fixedLog } from '../../core/base/fixed-math.ts';
import { RandomStream } from '../../core/base/random.ts';
import { readForecasterArtifact, writeForecasterArtifact } from '../../core/policy/forecast/forecaster-artifact.ts';
import { standardWindow } from '../../core/policy/forecast/gru-network.ts';
import { RunningForecaster } from '../../core/policy/forecast/running-forecaster.ts';
import { readSafetensors, writeSafetensors } from '../../core/tensor/wire/safetensors.ts';
import { openTensorFlow } from '../tensorflow/tensorflow.ts';
import { ensemble } from './ensemble.ts';
import { exportForecaster } from './export-forecaster.ts';
import type { Forecaster, SeriesShape } from './forecaster.ts';
import { gru } from './gru.ts';
import { holtWinters } from './holt-winters.ts';
import { everyStep, lagLinear } from './lag-linear.ts';
import { persistence, seasonalNaive } from './naive.ts';
import { forward, trainGru } from './train-gru.ts';

const shape: SeriesShape = { periods: [12], lowerBound: 0 };
const plain: SeriesShape = { periods: [], lowerBound: 0 };
const horizon = 6;
const linear = (logarithm: boolean, steps = everyStep(horizon)): Forecaster =>
  lagLinear({ steps, shrinkage: 0.05, towards: 'persistence', stride: 1, logarithm, loss: 'squared' });
const mixed = ensemble({
  members: [persistence, seasonalNaive(), holtWinters, linear(false)],
  validationLength: 24,
  horizon,
  stride: 1,
  sharpness: 2,
  loss: 'squared',
  judged: 'last-step',
});

/** A season of twelve with noise; every so often nothing at all, where `gaps`. */
function load(length: number, seed: number, gaps = false): Float64Array {
  const stream = new RandomStream(seed, 'load');
  return Float64Array.from({ length }, (_, index) => {
    const noise = 4 * stream.nextFloat();
    return gaps && index % 17 === 3 ? 0 : 10 + (index % 12) + noise;
  });
}

const options = {
  ...({ name: 'test', target: 'demand', unit: 'gpuMilli', intervalMicros: 10_000_000, horizon } as const),
  ...{ levels: [0.1, 0.9], calibrationLength: 48, lineage: { command: 'test', dataSha256: {} } },
};

function through(forecaster: Forecaster, series: Float64Array, seriesShape: SeriesShape) {
  const model = exportForecaster(forecaster, series, seriesShape, options);
  const bytes = writeForecasterArtifact(model);
  const read = readForecasterArtifact(bytes);
  expect(writeForecasterArtifact(read)).toEqual(bytes);
  return { running: new RunningForecaster(read), read, bytes };
}

const cases: readonly [string, Forecaster, SeriesShape, boolean][] = [
  ['persistence', persistence, shape, false],
  ['seasonal naive', seasonalNaive(), shape, false],
  ['linear', linear(false), shape, true],
  ['linear without a season', linear(false), plain, true],
  ['linear by logarithms, a step left out', linear(true, [1, 2, 4, 6]), shape, false],
  ['Holt-Winters', holtWinters, shape, true],
  ['Holt-Winters by logarithms', holtWinters, shape, false],
  ['ensemble', mixed, shape, true],
];

describe.each(cases)('%s', (_, forecaster, seriesShape, gaps) => {
  const series = load(300, 1, gaps);

  test('runs as it was fitted, to the bit, however long', () => {
    const { running } = through(forecaster, series, seriesShape);
    const fitted = forecaster.fit(series, seriesShape);
    // What is exported keeps less; to say the same, the model itself must forget as much.
    fitted.exported?.();
    for (const value of load(400, 2, true)) {
      expect(running.forecast(horizon)).toEqual(fitted.forecast(horizon));
      running.append(value);
      fitted.append(value);
    }
  });

  test('goes on from a snapshot, through text, as if nothing had happened', () => {
    const { running, read } = through(forecaster, series, seriesShape);
    for (const value of load(150, 3)) running.append(value);
    const restored = new RunningForecaster(read);
    restored.restore(JSON.parse(JSON.stringify(running.save())));
    for (const value of load(150, 4)) {
      expect(restored.quantile(1, horizon)).toEqual(running.quantile(1, horizon));
      expect(restored.isSettled).toBe(running.isSettled);
      restored.append(value);
      running.append(value);
    }
  });
});

test('quantiles hold about as often as they say', () => {
  const { running } = through(mixed, load(600, 5), shape);
  const values = load(1800, 6);
  let below = 0;
  for (let at = 600; at + horizon <= values.length; at++) {
    if (values[at + horizon - 1]! <= running.quantile(1, horizon)[horizon - 1]!) below++;
    running.append(values[at]!);
  }
  expect(below / (values.length - 600 - horizon + 1)).toBeGreaterThan(0.82);
  expect(below / (values.length - 600 - horizon + 1)).toBeLessThan(0.97);
});

test('a GRU runs within 1e-5 of TensorFlow’s own answer, and to the bit as where it was trained', async () => {
  const tf = await openTensorFlow('wasm');
  const series = load(300, 7);
  const sizes = { period: 12, seasonCount: 3, hiddenSize: 4, horizon };
  const training = { ...sizes, stride: 5, epochs: 2, batchSize: 16, learningRate: 0.01, seed: 1 };
  const { weights } = trainGru(tf, [series], training);
  const { running } = through(gru(weights), series, shape);
  const forecast = running.forecast(horizon);
  expect(forecast).toEqual(gru(weights).fit(series, shape).forecast(horizon));
  const { values, level, scale } = standardWindow(series.map(fixedLog), series.length, 36, 12);
  const matrix = (data: Float32Array, rows: number) => tf.tensor2d(data, [rows, data.length / rows]);
  const variables = [
    ...[matrix(weights.input, 12), matrix(weights.recurrent, 4)],
    ...[tf.tensor1d(weights.inputBias), tf.tensor1d(weights.recurrentBias)],
    ...[matrix(weights.output, 4), tf.tensor1d(weights.outputBias)],
  ];
  const answer = forward(tf, variables, tf.tensor2d([...values], [1, 36]), sizes).dataSync();
  for (let step = 0; step < horizon; step++)
    expect(Math.abs((Math.log(forecast[step]!) - level) / scale - answer[step]!)).toBeLessThan(1e-5);
});

test('what does not belong together is refused', () => {
  const { bytes } = through(mixed, load(300, 8), shape);
  const file = readSafetensors(bytes);
  const refusal = (change: Partial<typeof file>): string => {
    try {
      readForecasterArtifact(writeSafetensors({ ...file, ...change }));
    } catch (error) {
      if (error instanceof SiraError) return error.code;
      throw error;
    }
    return 'none';
  };
  const less = new Map([...file.tensors].filter(([name]) => name !== 'members.0.season'));
  expect(refusal({ tensors: less })).toBe('SIRA_POLICY_INVALID');
  expect(refusal({ metadata: new Map() })).toBe('SIRA_POLICY_INVALID');
  const manifest = JSON.parse(file.metadata.get('manifest')!) as object;
  for (const change of [
    { target: 'weather' },
    { horizon: 7 },
    { levels: [0.9, 0.1] },
    { intervalMicros: 0.5 },
    { format: 'x' },
  ])
    expect(
      refusal({ metadata: new Map([...file.metadata, ['manifest', JSON.stringify({ ...manifest, ...change })]]) }),
      JSON.stringify(change),
    ).toBe('SIRA_POLICY_INVALID');
  expect(refusal({})).toBe('none');
});
