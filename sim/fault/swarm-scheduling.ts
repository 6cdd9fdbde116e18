// Draws what the scheduler can do beyond queue and placement over a case of the swarm: priorities with preemption, checkpoints.
// It has a random stream of its own, so that the case underneath stays what its seed always drew.

import { RandomStream } from '../../core/base/random.ts';
import { microsPerSecond } from '../../core/base/time.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
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
  const tasks = drawn.tasks.map((task): WorkloadTask => {
    const priority = prioritised ? pick([0, 0, 0, 1, 2, 5]) : 0;
    const checkpointMicros = saves && chance(0.6) ? pick([1, 5, 20]) * microsPerSecond : 0;
    return { ...task, priority, tenant: pick(['a', 'b', 'c']), checkpointMicros };
  });
  const profile: Profile = {
    ...drawn.profile,
    order: prioritised && chance(0.6) ? 'priority' : drawn.profile.order,
    preempt: preempts ? 'lowerPriority' : 'never',
  };
  return { ...drawn, tasks, profile, settings: { 'scheduler.preemptionsMax': pick([1, 3, 8]) } };
}
