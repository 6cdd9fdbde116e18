// Decisions as columns, each with the rows of its candidates: what rollouts collect and what gradients are computed from.

/** Some decisions and what training wants of them. */
export interface DecisionBatch {
  readonly decisions: number;
  /** Rows of all candidates, decision after decision: Σ counts. */
  readonly rows: number;
  /** Standardized, row-major [rows, features]. */
  readonly features: Float64Array;
  /** What the value network sees: row-major [decisions, state width]. */
  readonly states: Float64Array;
  readonly counts: Int32Array;
  readonly choices: Int32Array;
  /** ln of the probability with which the choice was taken. */
  readonly logProbabilities: Float64Array;
  readonly advantages: Float64Array;
  readonly returns: Float64Array;
}

/** Width of the value network's input: mean and maximum of each feature over the candidates, and ln(candidates). */
export function stateWidth(featureCount: number): number {
  return 2 * featureCount + 1;
}

/** Pools the `count` rows at `at` into one row of `states`. */
export function poolState(
  features: Float64Array,
  at: number,
  count: number,
  featureCount: number,
  states: Float64Array,
  stateAt: number,
): void {
  for (let feature = 0; feature < featureCount; feature++) {
    let sum = 0;
    let largest = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < count; row++) {
      const value = features[at + row * featureCount + feature]!;
      sum += value;
      if (value > largest) largest = value;
    }
    states[stateAt + feature] = sum / count;
    states[stateAt + featureCount + feature] = largest;
  }
  states[stateAt + 2 * featureCount] = Math.log(count);
}

/** Replaces the `count` scores at `at` by probabilities (softmax); returns ln of their sum's exponentials. */
export function softmaxInPlace(scores: Float64Array, at: number, count: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let index = at; index < at + count; index++) if (scores[index]! > largest) largest = scores[index]!;
  let sum = 0;
  for (let index = at; index < at + count; index++) {
    const weight = Math.exp(scores[index]! - largest);
    scores[index] = weight;
    sum += weight;
  }
  for (let index = at; index < at + count; index++) scores[index]! /= sum;
  return largest + Math.log(sum);
}
