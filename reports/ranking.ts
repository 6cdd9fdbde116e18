// The order of the policies by the objective, and how much of that order the seeds support. Keeps the promise that a policy
// ranks above another only where the paired differences show it: a rank is one plus the number of policies shown to be
// better, so policies that cannot be told apart share it.

import { compareAllPairs } from '../sim/experiment/comparison.ts';
import type { Comparison, MetricSpec, PolicyResult, ResultDocument } from '../sim/experiment/results.ts';

export interface RankedPolicy {
  readonly policy: PolicyResult;
  /** Place in the document, which decides the policy's colour everywhere. */
  readonly index: number;
  /** 1 + number of policies shown to be better; null where the objective is undefined. */
  readonly rank: number | null;
  /** Against the policy with the best mean: null for that policy itself. */
  readonly againstFirst: Comparison | null;
}

export interface Ranking {
  readonly metric: MetricSpec;
  /** By mean, best first; undefined ones last. */
  readonly policies: readonly RankedPolicy[];
  /** True if the best mean is shown to be better than every other policy. */
  readonly decided: boolean;
}

/** Ranks by the document's objective. All pairs are in the correction, because the leader is picked from the same data. */
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
  const pairs = compareAllPairs(
    ordered.map(({ policy }) => policy),
    metric,
    document.seeds,
  );
  const first = ordered[0]?.policy;
  const policies = ordered.map(({ policy, index }) => ({
    policy,
    index,
    rank: meanOf(policy) === null ? null : 1 + pairs.filter((pair) => loses(policy.name, pair)).length,
    // Pairs are (later − earlier) in the given order, so that the first policy is always the one compared with.
    againstFirst: pairs.find((pair) => pair.policy === policy.name && pair.baseline === first?.name) ?? null,
  }));
  const others = policies.slice(1);
  return {
    metric,
    policies,
    decided: others.length > 0 && others.every((other) => other.againstFirst?.verdict === 'worse'),
  };
}

function loses(policy: string, pair: Comparison): boolean {
  return (
    (pair.policy === policy && pair.verdict === 'worse') || (pair.baseline === policy && pair.verdict === 'better')
  );
}

/** The metric that ranks. A document whose objective is not among its metrics is ranked by its first. */
export function objectiveOf(document: ResultDocument): MetricSpec {
  const metric = document.metrics.find((candidate) => candidate.name === document.objective) ?? document.metrics[0];
  if (!metric) throw new TypeError('a result document has at least one metric');
  return metric;
}

/** `1`, or `1=` where others share the rank; `–` where there is none. With one seed nothing is shown, so there are no ranks. */
export function rankLabel(entry: RankedPolicy, ranking: Ranking): string {
  if (entry.rank === null || !ranking.policies.some(({ againstFirst }) => againstFirst?.pHolm != null)) return '–';
  const shared = ranking.policies.filter(({ rank }) => rank === entry.rank).length > 1;
  return shared ? `${entry.rank}=` : String(entry.rank);
}
