// Draws further trouble over a case of the swarm: clogged links, agents whose clocks jump or drift, that drain, or come back with
// other resources; a gateway and a submitter that die; settings changed while the kernel runs; and where there is a journal, wall
// clocks that are wrong, rot, and reads that fail. It has a random stream of its own, so that the case underneath stays what its
// seed always drew.

import { RandomStream } from '../../core/base/random.ts';
import { microsPerMinute, microsPerSecond } from '../../core/base/time.ts';
import { leaseIntervalsMin } from '../../core/config/kernel-setting-table.ts';
import { type FaultSpec, machineFaultKinds, serviceFaultKinds } from '../experiment/scenario.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';
import type { SettingChange, SwarmCase } from './swarm.ts';

/** Reconnections, and a clog of the gateway, are drawn by `withCorners`. */
const newKinds = [...machineFaultKinds.slice(5, 10), ...serviceFaultKinds.slice(0, 3)];
const lengthsMicros = [microsPerSecond / 2, 5 * microsPerSecond, 20 * microsPerSecond] as const;

export function withMoreFaults(drawn: SwarmCase): SwarmCase {
  const random = new RandomStream(drawn.seed, 'swarm.moreFaults');
  const chance = (probability: number): boolean => random.nextFloat() < probability;
  const pick = <T>(values: readonly T[]): T => values[random.nextBelow(values.length)] as T;
  const { leaseMicros } = drawn.heartbeat;
  const spanMicros = (drawn.tasks.at(-1) as WorkloadTask).arrivalMicros + microsPerMinute;
  const kinds = newKinds.filter(() => chance(0.2));
  const faults: FaultSpec[] = [];
  for (let left = kinds.length === 0 ? 0 : 1 + random.nextBelow(6); left > 0; left--) {
    const kind = pick(kinds);
    const ofMachines = (machineFaultKinds as readonly string[]).includes(kind);
    const share = pick([0.1, 0.3, 0.6, 1]);
    const { name } = pick(drawn.machines) as MachineSpec;
    faults.push({
      kind,
      // Who was never registered as it is would be refused as it is for ever.
      atMicros: random.nextBelow(spanMicros) + (kind === 'resize' ? 4 * microsPerMinute : 0),
      forMicros: 1 + random.nextBelow(pick([...lengthsMicros, leaseMicros, 3 * leaseMicros])),
      machines: !ofMachines ? [] : chance(0.5) ? { share } : [name],
      factor: factorOf(kind, leaseMicros, random),
    });
  }
  if (drawn.journal !== undefined && chance(0.4))
    for (let left = 1 + random.nextBelow(3); left > 0; left--)
      faults.push({
        kind: 'kernelClock',
        atMicros: random.nextBelow(spanMicros),
        forMicros: 1 + random.nextBelow(spanMicros),
        machines: [],
        factor: pick([-3600, -30, -1, 1, 30, 3600]),
      });
  if (drawn.journal !== undefined && chance(0.12))
    faults.push({
      kind: 'diskRot',
      atMicros: random.nextBelow(spanMicros),
      forMicros: 1,
      machines: [],
      factor: pick([1, 10, 100]),
    });
  const readFailure = chance(0.15) ? pick([0.001, 0.02]) : 0;
  const settingChanges: SettingChange[] = [...(drawn.settingChanges ?? [])];
  if (chance(0.3)) {
    for (let left = 1 + random.nextBelow(8); left > 0; left--) {
      const { name, values } = pick(changeable);
      const atMicros = random.nextBelow(spanMicros);
      settingChanges.push({ atMicros, name, value: inForce(name, pick(values), drawn) });
    }
  }
  settingChanges.push(...copiedChanges(drawn, spanMicros));
  const endured = settingChanges.filter((change) => canBeHeld(drawn, change));
  const settings = graced(drawn);
  const profile = chance(0.05) ? { ...drawn.profile, place: 'fastest' } : drawn.profile;
  return {
    ...drawn,
    profile,
    ...(settings === undefined ? {} : { settings }),
    tasks: profile.place === 'fastest' ? classed(drawn.tasks, drawn.seed) : drawn.tasks,
    faults: [...drawn.faults, ...faults],
    ...(endured.length === 0 ? {} : { settingChanges: endured }),
    ...(drawn.journal === undefined
      ? {}
      : { journal: { ...drawn.journal, disk: { ...drawn.journal.disk, readFailure } } }),
  };
}

/** Nobody can work under a lease that is over before its renewal can have come: an agent looks at it once an interval, and gives up if it
 *  could end before the next look. What the kernel refuses does no harm. */
