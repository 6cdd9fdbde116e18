// The ranked table with intervals, and the table of all metrics.

import type { Comparison, MetricSpec, ResultDocument } from '../../sim/experiment/results.ts';
import { formatNumber, halfInterval, scaleOf } from '../format.ts';
import { differenceScale, upperFirst } from '../headline.ts';
import { mainMetrics } from '../main-metrics.ts';
import { type Ranking, rankLabel } from '../ranking.ts';
import { estimateCell } from './headline-section.ts';
import { html, type Markup } from './html.ts';
import { policyLooks } from './theme.ts';

const otherMetricsMax = 4;

export function resultsSection(document: ResultDocument, ranking: Ranking): Markup {
  const { metric } = ranking;
  const looks = policyLooks(document);
  const others = mainMetrics(document).slice(0, otherMetricsMax);
  const scales = new Map([metric, ...others].map((candidate) => [candidate.name, scaleFor(document, candidate)]));
  const broken = new Set(document.guards.flatMap(({ violations }) => violations.map(({ policy }) => policy)));
  const compared = document.policies.length > 1;
  const domain = stripDomain(document, metric);
  const rows = ranking.policies.map((entry, place) => {
    const { policy } = entry;
    return html`<tr${place === 0 && ranking.decided && html` class="winner"`}>
<td class="rank">${rankLabel(entry, ranking)}</td>
<th scope="row" class="pin"><span class="swatch" style="--c:${looks.get(policy.name)!.color}"></span>${policy.name}${tags(broken.has(policy.name), policy.stationary)}</th>
<td>${estimateCell(policy.metrics[metric.name], scales.get(metric.name)!)}</td>
<td class="text">${strip(policy.metrics[metric.name], domain, looks.get(policy.name)!.color)}</td>
${compared && html`<td>${differenceCell(document, metric, policy.name)}</td>`}
${others.map((other) => html`<td>${estimateCell(policy.metrics[other.name], scales.get(other.name)!)}</td>`)}
</tr>`;
  });
  const head = (candidate: MetricSpec) =>
    html`<th scope="col" title="${candidate.description}">${upperFirst(candidate.title)}<small>${unitLine(scales.get(candidate.name)!.unit, candidate)}</small></th>`;
  return html`<section id="results"><h2>Results</h2>
<p>Ranked by ${metric.title}${metric.description !== '' && `: ${metric.description}`}</p>
<div class="table" tabindex="0" role="region" aria-label="Results, scrollable"><table>
<caption><span>${
    document.seeds.length > 1
      ? `Mean ± half of the 95% interval over ${document.seeds.length} seeds; the dots are the seeds. A rank is one more than the number of policies shown to be better, so that it repeats where the seeds cannot tell.`
      : 'One seed: no intervals and no ranks.'
  }</span></caption>
<thead><tr><th scope="col" class="rank">#</th><th scope="col" class="text pin">Policy</th>${head(metric)}<th scope="col" class="text">Interval and seeds</th>${
    compared &&
    html`<th scope="col">Against ${document.baseline}<small>${differenceScaleFor(document, metric).unit.replace(/^1$/, '')}</small></th>`
  }${others.map(head)}</tr></thead>
<tbody>${rows}</tbody></table></div>
</section>
`;
}

