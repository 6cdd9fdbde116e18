// A rollout under live load, looked at from outside until it is over: what people at `sira policy list` would have seen.

import { endStages } from '../../core/policy/rollout-plan.ts';
import { pause } from '../demo/fleet.ts';
import type { WorkTask } from '../env/work-model.ts';
import { LoadPlayer, type PlayedTask, type PlayerOptions } from './load-player.ts';
import type { PolicyDesk, RolloutView } from './policy-desk.ts';

/** The canary as it stood at a moment. Changes are relative, of the slowdown, candidate over incumbent. */
export interface CanaryPoint {
  /** Since the watching began. */
  readonly seconds: number;
  readonly stage: string;
  readonly pairs: number;
  readonly tasks: number;
  readonly change: number;
  readonly low: number;
  readonly high: number;
  readonly harmTasks: number;
}

export interface WatchedRollout {
  readonly rollout: RolloutView;
  readonly points: readonly CanaryPoint[];
  readonly played: readonly PlayedTask[];
  readonly seconds: number;
}

const lookMillis = 200;
/** A canary that is over is weighed at once; what is still held then waits for a person. */
const heldLooksMax = 5;

/** Plays the work until the rollout has ended, is held, or its time is up. */
export async function watchRollout(
  desk: PolicyDesk,
  number: number,
  tasks: Iterable<WorkTask>,
  player: PlayerOptions,
  longestSeconds: number,
): Promise<WatchedRollout> {
  const begin = performance.now();
  const seconds = (): number => (performance.now() - begin) / 1000;
  const playing = await LoadPlayer.start(tasks, player);
  const points: CanaryPoint[] = [];
  let rollout = await desk.rollout(number);
  const note = (): void => {
    const { stage, canary } = rollout;
    const before = points.at(-1);
    if (canary === undefined || canary === null || (before?.tasks === canary.tasks && before.pairs === canary.pairs))
      return;
    points.push({
      ...{ seconds: seconds(), stage, pairs: canary.pairs, tasks: canary.tasks, change: canary.slowdownChange },
      ...{ low: canary.slowdownChangeLow, high: canary.slowdownChangeHigh, harmTasks: canary.harmTasks },
    });
  };
  for (let held = 0; held < heldLooksMax && seconds() < longestSeconds; ) {
    await pause(lookMillis);
    rollout = await desk.rollout(number);
    const { stage } = rollout;
    note();
    if (endStages.includes(stage)) break;
    held = stage === 'held' || rollout.awaitsApproval !== undefined ? held + 1 : 0;
  }
  const took = seconds();
  const played = await playing.stop();
  return { rollout: await desk.rollout(number), points, played, seconds: took };
}
