// Proximal policy optimization (Schulman et al., 2017) over variable sets of candidates, with every detail in this file: rollouts
// of several environments, rewards scaled by the deviation of their discounted sum, generalized advantage estimation (Schulman et
// al., ICLR 2016), several epochs over shuffled minibatches, clipped ratios, entropy bonus, bounded gradients, a learning rate that
// falls to zero. The policy is one network over each candidate's features, so that candidates may come in any number; the value
// network sees the candidates pooled. The same seed gives the same weights.

import { type RandomState, RandomStream } from '../../core/base/random.ts';
import type { EndedEpisode, VectorEnvironment } from '../env/vector-environment.ts';
import { Adam, type AdamState } from './adam.ts';
import { poolState, softmaxInPlace, stateWidth } from './decision-batch.ts';
import type { DenseNetwork } from './dense-network.ts';
import type { FeatureScaler } from './feature-scaler.ts';
import type { LossParts, LossWeights, PolicyGradient } from './policy-gradient.ts';
import { Rollout } from './rollout.ts';

export interface PpoSettings {
  /** Steps of each environment in one rollout. */
  readonly steps: number;
  readonly epochs: number;
  /** Decisions of one gradient. */
  readonly minibatch: number;
  readonly learningRate: number;
  readonly discount: number;
  /** GAE's λ. */
  readonly lambda: number;
  readonly weights: LossWeights;
  readonly gradientNormMax: number;
  /** Scaled rewards are bounded to ± this. */
  readonly rewardMax: number;
  /** Advantages, once of deviation 1, are bounded to ± this: waiting costs have heavy tails. */
  readonly advantageMax: number;
  /** No further epochs once the policy has moved so far from the one that chose. */
  readonly divergenceMax: number;
  readonly hidden: readonly number[];
  readonly valueHidden: readonly number[];
}

export interface IterationReport extends LossParts {
  readonly steps: number;
  readonly episodes: readonly EndedEpisode[];
  /** 1 − Var(return − value)/Var(return). */
  readonly explainedVariance: number;
}

/** All that training goes on from, as JSON carries it. */
export interface PpoState {
  readonly policy: readonly number[];
  readonly value: readonly number[];
  readonly policyAdam: AdamState;
  readonly valueAdam: AdamState;
  readonly stream: RandomState;
  readonly episodes: RandomState;
  readonly scaler: object;
  readonly spread: { readonly count: number; readonly mean: number; readonly squares: number };
}

export class Ppo {
  readonly vector: VectorEnvironment;
  readonly settings: PpoSettings;
  readonly policy: DenseNetwork;
  readonly value: DenseNetwork;
  readonly scaler: FeatureScaler;
  private readonly gradient: PolicyGradient;
  private readonly stream: RandomStream;
  private readonly policyAdam: Adam;
  private readonly valueAdam: Adam;
  private readonly policySlope: Float64Array;
  private readonly valueSlope: Float64Array;
  private readonly rollout: Rollout;
  /** Of each environment, discounted sum of raw rewards. */
  private readonly discounted: Float64Array;
  /** Of those sums: count, mean, sum of squared differences from the mean. */
  private readonly spread = { count: 0, mean: 0, squares: 0 };

  constructor(
    vector: VectorEnvironment,
    settings: PpoSettings,
    scaler: FeatureScaler,
    gradient: PolicyGradient,
    seed: number,
  ) {
    this.vector = vector;
    this.settings = settings;
    this.scaler = scaler;
    this.gradient = gradient;
    this.stream = new RandomStream(seed, 'ppo');
    const features = scaler.names.length;
    const initial = new RandomStream(seed, 'ppo weights');
    this.policy = gradient.createNetwork([features, ...settings.hidden, 1], initial, 0.1);
    this.value = gradient.createNetwork([stateWidth(features), ...settings.valueHidden, 1], initial);
    this.policyAdam = new Adam(this.policy.parameters.length);
    this.valueAdam = new Adam(this.value.parameters.length);
    this.policySlope = new Float64Array(this.policy.parameters.length);
    this.valueSlope = new Float64Array(this.value.parameters.length);
    this.rollout = new Rollout(settings.steps * vector.environments.length, features);
    this.discounted = new Float64Array(vector.environments.length);
  }

