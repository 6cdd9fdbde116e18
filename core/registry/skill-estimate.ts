// What is believed of an agent at a class of task, and the two numbers that follow from it: what its work will cost, by which
// discovery ranks, and what may be hoped for, by which a placement chooses.

import { fixedExp, fixedLog } from '../base/fixed-math.ts';

export interface SkillEstimate {
  /** Logarithm of seconds a unit of work. */
  readonly mean: number;
  /** Variance of that mean: what is not known of it, not the noise of one task. */
  readonly variance: number;
  /** Chance that a task of the class completes, above 0, at most 1. */
  readonly success: number;
}

/** Logarithm of the seconds that a unit costs if what fails is tried again. */
export function expectedCost({ mean, success }: SkillEstimate): number {
  return mean - fixedLog(success);
}

/** Units a second if the agent is `optimism` standard deviations better than believed (an upper confidence bound: Auer,
 *  Cesa-Bianchi & Fischer, Machine Learning 47, 2002). Positive and finite. */
export function hopedRate(estimate: SkillEstimate, optimism: number): number {
  const logarithm = optimism * Math.sqrt(estimate.variance) - expectedCost(estimate);
  return fixedExp(Math.min(600, Math.max(-600, logarithm)));
}
