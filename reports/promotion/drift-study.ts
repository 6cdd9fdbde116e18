// How often does the watch over a promoted policy raise a false alarm, and how soon does it notice what did change? Rollouts in simulated
// worlds of agents: the better policy is promoted after its canary, then serves alone for many tasks, of which nothing changes, or
// everything from some moment on.

import type { RolloutEvent } from '../../core/policy/rollout.ts';
import { agentMachines, agentsWorkload } from '../../sim/rollout/agents-workload.ts';
import { driftingWorkload, type WorkloadDrift } from '../../sim/rollout/drifting-workload.ts';
import { runRollout } from '../../sim/rollout/run-rollout.ts';
import { agentsOf, anyAgent, fastFirst, type StudyWorld, studyPlan } from './canary-study.ts';

/** Tasks of a run; what changes does so in the middle, when nearly every canary is over. */
export const driftStudyTasks = 12_000;

export interface DriftOutcome {
  readonly promoted: boolean;
  /** Tasks that came under the promoted policy before anything changed. */
  readonly calmTasks: number;
  /** Without any change, or before it. */
  readonly falseAlarm: boolean;
  /** Tasks from the change to the rollback; null if it was never noticed, or nothing changed. */
  readonly noticedTasks: number | null;
  readonly why: string;
}

export function runDrift(
  world: StudyWorld,
  drift: Omit<WorkloadDrift, 'atMicros'> | undefined,
  seed: number,
): DriftOutcome {
  const agents = agentsOf(world, seed, driftStudyTasks);
  const { meanGapMicros } = agents;
  const atMicros = (meanGapMicros * driftStudyTasks) / 2;
  const plain = agentsWorkload(agents);
  const run = runRollout(
    {
      ...{ seed, machines: agentMachines(agents), profile: anyAgent(seed), candidate: fastFirst, plan: studyPlan },
      workload: drift === undefined ? plain : driftingWorkload(plain, { atMicros, ...drift }),
      ...{ proposeAtMicros: 0, witnesses: { simulation: 'pass', replay: 'pass' }, resumes: false },
    },
    Number.MAX_SAFE_INTEGER / 2,
  );
  const promoted = run.events.find(({ to, from }) => to === 'promoted' && from !== 'promoted');
  const alarm = run.events.find(({ who }) => who === 'drift watch');
  const endMicros = drift === undefined ? 2 * atMicros : atMicros;
  const isFalse = alarm !== undefined && alarm.atMicros < endMicros;
  const tasksBetween = (from: number, to: number): number => Math.max(0, Math.round((to - from) / meanGapMicros));
  const noticed = drift !== undefined && alarm !== undefined && !isFalse;
  return {
    promoted: promoted !== undefined && promoted.atMicros < atMicros,
    calmTasks: calmTasksOf(promoted, alarm, endMicros, tasksBetween),
    falseAlarm: isFalse,
    noticedTasks: noticed ? tasksBetween(atMicros, (alarm as RolloutEvent).atMicros) : null,
    why: alarm?.why ?? '',
  };
}

function calmTasksOf(
  promoted: RolloutEvent | undefined,
  alarm: RolloutEvent | undefined,
  endMicros: number,
  tasksBetween: (from: number, to: number) => number,
): number {
  if (promoted === undefined) return 0;
  return tasksBetween(promoted.atMicros, Math.min(endMicros, alarm?.atMicros ?? Number.POSITIVE_INFINITY));
}
