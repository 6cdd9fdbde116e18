// What outcomes have said of all agents at one class of task: columns, one row an agent, and sums by group of agents. Weights
// grow with time instead of shrinking (forward decay), so that forgetting touches no row; what the numbers mean is the table's
// business.

import { assert } from '../base/assert.ts';

/** Names of the columns that hold an agent's own statistics, in the order in which a snapshot lists them after the row. */
const kept = ['samples', 'sum', 'joules', 'attempts', 'failures', 'count', 'lastMicros', 'share', 'shareSum'] as const;

export interface SkillColumnState {
  readonly reference: number | null;
  readonly groups: readonly (readonly number[])[];
  /** Row, then its statistics; only rows that have some. */
  readonly rows: readonly (readonly number[])[];
  /** By row; empty if no placement asks for offers. */
  readonly offers: readonly number[];
}

export class SkillColumn {
  readonly taskClass: string;
  /** Dimension of the skill of this name among the declared ones, −1 as long as none is known. */
  dimension = -1;
  /** Weight of completed tasks, and the weighted sum of the logarithms of seconds a unit. */
  samples = new Float64Array(0);
  sum = new Float64Array(0);
  /** Weighted sum of joules a unit, over the completed tasks. */
  joules = new Float64Array(0);
  /** Weight of all outcomes, and of the failures among them. */
  attempts = new Float64Array(0);
  failures = new Float64Array(0);
  /** Outcomes ever, unweighted. */
  count = new Float64Array(0);
  lastMicros = new Float64Array(0);
  /** What the row adds to its group: weight, and weighted residual. */
  share = new Float64Array(0);
  shareSum = new Float64Array(0);
  /** Logarithm of seconds a unit as declared, NaN where nothing is; follows from what agents declare. */
  priors = new Float64Array(0);
  /** Units a second that a placement may hope for; kept only where one asks for it. */
  offers = new Float64Array(0);
  /** By group: sums over the rows' shares, outcomes and failures. */
  readonly groupShare: Float64Array;
  readonly groupShareSum: Float64Array;
  readonly groupAttempts: Float64Array;
  readonly groupFailures: Float64Array;
  /** Logarithm of seconds a unit of the very first outcome: the scale for agents that declare nothing. Null before it. */
  reference: number | null = null;

  constructor(taskClass: string, groupCount: number) {
    this.taskClass = taskClass;
    this.groupShare = new Float64Array(groupCount);
    this.groupShareSum = new Float64Array(groupCount);
    this.groupAttempts = new Float64Array(groupCount);
    this.groupFailures = new Float64Array(groupCount);
  }

  grow(rows: number): void {
    for (const name of [...kept, 'offers', 'priors'] as const) {
      const larger = new Float64Array(rows);
      larger.set(this[name]);
      this[name] = larger;
    }
  }

  /** Takes the row's share out of its group, for it to be computed anew. */
  takeOut(row: number, group: number): void {
    this.groupShare[group]! -= this.share[row] as number;
    this.groupShareSum[group]! -= this.shareSum[row] as number;
    this.share[row] = 0;
    this.shareSum[row] = 0;
  }

  putIn(row: number, group: number, share: number, shareSum: number): void {
    this.share[row] = share;
    this.shareSum[row] = shareSum;
    this.groupShare[group]! += share;
    this.groupShareSum[group]! += shareSum;
  }

  /** An outcome came, of weight `scale`. */
  noteOutcome(row: number, group: number, scale: number, completed: boolean, nowMicros: number): void {
    this.count[row]!++;
    this.lastMicros[row] = nowMicros;
    this.attempts[row]! += scale;
    this.groupAttempts[group]! += scale;
    if (completed) return;
    this.failures[row]! += scale;
    this.groupFailures[group]! += scale;
  }

  /** And it was a completed task. `value`: logarithm of seconds a unit. One that says nothing of its energy is taken for the average. */
  noteCompleted(row: number, scale: number, value: number, joulesPerUnit: number | undefined): void {
    const before = this.samples[row] as number;
    const joules = this.joules[row] as number;
    this.joules[row] = joules + scale * (joulesPerUnit ?? (before > 0 ? joules / before : 0));
    this.samples[row] = before + scale;
    this.sum[row]! += scale * value;
  }

  /** The row leaves its group, with its share and its outcomes. */
  leave(row: number, group: number): void {
    this.takeOut(row, group);
    this.groupAttempts[group]! -= this.attempts[row] as number;
    this.groupFailures[group]! -= this.failures[row] as number;
  }

  /** The row is of a group from now on; its share is computed anew by others. */
  enter(row: number, group: number): void {
    this.groupAttempts[group]! += this.attempts[row] as number;
    this.groupFailures[group]! += this.failures[row] as number;
  }

  /** Nothing that was measured on the row, which is in no group now, counts any more. */
  forget(row: number): void {
    for (const name of kept) this[name][row] = 0;
  }

  /** Multiplies every weight, by a power of two: nothing is rounded. */
  rescale(factor: number): void {
    const weights = [this.samples, this.sum, this.joules, this.attempts, this.failures, this.share, this.shareSum];
    const sums = [this.groupShare, this.groupShareSum, this.groupAttempts, this.groupFailures];
    for (const column of [...weights, ...sums]) for (let at = 0; at < column.length; at++) column[at]! *= factor;
  }

  save(rows: number, withOffers: boolean): SkillColumnState {
    const saved: number[][] = [];
    for (let row = 0; row < rows; row++)
      if (this.count[row] !== 0) saved.push([row, ...kept.map((name) => this[name][row] as number)]);
    return {
      reference: this.reference,
      groups: this.groupColumns().map((column) => Array.from(column)),
      rows: saved,
      offers: Array.from(this.offers.subarray(0, withOffers ? rows : 0)),
    };
  }

  /** The column must have been grown to the state's rows. */
  restore(state: SkillColumnState): void {
    this.reference = state.reference;
    this.groupColumns().forEach((column, index) => {
      column.set(state.groups[index] as readonly number[]);
    });
    for (const [row, ...values] of state.rows) {
      assert(row !== undefined && row < this.count.length, 'a snapshot names an agent that it lacks');
      kept.forEach((name, index) => {
        this[name][row] = values[index] as number;
      });
    }
    this.offers.set(state.offers);
  }

  private groupColumns(): Float64Array[] {
    return [this.groupShare, this.groupShareSum, this.groupAttempts, this.groupFailures];
  }
}
