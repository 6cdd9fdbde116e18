// Everything about a fleet that advice may change, as one value: the policy, the settings, the machines, when they sleep, and what
// is believed of run times. A change makes another of it; two that are the same have the same key.

import { createHash } from 'node:crypto';
import {
  createKernelSettings,
  type KernelSettingName,
  kernelSettingTable,
} from '../../core/config/kernel-setting-table.ts';
import { checkSettingValue } from '../../core/config/setting.ts';
import { learnedOrderName, learnedPlacementName, placements, queueOrders } from '../../core/scheduler/catalogue.ts';
import type { MachinePower, Profile } from '../../core/scheduler/framework.ts';
import type { MachineSpec } from '../../sim/workload/workload.ts';
import type { Change, MachinesChange, PolicyChange } from './recommendation.ts';

export interface Configuration {
  readonly policy: Omit<Profile, 'typicalTasks'>;
  /** Every kernel setting. */
  readonly settings: Readonly<Record<string, number>>;
  readonly machines: readonly MachineSpec[];
  /** What one machine draws, as the agents declare it on average; undefined where none does. */
  readonly power: MachinePower | undefined;
  /** Undefined: machines never sleep. */
  readonly sleepAfterMicros: number | undefined;
  /** Whether estimates are corrected by what tasks of each class took. */
  readonly isRetrained: boolean;
}

/** The configuration with the change, or why there is none such. */
export function changed(present: Configuration, change: Change): Configuration | string {
  const { policy = {}, settings = {}, machines, sleep, retrain } = change;
  const problem = policyProblem(policy) ?? settingsProblem({ ...present.settings, ...settings });
  if (problem !== undefined) return problem;
  const fleet = machines === undefined ? present.machines : changedMachines(present.machines, machines);
  if (typeof fleet === 'string') return fleet;
  if (sleep !== undefined && present.power?.sleepWatts === undefined)
    return 'no agent says that its machine can sleep (attribute `sleepWatts`)';
  return {
    ...present,
    policy: changedPolicy(present.policy, policy),
    settings: { ...present.settings, ...settings },
    machines: fleet,
    sleepAfterMicros: sleep?.afterMicros ?? present.sleepAfterMicros,
    isRetrained: present.isRetrained || retrain !== undefined,
  };
}

/** An artifact stays only where something learned decides. */
export function changedPolicy<Policy extends Configuration['policy']>(policy: Policy, change: PolicyChange): Policy {
  const { artifact, ...rest } = { ...policy, ...change };
  const learns = rest.order === learnedOrderName || rest.place === learnedPlacementName;
  return { ...rest, ...(learns && artifact !== undefined ? { artifact } : {}) } as Policy;
}

/** The same for configurations that do the same; which of several equal machines goes does not matter. */
export function keyOf({ policy, settings, machines, sleepAfterMicros, isRetrained }: Configuration): string {
  const { name: _, ...decides } = policy;
  const shapes = machines.map(shapeOf).sort((left, right) => (left < right ? -1 : 1));
  const sorted = (values: object): [string, unknown][] =>
    Object.entries(values).sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([sorted(decides), sorted(settings), shapes, sleepAfterMicros ?? null, isRetrained]);
}

/** Of policy and settings alone: whether somebody has changed either since. */
export function rulesDigest({ policy, settings }: Pick<Configuration, 'policy' | 'settings'>): string {
  const key = keyOf({
    policy,
    settings,
    machines: [],
    sleepAfterMicros: undefined,
    isRetrained: false,
    power: undefined,
  });
  return createHash('sha256').update(key).digest('hex');
}

/** What takes a change of machines back; `machines`: with it, the latest last. */
export function machinesBack(
  machines: readonly MachineSpec[],
  { add, remove, resize }: MachinesChange,
): MachinesChange {
  return {
    ...(remove === undefined ? {} : { add: remove.length }),
    ...(add === undefined ? {} : { remove: machines.slice(-add).map(({ name }) => name) }),
    ...(resize === undefined ? {} : { resize: { ...resize, factor: 1 / resize.factor } }),
  };
}

export function shapeOf({ cpuMilli, memoryMib, gpuCount, gpuModel }: MachineSpec): string {
  return `${cpuMilli} ${memoryMib} ${gpuCount} ${gpuModel}`;
}

/** A machine of the most frequent shape; the first of several. */
export function typicalMachine(machines: readonly MachineSpec[]): MachineSpec | undefined {
  const counts = new Map<string, number>();
  for (const machine of machines) counts.set(shapeOf(machine), (counts.get(shapeOf(machine)) ?? 0) + 1);
  let best: MachineSpec | undefined;
  for (const machine of machines)
    if (best === undefined || (counts.get(shapeOf(machine)) ?? 0) > (counts.get(shapeOf(best)) ?? 0)) best = machine;
  return best;
}

function changedMachines(
  machines: readonly MachineSpec[],
  { add = 0, remove = [], resize }: MachinesChange,
): readonly MachineSpec[] | string {
  const unknown = [...remove, ...(resize?.agents ?? [])].find((name) => !machines.some((one) => one.name === name));
  if (unknown !== undefined) return `there is no living agent ${unknown}`;
  const typical = typicalMachine(machines);
  if (typical === undefined) return 'there are no machines';
  const fleet = machines
    .filter(({ name }) => !remove.includes(name))
    .map((machine) => {
      if (resize?.agents.includes(machine.name) !== true) return machine;
      const cpuMilli = Math.max(1, Math.round(machine.cpuMilli * resize.factor));
      return { ...machine, cpuMilli, memoryMib: Math.round(machine.memoryMib * resize.factor) };
    });
  for (let index = 0; index < add; index++) fleet.push({ ...typical, name: `added-${machines.length + index}` });
  return fleet.length === 0 ? 'no machine would be left' : fleet;
}

function policyProblem({ order, place }: PolicyChange): string | undefined {
  if (order === learnedOrderName || place === learnedPlacementName)
    return 'a learned policy comes with its artifact: promote it with `sira policy`';
  if (order !== undefined && !Object.hasOwn(queueOrders, order)) return `no queue order is called "${order}"`;
  if (place === undefined) return undefined;
  if (!Object.hasOwn(placements, place)) return `no placement is called "${place}"`;
  if (placements[place]?.needsTypicalTasks === true)
    return `${place} needs a typical workload, which a live kernel has not`;
  return undefined;
}

function settingsProblem(settings: Readonly<Record<string, number>>): string | undefined {
  for (const [name, value] of Object.entries(settings)) {
    if (!Object.hasOwn(kernelSettingTable, name)) return `there is no setting "${name}"`;
    const checked = checkSettingValue(name, kernelSettingTable[name as KernelSettingName], value);
    if (!checked.ok) return checked.reason;
  }
  const status = createKernelSettings().assign(settings, { who: 'advice', why: 'tried', atMicros: 0 });
  return status.ok ? undefined : status.reason;
}
