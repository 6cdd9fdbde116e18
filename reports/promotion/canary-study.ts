// How often is a canary wrong? Many rollouts in simulated worlds of agents, each with arrivals, durations and coins of its own:
// a candidate that differs from the incumbent in tie-break seeds alone, which must be neither promoted as better nor rolled back
// as worse; and one whose true mean slowdown is a tenth worse, which must be caught. Nothing is paired but what a live canary
// pairs itself.

import { completePlan, type RolloutPlan } from '../../core/policy/rollout-plan.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import { type AgentsOptions, agentMachines, agentsWorkload } from '../../sim/rollout/agents-workload.ts';
import { runRollout } from '../../sim/rollout/run-rollout.ts';

const second = 1_000_000;

/** A cluster of agents, half of them slower, at a load. */
export interface StudyWorld {
  readonly name: string;
  readonly load: number;
  /** How much longer work takes on the slow half. */
  readonly slowness: number;
  readonly sigma: number;
}

export interface CanaryOutcome {
  readonly verdict: 'promoted' | 'rolledBack' | 'cannotTell';
  readonly why: string;
  readonly tasks: number;
  readonly candidateTasks: number;
  readonly harmTasks: number;
  /** Estimate of the relative change of the mean slowdown. */
  readonly change: number;
}

export const studyTasksMax = 5000;
const machines = 16;
const meanDurationMicros = 60 * second;
const shadowTasks = 200;

/** Takes fast agents first: they registered first. */
export const fastFirst: Profile = {
  ...{ name: 'fast first', order: 'fcfs', place: 'first-fit', unplaced: 'skip', backfill: 'none' },
  ...{ overtakeMax: 0, typicalTasks: [] },
};
/** Takes any agent that is free. */
export const anyAgent = (tieSeed: number): Profile => ({
  ...fastFirst,
  name: `any agent, ties ${tieSeed}`,
  place: 'random',
  tieSeed,
});

export const studyPlan: RolloutPlan = completePlan({
  shadowDecisions: shadowTasks,
  lookMicros: second,
  canary: { tasksMax: studyTasksMax, settleMicros: 1200 * second },
});

export function agentsOf(world: StudyWorld, seed: number, tasks: number): AgentsOptions {
  const half = machines / 2;
  const slowness = Array.from({ length: machines }, (_, index) => (index < half ? 1 : world.slowness));
  const capacity = slowness.reduce((sum, factor) => sum + 1 / factor, 0);
  return {
    ...{ seed, machines, slowness, tasks, meanDurationMicros, sigma: world.sigma },
    meanGapMicros: meanDurationMicros / (capacity * world.load),
  };
}

/** One canary from its proposal to its verdict. */
export function runCanary(world: StudyWorld, incumbent: Profile, candidate: Profile, seed: number): CanaryOutcome {
  const agents = agentsOf(world, seed, shadowTasks + studyTasksMax + 500);
  const run = runRollout({
    ...{ seed, machines: agentMachines(agents), workload: agentsWorkload(agents), profile: incumbent, candidate },
    ...{ plan: studyPlan, proposeAtMicros: 0, witnesses: { simulation: 'pass', replay: 'pass' }, resumes: false },
    stopsWhenOver: true,
  });
  const { stage, canary, events } = run;
  return {
    verdict: stage === 'promoted' || stage === 'rolledBack' ? stage : 'cannotTell',
    why: events.at(-1)?.why ?? '',
    tasks: canary?.tasks ?? 0,
    candidateTasks: canary?.candidateTasks ?? 0,
    harmTasks: canary?.harmTasks ?? 0,
    change: canary?.slowdownChange ?? 0,
  };
}

/** Mean slowdown of a policy that serves alone, over many tasks: the truth, nearly. */
export function trueSlowdown(world: StudyWorld, policy: Profile, seed: number, tasks: number): number {
  const agents = agentsOf(world, seed, tasks);
  return runRollout(
    {
      ...{
        seed,
        machines: agentMachines(agents),
        workload: agentsWorkload(agents),
        profile: policy,
        candidate: policy,
      },
      ...{ plan: studyPlan, proposeAtMicros: Number.MAX_SAFE_INTEGER, witnesses: {}, resumes: false },
    },
    Number.MAX_SAFE_INTEGER / 2,
  ).slowdownMean;
}

/** Relative change of the true mean slowdown from fast agents first to any agent, with its standard error from 16 streams. */
export function trueChange(
  world: StudyWorld,
  seed: number,
  tasks: number,
): { readonly change: number; readonly standardError: number } {
  const streams = 16;
  const changes = Array.from({ length: streams }, (_, stream) => {
    const own = seed + 7919 * stream;
    const each = Math.ceil(tasks / streams);
    return trueSlowdown(world, anyAgent(own), own, each) / trueSlowdown(world, fastFirst, own, each) - 1;
  });
  const mean = changes.reduce((sum, change) => sum + change, 0) / streams;
  const squares = changes.reduce((sum, change) => sum + (change - mean) ** 2, 0);
  return { change: mean, standardError: Math.sqrt(squares / (streams - 1) / streams) };
}

/** The slowness at which {@link trueChange} is `change`, to two digits after the point. */
export function calibrate(world: Omit<StudyWorld, 'slowness'>, change: number, tasks: number): number {
  let low = 1;
  let high = 8;
  for (let step = 0; step < 9; step++) {
    const slowness = (low + high) / 2;
    if (trueChange({ ...world, slowness }, 1, tasks).change < change) low = slowness;
    else high = slowness;
  }
  return Math.round(50 * (low + high)) / 100;
}
