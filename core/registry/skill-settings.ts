// What the table of measured skills can be told, and what it starts from before it has measured how much agents differ.

import { microsPerDay } from '../base/time.ts';

export interface SkillSettings {
  /** An outcome counts half after this long. */
  readonly halfLifeMicros: number;
  /** Classes of tasks that are told apart; outcomes of further ones teach nothing. */
  readonly classCountMax: number;
  /** Standard deviations by which a placement prefers what it knows less of; 0 tries nothing for the sake of knowing it. */
  readonly optimism: number;
}

export const defaultSkillSettings: SkillSettings = {
  halfLifeMicros: 7 * microsPerDay,
  classCountMax: 64,
  optimism: 1,
};

/** A variance of logarithms as it is believed before anything was measured, as if from so many measurements, and its bounds. */
export interface VariancePrior {
  readonly variance: number;
  readonly weight: number;
  readonly min: number;
  readonly max: number;
}

/** Of two runs of one kind of task on one agent: 10%. */
export const noisePrior: VariancePrior = { variance: 0.01, weight: 4, min: 1e-6, max: 1 };
/** Of agents of one group, over all classes: a third. */
export const agentPrior: VariancePrior = { variance: 0.1, weight: 4, min: 1e-4, max: 4 };
/** Of one agent from class to class, beyond that. */
export const pairPrior: VariancePrior = { variance: 0.05, weight: 4, min: 1e-4, max: 4 };
/** Of a group at one class against what its agents declare, and where they declare nothing, against the first outcome. */
export const declaredGroupVariance = 0.25;
export const undeclaredGroupVariance = 4;
/** Groups of agents, at most: accelerator models, times declared or not. */
export const groupModelMax = 32;