  /** One rollout and the updates from it. `share` of the training is done, 0 to 1. */
  iterate(share: number): IterationReport {
    const { rollout, settings } = this;
    const episodes = this.collect();
    const explainedVariance = this.estimateAdvantages();
    const learningRate = settings.learningRate * (1 - share);
    const sums = { policy: 0, value: 0, entropy: 0, divergence: 0, clipped: 0 };
    let batches = 0;
    for (let epoch = 0; epoch < settings.epochs; epoch++) {
      let divergence = 0;
      let batchesOfEpoch = 0;
      for (const batch of rollout.minibatches(this.stream, settings.minibatch, settings.advantageMax)) {
        this.policySlope.fill(0);
        this.valueSlope.fill(0);
        const { policySlope, valueSlope } = this;
        const parts = this.gradient.ppo(batch, this.policy, this.value, settings.weights, policySlope, valueSlope);
        this.policyAdam.step(this.policy.parameters, policySlope, learningRate, settings.gradientNormMax);
        this.valueAdam.step(this.value.parameters, valueSlope, learningRate, settings.gradientNormMax);
        for (const name of ['policy', 'value', 'entropy', 'divergence', 'clipped'] as const) sums[name] += parts[name];
        divergence += parts.divergence;
        batchesOfEpoch++;
      }
      batches += batchesOfEpoch;
      if (divergence / batchesOfEpoch > settings.divergenceMax) break;
    }
    return {
      steps: rollout.count,
      episodes,
      explainedVariance,
      policy: sums.policy / batches,
      value: sums.value / batches,
      entropy: sums.entropy / batches,
      divergence: sums.divergence / batches,
      clipped: sums.clipped / batches,
    };
  }

  /** Plays a heuristic for one rollout to see how features are distributed: to be called once, before anything is learned. */
  measureFeatures(teacher: string): void {
    this.resetEnvironments();
    this.collect(teacher);
    this.scaler.freeze();
    this.resetEnvironments();
  }

  /** Plays a heuristic for one rollout and moves the policy towards its choices. */
  imitate(teacher: string): number {
    const { rollout, settings } = this;
    this.collect(teacher);
    let loss = 0;
    let batches = 0;
    for (let epoch = 0; epoch < settings.epochs; epoch++) {
      for (const batch of rollout.minibatches(this.stream, settings.minibatch, settings.advantageMax)) {
        this.policySlope.fill(0);
        loss += this.gradient.imitation(batch, this.policy, this.policySlope);
        batches++;
        this.policyAdam.step(this.policy.parameters, this.policySlope, 1e-3, settings.gradientNormMax);
      }
    }
    return loss / batches;
  }

  /** Begins all episodes anew: what a resumed training does, and an uninterrupted one at the same places. */
  resetEnvironments(): void {
    this.vector.reset();
    this.discounted.fill(0);
  }

  save(): PpoState {
    return {
      policy: [...this.policy.parameters],
      value: [...this.value.parameters],
      policyAdam: this.policyAdam.save(),
      valueAdam: this.valueAdam.save(),
      stream: this.stream.save(),
      episodes: this.vector.save(),
      scaler: this.scaler.save(),
      spread: { ...this.spread },
    };
  }

  /** Takes back what `save` gave; the environments begin anew. */
  restore(state: PpoState): void {
    this.policy.parameters.set(state.policy);
    this.value.parameters.set(state.value);
    this.policyAdam.restore(state.policyAdam);
    this.valueAdam.restore(state.valueAdam);
    this.stream.restore(state.stream);
    this.vector.restore(state.episodes);
    this.scaler.restore(state.scaler);
    Object.assign(this.spread, state.spread);
    this.resetEnvironments();
  }

