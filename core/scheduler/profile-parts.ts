// What of a scheduler follows from its profile, beside the placement: made anew when another profile takes its place.

import { assert } from '../base/assert.ts';
import { findQueueOrder } from './catalogue.ts';
import type { ClusterState } from './cluster-state.ts';
import { ConservativeBackfill } from './conservative-backfill.ts';
import { EasyReservation } from './easy-reservation.ts';
import type { Profile, QueueSortPlugin } from './framework.ts';
import type { Placer } from './placer.ts';
import type { Preemptor } from './preemptor.ts';
import { TaskQueue } from './task-queue.ts';

export interface ProfileParts {
  readonly profile: Profile;
  readonly order: QueueSortPlugin;
  readonly queue: TaskQueue;
  /** What is reserved for the pinned task. */
  readonly easy: EasyReservation;
  readonly preempts: boolean;
  readonly planner: ConservativeBackfill | undefined;
}

export function profileParts(profile: Profile, cluster: ClusterState, placer: Placer): ProfileParts {
  const preempts = profile.preempt === 'lowerPriority';
  const order = findQueueOrder(profile.order, {
    cluster,
    tenantWeights: profile.tenantWeights ?? {},
    artifact: profile.artifact,
    attempts: () => placer.attempts.values(),
  });
  assert(profile.backfill !== 'conservative' || !preempts, 'what is promised a start is not evicted');
  return {
    profile,
    order,
    queue: new TaskQueue(order, preempts),
    easy: new EasyReservation(profile.backfill),
    preempts,
    planner: profile.backfill === 'conservative' ? new ConservativeBackfill(placer) : undefined,
  };
}

/** Lets everything that waits wait in another queue, in order of submission; also what waits for its victims to leave, whose
 *  machines are returned: they are open again. */
export function moveWaiting(from: TaskQueue, to: TaskQueue, preemptor: Preemptor, nowMicros: number): number[] {
  const { active, backingOff } = from.takeAll();
  const machines: number[] = [];
  for (const wait of preemptor.withdrawAll()) {
    active.push(wait.task);
    machines.push(...wait.machines);
  }
  for (const task of active.sort((left, right) => left.task - right.task)) to.add(task, nowMicros);
  for (const { task, untilMicros } of backingOff) to.addBackingOff(task, untilMicros);
  return machines;
}
