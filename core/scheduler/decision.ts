// What the scheduler decided about one task at one moment, and why: enough to explain it to a person and to learn from it
// off policy. A record is plain data and leaves the kernel as an effect.

import { filterReasons } from './cluster-state.ts';

/** `evicts`: running tasks are stopped for it, and their machines held until it has them. */
export type DecisionOutcome = 'placed' | 'waits' | 'dropped' | 'backs off' | 'evicts';

/** Why a task was tried out of the queue's order, if it was. */
/** `after eviction`: it gets the machines that were held for it. `incomplete gang`: its companions did not come in time.
 *  `shed`: the queue was full, and it gave way to a more important one. */
export type DecisionRule = 'in order' | 'backfilled' | 'after eviction' | 'incomplete gang' | 'shed';

export interface RankedMachine {
  readonly machine: number;
  /** Weighted total. */
  readonly score: number;
  /** Each score plug-in's own value, in the order of the placement's plug-ins. */
  readonly scores: readonly number[];
}

export interface DecisionRecord {
  /** Counts from 1 over the kernel's life. */
  readonly decision: number;
  readonly task: number;
  /** The submitter's own number for the task. */
  readonly submission: number;
  /** The attempt that a placement began, 0 otherwise. */
  readonly attempt: number;
  readonly kind: number;
  readonly outcome: DecisionOutcome;
  readonly rule: DecisionRule;
  /** Machine rows and their device masks; empty unless placed or evicting, in which case the devices are not chosen yet. */
  readonly machines: readonly number[];
  readonly deviceMasks: readonly number[];
  /** The winner and the runners-up, best first; empty unless placed. For tasks over several machines, the first machine alone. */
  readonly ranked: readonly RankedMachine[];
  /** Machines that passed the filter, and those that tied at the best score. */
  readonly feasibleCount: number;
  readonly tieCount: number;
  /** Machines by reason code ({@link filterReasons}); index 0 counts those that fit. Rare reasons at the end may be left out. */
  readonly reasonCounts: readonly number[];
  /** Probability that the policy makes this choice in this state. */
  readonly propensity: number;
  /** Version of the policy that decided. */
  readonly policyVersion: number;
  /** Waiting tasks at that moment, this one included. */
  readonly queueLength: number;
  /** The blocked head's shadow time, for backfilled tasks; −1 otherwise. */
  readonly shadowMicros: number;
  /** True if it is not what the policy prefers, but was drawn to learn from it. */
  readonly explored?: boolean | undefined;
  /** The machine that the policy in the shadow would take, −1 for none; absent without one. */
  readonly shadow?: number | undefined;
  /** Attempts that are stopped for the task, if it evicts any. */
  readonly victims?: readonly number[] | undefined;
}

/** One sentence on why machines were ruled out: `118 of 121: 80 too few GPUs free, 38 CPU`. */
export function explainFilter(reasonCounts: readonly number[]): string {
  let total = 0;
  for (const count of reasonCounts) total += count;
  const out = total - (reasonCounts[0] ?? 0);
  if (out === 0) return `all ${total} machines fit`;
  const parts: string[] = [];
  for (let reason = 1; reason < filterReasons.length; reason++) {
    const count = reasonCounts[reason] ?? 0;
    if (count > 0) parts.push(`${count} ${filterReasons[reason]}`);
  }
  return `${out} of ${total} machines ruled out: ${parts.join(', ')}`;
}
