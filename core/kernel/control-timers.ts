// Timers of the control machine: which part of it is due when, and what it does then.

import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { Scheduler, SchedulerOutput } from '../scheduler/scheduler.ts';
import type { AgentHolds } from './agent-holds.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { FleetScaling } from './fleet-scaling.ts';
import type { PolicyRollouts } from './policy-rollouts.ts';

/** In the order in which they fire at one deadline. */
export const controlTimers = ['sweep', 'retry', 'backoff', 'gang', 'hold', 'scaling', 'rollout'] as const;
export type ControlTimer = (typeof controlTimers)[number];

export type ControlTimerTable = Readonly<
  Record<ControlTimer, { readonly nextMicros: () => number; readonly fire: (nowMicros: number) => void }>
>;

export function controlTimerTable(
  control: SchedulerOutput & {
    readonly registry: AgentRegistry;
    readonly scheduler: Scheduler;
    readonly scaling: FleetScaling | undefined;
    readonly rollouts: PolicyRollouts;
  },
  dispatcher: Dispatcher,
  agentHolds: AgentHolds,
): ControlTimerTable {
  const { registry, scheduler, scaling, rollouts } = control;
  return {
    sweep: { nextMicros: () => registry.nextSweepMicros, fire: (now) => registry.sweep(now) },
    retry: { nextMicros: () => dispatcher.nextRetryMicros, fire: (now) => dispatcher.repeatDue(now) },
    backoff: { nextMicros: () => scheduler.nextBackoffMicros, fire: (now) => scheduler.endBackoffs(now) },
    gang: {
      nextMicros: () => scheduler.nextGangTimeoutMicros,
      fire: (now) => rollouts.scheduling(() => scheduler.dropIncompleteGangs(now, control)),
    },
    hold: { nextMicros: () => agentHolds.nextDeadlineMicros, fire: (now) => agentHolds.fire(now) },
    scaling: {
      nextMicros: () => scaling?.nextDeadlineMicros ?? Number.POSITIVE_INFINITY,
      fire: (now) => scaling?.tick(now),
    },
    rollout: { nextMicros: () => rollouts.machine.nextDeadlineMicros, fire: (now) => rollouts.fire(now) },
  };
}
