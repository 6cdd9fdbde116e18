// The gradients of policy-gradient.ts computed by TensorFlow.js, in float32: a second opinion on every formula, and the faster of the
// two once networks are wide. Candidates are padded to the most that a decision of the batch has, and the padding is masked.

import type { Scalar, Tensor, Tensor2D } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../tensorflow/tensorflow.ts';
import type { DecisionBatch } from './decision-batch.ts';
import { DenseNetwork } from './dense-network.ts';
import type { LossParts, PolicyGradient } from './policy-gradient.ts';

export function createTensorFlowGradient(tf: TensorFlow): PolicyGradient {
  return {
    name: 'tensorflow',
    createNetwork: (...network) => new DenseNetwork(...network),
    ppo(batch, policy, value, weights, policySlope, valueSlope): LossParts {
      const parts = { policy: 0, value: 0, entropy: 0, divergence: 0, clipped: 0 };
      tf.tidy(() => {
        const padded = pad(tf, batch, policy.widths[0]!);
        const advantages = tf.tensor1d(Float32Array.from(batch.advantages));
        const old = tf.tensor1d(Float32Array.from(batch.logProbabilities));
        addGradient(tf, policy, policySlope, (layers) => {
          const { logs, chosen } = logProbabilities(tf, padded, layers);
          const logRatio = tf.sub(chosen, old);
          const ratio = tf.exp(logRatio);
          const bounded = tf.clipByValue(ratio, 1 - weights.clip, 1 + weights.clip);
          const gains = tf.minimum(tf.mul(ratio, advantages), tf.mul(bounded, advantages));
          const entropy = tf.mean(tf.neg(tf.sum(tf.mul(tf.mul(tf.exp(logs), logs), padded.mask), 1)));
          parts.policy = -tf.mean(gains).dataSync()[0]!;
          parts.entropy = entropy.dataSync()[0]!;
          parts.divergence = tf.mean(tf.sub(tf.sub(ratio, 1), logRatio)).dataSync()[0]!;
          parts.clipped = tf.mean(tf.cast(tf.notEqual(bounded, ratio), 'float32')).dataSync()[0]!;
          return tf.sub(tf.neg(tf.mean(gains)), tf.mul(entropy, weights.entropy)) as Scalar;
        });
        const states = tf.tensor2d(Float32Array.from(batch.states), [batch.decisions, value.widths[0]!]);
        const returns = tf.tensor1d(Float32Array.from(batch.returns));
        addGradient(tf, value, valueSlope, (layers) => {
          const errors = tf.sub(tf.reshape(forward(tf, states, layers), [batch.decisions]), returns);
          const loss = tf.div(tf.mean(tf.square(errors)), 2);
          parts.value = loss.dataSync()[0]!;
          return tf.mul(loss, weights.value) as Scalar;
        });
      });
      return parts;
    },
    imitation(batch, policy, policySlope) {
      let loss = 0;
      tf.tidy(() => {
        const padded = pad(tf, batch, policy.widths[0]!);
        addGradient(tf, policy, policySlope, (layers) => {
          const mean = tf.neg(tf.mean(logProbabilities(tf, padded, layers).chosen)) as Scalar;
          loss = mean.dataSync()[0]!;
          return mean;
        });
      });
      return loss;
    },
  };
}

/** What TensorFlow.js computes for rows of inputs: [rows, outputs]. */
export function forward(tf: TensorFlow, inputs: Tensor2D, layers: readonly Tensor[]): Tensor2D {
  let values = inputs;
  for (let layer = 0; layer < layers.length; layer += 2) {
    values = tf.add(tf.matMul(values, layers[layer] as Tensor2D), layers[layer + 1]!) as Tensor2D;
    if (layer + 2 < layers.length) values = tf.relu(values);
  }
  return values;
}

/** Kernel and bias of each layer. */
export function layerTensors(tf: TensorFlow, network: DenseNetwork): Tensor[] {
  return network
    .layers()
    .flatMap(({ inputs, outputs, kernel, bias }): Tensor[] => [
      tf.tensor2d(kernel, [inputs, outputs]),
      tf.tensor1d(bias),
    ]);
}

interface PaddedBatch {
  readonly decisions: number;
  /** Candidates of a decision, padded. */
  readonly width: number;
  /** [decisions · width, features]. */
  readonly rows: Tensor2D;
  /** [decisions, width], 1 where there is a candidate. */
  readonly mask: Tensor2D;
  /** [decisions, width], 1 at the choice. */
  readonly choice: Tensor2D;
}

function pad(tf: TensorFlow, batch: DecisionBatch, featureCount: number): PaddedBatch {
  const { decisions, counts, choices, features } = batch;
  const width = counts.reduce((most, count) => Math.max(most, count), 1);
  const rows = new Float32Array(decisions * width * featureCount);
  const mask = new Float32Array(decisions * width);
  const choice = new Float32Array(decisions * width);
  let from = 0;
  for (let decision = 0; decision < decisions; decision++) {
    const count = counts[decision]!;
    rows.set(features.subarray(from, from + count * featureCount), decision * width * featureCount);
    mask.fill(1, decision * width, decision * width + count);
    choice[decision * width + choices[decision]!] = 1;
    from += count * featureCount;
  }
  return {
    decisions,
    width,
    rows: tf.tensor2d(rows, [decisions * width, featureCount]),
    mask: tf.tensor2d(mask, [decisions, width]),
    choice: tf.tensor2d(choice, [decisions, width]),
  };
}

function logProbabilities(
  tf: TensorFlow,
  { decisions, width, rows, mask, choice }: PaddedBatch,
  layers: readonly Tensor[],
): { readonly logs: Tensor; readonly chosen: Tensor } {
  const scores = tf.reshape(forward(tf, rows, layers), [decisions, width]);
  const logs = tf.logSoftmax(tf.add(scores, tf.mul(tf.sub(mask, 1), 1e9)));
  return { logs, chosen: tf.sum(tf.mul(logs, choice), 1) };
}

function addGradient(
  tf: TensorFlow,
  network: DenseNetwork,
  slope: Float64Array,
  loss: (layers: readonly Tensor[]) => Scalar,
): void {
  const gradients = tf.grads((...layers: Tensor[]) => loss(layers))(layerTensors(tf, network));
  let at = 0;
  for (const gradient of gradients) for (const value of gradient.dataSync()) slope[at++]! += value;
}
