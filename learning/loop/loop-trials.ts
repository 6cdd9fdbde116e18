// What must not pass, tried on the live cluster: a policy that is bad on purpose, sent to the gates and then past them by force; and
// work that is no longer what the promoted policy was trusted for.

import { countsOf, distributionOf, populationStability } from '../../core/policy/input-distribution.ts';
import { readPolicyArtifact, writePolicyArtifact } from '../../core/policy/policy-artifact.ts';
import type { RolloutEvent } from '../../core/policy/rollout.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import { pause } from '../demo/fleet.ts';
import { drawWork } from '../env/work-model.ts';
import type { GateReport } from '../promote/simulation-gate.ts';
import type { LiveCluster } from './live-cluster.ts';
import { loopRun } from './live-cluster.ts';
import { LoadPlayer, type PlayerOptions } from './load-player.ts';
import type { DriftResult, ForcedResult } from './loop-results.ts';
import { type LoopRows, readDecisions, readLoopRows } from './loop-rows.ts';
import { driftedWork, plantedWork } from './loop-sizes.ts';
import type { PolicyDesk, Proposal } from './policy-desk.ts';
import { watchRollout } from './watch-rollout.ts';

/** The live cluster as the trials need it. */
export interface TrialStage {
  readonly desk: PolicyDesk;
  readonly cluster: LiveCluster;
  readonly seed: number;
  plan(changes?: Proposal['plan']): Proposal['plan'];
  player(name: string): PlayerOptions;
  gate(policy: Partial<Profile>, name: string): Promise<GateReport>;
}

export const reversedName = 'loop-order-reversed';
const forcedSecondsMax = 120;
const driftSecondsMax = 120;
const lookMillis = 100;
/** The guard of a forced canary: the mean slowdown of so few tasks, against this multiple of what the promoted policy gives. */
const guardWindowTasks = 20;
const guardRise = 4;
const harmTasksMax = 150;

/** The same network with its scores turned round: what it liked best comes last. */
export function reversed(weights: Uint8Array): Partial<Profile> {
  const { layers, manifest } = readPolicyArtifact(weights);
  const last = layers.at(-1) as (typeof layers)[number];
  const turned = { ...last, kernel: last.kernel.map((weight) => -weight), bias: last.bias.map((weight) => -weight) };
  const bytes = writePolicyArtifact({
    manifest: { ...manifest, name: reversedName },
    layers: [...layers.slice(0, -1), turned],
  });
  return { order: 'learned', artifact: Buffer.from(bytes).toString('base64') };
}

/** Proposed like any other: what becomes of it at the gate. */
export async function tryAtGate(
  stage: TrialStage,
  policy: Partial<Profile>,
): Promise<{ readonly gate: GateReport; readonly stage: string }> {
  const { desk } = stage;
  const proposal = { name: reversedName, policy, artifact: '', plan: stage.plan() };
  const number = await desk.propose(proposal, 'deliberately bad');
  const report = await stage.gate(policy, reversedName);
  await desk.witness(number, 'simulation', report.verdict, report.reasons.join('; '));
  const { stage: reached } = await desk.rollout(number);
  if (reached !== 'rejected') await desk.say('reject', number, 'it is bad on purpose');
  return { gate: report, stage: reached };
}

