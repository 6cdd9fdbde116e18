// Decisions of a run in columns, as they go into its decisions file: one row a decision record.

import { filterReasons } from '../../core/scheduler/cluster-state.ts';
import type { DecisionRecord } from '../../core/scheduler/decision.ts';

export class DecisionColumns {
  readonly timeSeconds: number[] = [];
  readonly decision: number[] = [];
  /** Submission number: how tasks are known outside the kernel. */
  readonly task: number[] = [];
  readonly attempt: number[] = [];
  readonly outcome: string[] = [];
  readonly rule: string[] = [];
  /** Names of the machines, space-separated. */
  readonly machines: string[] = [];
  /** `machine:score` of the winner and the runners-up, best first, space-separated. */
  readonly ranked: string[] = [];
  readonly feasibleCount: number[] = [];
  readonly tieCount: number[] = [];
  readonly propensity: number[] = [];
  readonly queueLength: number[] = [];
  readonly policyVersion: number[] = [];
  readonly shadowSeconds: (number | null)[] = [];
  /** Machines ruled out, by reason (index 0: those that fit). */
  readonly reasons: number[][] = filterReasons.map(() => []);

  get length(): number {
    return this.decision.length;
  }

  /** `nameOf` turns an agent's number into the machine's name: numbers mean nothing outside the run. */
  add(record: DecisionRecord, nowMicros: number, nameOf: (agent: number) => string): void {
    this.timeSeconds.push(nowMicros / 1e6);
    this.decision.push(record.decision);
    this.task.push(record.submission);
    this.attempt.push(record.attempt);
    this.outcome.push(record.outcome);
    this.rule.push(record.rule);
    this.machines.push(record.machines.map(nameOf).join(' '));
    this.ranked.push(record.ranked.map(({ machine, score }) => `${nameOf(machine)}:${score}`).join(' '));
    this.feasibleCount.push(record.feasibleCount);
    this.tieCount.push(record.tieCount);
    this.propensity.push(record.propensity);
    this.queueLength.push(record.queueLength);
    this.policyVersion.push(record.policyVersion);
    this.shadowSeconds.push(
      record.shadowMicros >= 0 && Number.isFinite(record.shadowMicros) ? record.shadowMicros / 1e6 : null,
    );
    this.reasons.forEach((column, reason) => {
      column.push(record.reasonCounts[reason] ?? 0);
    });
  }
}
