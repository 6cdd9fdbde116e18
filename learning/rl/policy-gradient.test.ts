import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { CandidateNetwork } from '../../core/policy/candidate-network.ts';
import { openTensorFlow } from '../tensorflow/tensorflow.ts';
import { type DecisionBatch, stateWidth } from './decision-batch.ts';
import type { DenseNetwork } from './dense-network.ts';
import { createPlainGradient, createSimdGradient, type LossParts, type PolicyGradient } from './policy-gradient.ts';
import { createTensorFlowGradient, forward, layerTensors } from './tensorflow-gradient.ts';

const featureCount = 5;
const weights = { clip: 0.2, entropy: 0.01, value: 0.5 };

interface SampleOptions {
  readonly decisions?: number;
  readonly hidden?: readonly number[];
  readonly valueHidden?: readonly number[];
}

function sample(
  gradient: PolicyGradient,
  seed: number,
  { decisions = 12, hidden = [7, 4], valueHidden = [6] }: SampleOptions = {},
): { batch: DecisionBatch; policy: DenseNetwork; value: DenseNetwork } {
  const random = new RandomStream(seed, 'batch');
  const draw = (length: number, scale = 1): Float64Array =>
    Float64Array.from({ length }, () => scale * (2 * random.nextFloat() - 1));
  const counts = Int32Array.from({ length: decisions }, () => 1 + random.nextBelow(6));
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const batch = {
    decisions,
    rows,
    features: draw(rows * featureCount, 2),
    states: draw(decisions * stateWidth(featureCount)),
    counts,
    choices: counts.map((count) => random.nextBelow(count)),
    // Some ratios are within the clip, others beyond it, with advantages of both signs.
    logProbabilities: draw(decisions, 0.5).map((value, index) => value - Math.log(counts[index]!)),
    advantages: draw(decisions, 2),
    returns: draw(decisions),
  };
  const policy = gradient.createNetwork([featureCount, ...hidden, 1], random);
  const value = gradient.createNetwork([stateWidth(featureCount), ...valueHidden, 1], random);
  return { batch, policy, value };
}

function gradientOf(gradient: PolicyGradient, seed: number, options?: SampleOptions) {
  const { batch, policy, value } = sample(gradient, seed, options);
  const policySlope = new Float64Array(policy.parameters.length);
  const valueSlope = new Float64Array(value.parameters.length);
  const parts = gradient.ppo(batch, policy, value, weights, policySlope, valueSlope);
  const imitationSlope = new Float64Array(policy.parameters.length);
  const imitation = gradient.imitation(batch, policy, imitationSlope);
  return { parts, policySlope, valueSlope, imitation, imitationSlope };
}

describe('plain gradients', () => {
  const plain = createPlainGradient();

  test('are the slopes of the losses, by differences', () => {
    const { batch, policy, value } = sample(plain, 3);
    const { policySlope, valueSlope, imitationSlope } = gradientOf(plain, 3);
    const scratch = (): [Float64Array, Float64Array] => [
      new Float64Array(policy.parameters.length),
      new Float64Array(value.parameters.length),
    ];
    const total = ({ policy: loss, entropy }: LossParts): number => loss - weights.entropy * entropy;
    const difference = (parameters: Float64Array, index: number, loss: () => number): number => {
      const step = 1e-6;
      const kept = parameters[index]!;
      parameters[index] = kept + step;
      const above = loss();
      parameters[index] = kept - step;
      const below = loss();
      parameters[index] = kept;
      return (above - below) / (2 * step);
    };
    for (let index = 0; index < policy.parameters.length; index += 3) {
      const slope = difference(policy.parameters, index, () =>
        total(plain.ppo(batch, policy, value, weights, ...scratch())),
      );
      expect(policySlope[index]).toBeCloseTo(slope, 6);
      const imitated = difference(policy.parameters, index, () => plain.imitation(batch, policy, scratch()[0]));
      expect(imitationSlope[index]).toBeCloseTo(imitated, 6);
    }
    for (let index = 0; index < value.parameters.length; index += 3) {
      const slope = difference(
        value.parameters,
        index,
        () => weights.value * plain.ppo(batch, policy, value, weights, ...scratch()).value,
      );
      expect(valueSlope[index]).toBeCloseTo(slope, 6);
    }
  });
});

