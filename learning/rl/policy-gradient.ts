// The losses of PPO and of imitation, and their gradients. What computes gradients is exchangeable: here networks in plain arithmetic
// or in WebAssembly's vectors (simd-network.ts), in tensorflow-gradient.ts TensorFlow.js; what is done with them is the
// algorithm's business.

import type { RandomStream } from '../../core/base/random.ts';
import { type DecisionBatch, softmaxInPlace } from './decision-batch.ts';
import { DenseNetwork } from './dense-network.ts';
import { SimdNetwork } from './simd-network.ts';

export interface LossWeights {
  /** PPO's ε: how far the ratio of probabilities may move. */
  readonly clip: number;
  readonly entropy: number;
  readonly value: number;
}

/** Means over the decisions of a batch. */
export interface LossParts {
  readonly policy: number;
  readonly value: number;
  readonly entropy: number;
  /** Approximate Kullback–Leibler divergence from the policy that chose: mean of (ratio − 1) − ln ratio. */
  readonly divergence: number;
  /** Share of decisions whose ratio was clipped. */
  readonly clipped: number;
}

export interface PolicyGradient {
  readonly name: 'plain' | 'simd' | 'tensorflow';
  /** What the gradient is computed of, with weights drawn from the stream: see {@link DenseNetwork}. */
  createNetwork(widths: readonly number[], stream: RandomStream, lastScale?: number): DenseNetwork;
  /** Adds the gradient of policy loss − entropy·weight to `policySlope`, and of value loss·weight to `valueSlope`. */
  ppo(
    batch: DecisionBatch,
    policy: DenseNetwork,
    value: DenseNetwork,
    weights: LossWeights,
    policySlope: Float64Array,
    valueSlope: Float64Array,
  ): LossParts;
  /** Adds the gradient of the mean cross-entropy of the choices; returns that mean. */
  imitation(batch: DecisionBatch, policy: DenseNetwork, policySlope: Float64Array): number;
}

/** In float64, which the others are held against. */
export function createPlainGradient(): PolicyGradient {
  return createGradient('plain', (...network) => new DenseNetwork(...network));
}

/** Layers in float32 and several numbers at once; losses in float64. Gradients are within 1e-5 of the plain ones. */
export function createSimdGradient(): PolicyGradient {
  return createGradient('simd', (...network) => new SimdNetwork(...network));
}

/** Losses as in "Proximal policy optimization algorithms" (Schulman et al., 2017), equations 7 and 9, with the squared error
 *  halved; candidates that do not exist have no row, so nothing needs a mask. */
function createGradient(name: PolicyGradient['name'], createNetwork: PolicyGradient['createNetwork']): PolicyGradient {
  let slopes = new Float64Array(0);
  const slopesOf = (rows: number): Float64Array => {
    if (slopes.length < rows) slopes = new Float64Array(2 * rows);
    return slopes;
  };
  return {
    name,
    createNetwork,
    ppo(batch, policy, value, weights, policySlope, valueSlope) {
      const { decisions, rows, counts, choices } = batch;
      const scores = policy.forward(batch.features, rows);
      const scoreSlopes = slopesOf(rows);
      const parts = { policy: 0, value: 0, entropy: 0, divergence: 0, clipped: 0 };
      let at = 0;
      for (let decision = 0; decision < decisions; decision++) {
        const count = counts[decision]!;
        const chosen = at + choices[decision]!;
        const chosenScore = scores[chosen]!;
        const logSum = softmaxInPlace(scores, at, count);
        const logRatio = chosenScore - logSum - batch.logProbabilities[decision]!;
        const ratio = Math.exp(logRatio);
        const advantage = batch.advantages[decision]!;
        const bounded = Math.min(Math.max(ratio, 1 - weights.clip), 1 + weights.clip);
        const isClipped = bounded * advantage < ratio * advantage;
        parts.policy -= Math.min(ratio * advantage, bounded * advantage);
        parts.divergence += ratio - 1 - logRatio;
        if (isClipped || bounded !== ratio) parts.clipped++;
        let entropy = 0;
        for (let row = at; row < at + count; row++) {
          const probability = scores[row]!;
          // Its place is the slope's, further down.
          const log = probability > 0 ? Math.log(probability) : 0;
          scoreSlopes[row] = log;
          entropy -= probability * log;
        }
        parts.entropy += entropy;
        const pull = isClipped ? 0 : ratio * advantage;
        for (let row = at; row < at + count; row++) {
          const probability = scores[row]!;
          const information = probability > 0 ? scoreSlopes[row]! + entropy : 0;
          scoreSlopes[row] =
            (-pull * ((row === chosen ? 1 : 0) - probability) + weights.entropy * probability * information) /
            decisions;
        }
        at += count;
      }
      policy.backward(batch.features, rows, scoreSlopes, policySlope);
      parts.value = valueGradient(batch, value, weights.value, slopesOf(decisions), valueSlope);
      return {
        policy: parts.policy / decisions,
        value: parts.value / decisions,
        entropy: parts.entropy / decisions,
        divergence: parts.divergence / decisions,
        clipped: parts.clipped / decisions,
      };
    },
    imitation(batch, policy, policySlope) {
      const { decisions, rows, counts, choices } = batch;
      const scores = policy.forward(batch.features, rows);
      const scoreSlopes = slopesOf(rows);
      let loss = 0;
      let at = 0;
      for (let decision = 0; decision < decisions; decision++) {
        const count = counts[decision]!;
        const chosen = at + choices[decision]!;
        const chosenScore = scores[chosen]!;
        loss += softmaxInPlace(scores, at, count) - chosenScore;
        for (let row = at; row < at + count; row++)
          scoreSlopes[row] = (scores[row]! - (row === chosen ? 1 : 0)) / decisions;
        at += count;
      }
      policy.backward(batch.features, rows, scoreSlopes, policySlope);
      return loss / decisions;
    },
  };
}

function valueGradient(
  { decisions, states, returns }: DecisionBatch,
  value: DenseNetwork,
  weight: number,
  slopes: Float64Array,
  valueSlope: Float64Array,
): number {
  const values = value.forward(states, decisions);
  let loss = 0;
  for (let decision = 0; decision < decisions; decision++) {
    const error = values[decision]! - returns[decision]!;
    loss += (error * error) / 2;
    slopes[decision] = (weight * error) / decisions;
  }
  value.backward(states, decisions, slopes, valueSlope);
  return loss;
}
