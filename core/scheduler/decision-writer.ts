// Writes decision records from what the placement index last found: who was ruled out and why, the winner and the runners-up
// with each plug-in's score. It only reads; the scheduler decides.

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
  readonly policyVersion: number;
  readonly queueLength: number;
  readonly runnersUpMax: number;
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
  write(task: Task, facts: DecisionFacts): DecisionRecord {
    const { index } = this;
    const { kind } = task;
    const { attempt } = facts;
    return {
      decision: ++this.count,
      task: task.task,
      submission: task.submission,
      attempt: attempt?.attempt ?? 0,
      kind: kind.id,
      outcome: facts.outcome,
      rule: facts.rule,
      machines: attempt?.machines ?? [],
      deviceMasks: attempt?.deviceMasks ?? [],
      ranked: attempt === undefined ? [] : this.rankAll(kind, attempt.machines[0] as number, facts.runnersUpMax),
      feasibleCount: index.feasibleCount,
      tieCount: index.tieCount,
      reasonCounts: copyOf(index.reasonCounts(kind)),
      propensity: kind.machineCount === 1 ? index.propensity : 1,
      policyVersion: facts.policyVersion,
      queueLength: facts.queueLength,
      shadowMicros: facts.shadowMicros ?? -1,
    };
  }

  private rankAll(kind: RequestKind, winner: number, runnersUp: number): RankedMachine[] {
    const ranked = [this.rank(kind, winner)];
    if (kind.machineCount > 1) return ranked;
    const count = this.index.runnersUp(kind, Math.min(runnersUp, runnersUpMax), this.runnersUp);
    for (let position = 0; position < count; position++) {
      ranked.push(this.rank(kind, this.runnersUp[position] as number));
    }
    return ranked;
  }

  private rank(kind: RequestKind, machine: number): RankedMachine {
    this.index.scoresByPlugin(kind, machine, this.pluginScores);
    const scores: number[] = [];
    let score = 0;
    for (let position = 0; position < this.placement.scores.length; position++) {
      const { weight } = this.placement.scores[position] as Placement['scores'][number];
      scores.push(this.pluginScores[position] as number);
      score += weight * (this.pluginScores[position] as number);
    }
    return { machine, score, scores };
  }
}

/** `Array.from` walks a typed array by its iterator, at many times the cost. */
function copyOf(counts: Int32Array): number[] {
  const copy: number[] = [];
  for (let index = 0; index < counts.length; index++) copy.push(counts[index] as number);
  return copy;
}
