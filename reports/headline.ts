// The answer in plain words: who wins on the objective and by how much, or that these runs cannot tell. Says no more than
// the paired differences support.

import type { Comparison, Estimate, MetricSpec, ResultDocument } from '../sim/experiment/results.ts';
import {
  differenceUnit,
  formatNumber,
  formatPValue,
  formatQuantity,
  halfInterval,
  joinWords,
  plural,
  scaleOf,
  scaleOfValues,
  unitSuffix,
} from './format.ts';
import type { RankedPolicy, Ranking } from './ranking.ts';

export interface Headline {
  readonly kind: 'winner' | 'cannot tell' | 'no comparison';
  /** One sentence without a full stop. */
  readonly title: string;
  /** Sentences that say by how much and how sure. */
  readonly details: readonly string[];
}

export function headlineOf(document: ResultDocument, ranking: Ranking): Headline {
  const { metric } = ranking;
  const name = lowerFirst(metric.title);
  const measured = ranking.policies.filter(({ rank }) => rank !== null);
  if (measured.length === 0) return noComparison(`No policy has a value for ${name}: nothing to rank`);
  const estimates = measured.map(({ policy }) => policy.metrics[metric.name]);
  const best = formatQuantity(estimates[0].mean, scaleOf(metric, estimates));
  const first = measured[0].policy.name;
  if (measured.length === 1) {
    return noComparison(
      `${first}: ${name} ${best}`,
      'Only one policy has a value, so there is nothing to compare it with.',
    );
  }
  if (metric.better === 'neither') {
    return noComparison(
      `No winner: ${name} has no better direction`,
      'The policies stand in the order of the scenario.',
    );
  }
  const extreme = metric.better === 'lower' ? 'lowest' : 'highest';
  if (document.seeds.length < 2) {
    return {
      kind: 'cannot tell',
      title: `${first} has the ${extreme} ${name} in the one seed that was run: ${best}`,
      details: [
        'One seed gives no interval: nothing here says how far chance alone could move it. Add seeds to the scenario to find out.',
      ],
    };
  }
  return ranking.decided
    ? winner(document, ranking, measured, best)
    : cannotTell(document, ranking, measured, best, extreme);
}

function winner(
  document: ResultDocument,
  { metric }: Ranking,
  measured: readonly RankedPolicy[],
  best: string,
): Headline {
  const first = measured[0].policy.name;
  const details: string[] = [];
  const runnerUp = measured[1];
  if (runnerUp.firstAgainst) {
    const correction = measured.length > 2 ? ` after Holm’s correction over its ${measured.length - 1} rivals` : '';
    details.push(
      `${first} is ${distance(runnerUp.firstAgainst, metric)} the runner-up, ${runnerUp.policy.name} (${certainty(runnerUp.firstAgainst, metric)}${correction}).`,
    );
  }
  if (runnerUp.policy.name !== document.baseline) details.push(...againstBaseline(document, metric, first));
  return { kind: 'winner', title: `${first} wins: ${lowerFirst(metric.title)} ${best}`, details };
}

function cannotTell(
  document: ResultDocument,
  { metric }: Ranking,
  measured: readonly RankedPolicy[],
  best: string,
  extreme: string,
): Headline {
  const first = measured[0].policy.name;
  const name = lowerFirst(metric.title);
  const namesOf = (policies: readonly RankedPolicy[]) => policies.map(({ policy }) => policy.name);
  const behind = namesOf(measured.filter(({ rank }) => rank !== 1));
  const tied = namesOf(measured.slice(1).filter(({ rank }) => rank === 1));
  const details = [
    `${first} has the ${extreme} mean, ${best}, but ${plural(document.seeds.length, 'seed')} do not show that it is better than ${joinWords(tied)}.`,
  ];
  if (behind.length > 0) details.push(`Shown not to be the best: ${joinWords(behind)}.`);
  details.push(...againstBaseline(document, metric, first));
  const title =
    tied.length <= 2
      ? `Cannot tell ${joinWords([first, ...tied])} apart on ${name}`
      : `Cannot tell which policy is best on ${name}: ${tied.length + 1} of ${measured.length} may be`;
  return { kind: 'cannot tell', title, details };
}

/** The leader against the scenario's baseline, from the document's own comparisons. */
function againstBaseline(document: ResultDocument, metric: MetricSpec, leader: string): string[] {
  const comparison = document.comparisons.find((entry) => entry.policy === leader && entry.metric === metric.name);
  if (!comparison || comparison.difference.mean === null) return [];
  const chance = comparison.verdict === 'cannot tell' ? ', which could be chance' : '';
  return [
    `Against the baseline, ${document.baseline}, it is ${distance(comparison, metric)} (${certainty(comparison, metric)})${chance}.`,
  ];
}

/** `1.83 points above`. */
function distance({ difference }: Comparison, metric: MetricSpec): string {
  const mean = difference.mean ?? 0;
  if (mean === 0) return 'equal to';
  const scale = differenceScale(metric, [difference]);
  return `${formatQuantity(Math.abs(mean), scale)} ${mean > 0 ? 'above' : 'below'}`;
}

/** `95% interval 1.60 to 2.06, p = 0.002`. */
function certainty({ difference, pHolm }: Comparison, metric: MetricSpec): string {
  if (difference.low === null || difference.high === null || pHolm === null) return 'no interval';
  const scale = differenceScale(metric, [difference]);
  const { low, high } = difference;
  // Below zero on both sides, the sentence has said "below" already.
  const bounds = high <= 0 ? [-high, -low] : [low, high];
  return `95% interval ${formatNumber(bounds[0], scale)} to ${formatNumber(bounds[1], scale)}${unitSuffix(scale.unit)}, ${formatPValue(pHolm)}`;
}

/** The scale of paired differences: percentages differ by points. */
export function differenceScale(metric: MetricSpec, differences: readonly Estimate[]) {
  const magnitudes = differences.map(({ mean }) => Math.abs(mean ?? 0)).filter((value) => value > 0);
  const halves = differences.map((difference) => halfInterval(difference) ?? 0).filter((value) => value > 0);
  const scale = scaleOfValues(metric.unit, magnitudes, halves);
  return { ...scale, unit: differenceUnit(scale.unit) };
}

function noComparison(title: string, ...details: string[]): Headline {
  return { kind: 'no comparison', title, details };
}

/** Lower-cases a sentence's first letter, but leaves an acronym such as GPU alone. */
export function lowerFirst(text: string): string {
  return /^[A-Z](?![A-Z])/.test(text) ? text[0].toLowerCase() + text.slice(1) : text;
}

/** Upper-cases the first letter. */
export function upperFirst(text: string): string {
  return text.length === 0 ? text : text[0].toUpperCase() + text.slice(1);
}
