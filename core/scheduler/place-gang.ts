// All or none: tries every member of a gang in turn, each on what the ones before it left, and gives all of it back if one
// finds no room. Nothing is emitted before the last member has its machines.

import { byDemand } from './by-demand.ts';
import type { DecisionRecord, DecisionRule } from './decision.ts';
import type { Placer } from './placer.ts';
import type { Attempt, Task } from './task.ts';

export interface Begun {
  readonly attempt: Attempt;
  readonly record: DecisionRecord;
}

export interface GangFacts {
  readonly nowMicros: number;
  readonly rule: DecisionRule;
  readonly shadowMicros: number;
  readonly queueLength: number;
  readonly excluded: ((machine: number) => boolean) | undefined;
}

/** The members' attempts, in the order in which they were tried: the most demanding first, by GPUs, CPU, memory, then
 *  number (first-fit decreasing); or undefined, and everything as it was but for draws from the random stream. The choice is
 *  greedy: it may miss a way to fit all. */
export function placeGang(members: readonly Task[], placer: Placer, facts: GangFacts): readonly Begun[] | undefined {
  const { attemptCount, decisionCount } = placer;
  const begun: Begun[] = [];
  const taken: number[] = [];
  for (const task of [...members].sort(byDemand)) {
    const mates = { machines: taken, left: members.length - begun.length };
    const machines = placer.find(task.kind, facts.excluded, mates);
    if (machines !== undefined) {
      taken.push(...machines);
      begun.push(placer.reserve(task, machines, facts.nowMicros, facts));
      continue;
    }
    for (const { attempt } of begun.reverse()) placer.release(attempt);
    placer.attemptCount = attemptCount;
    placer.decisionCount = decisionCount;
    return undefined;
  }
  return begun;
}