export function metricsSection(document: ResultDocument, ranking: Ranking): Markup {
  const looks = policyLooks(document);
  const policies = ranking.policies.map(({ policy }) => policy);
  const rows = document.metrics.map((metric) => {
    const scale = scaleFor(document, metric);
    return html`<tr><th scope="row" class="pin" title="${metric.description}">${upperFirst(metric.title)}<small class="unsure"> ${unitLine(scale.unit, metric)}</small></th>${policies.map(
      (policy) => {
        const verdict = comparisonOf(document, metric, policy.name)?.verdict;
        const mark =
          verdict === 'better'
            ? html` <span class="better" title="better than the baseline">▲</span>`
            : verdict === 'worse'
              ? html` <span class="worse" title="worse than the baseline">▼</span>`
              : html` <span style="visibility:hidden" aria-hidden="true">▲</span>`;
        return html`<td>${estimateCell(policy.metrics[metric.name], scale)}${document.policies.length > 1 && mark}</td>`;
      },
    )}</tr>`;
  });
  return html`<section id="metrics"><h2>All metrics</h2>
<div class="table" tabindex="0" role="region" aria-label="All metrics, scrollable"><table class="dense">
<caption><span>Mean ± half of the 95% interval. ▲ shown to be better than ${document.baseline}, ▼ worse; unmarked, cannot tell; after Holm’s correction over the policies of each metric.</span></caption>
<thead><tr><th scope="col" class="text pin">Metric</th>${policies.map((policy) => html`<th scope="col"><span class="swatch" style="--c:${looks.get(policy.name)!.color}"></span>${policy.name}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>
<details><summary>What the metrics mean</summary><dl class="setting">${document.metrics.map(
    (metric) =>
      html`<dt>${upperFirst(metric.title)}</dt><dd>${metric.description} <span class="unsure">${direction(metric)} · <code>${metric.name}</code></span></dd>`,
  )}</dl></details>
</section>
`;
}

function scaleFor(document: ResultDocument, metric: MetricSpec) {
  return scaleOf(
    metric,
    document.policies.flatMap((policy) => policy.metrics[metric.name] ?? []),
  );
}

const direction = ({ better }: MetricSpec) => (better === 'neither' ? 'no better direction' : `${better} is better`);

function unitLine(unit: string, metric: MetricSpec): string {
  const arrow = metric.better === 'higher' ? '↑' : metric.better === 'lower' ? '↓' : '';
  return [unit === '1' ? '' : unit, arrow].filter((part) => part !== '').join(' ');
}

function differenceScaleFor(document: ResultDocument, metric: MetricSpec) {
  return differenceScale(
    metric,
    document.comparisons.filter((entry) => entry.metric === metric.name).map(({ difference }) => difference),
  );
}

function comparisonOf(document: ResultDocument, metric: MetricSpec, policy: string): Comparison | undefined {
  return document.comparisons.find((entry) => entry.metric === metric.name && entry.policy === policy);
}

function differenceCell(document: ResultDocument, metric: MetricSpec, policy: string): Markup {
  if (policy === document.baseline) return html`<span class="unsure">baseline</span>`;
  const comparison = comparisonOf(document, metric, policy);
  if (!comparison || comparison.difference.mean === null) return html`–`;
  const scale = differenceScaleFor(document, metric);
  const half = halfInterval(comparison.difference);
  const name = comparison.verdict === 'cannot tell' ? 'unsure' : comparison.verdict;
  return html`<span class="${name}" title="${comparison.verdict}">${formatNumber(comparison.difference.mean, scale, true)}</span>${half !== null && html` <span class="half">± ${formatNumber(half, scale)}</span>`}`;
}

interface Domain {
  readonly low: number;
  readonly high: number;
}

function stripDomain(document: ResultDocument, metric: MetricSpec): Domain | undefined {
  const values = document.policies.flatMap((policy) => {
    const estimate = policy.metrics[metric.name];
    return estimate
      ? [estimate.low, estimate.high, estimate.mean, ...estimate.perSeed].filter(
          (value): value is number => value !== null,
        )
      : [];
  });
  if (values.length === 0) return undefined;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? { low: low - 1, high: high + 1 } : { low, high };
}

function tags(broken: boolean, stationary: boolean): Markup | false {
  if (!broken && stationary) return false;
  return html`<span class="tags">${broken && html`<span class="tag tone-bad">guard broken</span>`}${!stationary && html`<span class="tag tone-unsure">queue grows</span>`}</span>`;
}

/** The interval as a line, the mean as a tick, the seeds as dots, on one scale for all rows. */
function strip(
  estimate: ResultDocument['policies'][number]['metrics'][string] | undefined,
  domain: Domain | undefined,
  color: string,
): Markup {
  if (!estimate || estimate.mean === null || !domain) return html``;
  const x = (value: number) => (4 + (182 * (value - domain.low)) / (domain.high - domain.low)).toFixed(1);
  return html`<svg class="strip" viewBox="0 0 190 20" role="presentation" style="--c:${color}">
<line x1="4" x2="186" y1="10" y2="10" stroke="var(--grid)"/>
${estimate.low !== null && estimate.high !== null && html`<line x1="${x(estimate.low)}" x2="${x(estimate.high)}" y1="10" y2="10" stroke="var(--c)" stroke-width="2"/>`}
${estimate.perSeed.map((value) => value !== null && html`<circle cx="${x(value)}" cy="10" r="2.6" fill="var(--c)" fill-opacity=".45"/>`)}
<line x1="${x(estimate.mean)}" x2="${x(estimate.mean)}" y1="3" y2="17" stroke="var(--c)" stroke-width="2.5"/></svg>`;
}
