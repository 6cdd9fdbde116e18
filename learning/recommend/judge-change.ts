// What a change does, from paired runs: each metric's relative change with an interval, and whether that speaks for the change. What
// is recommended lowers its objective beyond doubt, by enough to be worth what it costs, and harms nothing that is guarded. Changes
// are compared in logarithms, seed by seed; intervals are corrected for the number of candidates (Bonferroni), and widened by how
// wrong past advice of the kind was.

import studentQuantile from '@stdlib/stats-base-dists-t-quantile';
import { allMetrics } from '../../sim/experiment/metrics.ts';
import { mean, standardDeviation } from '../../sim/experiment/statistics.ts';
import type { ApplyMeans, Effect, Interval, RecommendationKind, Risk } from './recommendation.ts';
import type { SimulatedRuns } from './simulate-configuration.ts';

export interface JudgeOptions {
  readonly kind: RecommendationKind;
  /** What advice is to lower; advice that saves energy lowers energy instead, and may not harm this. */
  readonly objective: string;
  readonly savesEnergy: boolean;
  /** Whether it costs machines. */
  readonly costs: boolean;
  readonly worthShare: number;
  readonly harmShare: number;
  /** Candidates that are simulated together. */
  readonly candidates: number;
  /** At least 1. */
  readonly widening: number;
  /** How far the simulator was off where it could be seen: simulated over measured, less 1. */
  readonly fidelity: number;
}

export interface Judgement {
  readonly isGood: boolean;
  readonly effects: readonly Effect[];
  readonly reasons: readonly string[];
}

const energyMetric = 'energyKilowattHours';
const level = 0.05;
/** Less than this is not worth a change. */
const leastShare = 0.01;
/** A window that was measured is never known better than this. */
const noiseShare = 0.02;
/** What was nothing and becomes something has grown beyond measure: as a number that can be written. */
const changeMax = 1e9;

export function judgeChange(present: SimulatedRuns, changed: SimulatedRuns, options: JudgeOptions): Judgement {
  const { objective, savesEnergy, costs, worthShare, harmShare } = options;
  const target = savesEnergy ? energyMetric : objective;
  const guards = new Map<string, number>([
    ['completionMeanSeconds', harmShare],
    ['completionP99Seconds', 5 * harmShare],
    ['droppedTasks', harmShare],
    ...(savesEnergy || costs ? [] : ([[energyMetric, 2 * harmShare]] as const)),
  ]);
  // What is saved by doing worse is no saving.
  if (savesEnergy) guards.set(objective, harmShare);
  guards.delete(target);
  const first = effectOf(target, null, present, changed, options);
  if (first === undefined)
    return { isGood: false, effects: [], reasons: [`${target} is not known of simulated runs: nothing can be said`] };
  const others = [...guards].flatMap(([metric, atMost]) => effectOf(metric, atMost, present, changed, options) ?? []);
  const harms = others.filter(({ change, atMost }) => change.mean > (atMost as number));
  const wanted = costs ? worthShare : leastShare;
  const { change, title } = first;
  const reasons: string[] = [];
  if (change.low > 0) reasons.push(`${title} would rise by ${percent(change.mean)}`);
  else if (change.high >= 0)
    reasons.push(`the interval of ${title} does not exclude that nothing gets better (${intervalText(change)})`);
  else if (-change.mean < wanted)
    reasons.push(`${title} would fall by ${percent(-change.mean)}; ${percent(wanted)} are asked for`);
  for (const { title: harmed, change: harm, atMost } of harms)
    reasons.push(`${harmed} would rise by ${percent(harm.mean)}, more than ${percent(atMost as number)}`);
  const isGood = reasons.length === 0;
  if (isGood) reasons.push(`${title} falls by ${percent(-change.mean)} (${intervalText(change)})`);
  return { isGood, effects: [first, ...others], reasons };
}

/** Low: taken back at once, and surely good. High: hard to take back, or what is guarded may be harmed. */
export function riskOf(means: ApplyMeans, effects: readonly Effect[], fidelity: number, takesAway: boolean): Risk {
  const [objective, ...guards] = effects;
  const near = guards.find(({ change, atMost }) => change.high > (atMost ?? Number.POSITIVE_INFINITY));
  if (takesAway) return { level: 'high', rule: 'capacity goes, and comes back only when somebody starts it again' };
  if (near !== undefined)
    return { level: 'high', rule: `it cannot be excluded that ${near.title} rises above its bound` };
  if (Math.abs(fidelity) > 0.15)
    return { level: 'high', rule: `the simulator is off by ${percent(Math.abs(fidelity))} where it can be seen` };
  const change = objective?.change ?? { mean: 0, low: 0, high: 0 };
  if (change.high - change.low > Math.abs(change.mean))
    return { level: 'medium', rule: 'the interval of its effect is wider than the effect' };
  if (means === 'rollout')
    return { level: 'medium', rule: 'a policy decides about every task; a canary tries it first' };
  if (means === 'byHand')
    return { level: 'medium', rule: 'somebody does it by hand, and would have to take it back so' };
  return { level: 'low', rule: 'settings are taken back at once, and the interval of the effect is narrow' };
}

function effectOf(
  metric: string,
  atMost: number | null,
  present: SimulatedRuns,
  changed: SimulatedRuns,
  { candidates, widening, fidelity }: JudgeOptions,
): Effect | undefined {
  const before = present.metrics[metric] ?? [];
  const after = changed.metrics[metric] ?? [];
  const known = before.filter((value): value is number => value !== null);
  // What is 0 is small, not nothing: both are raised by a thousandth.
  const floor = Math.max(1e-9, 0.001 * Math.abs(mean(known) ?? 0));
  const ratios = before.flatMap((value, seed) => {
    const other = after[seed] ?? null;
    return value === null || other === null ? [] : [Math.log((other + floor) / (value + floor))];
  });
  const [center, deviation] = [mean(ratios), standardDeviation(ratios)];
  if (center === null || deviation === null) return undefined;
  const count = ratios.length;
  const half = (probability: number, spread: number): number =>
    widening * studentQuantile(probability, count - 1) * deviation * Math.sqrt(spread);
  const window = Math.hypot(half(1 - level / 2, 1 + 1 / count), Math.log1p(Math.abs(fidelity)), noiseShare);
  const spec = allMetrics.find(({ name }) => name === metric);
  return {
    ...{ metric, title: spec?.title ?? metric, unit: spec?.unit ?? '' },
    present: mean(known) as number,
    changed: mean(after.filter((value): value is number => value !== null)) as number,
    change: interval(center, half(1 - level / (2 * Math.max(1, candidates)), 1 / count)),
    expected: interval(center, window),
    role: atMost === null ? 'objective' : 'guard',
    atMost,
  };
}

function interval(center: number, half: number): Interval {
  const share = (logarithm: number): number => Math.min(changeMax, Math.expm1(logarithm));
  return { mean: share(center), low: share(center - half), high: share(center + half) };
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

/** `−12.3%`. */
export function signedPercent(share: number): string {
  return `${share > 0 ? '+' : share < 0 ? '−' : ''}${percent(Math.abs(share))}`;
}

export function intervalText({ low, high }: Interval): string {
  return `95% interval ${signedPercent(low)} to ${signedPercent(high)}`;
}
