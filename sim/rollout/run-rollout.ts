// One rollout in a simulated world, from the proposal to its end: what came of it, which harm it did, and for how long each
// policy served. The kernel is the one that runs live.

import type { TaskEnded } from '../../core/kernel/effects.ts';
import type { CanaryLook } from '../../core/policy/canary.ts';
import type { RolloutEvent } from '../../core/policy/rollout.ts';
import type { RolloutStage } from '../../core/policy/rollout-plan.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import type { WorldObserver } from '../world/observer.ts';
import { soundNetwork } from '../world/sound-network.ts';
import { World, type WorldOptions } from '../world/world.ts';
import { type OperatorOptions, RolloutOperator } from './rollout-operator.ts';

export interface RolloutRunOptions extends Partial<WorldOptions>, OperatorOptions {
  readonly seed: number;
  readonly machines: WorldOptions['machines'];
  readonly workload: WorldOptions['workload'];
  readonly profile: WorldOptions['profile'];
  /** Ends the run with the rollout; a rollout that is held counts as over. */
  readonly stopsWhenOver?: boolean | undefined;
  /** Told of the world before it runs. */
  readonly onWorld?: ((world: World) => void) | undefined;
}

export interface RolloutRun {
  readonly stage: RolloutStage | 'none';
  readonly events: readonly RolloutEvent[];
  readonly canary: CanaryLook | undefined;
  /** Mean slowdown, over all tasks that completed: response time over the estimate. */
  readonly slowdownMean: number;
  readonly completed: number;
  readonly digest: string;
  readonly world: World;
}

/** Runs until every task has ended, or until `limitMicros`. */
export function runRollout(options: RolloutRunOptions, limitMicros = 86_400_000_000): RolloutRun {
  const operator = new RolloutOperator(options);
  const meter = new SlowdownMeter(options.plan.canary.slowdownFloorMicros);
  const world = new World({
    network: soundNetwork(200),
    heartbeat: { intervalMicros: 10_000_000, leaseMicros: 40_000_000 },
    limits: { eventsPerInstantMax: 1_000_000, causalDepthMax: 10_000, queueLengthMax: 1_000_000 },
    faults: [],
    ...options,
    observers: [operator, meter, ...(options.observers ?? [])],
  });
  operator.attach(world);
  options.onWorld?.(world);
  world.runUntilDone(limitMicros);
  return {
    stage: operator.stage,
    events: operator.events,
    canary: operator.canary,
    slowdownMean: meter.sum / Math.max(1, meter.count),
    completed: meter.count,
    digest: world.host.kernel.digest,
    world,
  };
}

class SlowdownMeter implements WorldObserver {
  sum = 0;
  count = 0;
  private readonly floorMicros: number;
  private readonly open = new Map<number, { readonly arrivedMicros: number; readonly estimateMicros: number }>();

  constructor(floorMicros: number) {
    this.floorMicros = floorMicros;
  }

  taskArrived(submission: number, { estimateMicros }: WorkloadTask, nowMicros: number): void {
    this.open.set(submission, { arrivedMicros: nowMicros, estimateMicros });
  }

  taskEnded({ submission, outcome }: TaskEnded, nowMicros: number): void {
    const task = this.open.get(submission);
    this.open.delete(submission);
    if (task === undefined || outcome !== 'completed') return;
    this.sum += (nowMicros - task.arrivedMicros) / Math.max(task.estimateMicros, this.floorMicros);
    this.count++;
  }
}
