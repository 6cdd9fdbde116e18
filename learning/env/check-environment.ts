// Whether an environment keeps its word, to be asked before anything is trained in it (after stable-baselines3's `check_env`): the same
// seed and choices give the same episode, whatever was played before; observations are finite, complete and only written where they
// belong; candidates are counted right; episodes end.

import { RandomStream } from '../../core/base/random.ts';
import type { Environment } from './environment.ts';

export interface EnvironmentCheck {
  readonly episodes: number;
  /** An episode longer than this counts as endless. */
  readonly stepsMax: number;
}

/** What is wrong, in words; empty if nothing was found. Two environments of the same kind, which must share no state. */
export function checkEnvironment(
  first: Environment,
  second: Environment,
  { episodes, stepsMax }: EnvironmentCheck,
): string[] {
  const problems = new Set<string>();
  const width = first.featureNames.length;
  if (new Set(first.featureNames).size !== width) problems.add('two features have the same name');
  // The other environment has been somewhere else before.
  second.reset(episodes + 1);
  for (let step = 0; step < 3 && !second.done; step++) second.step(0);
  for (let seed = 0; seed < episodes; seed++) {
    first.reset(seed);
    second.reset(seed);
    const random = new RandomStream(seed, 'environment check');
    let steps = 0;
    for (; !first.done && steps < stepsMax; steps++) {
      const count = first.candidateCount;
      if (count < 1 || count > first.candidatesMax || !Number.isInteger(count))
        problems.add(`${count} candidates, of 1 to ${first.candidatesMax}`);
      const rows = observed(first, width, problems);
      const others = observed(second, width, problems);
      if (!sameNumbers(rows, others)) problems.add('the same seed and choices gave two observations');
      if (!sameNumbers(rows, observed(first, width, problems))) problems.add('looking changes what is seen');
      const choice = random.nextBelow(count);
      const reward = first.step(choice);
      if (!Number.isFinite(reward)) problems.add(`a reward of ${reward}`);
      if (second.step(choice) !== reward) problems.add('the same seed and choices gave two rewards');
      if (second.done !== first.done) problems.add('the same seed and choices ended in one environment alone');
    }
    if (!first.done) problems.add(`an episode of more than ${stepsMax} steps`);
    else if (first.truncated && first.candidateCount < 1) problems.add('nothing to see where time was up');
    const metrics = Object.entries(first.metrics());
    if (metrics.length === 0) problems.add('an episode amounts to nothing');
    for (const [name, value] of metrics) if (!Number.isFinite(value)) problems.add(`${name} is ${value}`);
  }
  for (const teacher of first.teachers) {
    first.reset(0);
    for (let steps = 0; !first.done && steps < stepsMax; steps++) {
      const choice = first.choiceOf(teacher);
      if (!(choice >= 0 && choice < first.candidateCount)) {
        problems.add(`${teacher} chooses ${choice} of ${first.candidateCount}`);
        break;
      }
      first.step(choice);
    }
  }
  return [...problems];
}

function observed(environment: Environment, width: number, problems: Set<string>): Float64Array {
  const margin = 3;
  const rows = environment.candidateCount * width;
  const out = new Float64Array(rows + 2 * margin).fill(Number.NaN);
  environment.observe(out, margin);
  for (let place = 0; place < out.length; place++) {
    const isInside = place >= margin && place < margin + rows;
    if (isInside && !Number.isFinite(out[place]!)) problems.add('an observation is not finite');
    if (!isInside && !Number.isNaN(out[place]!)) problems.add('an observation is written beyond its rows');
  }
  return out.subarray(margin, margin + rows);
}

function sameNumbers(left: Float64Array, right: Float64Array): boolean {
  return left.length === right.length && left.every((value, index) => Object.is(value, right[index]));
}