function canBeHeld({ heartbeat, network }: SwarmCase, { name, value }: SettingChange): boolean {
  const { meanMicros } = network.latency;
  if (name !== 'registry.leaseMicros' || value < leaseIntervalsMin * heartbeat.intervalMicros) return true;
  return value >= 8 * meanMicros && 0.99 * value > 2 * (heartbeat.intervalMicros + meanMicros);
}

/** Some cases change settings that parts hold a copy of. */
function copiedChanges(drawn: SwarmCase, spanMicros: number): SettingChange[] {
  const random = new RandomStream(drawn.seed, 'swarm.copied');
  const changes: SettingChange[] = [];
  for (let left = random.nextFloat() < 0.2 ? 1 + random.nextBelow(4) : 0; left > 0; left--) {
    const { name, values } = copied[random.nextBelow(copied.length)] as (typeof copied)[number];
    const value = inForce(name, values[random.nextBelow(values.length)] as number, drawn);
    changes.push({ atMicros: random.nextBelow(spanMicros), name, value });
  }
  return changes;
}

/** In some cases the connection of an agent that dies is seen to close. */
function graced({ seed, settings }: SwarmCase): SwarmCase['settings'] {
  const random = new RandomStream(seed, 'swarm.grace');
  if (random.nextFloat() > 0.4) return settings;
  const grace = [1, 100_000, 1_000_000, 20_000_000][random.nextBelow(4)] as number;
  return { ...settings, 'registry.disconnectGraceMicros': grace };
}

/** The same work, of a few classes and sizes, so that agents are measured. */
function classed(tasks: readonly WorkloadTask[], seed: number): readonly WorkloadTask[] {
  const random = new RandomStream(seed, 'swarm.classes');
  return tasks.map((task) => ({
    ...task,
    taskClass: `class-${random.nextBelow(3)}`,
    size: 1 + random.nextBelow(10),
  }));
}

function factorOf(kind: FaultSpec['kind'], leaseMicros: number, random: RandomStream): number {
  const drift = random.nextFloat() < 0.5 ? -0.01 : 0.01;
  const jumps = [0.5, 5, leaseMicros / microsPerSecond, 1000] as const;
  const jump = jumps[random.nextBelow(jumps.length)] as number;
  if (kind === 'clockDrift') return drift;
  return kind === 'clockJump' ? jump : 1;
}

/** A lease is drawn as a multiple of the one that the network was drawn for: in one much shorter nobody could stay registered. */
function inForce(name: string, value: number, { heartbeat }: SwarmCase): number {
  return name === 'registry.leaseMicros' ? value * heartbeat.leaseMicros : value;
}

/** Of those that parts hold a copy of. */
const copied: typeof changeable = [
  { name: 'registry.leaseMicros', values: [0.5, 1, 1.5, 4] },
  { name: 'registry.disconnectGraceMicros', values: [0, 500_000] },
  { name: 'registry.suspicionThreshold', values: [2, 8, 16] },
  { name: 'skills.halfLifeMicros', values: [60_000_000, 600_000_000_000] },
  { name: 'skills.optimism', values: [0, 3] },
  { name: 'bus.redeliveryMicros', values: [1_000_000, 10_000_000, 60_000_000] },
  { name: 'bus.topicLengthMax', values: [2, 16, 65_536] },
];

/** Values within the bounds, some outside, and a setting that there is not. */
const changeable: readonly { readonly name: string; readonly values: readonly number[] }[] = [
  { name: 'scheduler.attemptsMax', values: [4, 16, 40] },
  { name: 'scheduler.preemptionsMax', values: [0, 1, 8] },
  { name: 'scheduler.queueLengthMax', values: [10, 50, 1_000_000] },
  { name: 'scheduler.gangTimeoutMicros', values: [60 * microsPerSecond, 600 * microsPerSecond] },
  { name: 'scheduler.reservationDepthMax', values: [1, 20, 100] },
  { name: 'scheduler.backoffFirstMicros', values: [1, 1_000_000] },
  { name: 'scheduler.backoffMaxMicros', values: [microsPerSecond, 20 * microsPerSecond] },
  { name: 'scheduler.decisionRunnersUp', values: [0, 3, 64, 65] },
  { name: 'dispatch.retryMicros', values: [500_000, 5_000_000, 9_000_000] },
  { name: 'health.failuresMax', values: [0, 2, -1] },
  { name: 'registry.leaseMicros', values: [2] },
  { name: 'scheduler.noSuchSetting', values: [1] },
];
