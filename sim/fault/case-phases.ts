// The two phases of a case. In the first, faults strike, messages are lost and fault points fire: nothing wrong may happen. At its
// horizon all of that stops, and in the second everything that is open must come to its end, within a bound that the liveness
// oracle computes from the case. What is gone for good stays gone.

import { microsPerMinute, microsPerSecond } from '../../core/base/time.ts';
import { kernelSettingTable } from '../../core/config/kernel-setting-table.ts';
import { eventPriority } from '../engine/priority.ts';
import type { MemoryBounds } from '../oracle/memory-oracle.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import type { World } from '../world/world.ts';
import { faultsEndMicros } from './fault-plan.ts';
import type { SwarmCase } from './swarm.ts';

/** When the second phase begins: all faults that end have ended, and whatever else the case does has happened. */
export function horizonMicros(drawn: Omit<SwarmCase, 'profile'>): number {
  const { faults, tasks, cancellations, settingChanges = [] } = drawn;
  const ending = faults.filter(({ forMicros }) => forMicros !== Number.POSITIVE_INFINITY);
  const lasting = faults.filter(({ forMicros }) => forMicros === Number.POSITIVE_INFINITY);
  return [...cancellations, ...settingChanges, ...lasting].reduce(
    (latest, { atMicros }) => Math.max(latest, atMicros),
    Math.max(
      faultsEndMicros(ending),
      ((tasks.at(-1) as WorkloadTask | undefined)?.arrivalMicros ?? 0) + microsPerMinute,
    ),
  );
}

/** Lets the world become calm at the horizon. */
export function scheduleHorizon(world: World, atMicros: number): void {
  const { simulation } = world;
  const calm = simulation.defineHandler('everything becomes calm', () => {
    world.calm();
    // The kernel's own points are part of its state: it must hear of it, which it cannot while it is down.
    if (world.host.kernel.faultPoints.isArmed)
      simulation.schedule(simulation.nowMicros + microsPerSecond, eventPriority.world, calm, 0, undefined);
  });
  simulation.schedule(Math.max(atMicros, simulation.nowMicros), eventPriority.world, calm, 0, undefined);
}

/** What a case can need of the kernel's memory. */
export function memoryBounds({ machines, tasks, settings, settingChanges = [] }: SwarmCase): MemoryBounds {
  const lengths = settingChanges.flatMap(({ name, value }) => (name === 'bus.topicLengthMax' ? [value] : []));
  return {
    machineCount: machines.length,
    requestKindsMax: new Set(tasks.map(({ request, taskClass, skill }) => JSON.stringify([request, taskClass, skill])))
      .size,
    topicLengthMax: Math.max(
      settings?.['bus.topicLengthMax'] ?? kernelSettingTable['bus.topicLengthMax'].default,
      ...lengths,
    ),
  };
}

/** Calls `judge` from time to time. */
export function watchMemory(world: World, everyMicros: number, judge: () => void): void {
  const { simulation } = world;
  const gapMicros = Math.max(microsPerSecond, Math.round(everyMicros));
  const look = simulation.defineHandler('memory is looked at', () => {
    judge();
    simulation.schedule(simulation.nowMicros + gapMicros, eventPriority.timer, look, 0, undefined);
  });
  simulation.schedule(simulation.nowMicros + gapMicros, eventPriority.timer, look, 0, undefined);
}
