// The order of the policies by the objective, and how much of that order the seeds support. Keeps the promise that a policy
// ranks above another only where the paired differences show it: a rank is one plus the number of policies shown to be better.
// Each policy is tested against all its rivals, with Holm's correction over them, so that each rank is at most the true one
// with 95% confidence, and the policies of rank 1 contain the truly best one with 95% confidence, however the leader was found
// (Mogstad, Romano, Shaikh and Wilhelm, "Inference for Ranks", Review of Economic Studies 2024; marginal lower bounds).

import { compareToBaseline } from '../sim/experiment/comparison.ts';
import type { Comparison, MetricSpec, PolicyResult, ResultDocument } from '../sim/experiment/results.ts';

export interface RankedPolicy {
  readonly policy: PolicyResult;
  /** Place in the document, which decides the policy's colour everywhere. */
  readonly index: number;
  /** 1 + number of policies shown to be better; null where the objective is undefined. */
  readonly rank: number | null;
  /** The policy with the best mean against this one, corrected over all of this one's rivals; null for that policy itself. */
  readonly firstAgainst: Comparison | null;
}

export interface Ranking {
  readonly metric: MetricSpec;
  /** By mean, best first; undefined ones last. */
  readonly policies: readonly RankedPolicy[];
  /** True if every policy but the first is shown not to be the best. */
  readonly decided: boolean;
}

/** Ranks by the document's objective. */
export function rankPolicies(document: ResultDocument): Ranking {
  const metric = objectiveOf(document);
  const sign = metric.better === 'lower' ? 1 : -1;
  const meanOf = (policy: PolicyResult) => policy.metrics[metric.name]?.mean ?? null;
  const ordered = document.policies
    .map((policy, index) => ({ policy, index }))
    .sort((a, b) => {
      const [left, right] = [meanOf(a.policy), meanOf(b.policy)];
      if (left === null || right === null) return Number(left === null) - Number(right === null) || a.index - b.index;
      return metric.better === 'neither' ? a.index - b.index : sign * (left - right) || a.index - b.index;
    });
  const measured = ordered.map(({ policy }) => policy).filter((policy) => meanOf(policy) !== null);
  const policies = ordered.map(({ policy, index }): RankedPolicy => {
    if (!measured.includes(policy)) return { policy, index, rank: null, firstAgainst: null };
    const rivals = compareToBaseline(measured, [metric], policy.name, document.seeds);
    return {
      policy,
      index,
      rank: 1 + rivals.filter(({ verdict }) => verdict === 'better').length,
      firstAgainst: rivals.find((rival) => rival.policy === measured[0].name) ?? null,
    };
  });
  return { metric, policies, decided: measured.length > 1 && policies.slice(1).every(({ rank }) => rank !== 1) };
}

/** The metric that ranks. A document whose objective is not among its metrics is ranked by its first. */
export function objectiveOf(document: ResultDocument): MetricSpec {
  const metric = document.metrics.find((candidate) => candidate.name === document.objective) ?? document.metrics[0];
  if (!metric) throw new TypeError('a result document has at least one metric');
  return metric;
}

/** `1`, or `1=` where others share the rank; `–` where there is none. With one seed nothing is shown, so there are no ranks. */
export function rankLabel(entry: RankedPolicy, ranking: Ranking): string {
  if (entry.rank === null || !ranking.policies.some(({ firstAgainst }) => firstAgainst?.pHolm != null)) return '–';
  const shared = ranking.policies.filter(({ rank }) => rank === entry.rank).length > 1;
  return shared ? `${entry.rank}=` : String(entry.rank);
}
