// The judge: does evidence from paired runs of two policies speak for the candidate? It answers pass, fail, or cannot tell yet.
// Objectives and guards are compared as ratios, seed by seed, in logarithms. Passed is whose improvement, over all scenarios
// together, has an interval that clears zero, while no scenario is worse beyond doubt after Holm's correction and no guard metric is
// above its bound; whatever is above its bound on average, but not beyond doubt, leaves the answer open.

import type { WitnessVerdict } from '../../core/policy/rollout.ts';
import { estimate, holm, pairedTest } from '../../sim/experiment/statistics.ts';

/** A metric of both policies, one value a seed; smaller is better. */
export interface PairedMetric {
  readonly metric: string;
  readonly incumbent: readonly (number | null)[];
  readonly candidate: readonly (number | null)[];
}

/** A metric that may rise to this multiple of the incumbent's (`ratioMax`), or by this much (`riseMax`). */
export type GuardEvidence = PairedMetric &
  (
    | { readonly ratioMax: number; readonly riseMax?: undefined }
    | { readonly riseMax: number; readonly ratioMax?: undefined }
  );

export interface ScenarioEvidence {
  readonly scenario: string;
  readonly objective: PairedMetric;
  readonly guards: readonly GuardEvidence[];
}

export interface ScenarioJudgement {
  readonly scenario: string;
  /** Relative change of the objective, and its 95% interval; null below two seeds. */
  readonly change: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly pHolm: number | null;
  readonly verdict: 'better' | 'worse' | 'cannot tell';
}

export interface Judgement {
  readonly verdict: WitnessVerdict;
  /** Over all scenarios together. */
  readonly change: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly scenarios: readonly ScenarioJudgement[];
  /** Sentences, the ones that decided first. */
  readonly reasons: readonly string[];
}

/** Worse by less than this is not worth a veto. */
const marginShare = 0.01;
const level = 0.05;

export function judge(evidence: readonly ScenarioEvidence[]): Judgement {
  const ratios = evidence.map(({ objective }) => logRatios(objective));
  const tests = ratios.map((each) =>
    pairedTest(
      each,
      each.map((value) => (value === null ? null : 0)),
    ),
  );
  const corrected = holm(tests.map(({ pValue }) => pValue));
  const scenarios = evidence.map(({ scenario }, index): ScenarioJudgement => {
    const { mean, low, high } = (tests[index] as (typeof tests)[number]).difference;
    const pHolm = corrected[index] ?? null;
    const isSure = pHolm !== null && pHolm < level && mean !== null;
    const verdict = !isSure
      ? 'cannot tell'
      : mean < 0
        ? 'better'
        : mean > Math.log1p(marginShare)
          ? 'worse'
          : 'cannot tell';
    return { scenario, change: changeOf(mean), low: changeOf(low), high: changeOf(high), pHolm, verdict };
  });
  // A seed means the same in no two scenarios; what is averaged is what a policy change does to the suite, replication by replication.
  const seeds = Math.min(...ratios.map(({ length }) => length));
  const together = estimate(
    Array.from({ length: Number.isFinite(seeds) ? seeds : 0 }, (_, seed) => {
      const values = ratios.map((each) => each[seed] ?? null);
      return values.some((value) => value === null)
        ? null
        : values.reduce<number>((sum, value) => sum + (value as number), 0) / values.length;
    }),
  );
  const vetoes: string[] = [];
  const doubts: string[] = [];
  for (const { scenario, guards } of evidence)
    for (const guard of guards) {
      const { isBroken, isSure, words } = judgeGuard(guard);
      if (isBroken) (isSure ? vetoes : doubts).push(`${scenario}: ${words}`);
    }
  for (const { scenario, verdict, change } of scenarios)
    if (verdict === 'worse') vetoes.push(`${scenario}: ${percent(change)} worse`);
  const improves = together.high !== null && together.high < 0;
  const worsens = together.low !== null && together.low > Math.log1p(marginShare);
  if (worsens) vetoes.push(`all scenarios together: ${percent(changeOf(together.mean))} worse`);
  if (!improves && !worsens) doubts.push('the interval of the improvement over all scenarios does not clear zero');
  const verdict = vetoes.length > 0 ? 'fail' : doubts.length > 0 ? 'cannotTell' : 'pass';
  const praise = improves ? [`all scenarios together: ${percent(changeOf(together.mean))}`] : [];
  const { mean, low, high } = together;
  return {
    ...{ verdict, change: changeOf(mean), low: changeOf(low), high: changeOf(high), scenarios },
    reasons: [...vetoes, ...doubts, ...praise],
  };
}

function judgeGuard(guard: GuardEvidence): {
  readonly isBroken: boolean;
  readonly isSure: boolean;
  readonly words: string;
} {
  const { metric, incumbent, candidate, ratioMax, riseMax } = guard;
  const values = ratioMax === undefined ? rises(guard) : logRatios(guard);
  const bound = ratioMax === undefined ? riseMax : Math.log(ratioMax);
  const { mean, low } = estimate(values);
  const isBroken = mean !== null && mean > bound;
  // One seed alone proves nothing; the same in all seeds has no spread.
  const isSure = isBroken && low !== null && low > bound;
  const of = (all: readonly (number | null)[]): string => shown(estimate(all).mean);
  const asked = ratioMax === undefined ? `at most ${riseMax} more` : `at most ${ratioMax} times as much`;
  return { isBroken, isSure, words: `${metric} is ${of(candidate)}, the incumbent's ${of(incumbent)} (${asked})` };
}

function rises({ incumbent, candidate }: PairedMetric): (number | null)[] {
  return candidate.map((value, seed) => {
    const before = incumbent[seed] ?? null;
    return value === null || before === null ? null : value - before;
  });
}

/** Of values that are 0 nothing is known but that they are small: both are raised by a thousandth of the incumbent's mean. */
function logRatios({ incumbent, candidate }: PairedMetric): (number | null)[] {
  const floor = Math.max(1e-9, 0.001 * Math.abs(estimate(incumbent).mean ?? 0));
  return candidate.map((value, seed) => {
    const before = incumbent[seed] ?? null;
    if (value === null || before === null) return null;
    return Math.log((Math.max(0, value) + floor) / (Math.max(0, before) + floor));
  });
}

function changeOf(logarithm: number | null): number | null {
  return logarithm === null ? null : Math.expm1(logarithm);
}

function percent(change: number | null): string {
  return change === null ? 'unknown' : `${change > 0 ? '+' : ''}${(100 * change).toFixed(1)}%`;
}

function shown(value: number | null): string {
  return value === null ? 'unknown' : String(Math.round(1000 * value) / 1000);
}
