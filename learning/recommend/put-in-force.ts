// Puts a change in force and takes it back, through the kernel's own journaled inputs: settings as one version, policies as a rollout
// with all of its guardrails, machines that go as drains. What the kernel has no input for a person is told, step by step.

import { SiraError } from '../../core/base/errors.ts';
import { assignSettings } from '../../core/live/http/config-routes.ts';
import { commandPolicy } from '../../core/live/http/policy-routes.ts';
import { given } from '../../core/live/http/state-routes.ts';
import type { HttpSources } from '../../core/live/http/views.ts';
import type { Rollout } from '../../core/policy/rollout.ts';
import { completePlan, type RolloutPlan } from '../../core/policy/rollout-plan.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import { changedPolicy, typicalMachine } from './configuration.ts';
import { presentConfiguration } from './present-configuration.ts';
import type { Change, Recommendation } from './recommendation.ts';
import type { RecordedWindow } from './recorded-window.ts';
import type { Said } from './routes.ts';

/** What the settings that the change names are now. */
export function previousValues({ live }: HttpSources, { settings = {} }: Change): Readonly<Record<string, number>> {
  const all = live.kernel.settings.values() as Readonly<Record<string, number>>;
  return Object.fromEntries(Object.keys(settings).map((name) => [name, all[name] as number]));
}

/** Resolves when it is on the disk, with the rollout that it began, if any. Throws what the kernel refuses as the coded error that it is. */
export async function putInForce(
  sources: HttpSources,
  { id, change, title }: Recommendation,
  { who, why }: Said,
  plan: Parameters<typeof completePlan>[0],
): Promise<number | null> {
  const { kernel } = sources.live;
  const reason = { who, why: `recommendation ${id}: ${title}${why === '' ? '' : `; ${why}`}`.slice(0, 1000) };
  if (change.settings !== undefined) {
    await assignSettings(sources, change.settings, reason);
    return null;
  }
  if (change.policy !== undefined) {
    const good = kernel.control.rollouts.machine.good.at(-1)?.policy as Profile;
    const name = nameOf(id);
    const { rollout } = await commandPolicy(sources, reason, {
      ...({ command: 'propose', name, artifact: '' } as const),
      policy: { ...changedPolicy(good, change.policy), name },
      plan: completePlan(plan) satisfies RolloutPlan,
    });
    return rollout;
  }
  for (const name of change.machines?.remove ?? []) {
    const agent = kernel.control.registry.names.indexOf(name);
    if (agent < 0) throw new SiraError('SIRA_NOT_FOUND', `there is no agent ${name}`);
    await given(sources, {
      ...{ kind: 'agentDraining', agent, incarnation: kernel.control.registry.incarnationOf(agent) },
    });
  }
  return null;
}

/** Resolves with the steps that are left to a person. Throws SIRA_ADVICE_REFUSED if somebody has changed the same since. */
export async function takeBack(sources: HttpSources, one: Recommendation, { who, why }: Said): Promise<string[]> {
  const { change, applied, id } = one;
  const reason = { who, why: `recommendation ${id} taken back${why === '' ? '' : `: ${why}`}`.slice(0, 1000) };
  if (change.settings !== undefined && applied !== null) {
    const present = sources.live.kernel.settings.values() as Readonly<Record<string, unknown>>;
    const other = Object.entries(change.settings).find(([name, value]) => present[name] !== value);
    if (other !== undefined)
      throw new SiraError('SIRA_ADVICE_REFUSED', `${other[0]} has been changed since to ${String(present[other[0]])}`);
    await assignSettings(sources, applied.previous, reason);
    return [];
  }
  const rollout = rolloutOf(sources, one);
  if (rollout !== undefined && applied !== null) {
    // One that ended without being promoted has taken itself back.
    if (rollout.stage !== 'rejected' && rollout.stage !== 'rolledBack')
      await commandPolicy(sources, reason, { command: 'rollback', rollout: rollout.rollout });
    return [];
  }
  return stepsBack(change);
}

/** The latest rollout of the policy that was advised: found by its name, since the kernel may have stopped before its number was kept. */
export function rolloutOf({ live }: HttpSources, { id, change }: Recommendation): Rollout<Profile> | undefined {
  if (change.policy === undefined) return undefined;
  return live.kernel.control.rollouts.machine.rollouts.findLast(({ candidate }) => candidate.name === nameOf(id));
}

function nameOf(id: number): string {
  return `advice-${id}`;
}

/** What a person must do. */
export function stepsFor(change: Change, { live }: HttpSources, ratios: RecordedWindow['estimateRatios']): string[] {
  const { policy, settings, machines, sleep, retrain } = change;
  const typical = typicalMachine(presentConfiguration(live).machines);
  const parts = [policy, settings, machines, sleep, retrain].filter((part) => part !== undefined).length;
  if (parts > 1) return ['Apply its parts one after the other: what each does is to be seen by itself.'];
  const steps: string[] = [];
  if (machines?.add !== undefined && typical !== undefined) {
    const { cpuMilli, memoryMib, gpuCount, gpuModel } = typical;
    const gpus = gpuCount === 0 ? '' : `, ${gpuCount} ${gpuModel}`;
    steps.push(
      `Start ${machines.add} more agent${machines.add === 1 ? '' : 's'} with ${cpuMilli / 1000} cores and ${memoryMib} MiB${gpus}.`,
    );
  }
  if (machines?.remove !== undefined)
    steps.push(`The kernel gives ${machines.remove.join(', ')} no new work; stop them when they have none left.`);
  for (const name of machines?.resize?.agents ?? [])
    steps.push(`Start ${name} again with ${machines?.resize?.factor} times its cores and memory.`);
  if (sleep !== undefined)
    steps.push(`Have the machines suspend after ${sleep.afterMicros / 1_000_000} s without work, and wake for it.`);
  if (retrain !== undefined)
    steps.push(
      ...[...ratios].map(
        ([name, ratio]) => `Let submitters estimate ${ratio.toPrecision(3)} times as long for class "${name}".`,
      ),
      'Or fit a model of durations to the telemetry (`sira forecast --help`).',
    );
  return steps;
}

function stepsBack({ machines, sleep, retrain }: Change): string[] {
  return [
    ...(machines?.add === undefined ? [] : [`Stop the ${machines.add} that were added.`]),
    ...(machines?.remove === undefined ? [] : [`Start ${machines.remove.join(', ')} again.`]),
    ...(machines?.resize === undefined
      ? []
      : [`Start ${machines.resize.agents.join(', ')} again as they were before.`]),
    ...(sleep === undefined ? [] : ['Let machines stay awake.']),
    ...(retrain === undefined ? [] : ['Let submitters estimate as before.']),
  ];
}
