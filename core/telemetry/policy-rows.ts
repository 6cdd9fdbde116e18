// Rows of policy rollouts: each step, what witnesses said, and what was refused, with the canary's figures as they stood.

import type { PolicyCommanded } from '../kernel/inputs.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Rollout, RolloutEvent } from '../policy/rollout.ts';
import type { Profile } from '../scheduler/framework.ts';
import type { TelemetryRow } from './tables.ts';

/** The name of a policy by its version; empty if the kernel knows it no longer. */
export function policyName(kernel: Kernel, version: number): string {
  const { machine } = kernel.control.rollouts;
  if (machine.serves.version === version) return machine.serves.name;
  return machine.rollouts.find(({ candidate }) => candidate.version === version)?.candidate.name ?? '';
}

/** A step: from which stage to which. */
export function stepRow(kernel: Kernel, event: RolloutEvent): TelemetryRow<'promotions'> {
  return {
    ...facts(kernel, event.rollout),
    from_stage: event.from,
    to_stage: event.to,
    reason: event.why,
    who: event.who,
  };
}

/** What a witness said, or why a command was not done; undefined for what a step tells of. */
export function answerRow(
  kernel: Kernel,
  { command, who, why }: PolicyCommanded,
  rollout: number,
  refusal: string,
): TelemetryRow<'promotions'> | undefined {
  const known = facts(kernel, rollout);
  if (refusal !== '') return { ...known, verdict: 'refused', reason: `${command.command}: ${refusal}`, who };
  if (command.command !== 'witness') return undefined;
  return { ...known, verdict: command.verdict, reason: `${command.witness}: ${command.evidence || why}`, who };
}

function facts(kernel: Kernel, number: number): TelemetryRow<'promotions'> {
  const rollout: Rollout<Profile> | undefined = kernel.control.rollouts.machine.rollouts.find(
    (one) => one.rollout === number,
  );
  return {
    rollout: `${number}`,
    candidate: rollout?.candidate.name,
    incumbent: rollout === undefined ? undefined : policyName(kernel, rollout.incumbentVersion),
    verdict: rollout?.canary?.verdict,
    tasks: rollout?.canary?.tasks,
    harm: rollout?.canary?.harmTasks,
  };
}
