// What a policy was trusted for: how its inputs and what came of it looked while it was on trial, in the shadow and in the canary, and
// in its training where an artifact tells. Frozen when it is promoted, and small from then on. A window of tasks is strange if it is
// further from this than the plan allows and than any window of the trial was: n windows of the trial make a further one the furthest
// with chance 1/(n + 1) if they are exchangeable, however much neighbours resemble each other inside.

import { countsOf, distributionOf, type InputDistribution, populationStability } from './input-distribution.ts';
import type { DriftPlan } from './rollout-plan.ts';

/** What is looked at of a task when it comes, in this order; the names are those of core/policy/queue-features.ts. */
export const arrivalInputs = ['estimateLog', 'demandShare', 'areaLog'] as const;
/** What is looked at when it has ended: ln(service time/estimate). */
export const serviceInput = 'serviceLog';

/** What is known of a policy that is on trial. */
export interface TrialRecord {
  /** Rows of {@link arrivalInputs}, oldest first. */
  readonly arrivals: readonly (readonly number[])[];
  /** Tasks that ended under the candidate: slowdown, and {@link serviceInput} of those that completed. */
  readonly ends: readonly EndedUnder[];
}

export interface EndedUnder {
  readonly slowdown: number;
  /** Undefined for a task that did not complete, or whose service time nobody knows. */
  readonly serviceLog?: number | undefined;
}

/** How often a window may look strange although nothing changed, and from where on it does. */
interface Bound {
  readonly bound: number;
  readonly rareShare: number;
}

export interface WatchedInput extends Bound {
  readonly input: string;
  /** Where the distribution is from. */
  readonly source: 'training' | 'trial';
  readonly distribution: InputDistribution;
}

export interface DriftReference {
  /** Of {@link arrivalInputs}; without those of which nothing is known. */
  readonly arrivals: readonly WatchedInput[];
  readonly service: WatchedInput | undefined;
  /** Mean slowdown of a window; undefined where nothing was promised. */
  readonly slowdown: (Bound & { readonly promised: number }) | undefined;
}

/** However many windows there were, and however few: a window's own spread alone makes far fewer strange. */
const rareShareLeast = 0.05;
const rareShareMost = 0.2;

/** `training`: distributions of the training, by input. */
export function driftReference(
  { arrivals, ends }: TrialRecord,
  training: ReadonlyMap<string, InputDistribution>,
  plan: DriftPlan,
): DriftReference {
  const services = ends.flatMap(({ serviceLog }) => (serviceLog === undefined ? [] : [serviceLog]));
  return {
    arrivals: arrivalInputs.flatMap((input, index) => {
      const values = arrivals.map((row) => row[index] as number);
      return watchedInput(input, values, training.get(input), plan) ?? [];
    }),
    service: watchedInput(serviceInput, services, undefined, plan),
    slowdown: promisedSlowdown(
      ends.map(({ slowdown }) => slowdown),
      plan,
    ),
  };
}

function watchedInput(
  input: string,
  values: readonly number[],
  training: InputDistribution | undefined,
  { windowTasks, stabilityMax }: DriftPlan,
): WatchedInput | undefined {
  const isKnown = values.length >= windowTasks;
  if (!isKnown && training === undefined) return undefined;
  // What it was trained on stands for what it was tried on only where both agree.
  const stands =
    training !== undefined && (!isKnown || populationStability(training, countsOf(training, values)) <= stabilityMax);
  const distribution = stands ? training : distributionOf(values);
  const seen = windowsOf(values, windowTasks).map((window) =>
    populationStability(distribution, countsOf(distribution, window)),
  );
  const bound = Math.max(stabilityMax, ...seen);
  return { input, source: stands ? 'training' : 'trial', distribution, bound, rareShare: rareShareOf(seen.length) };
}

function promisedSlowdown(
  slowdowns: readonly number[],
  { windowTasks, slowdownRiseMax }: DriftPlan,
): DriftReference['slowdown'] {
  const windows = windowsOf(slowdowns, windowTasks);
  if (windows.length === 0) return undefined;
  const promised = meanOf(slowdowns);
  const bound = Math.max(promised * (1 + slowdownRiseMax), ...windows.map(meanOf));
  return { promised, bound, rareShare: rareShareOf(windows.length) };
}

function windowsOf(values: readonly number[], size: number): number[][] {
  const count = Math.floor(values.length / size);
  return Array.from({ length: count }, (_, index) => values.slice(index * size, (index + 1) * size));
}

function rareShareOf(windows: number): number {
  return windows === 0 ? rareShareLeast : Math.min(rareShareMost, Math.max(rareShareLeast, 1 / (windows + 1)));
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