/** A person lets it pass the gates: it gets live tasks, until the guard that watches the canary ends it. */
export async function forceThrough(
  trial: TrialStage,
  policy: Partial<Profile>,
  promisedSlowdown: number,
): Promise<ForcedResult> {
  const { desk, seed } = trial;
  const atMost = guardRise * promisedSlowdown;
  const guarded = trial.plan({
    shadowDecisions: 0,
    guards: [{ metric: 'slowdown', atMost, windowTasks: guardWindowTasks }],
    canary: { blockTasks: 60, washoutTasks: 0, harmTasksMax },
  });
  const number = await desk.propose({ name: reversedName, policy, artifact: '', plan: guarded }, 'somebody insists');
  for (let { stage } = await desk.rollout(number); stage === 'simulation' || stage === 'replay'; ) {
    await desk.say('approve', number, 'past the gates, by force');
    ({ stage } = await desk.rollout(number));
  }
  const work = drawWork(plantedWork, { seed: seed + 2 });
  const { rollout, points, played, seconds } = await watchRollout(
    desk,
    number,
    work,
    trial.player('forced'),
    forcedSecondsMax,
  );
  const { stage, testimonies, candidate, canary } = rollout;
  const evidence = testimonies.find(({ witness }) => witness === 'canary')?.evidence ?? 'nothing was breached';
  return {
    ...{ rollout: number, version: candidate.version, stage, points, evidence, seconds, tasks: played.length },
    ...{ candidateTasks: canary?.candidateTasks ?? 0, harmTasks: canary?.harmTasks ?? 0 },
    guard: `mean slowdown of ${guardWindowTasks} tasks at most ${atMost.toFixed(1)}`,
  };
}

/** Other work comes: until the promoted policy is rolled back, or for so long. */
export async function letDrift(trial: TrialStage, promoted: number): Promise<DriftResult> {
  const { desk, seed } = trial;
  const beganMicros = Date.now() * 1000;
  const end = performance.now() + 1000 * driftSecondsMax;
  const playing = await LoadPlayer.start(drawWork(driftedWork, { seed: seed + 3 }), trial.player('drifted'));
  let rollout = await desk.rollout(promoted);
  while (rollout.stage === 'promoted' && performance.now() < end) {
    await pause(lookMillis);
    rollout = await desk.rollout(promoted);
  }
  const played = await playing.stop();
  const { serves } = await desk.read();
  const evidence = rollout.testimonies.find(({ witness }) => witness === 'watch')?.evidence ?? 'nothing was noticed';
  const event = (await desk.history()).findLast((each) => each.rollout === promoted && each.to === 'rolledBack');
  return {
    ...{ stage: rollout.stage, evidence, beganMicros, tasks: played.length, serves: serves.name },
    servesVersion: serves.version,
    noticedSeconds: event === undefined ? undefined : (event.atMicros - beganMicros) / 1e6,
  };
}

export interface RowsOfTrials {
  /** From the last task that ended under a rolled-back policy to the first decision of the policy before; undefined if there is none. */
  readonly rollbackSeconds: number | undefined;
  /** Decisions of the rolled-back policy after its rollback. */
  readonly lateDecisions: number;
}

/** How fast a rollback was, by the rows of telemetry. */
export async function rowsOfRollback(
  store: Parameters<Parameters<LiveCluster['withRows']>[0]>[0],
  event: RolloutEvent,
  badVersion: number,
): Promise<RowsOfTrials> {
  const around = { run: loopRun, fromMicros: event.atMicros - 10_000_000, toMicros: event.atMicros + 30_000_000 };
  const decisions = await readDecisions(store, around);
  const { tasks } = await readLoopRows(store, around);
  const breach = tasks.findLast(({ endedMicros }) => endedMicros <= event.atMicros)?.endedMicros;
  const next = decisions.find(({ atMicros, version }) => atMicros >= event.atMicros && version !== badVersion);
  return {
    rollbackSeconds: breach === undefined || next === undefined ? undefined : (next.atMicros - breach) / 1e6,
    lateDecisions: decisions.filter(({ atMicros, version }) => atMicros > event.atMicros && version === badVersion)
      .length,
  };
}

/** Population stability index of service times in rows that came later, against those that were learned from. */
export function serviceShift(before: LoopRows, after: LoopRows): number {
  const logs = ({ tasks }: LoopRows): number[] =>
    tasks.flatMap(({ outcome, serviceSeconds }) =>
      outcome === 'completed' && serviceSeconds > 0 ? [Math.log(serviceSeconds)] : [],
    );
  const reference = distributionOf(logs(before));
  return populationStability(reference, countsOf(reference, logs(after)));
}
