// Filter, Score and Reserve for whatever stands in the queue: a task, or the gang that stands there with its first member.

import { type Begun, type GangFacts, placeGang } from './place-gang.ts';
import type { Placer } from './placer.ts';
import type { Task } from './task.ts';

/** The attempts that have their resources now, one of each member; undefined if no machine, or too few, can take it. */
export function placeTask(task: Task, placer: Placer, facts: GangFacts): readonly Begun[] | undefined {
  if (task.gang === undefined) {
    const machines = placer.find(task.kind, facts.excluded);
    return machines === undefined ? undefined : [placer.reserve(task, machines, facts.nowMicros, facts)];
  }
  const begun = placeGang(task.gang.members, placer, facts);
  if (begun === undefined) placer.index.consider(task.kind);
  return begun;
}
