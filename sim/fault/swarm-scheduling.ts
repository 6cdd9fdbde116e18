// Draws what the scheduler can do beyond queue and placement over a case of the swarm: priorities with preemption, checkpoints,
// gangs, fair shares, conservative backfilling, agents held for flapping or as outliers. It has a random stream of its own, so that
// the case underneath stays what its seed always drew.

import { RandomStream } from '../../core/base/random.ts';
import { microsPerMinute, microsPerSecond } from '../../core/base/time.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { ResourceRequest } from '../../core/scheduler/request.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import { drawSwarmCase, type SwarmCase } from './swarm.ts';

/** The case of a seed, with the scheduler's further options drawn as well. */
export function drawSchedulingCase(seed: number): SwarmCase {
  return withScheduling(drawSwarmCase(seed));
}

export function withScheduling(drawn: SwarmCase): SwarmCase {
  const random = new RandomStream(drawn.seed, 'swarm.scheduling');
  const chance = (probability: number): boolean => random.nextFloat() < probability;
  const pick = <T>(values: readonly T[]): T => values[random.nextBelow(values.length)] as T;
  const preempts = chance(0.6);
  const prioritised = preempts || chance(0.3);
  const saves = chance(0.5);
  const gangs = chance(0.5);
  const tasks = drawn.tasks.map((task): WorkloadTask => {
    const priority = prioritised ? pick([0, 0, 0, 1, 2, 5]) : 0;
    const checkpointMicros = saves && chance(0.6) ? pick([1, 5, 20]) * microsPerSecond : 0;
    return { ...task, priority, tenant: pick(['a', 'b', 'c']), checkpointMicros };
  });
  if (gangs) drawGangs(tasks, random);
  const order = prioritised && chance(0.6) ? 'priority' : chance(0.3) ? 'drf' : drawn.profile.order;
  const tenantWeights: Readonly<Record<string, number>> = chance(0.5) ? { a: 3 } : {};
  // A task that is promised its start cannot be evicted once it runs.
  const rules: Partial<Profile> = chance(0.2)
    ? { unplaced: 'block', backfill: 'conservative', overtakeMax: 0, preempt: 'never' }
    : { preempt: preempts ? 'lowerPriority' : 'never' };
  const profile: Profile = { ...drawn.profile, order, tenantWeights, ...rules };
  // Holds end well before the liveness oracle calls a cluster idle.
  const health: SwarmCase['settings'] = chance(0.5)
    ? {
        'health.returnsMax': pick([0, 2, 3]),
        'health.returnsWindowMicros': pick([1, 5]) * microsPerMinute,
        'health.flapHoldFirstMicros': 20 * microsPerSecond,
        'health.flapHoldMaxMicros': pick([20, 120]) * microsPerSecond,
        'health.failuresMax': pick([0, 1, 3]),
        'health.slowFactor': pick([0, 1.5, 3]),
        'health.samplesMin': pick([2, 4]),
        'health.agentsMin': pick([2, 4]),
        'health.heldShareMax': pick([0.1, 0.5]),
      }
    : {};
  return {
    ...drawn,
    tasks,
    profile,
    settings: {
      'scheduler.preemptionsMax': pick([1, 3, 8]),
      'scheduler.reservationDepthMax': pick([1, 5, 100]),
      ...health,
    },
  };
}

/** Makes gangs of tasks near each other in the list. Any two machines with GPUs hold any gang, so that losing one is survived. */
function drawGangs(tasks: WorkloadTask[], random: RandomStream): void {
  for (let first = 0; first < tasks.length; ) {
    const size = 2 + random.nextBelow(3);
    if (random.nextFloat() < 0.2) {
      const gang = { name: `gang-${first}`, size };
      // One in eight never becomes whole.
      const missing = random.nextFloat() < 0.125 ? 1 : 0;
      for (let index = first; index < Math.min(first + size - missing, tasks.length); index++) {
        const task = tasks[index] as WorkloadTask;
        const request = memberRequests[random.nextBelow(memberRequests.length)] as ResourceRequest;
        tasks[index] = { ...task, gang, request };
      }
    }
    first += size;
  }
}

const memberRequests: readonly ResourceRequest[] = [
  { cpuMilli: 4000, memoryMib: 4096, gpuCount: 1, gpuMilli: 500, gpuModels: [], machineCount: 1 },
  { cpuMilli: 2000, memoryMib: 4096, gpuCount: 1, gpuMilli: 300, gpuModels: [], machineCount: 1 },
  { cpuMilli: 6000, memoryMib: 8192, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 },
  { cpuMilli: 3000, memoryMib: 2048, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 2 },
];
