// Plays an exported policy through episodes as the kernel would run it: the artifact's float32 weights, the largest score, the
// first of equals. What a policy is worth is measured on this, never on the sampled choices of training.

import { CandidateNetwork } from '../../core/policy/candidate-network.ts';
import type { PolicyArtifact } from '../../core/policy/policy-artifact.ts';
import type { Environment } from '../env/environment.ts';

export type Chooser = (environment: Environment) => number;

/** The policy's choice in the environment's present state. */
export function chooserOf({ layers, manifest }: Pick<PolicyArtifact, 'layers' | 'manifest'>): Chooser {
  const network = new CandidateNetwork(layers, manifest.features);
  let rows = new Float64Array(64 * network.featureCount);
  let scores = new Float64Array(64);
  return (environment) => {
    const count = environment.candidateCount;
    if (count > scores.length) {
      rows = new Float64Array(2 * count * network.featureCount);
      scores = new Float64Array(2 * count);
    }
    environment.observe(rows, 0);
    network.score(rows, count, scores);
    let best = 0;
    for (let candidate = 1; candidate < count; candidate++) if (scores[candidate]! > scores[best]!) best = candidate;
    return best;
  };
}

/** The metrics of each episode that one of `begin` starts. */
export function playEpisodes(
  environment: Environment,
  choose: Chooser,
  begin: readonly ((environment: Environment) => void)[],
): Readonly<Record<string, number>>[] {
  return begin.map((start) => {
    start(environment);
    while (!environment.done) environment.step(choose(environment));
    return environment.metrics();
  });
}

/** Mean of the first metric, weighted by another one if that is named. */
export function meanOfFirst(episodes: readonly Readonly<Record<string, number>>[], weight?: string): number {
  let sum = 0;
  let weights = 0;
  for (const metrics of episodes) {
    const share = weight === undefined ? 1 : metrics[weight]!;
    sum += share * Object.values(metrics)[0]!;
    weights += share;
  }
  return sum / weights;
}
