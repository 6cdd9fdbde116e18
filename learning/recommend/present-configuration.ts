// The configuration of a live kernel as it is now.

import { DeclaredPower } from '../../core/kernel/declared-power.ts';
import type { LiveKernel } from '../../core/live/live-kernel.ts';
import type { MachinePower } from '../../core/scheduler/framework.ts';
import type { MachineSpec } from '../../sim/workload/workload.ts';
import type { Configuration } from './configuration.ts';

/** Machines are those of agents that take work. */
export function presentConfiguration({ kernel }: LiveKernel): Configuration {
  const { registry, rollouts } = kernel.control;
  const { typicalTasks: _, ...policy } = rollouts.machine.serves.policy;
  const declared = new DeclaredPower(registry);
  const machines: MachineSpec[] = [];
  const powers: MachinePower[] = [];
  for (let row = 0; row < registry.size; row++) {
    if (registry.state(row) === 'dead' || !registry.takesWork(row)) continue;
    machines.push({ name: registry.names[row] as string, ...registry.resourcesOf(row) });
    const power = declared.of(row);
    if (power !== undefined) powers.push(power);
  }
  const settings = Object.fromEntries(
    Object.entries(kernel.settings.values()).flatMap(([name, value]) =>
      typeof value === 'number' ? [[name, value] as const] : [],
    ),
  );
  return { policy, settings, machines, power: meanOf(powers), sleepAfterMicros: undefined, isRetrained: false };
}

/** Sleep is known only if every machine that says anything says it. */
function meanOf(powers: readonly MachinePower[]): MachinePower | undefined {
  if (powers.length === 0) return undefined;
  const mean = (of: (power: MachinePower) => number | undefined): number =>
    powers.reduce((sum, power) => sum + (of(power) ?? 0), 0) / powers.length;
  const sleeps = powers.every(({ sleepWatts }) => sleepWatts !== undefined);
  return {
    idleWatts: mean(({ idleWatts }) => idleWatts),
    processorWatts: mean(({ processorWatts }) => processorWatts),
    acceleratorWatts: mean(({ acceleratorWatts }) => acceleratorWatts),
    ...(sleeps
      ? { sleepWatts: mean(({ sleepWatts }) => sleepWatts), wakeSeconds: mean(({ wakeSeconds }) => wakeSeconds) }
      : {}),
  };
}