/** ‖actual − expected‖ / ‖expected‖, or the former alone where nothing is expected. */
function distance(actual: Float64Array, expected: Float64Array): number {
  expect(actual.length).toBe(expected.length);
  const squares = (values: Float64Array): number => values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(squares(actual.map((value, index) => value - expected[index]!)) / (squares(expected) || 1));
}

// Widths that fill vectors and such that do not; rows that fill tiles and blocks and such that do not, within the room reserved at first
// and beyond it.
test.each([
  { decisions: 1, hidden: [3], valueHidden: [1] },
  { decisions: 12, hidden: [7, 4], valueHidden: [6] },
  { decisions: 64, hidden: [16, 8], valueHidden: [32, 32] },
  { decisions: 200, hidden: [32, 32], valueHidden: [64, 64] },
  { decisions: 333, hidden: [13, 21, 9], valueHidden: [33, 2] },
])('vectors give the gradients of plain arithmetic within 1e-5: $decisions decisions, $hidden', (options) => {
  const simd = createSimdGradient();
  for (const seed of [1, 2, 3]) {
    const expected = gradientOf(createPlainGradient(), seed, options);
    const actual = gradientOf(simd, seed, options);
    for (const name of ['policySlope', 'valueSlope', 'imitationSlope'] as const)
      expect(distance(actual[name], expected[name]), name).toBeLessThan(1e-5);
    for (const name of ['policy', 'value', 'entropy', 'divergence', 'clipped'] as const)
      expect(actual.parts[name], name).toBeCloseTo(expected.parts[name], 5);
    expect(actual.imitation).toBeCloseTo(expected.imitation, 5);
    expect(gradientOf(simd, seed, options)).toEqual(actual);
  }
});

test('a network computes the same after it made room for more rows, and adds to the gradient it is given', () => {
  const gradient = createSimdGradient();
  const { policy } = sample(gradient, 4);
  const inputs = (rows: number): Float64Array =>
    Float64Array.from({ length: rows * featureCount }, (_, place) => Math.sin(place));
  const slopesOf = (): Float64Array => {
    const slopes = new Float64Array(policy.parameters.length);
    policy.forward(inputs(3), 3);
    policy.backward(inputs(3), 3, Float64Array.of(1, -2, 3), slopes);
    return slopes;
  };
  const before = slopesOf();
  expect(policy.forward(inputs(3), 3).slice(0, 3)).toEqual(policy.forward(inputs(1000), 1000).slice(0, 3));
  expect(slopesOf()).toEqual(before);
  const twice = before.slice();
  policy.backward(inputs(3), 3, Float64Array.of(1, -2, 3), twice);
  expect(twice).toEqual(before.map((value) => 2 * value));
});

test('TensorFlow.js computes the same losses and gradients, to float32', async () => {
  const tf = await openTensorFlow('cpu');
  for (const seed of [1, 2, 3]) {
    const expected = gradientOf(createPlainGradient(), seed);
    const actual = gradientOf(createTensorFlowGradient(tf), seed);
    for (const name of ['policy', 'value', 'entropy', 'divergence', 'clipped'] as const)
      expect(actual.parts[name], name).toBeCloseTo(expected.parts[name], 5);
    expect(actual.imitation).toBeCloseTo(expected.imitation, 5);
    for (const name of ['policySlope', 'valueSlope', 'imitationSlope'] as const)
      for (const [index, slope] of expected[name].entries()) expect(actual[name][index], name).toBeCloseTo(slope, 5);
  }
});

test('the kernel scores what TensorFlow.js scores, within 1e-5', async () => {
  const tf = await openTensorFlow('cpu');
  const random = new RandomStream(1, 'scores');
  const network = createPlainGradient().createNetwork([9, 16, 8, 1], random);
  const scale = Array.from({ length: 9 }, () => ({ mean: Math.fround(random.nextFloat()), deviation: 1 }));
  const features = Float64Array.from({ length: 128 * 9 }, () => 4 * random.nextFloat() - 2);
  const scores = new Float64Array(128);
  new CandidateNetwork(network.layers(), scale).score(features, 128, scores);
  const standard = features.map((value, place) => value - scale[place % 9]!.mean);
  const inputs = tf.tensor2d(Float32Array.from(standard), [128, 9]);
  const expected = forward(tf, inputs, layerTensors(tf, network)).dataSync();
  for (let row = 0; row < 128; row++) expect(Math.abs(scores[row]! - expected[row]!)).toBeLessThan(1e-5);
});
