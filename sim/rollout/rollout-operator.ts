// The person and the pipeline behind a rollout, in a simulated world: proposes a candidate at its time, reports what the gates
// found, goes on after interruptions if it was told to, and notes every step. It looks at the kernel once a simulated second,
// because a kernel that is down answers nobody: what was lost is said again.

import type { Effect } from '../../core/kernel/effects.ts';
import type { CanaryLook } from '../../core/policy/canary.ts';
import type { RolloutEvent, WitnessVerdict } from '../../core/policy/rollout.ts';
import type { RolloutPlan, RolloutStage } from '../../core/policy/rollout-plan.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import { eventPriority } from '../engine/priority.ts';
import type { WorldObserver } from '../world/observer.ts';
import type { World } from '../world/world.ts';

export interface OperatorOptions {
  readonly candidate: Profile;
  readonly plan: RolloutPlan;
  readonly proposeAtMicros: number;
  /** What the gates outside the kernel say. */
  readonly witnesses: Readonly<Partial<Record<'simulation' | 'replay' | 'offPolicy', WitnessVerdict>>>;
  /** Whether a rollout that an interruption has paused is resumed. */
  readonly resumes: boolean;
  readonly stopsWhenOver?: boolean | undefined;
}

const lookMicros = 1_000_000;

export class RolloutOperator implements WorldObserver {
  /** In order. */
  readonly events: RolloutEvent[] = [];
  private readonly options: OperatorOptions;
  private world: World | undefined;
  private handler = 0;

  constructor(options: OperatorOptions) {
    this.options = options;
  }

  /** Begins to work in a world that it observes. */
  attach(world: World): void {
    this.world = world;
    const { simulation } = world;
    this.handler = simulation.defineHandler('operator looks', () => this.look());
    const at = Math.max(simulation.nowMicros, this.options.proposeAtMicros);
    simulation.schedule(at, eventPriority.timer, this.handler, 0, undefined);
  }

  get stage(): RolloutStage | 'none' {
    return this.rollout?.stage ?? 'none';
  }

  /** What the canary knew last. */
  get canary(): CanaryLook | undefined {
    return this.rollout?.canary;
  }

  kernelEffect(effect: Effect): void {
    if (effect.kind !== 'rolloutChanged') return;
    this.events.push(effect.event);
    const { to } = effect.event;
    if (this.options.stopsWhenOver === true && (isOver(to) || to === 'held')) this.world?.simulation.stop();
  }

  private get rollout() {
    return this.world?.host.kernel.control.rollouts.machine.rollouts.at(-1);
  }

  private look(): void {
    const { world, options, rollout } = this;
    if (world === undefined) return;
    const { candidate, plan, witnesses } = options;
    const give = (command: Parameters<typeof giveCommand>[1]): void => giveCommand(world, command);
    if (rollout === undefined) {
      give({ command: 'propose', name: candidate.name, policy: candidate, artifact: '', plan });
    } else {
      const number = rollout.rollout;
      if (rollout.paused !== '' && options.resumes) give({ command: 'resume', rollout: number });
      for (const witness of ['simulation', 'replay', 'offPolicy'] as const) {
        const verdict = witnesses[witness];
        const isAsked = witness === 'offPolicy' ? rollout.stage === 'held' : rollout.stage === witness;
        const hasSaid = rollout.testimonies.some((said) => said.witness === witness && said.verdict === verdict);
        if (verdict !== undefined && isAsked && !hasSaid)
          give({ command: 'witness', rollout: number, witness, verdict, evidence: 'simulated' });
      }
    }
    const { simulation } = world;
    if (!isOver(this.stage))
      simulation.schedule(simulation.nowMicros + lookMicros, eventPriority.timer, this.handler, 0, undefined);
  }
}

function giveCommand(
  world: World,
  command: Extract<Parameters<World['host']['give']>[0], { kind: 'policyCommanded' }>['command'],
): void {
  world.host.give({ kind: 'policyCommanded', command, who: 'operator', why: 'simulated' });
}

function isOver(stage: string): boolean {
  return stage === 'promoted' || stage === 'rejected' || stage === 'rolledBack';
}
