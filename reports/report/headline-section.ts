// The top of the report: what was asked, on what, and the answer in a sentence, with what casts doubt on it.

import type { Comparison, MetricSpec, ResultDocument } from '../../sim/experiment/results.ts';
import {
  formatDuration,
  formatEstimate,
  formatNumber,
  formatQuantity,
  halfInterval,
  joinWords,
  plural,
  scaleOf,
  unitSuffix,
} from '../format.ts';
import { guardSentence } from '../guards.ts';
import { differenceScale, type Headline, upperFirst } from '../headline.ts';
import { mainMetrics } from '../main-metrics.ts';
import type { Ranking } from '../ranking.ts';
import { html, type Markup } from './html.ts';

export function headerSection(document: ResultDocument): Markup {
  const { cluster, scenario } = document;
  const facts: [string, string][] = [
    [
      'Cluster',
      [plural(cluster.machines, 'machine'), ...(cluster.gpus > 0 ? [plural(cluster.gpus, 'GPU')] : [])].join(', '),
    ],
    ['Policies', String(document.policies.length)],
    ['Seeds', String(document.seeds.length)],
    ['Measured', formatDuration(document.measuredSeconds)],
    ...(document.warmUpSeconds > 0
      ? ([['Warm-up', formatDuration(document.warmUpSeconds)]] as [string, string][])
      : []),
    ['Run', document.createdAt.slice(0, 10)],
  ];
  return html`<header class="top">
<p class="kicker">Sira · simulation report</p>
<h1>${scenario.name}</h1>
${scenario.description !== '' && html`<p class="lede">${scenario.description}</p>`}
<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
</header>
`;
}

const tones = {
  winner: { tone: 'good', label: 'Result' },
  'cannot tell': { tone: 'unsure', label: 'Cannot tell' },
  'no comparison': { tone: 'plain', label: 'Result' },
} as const;

export function headlineSection(document: ResultDocument, ranking: Ranking, headline: Headline): Markup {
  const { tone, label } = tones[headline.kind];
  return html`<section id="answer" aria-label="Answer" style="margin-top:0">
<div class="verdict tone-${tone}"><p class="label">${label}</p><h2>${headline.title}</h2>${headline.details.map((detail) => html`<p>${detail}</p>`)}</div>
${numbers(document, ranking)}
${callouts(document)}
</section>
`;
}

/** Beyond this, a change in percent tells of a small baseline more than of the policy. */
const percentChangeMax = 200;

/** The leader's figures, large: the objective, its distance from the baseline, and the next metrics. */
function numbers(document: ResultDocument, ranking: Ranking): Markup | false {
  const leader = ranking.policies[0];
  if (leader === undefined || leader.rank === null) return false;
  const metrics = [ranking.metric, ...mainMetrics(document).slice(0, 3)];
  const cells = metrics.map((metric) => {
    const estimate = leader.policy.metrics[metric.name];
    if (!estimate || estimate.mean === null) return false;
    const scale = scaleOf(
      metric,
      document.policies.flatMap((policy) => policy.metrics[metric.name] ?? []),
    );
    const half = halfInterval(estimate);
    const against = document.comparisons.find(
      (entry) => entry.policy === leader.policy.name && entry.metric === metric.name,
    );
    return html`<div><dt>${upperFirst(metric.title)}</dt><dd>${formatQuantity(estimate.mean, scale)}<small>${
      half === null ? 'one seed, no interval' : `± ${formatNumber(half, scale)}${unitSuffix(scale.unit)}`
    }</small>${against && html`<small>${changePhrase(document, against, metric)}</small>`}</dd></div>`;
  });
  return html`<dl class="figures-strip" aria-label="Main figures of ${leader.policy.name}">${cells}</dl>`;
}

/** `+11.66 points against random`, or in percent of the baseline's mean where that says more; says so if it may be chance. */
function changePhrase(document: ResultDocument, { difference, verdict }: Comparison, metric: MetricSpec): string {
  if (difference.mean === null) return '';
  const baseline = document.policies.find(({ name }) => name === document.baseline)?.metrics[metric.name]?.mean;
  const percent = baseline ? (100 * difference.mean) / Math.abs(baseline) : Number.POSITIVE_INFINITY;
  const change =
    metric.unit === '%' || Math.abs(percent) > percentChangeMax
      ? formatQuantity(difference.mean, differenceScale(metric, [difference]), true)
      : `${formatNumber(percent, { factor: 1, decimals: Math.abs(percent) < 10 ? 1 : 0 }, true)}%`;
  return `${change} against ${document.baseline}${verdict === 'cannot tell' ? ', may be chance' : ''}`;
}

function callouts(document: ResultDocument): Markup | false {
  const items: { tone: string; title: string; text: string }[] = document.guards
    .filter(({ violations }) => violations.length > 0)
    .map((guard) => ({
      tone: 'bad',
      title: 'Guard broken',
      text: guardSentence(document, guard).replace(/^Guard broken: /, ''),
    }));
  const growing = document.policies.filter(({ stationary }) => !stationary).map(({ name }) => name);
  if (growing.length > 0) {
    items.push({
      tone: 'unsure',
      title: 'Not stationary',
      text: `The queue of ${joinWords(growing)} still grew while it was measured. Waits and slowdowns there depend on how long one measures; utilization does not suffer from it.`,
    });
  }
  return (
    items.length > 0 &&
    html`<ul class="callouts">${items.map(({ tone, title, text }) => html`<li class="tone-${tone}"><b>${title}</b>${text}</li>`)}</ul>`
  );
}

/** Mean ± half interval with the uncertainty in a fainter ink. */
export function estimateCell(...args: Parameters<typeof formatEstimate>): Markup {
  const [mean, half] = formatEstimate(...args).split(' ± ');
  return html`${mean}${half !== undefined && html` <span class="half">± ${half}</span>`}`;
}