  /** Fills the rollout with sampled choices, or with a teacher's. */
  private collect(teacher?: string): EndedEpisode[] {
    const { vector, rollout, scaler, settings } = this;
    const environmentCount = vector.environments.length;
    const episodes: EndedEpisode[] = [];
    const choices = new Int32Array(environmentCount);
    rollout.clear();
    for (let step = 0; step < settings.steps; step++) {
      const at = rollout.beginStep(vector.counts);
      const rows = vector.observe(rollout.features, at);
      const width = scaler.names.length;
      scaler.add(rollout.features.subarray(at, at + rows * width), rows);
      const raw = rollout.features.slice(at, at + rows * width);
      scaler.apply(rollout.features, at, rows);
      rollout.poolStep(vector.counts);
      const scores = this.policy.forward(rollout.features.subarray(at, at + rows * width), rows);
      let row = 0;
      for (let index = 0; index < environmentCount; index++) {
        const count = vector.counts[index]!;
        softmaxInPlace(scores, row, count);
        const choice =
          teacher === undefined
            ? draw(scores, row, count, this.stream.nextFloat())
            : vector.environments[index]!.choiceOf(teacher);
        choices[index] = choice;
        scaler.addChosen(raw.subarray((row + choice) * width, (row + choice + 1) * width));
        rollout.choose(index, choice, Math.log(scores[row + choice]!));
        row += count;
      }
      const values = this.value.forward(rollout.stepStates(), environmentCount).slice(0, environmentCount);
      const bonus = new Float64Array(environmentCount);
      vector.step(
        choices,
        (episode) => episodes.push(episode),
        (index, environment) => {
          bonus[index] = settings.discount * this.valueOf(environment);
        },
      );
      this.scaleRewards(teacher === undefined);
      rollout.endStep(values, vector.rewards, vector.ended, bonus);
    }
    return episodes;
  }

  /** Divides rewards by the deviation of their discounted sums so far. */
  private scaleRewards(counted: boolean): void {
    const { vector, discounted, spread, settings } = this;
    for (let index = 0; index < discounted.length; index++) {
      const reward = vector.rewards[index]!;
      if (counted) {
        const sum = settings.discount * discounted[index]! + reward;
        discounted[index] = vector.ended[index] === 1 ? 0 : sum;
        spread.count++;
        const difference = sum - spread.mean;
        spread.mean += difference / spread.count;
        spread.squares += difference * (sum - spread.mean);
      }
      const deviation = spread.count > 1 ? Math.sqrt(spread.squares / spread.count) + 1e-8 : 1;
      vector.rewards[index] = Math.min(Math.max(reward / deviation, -settings.rewardMax), settings.rewardMax);
    }
  }

  private valueOf(environment: VectorEnvironment['environments'][number]): number {
    const width = this.scaler.names.length;
    const rows = new Float64Array(environment.candidateCount * width);
    environment.observe(rows, 0);
    this.scaler.apply(rows, 0, environment.candidateCount);
    const state = new Float64Array(stateWidth(width));
    poolState(rows, 0, environment.candidateCount, width, state, 0);
    return this.value.forward(state, 1)[0]!;
  }

  /** GAE backwards through each environment's steps. */
  private estimateAdvantages(): number {
    const { vector, rollout, settings } = this;
    const { discount, lambda } = settings;
    const environmentCount = vector.environments.length;
    for (let index = 0; index < environmentCount; index++) {
      let nextValue = this.valueOf(vector.environments[index]!);
      let advantage = 0;
      for (let step = settings.steps - 1; step >= 0; step--) {
        const at = step * environmentCount + index;
        const goesOn = rollout.ended[at] === 1 ? 0 : 1;
        const error = rollout.rewards[at]! + discount * goesOn * nextValue - rollout.values[at]!;
        advantage = error + discount * lambda * goesOn * advantage;
        rollout.advantages[at] = advantage;
        rollout.returns[at] = advantage + rollout.values[at]!;
        nextValue = rollout.values[at]!;
      }
    }
    return rollout.explainedVariance();
  }
}

/** The candidate in whose share of [0, 1) `uniform` lies. */
function draw(probabilities: Float64Array, at: number, count: number, uniform: number): number {
  let sum = 0;
  for (let candidate = 0; candidate < count - 1; candidate++) {
    sum += probabilities[at + candidate]!;
    if (uniform < sum) return candidate;
  }
  return count - 1;
}
