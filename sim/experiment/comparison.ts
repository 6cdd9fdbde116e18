// Which policies differ, and from chance? Comparisons are paired by seed, because one seed gives every policy the same
// arrivals. Keeps the promise that nothing is called better or worse without p < 0.05 after Holm's correction; below two
// common seeds the answer is always 'cannot tell'.

import { assert } from '../../core/base/assert.ts';
import type { Comparison, Estimate, GuardResult, MetricSpec } from './results.ts';
import { holm, type PairedTest, pairedTest } from './statistics.ts';

/** Family-wise error rate of every verdict. */
export const significanceLevel = 0.05;

/** What a comparison needs of a policy; a `PolicyResult` is one. */
export interface ComparablePolicy {
  readonly name: string;
  readonly metrics: Readonly<Record<string, Estimate>>;
}

/**
 * Every policy but the baseline against it, metric by metric, with Holm's correction over the policies of one metric.
 * Order: by metric, then by policy, both as given. A metric that either side lacks is left out.
 */
export function compareToBaseline(
  policies: readonly ComparablePolicy[],
  metrics: readonly MetricSpec[],
  baseline: string,
  seeds: readonly number[],
): Comparison[] {
  const control = policies.find((policy) => policy.name === baseline);
  assert(control !== undefined, 'the baseline is one of the policies');
  const comparisons: Comparison[] = [];
  for (const metric of metrics) {
    const pairs = policies
      .filter((policy) => policy !== control && policy.metrics[metric.name] && control.metrics[metric.name])
      .map((policy) => ({ treated: policy, control }));
    comparisons.push(...comparePairs(pairs, metric, seeds));
  }
  return comparisons;
}

function comparePairs(
  pairs: readonly { readonly treated: ComparablePolicy; readonly control: ComparablePolicy }[],
  metric: MetricSpec,
  seeds: readonly number[],
): Comparison[] {
  const tests = pairs.map(({ treated, control }) => {
    const treatedValues = treated.metrics[metric.name].perSeed;
    const controlValues = control.metrics[metric.name].perSeed;
    assert(treatedValues.length === seeds.length, 'a metric has one value a seed');
    assert(controlValues.length === seeds.length, 'a metric has one value a seed');
    return pairedTest(treatedValues, controlValues);
  });
  const corrected = holm(tests.map((test) => test.pValue));
  return tests.map((test, index) => ({
    policy: pairs[index].treated.name,
    baseline: pairs[index].control.name,
    metric: metric.name,
    difference: test.difference,
    pValue: test.pValue,
    pHolm: corrected[index],
    verdict: verdictOf(test, corrected[index], metric),
  }));
}

function verdictOf(test: PairedTest, pHolm: number | null, metric: MetricSpec): Comparison['verdict'] {
  const difference = test.difference.mean;
  if (pHolm === null || pHolm >= significanceLevel || difference === null || difference === 0) return 'cannot tell';
  if (metric.better === 'neither') return 'cannot tell';
  return difference > 0 === (metric.better === 'higher') ? 'better' : 'worse';
}

/** A bound as a scenario states it. */
export interface Guard {
  readonly metric: string;
  readonly atMost?: number | undefined;
  readonly atLeast?: number | undefined;
}

/** Checks each guard on every policy's mean over seeds. A policy without the metric (or with a null mean) cannot break it. */
export function checkGuards(guards: readonly Guard[], policies: readonly ComparablePolicy[]): GuardResult[] {
  return guards.map((guard) => ({
    metric: guard.metric,
    atMost: guard.atMost ?? null,
    atLeast: guard.atLeast ?? null,
    violations: policies.flatMap((policy) => {
      const value = policy.metrics[guard.metric]?.mean ?? null;
      if (value === null) return [];
      const broken =
        (guard.atMost !== undefined && value > guard.atMost) || (guard.atLeast !== undefined && value < guard.atLeast);
      return broken ? [{ policy: policy.name, value }] : [];
    }),
  }));
}
