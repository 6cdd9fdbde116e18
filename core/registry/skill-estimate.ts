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
  /** Variance of what is believed of that chance. */
  readonly successVariance: number;
  /** True if the agent itself has had a task of the class. */
  readonly tried: boolean;
}

/** Logarithm of the seconds that a unit costs if nothing fails and the agent is `caution` standard deviations slower than
 *  believed. */
export function cautiousCost(mean: number, variance: number, caution: number): number {
  return mean + caution * Math.sqrt(variance);
}

/** The same if what fails is tried again; never less. */
export function costWithFailures(cost: number, success: number): number {
  return success === 1 ? cost : cost - fixedLog(success);
}

/** An agent at a class that it was never tried at is hoped to be this many times as far above what is believed: how agents
 *  differ there has heavier tails than a normal distribution, and one trial shows it. */
const untriedFactor = 2;

/** Units a second if agent and luck are `optimism` standard deviations better than believed (an upper confidence bound: Auer,
 *  Cesa-Bianchi & Fischer, Machine Learning 47, 2002). Positive and finite. */
export function hopedRate(estimate: SkillEstimate, optimism: number): number {
  const { mean, variance, success, successVariance, tried } = estimate;
  const hopes = tried ? optimism : optimism * untriedFactor;
  const hopedSuccess = Math.min(1, success + hopes * Math.sqrt(successVariance));
  const logarithm = hopes * Math.sqrt(variance) - mean + fixedLog(hopedSuccess);
  return fixedExp(Math.min(600, Math.max(-600, logarithm)));
}
