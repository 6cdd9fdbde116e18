// A small network that scores candidates one by one with the same weights: dense layers, relu between them, one score each. In
// plain float64 arithmetic with a fixed order of summation, so that the same features give the same bits on every machine, and
// without allocation. What the features are, and what is done with a score, is decided elsewhere.
//
// Standardizing the inputs is folded into the first layer: with w' = w/deviation and b' = b − Σ w·mean/deviation the layer sees raw
// features. Outputs are computed four at a time: the four sums do not wait for each other.

import { assert } from '../base/assert.ts';
import type { DenseLayer } from './policy-artifact.ts';
import type { PolicyFeature } from './policy-manifest.ts';

interface Layer {
  readonly inputs: number;
  /** A multiple of 4 but for the last layer's 1; those added have weight 0. */
  readonly outputs: number;
  /** For each block of four outputs, for each input, four weights. */
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

export class CandidateNetwork {
  /** Features of a candidate. */
  readonly featureCount: number;
  /** Multiplications and additions for one candidate. */
  readonly operationsPerCandidate: number;
  private readonly hidden: readonly Layer[];
  /** The last layer: one weight an input. */
  private readonly last: Float64Array;
  private readonly lastBias: number;
  private readonly values: readonly Float64Array[];

  constructor(layers: readonly DenseLayer[], features: readonly Pick<PolicyFeature, 'mean' | 'deviation'>[]) {
    const first = layers[0];
    const last = layers.at(-1);
    assert(first !== undefined && last !== undefined && last.outputs === 1, 'the last layer gives one score');
    assert(first.inputs === features.length, 'the first layer takes the features');
    this.featureCount = first.inputs;
    this.operationsPerCandidate = layers.reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0);
    const folded = layers.map((layer, index) => (index === 0 ? fold(layer, features) : widen(layer)));
    let inputs = this.featureCount;
    const hidden: Layer[] = [];
    for (const [index, layer] of layers.slice(0, -1).entries()) {
      const packed = pack(folded[index]!, layer, inputs);
      hidden.push(packed);
      inputs = packed.outputs;
    }
    this.hidden = hidden;
    this.values = hidden.map(({ outputs }) => new Float64Array(outputs));
    this.last = new Float64Array(inputs);
    this.last.set(folded.at(-1)!.kernel);
    this.lastBias = folded.at(-1)!.bias[0] as number;
  }

  /** Scores `count` candidates. `features` is row-major [candidates, features]; `scores` takes one number each. */
  score(features: Float64Array, count: number, scores: Float64Array): void {
    const { hidden, values, featureCount, last, lastBias } = this;
    for (let candidate = 0; candidate < count; candidate++) {
      let from = features;
      let at = candidate * featureCount;
      for (let index = 0; index < hidden.length; index++) {
        const to = values[index] as Float64Array;
        applyLayer(hidden[index] as Layer, from, at, to);
        from = to;
        at = 0;
      }
      let score = lastBias;
      for (let input = 0; input < last.length; input++) score += (last[input] as number) * (from[at + input] as number);
      scores[candidate] = score;
    }
  }
}

function applyLayer({ inputs, outputs, weights, bias }: Layer, from: Float64Array, at: number, to: Float64Array): void {
  let place = 0;
  for (let output = 0; output < outputs; output += 4) {
    let first = bias[output] as number;
    let second = bias[output + 1] as number;
    let third = bias[output + 2] as number;
    let fourth = bias[output + 3] as number;
    for (let input = 0; input < inputs; input++) {
      const value = from[at + input] as number;
      first += (weights[place] as number) * value;
      second += (weights[place + 1] as number) * value;
      third += (weights[place + 2] as number) * value;
      fourth += (weights[place + 3] as number) * value;
      place += 4;
    }
    to[output] = first > 0 ? first : 0;
    to[output + 1] = second > 0 ? second : 0;
    to[output + 2] = third > 0 ? third : 0;
    to[output + 3] = fourth > 0 ? fourth : 0;
  }
}

interface Wide {
  readonly kernel: Float64Array;
  readonly bias: Float64Array;
}

function widen({ kernel, bias }: DenseLayer): Wide {
  return { kernel: Float64Array.from(kernel), bias: Float64Array.from(bias) };
}

function fold(layer: DenseLayer, features: readonly Pick<PolicyFeature, 'mean' | 'deviation'>[]): Wide {
  const { kernel, bias } = widen(layer);
  for (const [input, { mean, deviation }] of features.entries()) {
    for (let output = 0; output < layer.outputs; output++) {
      const place = input * layer.outputs + output;
      kernel[place] = (kernel[place] as number) / deviation;
      bias[output] = (bias[output] as number) - (kernel[place] as number) * mean;
    }
  }
  return { kernel, bias };
}

function pack({ kernel, bias }: Wide, { inputs, outputs }: DenseLayer, inputsPadded: number): Layer {
  const padded = 4 * Math.ceil(outputs / 4);
  const weights = new Float64Array(inputsPadded * padded);
  for (let input = 0; input < inputs; input++) {
    for (let output = 0; output < outputs; output++) {
      const block = Math.trunc(output / 4);
      weights[(block * inputsPadded + input) * 4 + (output % 4)] = kernel[input * outputs + output] as number;
    }
  }
  const padding = new Float64Array(padded);
  padding.set(bias);
  return { inputs: inputsPadded, outputs: padded, weights, bias: padding };
}
