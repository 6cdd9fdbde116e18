// The decisions of one rollout as columns, step after step and environment after environment, and minibatches of them.

import { assert } from '../../core/base/assert.ts';
import type { RandomStream } from '../../core/base/random.ts';
import { type DecisionBatch, poolState, stateWidth } from './decision-batch.ts';

export class Rollout {
  /** Standardized rows of all candidates. */
  features: Float64Array;
  readonly values: Float64Array;
  readonly rewards: Float64Array;
  readonly ended: Uint8Array;
  readonly advantages: Float64Array;
  readonly returns: Float64Array;
  /** Advantages as minibatches have them. */
  private readonly scaled: Float64Array;
  count = 0;
  private readonly featureCount: number;
  private readonly states: Float64Array;
  private readonly counts: Int32Array;
  private readonly starts: Int32Array;
  private readonly choices: Int32Array;
  private readonly logProbabilities: Float64Array;
  private stepSize = 0;
  private rows = 0;
  /** What a minibatch's rows are gathered into. */
  private batchFeatures = new Float64Array(0);
  private batchStates = new Float64Array(0);

  constructor(capacity: number, featureCount: number) {
    this.featureCount = featureCount;
    this.features = new Float64Array(capacity * featureCount);
    this.values = new Float64Array(capacity);
    this.rewards = new Float64Array(capacity);
    this.ended = new Uint8Array(capacity);
    this.advantages = new Float64Array(capacity);
    this.returns = new Float64Array(capacity);
    this.scaled = new Float64Array(capacity);
    this.states = new Float64Array(capacity * stateWidth(featureCount));
    this.counts = new Int32Array(capacity);
    this.starts = new Int32Array(capacity);
    this.choices = new Int32Array(capacity);
    this.logProbabilities = new Float64Array(capacity);
  }

  clear(): void {
    this.count = 0;
    this.rows = 0;
  }

  /** Makes room for a decision of each environment; returns where their rows go. */
  beginStep(counts: Int32Array): number {
    let rows = 0;
    for (let index = 0; index < counts.length; index++) {
      this.counts[this.count + index] = counts[index]!;
      this.starts[this.count + index] = this.rows + rows;
      rows += counts[index]!;
    }
    const size = (this.rows + rows) * this.featureCount;
    if (size > this.features.length) {
      const grown = new Float64Array(2 * size);
      grown.set(this.features);
      this.features = grown;
    }
    const at = this.rows * this.featureCount;
    this.rows += rows;
    this.stepSize = counts.length;
    return at;
  }

  /** Pools the rows of the step just begun. */
  poolStep(counts: Int32Array): void {
    const { featureCount } = this;
    for (let index = 0; index < counts.length; index++) {
      const decision = this.count + index;
      const at = this.starts[decision]! * featureCount;
      poolState(this.features, at, counts[index]!, featureCount, this.states, decision * stateWidth(featureCount));
    }
  }

  stepStates(): Float64Array {
    return this.states.subarray(this.count * stateWidth(this.featureCount));
  }

  choose(index: number, choice: number, logProbability: number): void {
    this.choices[this.count + index] = choice;
    this.logProbabilities[this.count + index] = logProbability;
  }

  /** `bonus`: what an episode that was only cut off would have been worth. */
  endStep(values: Float64Array, rewards: Float64Array, ended: Uint8Array, bonus: Float64Array): void {
    for (let index = 0; index < this.stepSize; index++) {
      this.values[this.count + index] = values[index]!;
      this.rewards[this.count + index] = rewards[index]! + bonus[index]!;
      this.ended[this.count + index] = ended[index]!;
    }
    this.count += this.stepSize;
  }

  explainedVariance(): number {
    const { count, returns, advantages } = this;
    const variance = (values: Float64Array): number => {
      let mean = 0;
      for (let index = 0; index < count; index++) mean += values[index]! / count;
      let squares = 0;
      for (let index = 0; index < count; index++) squares += (values[index]! - mean) ** 2 / count;
      return squares;
    };
    const whole = variance(returns);
    return whole === 0 ? 0 : 1 - variance(advantages) / whole;
  }

  /** All decisions, shuffled and cut; advantages have mean 0 and deviation 1 over the rollout, then are bounded. A minibatch is valid
   *  until the next one. */
  *minibatches(stream: RandomStream, size: number, advantageMax: number): Generator<DecisionBatch> {
    assert(this.count > 0, 'there is something to learn from');
    this.scaled.set(this.advantages);
    standardize(this.scaled.subarray(0, this.count), advantageMax);
    const order = stream.shuffle(Array.from({ length: this.count }, (_, index) => index));
    for (let start = 0; start < order.length; start += size) yield this.gather(order.slice(start, start + size));
  }

  private gather(decisions: readonly number[]): DecisionBatch {
    const { featureCount } = this;
    const width = stateWidth(featureCount);
    let rows = 0;
    for (const decision of decisions) rows += this.counts[decision]!;
    if (this.batchFeatures.length < rows * featureCount) this.batchFeatures = new Float64Array(2 * rows * featureCount);
    if (this.batchStates.length < decisions.length * width)
      this.batchStates = new Float64Array(decisions.length * width);
    const features = this.batchFeatures.subarray(0, rows * featureCount);
    const states = this.batchStates.subarray(0, decisions.length * width);
    let at = 0;
    for (let index = 0; index < decisions.length; index++) {
      const decision = decisions[index]!;
      const from = this.starts[decision]! * featureCount;
      const end = from + this.counts[decision]! * featureCount;
      for (let place = from; place < end; place++) features[at++] = this.features[place]!;
      for (let place = 0; place < width; place++)
        states[index * width + place] = this.states[decision * width + place]!;
    }
    return {
      decisions: decisions.length,
      rows,
      features,
      states,
      counts: pick(this.counts, decisions, Int32Array),
      choices: pick(this.choices, decisions, Int32Array),
      logProbabilities: pick(this.logProbabilities, decisions, Float64Array),
      advantages: pick(this.scaled, decisions, Float64Array),
      returns: pick(this.returns, decisions, Float64Array),
    };
  }
}

function pick<Column extends Float64Array | Int32Array>(
  column: Column,
  decisions: readonly number[],
  create: new (length: number) => Column,
): Column {
  const picked = new create(decisions.length);
  for (let index = 0; index < decisions.length; index++) picked[index] = column[decisions[index]!]!;
  return picked;
}

function standardize(values: Float64Array, bound: number): void {
  let mean = 0;
  for (const value of values) mean += value / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2 / values.length;
  const deviation = Math.sqrt(squares) + 1e-8;
  for (let index = 0; index < values.length; index++)
    values[index] = Math.min(Math.max((values[index]! - mean) / deviation, -bound), bound);
}
