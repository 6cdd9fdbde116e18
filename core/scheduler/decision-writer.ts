// Writes decision records from what the placement index last found: who was ruled out and why, the winner and the runners-up
// with each plug-in's score. It only reads; the scheduler decides.

import { reasonMemory } from './cluster-state.ts';
import type { DecisionOutcome, DecisionRecord, DecisionRule, RankedMachine } from './decision.ts';
import type { Placement } from './framework.ts';
import type { PlacementIndex } from './placement-index.ts';
import type { RequestKind } from './request.ts';
import type { Attempt, Task } from './task.ts';

/** Runners-up in one record, at most. */
const runnersUpMax = 64;

/** What a record says beyond the find. */
export interface DecisionFacts {
  readonly outcome: DecisionOutcome;
  readonly rule: DecisionRule;
  /** The attempt that a placement begins; its machines do not hold it yet. */
  readonly attempt?: Attempt | undefined;
  /** The blocked head's shadow time, for backfilled tasks. */
  readonly shadowMicros?: number | undefined;
  /** Machines held for the task, and the attempts that leave them. */
  readonly eviction?: { readonly machines: readonly number[]; readonly victims: readonly Attempt[] } | undefined;
  readonly queueLength: number;
  /** What the shadow would have chosen, if there is one. */
  readonly shadow?: number | undefined;
}

export class DecisionWriter {
  /** Records written so far. */
  count = 0;
  private readonly index: PlacementIndex;
  private readonly placement: Placement;
  private readonly runnersUp = new Int32Array(runnersUpMax);
  private readonly pluginScores: Float64Array;

  constructor(index: PlacementIndex, placement: Placement) {
    this.index = index;
    this.placement = placement;
    this.pluginScores = new Float64Array(Math.max(1, placement.scores.length));
  }

  /** The record of a decision about `task`; for a placement, before the columns change. */
  write(task: Task, facts: DecisionFacts, policyVersion: number, runnersUp: number): DecisionRecord {
    const { index } = this;
    const { kind } = task;
    const { attempt, eviction } = facts;
    const record: DecisionRecord = {
      decision: ++this.count,
      task: task.task,
      submission: task.submission,
      attempt: attempt?.attempt ?? 0,
      kind: kind.id,
      outcome: facts.outcome,
      rule: facts.rule,
      machines: attempt?.machines ?? eviction?.machines ?? [],
      deviceMasks: attempt?.deviceMasks ?? eviction?.machines.map(() => 0) ?? [],
      ranked: attempt === undefined ? [] : this.rankAll(kind, attempt.machines[0] as number, runnersUp),
      feasibleCount: index.feasibleCount,
      tieCount: index.tieCount,
      reasonCounts: copyOf(index.reasonCounts(kind)),
      propensity: kind.machineCount === 1 ? index.propensity : 1,
      policyVersion,
      queueLength: facts.queueLength,
      shadowMicros: facts.shadowMicros ?? -1,
    };
    if (facts.shadow !== undefined) Object.assign(record, { shadow: facts.shadow });
    if (index.explored && attempt !== undefined) Object.assign(record, { explored: true });
    if (eviction === undefined) return record;
    return { ...record, victims: eviction.victims.map((victim) => victim.attempt) };
  }

  private rankAll(kind: RequestKind, winner: number, runnersUp: number): RankedMachine[] {
    const spans = kind.machineCount > 1;
    const count = spans ? 0 : this.index.runnersUp(kind, Math.min(runnersUp, runnersUpMax), this.runnersUp);
    const ranked = new Array<RankedMachine>(1 + count);
    ranked[0] = this.rank(kind, winner);
    for (let position = 0; position < count; position++) {
      ranked[1 + position] = this.rank(kind, this.runnersUp[position] as number);
    }
    return ranked;
  }

  private rank(kind: RequestKind, machine: number): RankedMachine {
    const { pluginScores } = this;
    const plugins = this.placement.scores;
    this.index.scoresByPlugin(kind, machine, pluginScores);
    const scores = new Array<number>(plugins.length);
    let score = 0;
    for (let position = 0; position < plugins.length; position++) {
      const own = pluginScores[position] as number;
      scores[position] = own;
      score += (plugins[position] as Placement['scores'][number]).weight * own;
    }
    return { machine, score, scores };
  }
}

// Arrays of known length throughout this file: one that grows takes room for seventeen at its first element, which would be
// most of what a record weighs, and records are most of what the kernel allocates.
function copyOf(counts: Int32Array): number[] {
  // Reasons that only some profiles know are left out where they rule out nothing.
  let length = counts.length;
  while (length > reasonMemory + 1 && counts[length - 1] === 0) length--;
  const copy = new Array<number>(length);
  for (let index = 0; index < length; index++) copy[index] = counts[index] as number;
  return copy;
}
