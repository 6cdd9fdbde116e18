// Draws tight spots over a case of the swarm that it would else hardly reach: memory that binds, topics with little room, policies
// that are seldom drawn, thousands of short tasks, a kernel whose power fails all the time. It has a random stream of its own, so that the case underneath stays what its
// seed always drew.

import { RandomStream } from '../../core/base/random.ts';
import { microsPerMilli, microsPerMinute, microsPerSecond } from '../../core/base/time.ts';
import type { FaultSpec } from '../experiment/scenario.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import type { SwarmCase } from './swarm.ts';

/** Without `crowds`, there are never thousands of tasks. */
export function withTightSpots(drawn: SwarmCase, crowds = true): SwarmCase {
  const random = new RandomStream(drawn.seed, 'swarm.tight');
  const chance = (probability: number): boolean => random.nextFloat() < probability;
  const pick = <T>(values: readonly T[]): T => values[random.nextBelow(values.length)] as T;
  const place = chance(0.08) ? 'dot-product' : drawn.profile.place;
  const order =
    chance(0.08) && drawn.profile.order !== 'priority' && drawn.profile.order !== 'drf'
      ? 'unicep-rlscheduler'
      : drawn.profile.order;
  const heavyShare = chance(0.3) ? 0.3 + 0.5 * random.nextFloat() : 0;
  const settings = chance(0.15)
    ? { ...drawn.settings, 'bus.topicLengthMax': 4 + random.nextBelow(pick([1, 16])) }
    : drawn.settings;
  let tasks = drawn.tasks.map((task) => (random.nextFloat() < heavyShare ? heavy(task) : task));
  if (chance(0.35)) tasks = tasks.map((task, index) => (index < 10 ? early(task, random) : task));
  if (chance(0.03) && crowds) tasks = many(tasks, random);
  return { ...drawn, tasks, profile: { ...drawn.profile, place, order }, settings };
}

/** A journal that takes as many inputs as come, but few bytes: what it refuses it refuses by their size. */
export function withTightJournal(drawn: SwarmCase): SwarmCase {
  const { journal } = drawn;
  const random = new RandomStream(drawn.seed, 'swarm.tightJournal');
  if (journal?.settings?.log === undefined || random.nextFloat() < 0.5) return drawn;
  const log = { ...journal.settings.log, recordBytesMax: 4096, pendingBytesMax: 4096 + 64 };
  return { ...drawn, journal: { ...journal, settings: { ...journal.settings, heldInputsMax: 10_000, log } } };
}

/** Power that fails again and again, while something waits for a slow disk, soon after a recovery, or after a while without room; and a
 *  log in small pieces, of which nothing stays that no snapshot needs. */
export function withPowerFailures(drawn: SwarmCase): SwarmCase {
  const { journal, heartbeat, tasks } = drawn;
  const random = new RandomStream(drawn.seed, 'swarm.powerFailures');
  if (journal?.settings?.log === undefined || random.nextFloat() < 0.4) return drawn;
  const spanMicros = (tasks.at(-1) as WorkloadTask).arrivalMicros + microsPerMinute;
  const faults: FaultSpec[] = [];
  const add = (kind: FaultSpec['kind'], atMicros: number, forMicros: number): void => {
    faults.push({ kind, atMicros, forMicros, machines: [], factor: 1 });
  };
  for (let left = 14; left > 0; left--) {
    let atMicros = microsPerSecond + random.nextBelow(spanMicros);
    if (random.nextFloat() < 0.4) {
      // Until a heartbeat has found no room; what is written next has to be read soon.
      const fullMicros = heartbeat.intervalMicros + random.nextBelow(microsPerSecond);
      add('diskFull', atMicros, fullMicros);
      atMicros += fullMicros;
    }
    const crashMicros = atMicros + random.nextBelow(4 * microsPerSecond);
    add('kernelCrash', crashMicros, 1 + random.nextBelow(microsPerSecond));
    add('kernelCrash', crashMicros + 1 + random.nextBelow(4 * microsPerSecond), 1 + random.nextBelow(microsPerSecond));
  }
  const syncLatency = { distribution: 'exponential', meanMicros: heartbeat.leaseMicros / 50, sigma: 0 } as const;
  const syncFailure = random.nextFloat() < 0.5 ? 0.005 : 0;
  const log = { ...journal.settings.log, segmentBytesMax: 4096, retainBytesMax: 0 };
  const snapshotInputs = [20, 100, 1000][random.nextBelow(3)] as number;
  return {
    ...drawn,
    faults: [...drawn.faults, ...faults],
    journal: {
      disk: { ...journal.disk, syncLatency, syncFailure },
      settings: { ...journal.settings, log, snapshotInputs },
    },
  };
}

/** Arms fault points in every other case. */
export function withFaultPoints(drawn: SwarmCase): SwarmCase {
  const random = new RandomStream(drawn.seed, 'swarm.faultPoints');
  return random.nextFloat() < 0.5 ? { ...drawn, faultPointSeed: 1 + random.nextBelow(4_294_967_295) } : drawn;
}

/** Little CPU and most of a small machine's memory, so that memory is what a machine runs out of. */
function heavy(task: WorkloadTask): WorkloadTask {
  const { request } = task;
  if (request.gpuCount > 0 || request.machineCount > 1 || task.gang !== undefined) return task;
  return { ...task, request: { ...request, cpuMilli: 1000, memoryMib: 40_000 } };
}

/** Comes at once and ends at once: before the first repetition of anything that was lost. */
function early(task: WorkloadTask, random: RandomStream): WorkloadTask {
  const durationMicros = 1 + random.nextBelow(microsPerMilli);
  return { ...task, arrivalMicros: 0, durationMicros, estimateMicros: durationMicros };
}

/** The tasks over and over, short ones, until there are more ends than a subscription has credit for. */
function many(tasks: readonly WorkloadTask[], random: RandomStream): WorkloadTask[] {
  const last = (tasks.at(-1) as WorkloadTask).arrivalMicros;
  const single = tasks.filter((task) => task.gang === undefined);
  if (single.length === 0) return [...tasks];
  const more = Array.from({ length: 1500 }, (_, index): WorkloadTask => {
    const durationMicros = 1 + random.nextBelow(20 * microsPerMilli);
    const task = single[index % single.length] as WorkloadTask;
    return {
      ...task,
      name: `short-${index + 1}`,
      arrivalMicros: last + index * 2000,
      durationMicros,
      estimateMicros: durationMicros,
    };
  });
  return [...tasks, ...more];
}
