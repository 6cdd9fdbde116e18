// The report of a run: one HTML file that needs no network, no server and no other file. Puts the sections in order; what each
// says is theirs. The chart library stands in the page with its licence.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ResultDocument } from '../../sim/experiment/results.ts';
import { headlineOf } from '../headline.ts';
import { type Ranking, rankPolicies } from '../ranking.ts';
import { bottleneckSection, type NamedBottlenecks } from './bottleneck-section.ts';
import type { Figure } from './chart.ts';
import { clientScript } from './client.ts';
import { differenceFigure } from './difference-figure.ts';
import { distributionFigures } from './distribution-figures.ts';
import {
  digestsSection,
  experimentSection,
  guardsSection,
  methodSection,
  slowestSection,
  sourceSection,
} from './evidence-sections.ts';
import { figureData, figureMarkup } from './figure.ts';
import { ganttFigure } from './gantt-figure.ts';
import { headerSection, headlineSection } from './headline-section.ts';
import { html, type Markup, scriptJson, scriptSource, trusted } from './html.ts';
import { packingFigure } from './packing-figure.ts';
import { metricsSection, resultsSection } from './results-section.ts';
import { style } from './style.ts';
import { policyLooks, themeStyle } from './theme.ts';
import { fragmentationFigure, powerFigure, queueFigure, utilizationFigure } from './time-figures.ts';

// Nothing may be fetched, whatever a document holds.
const contentSecurityPolicy =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/**
 * One self-contained HTML page.
 *
 * @param document a valid result document (scenarios/results.schema.json)
 * @param bottlenecks where the time went, a run a policy, where telemetry was kept
 * @throws {TypeError} if it has no metric at all
 */
export function buildReport(document: ResultDocument, bottlenecks: readonly NamedBottlenecks[] = []): string {
  const ranking = rankPolicies(document);
  const headline = headlineOf(document, ranking);
  const differences = differenceFigure(document, ranking);
  const packing = packingFigure(document, ranking);
  const overTime = [
    utilizationFigure(document),
    queueFigure(document),
    fragmentationFigure(document),
    powerFigure(document),
  ].filter((figure) => figure !== undefined);
  const distributions = distributionFigures(document);
  const schedule = ganttFigure(document, ranking);
  const figures = [differences, packing, ...overTime, ...distributions, schedule].filter(
    (figure) => figure !== undefined,
  );
  const slowest = slowestSection(document, ranking);

  const links: [string, string][] = [
    ['answer', 'Answer'],
    ['results', 'Results'],
    ...(differences ? ([['differences', 'Differences']] as [string, string][]) : []),
    ['time', 'Over time'],
    ...(distributions.length > 0 ? ([['distributions', 'Distributions']] as [string, string][]) : []),
    ...(schedule ? ([['schedule', 'Schedule']] as [string, string][]) : []),
    ...(bottlenecks.length > 0 ? ([['bottlenecks', 'Where the time went']] as [string, string][]) : []),
    ...(slowest ? ([['slowest', 'Slowest tasks']] as [string, string][]) : []),
    ['metrics', 'All metrics'],
    ['experiment', 'What was run'],
    ['digests', 'Digests'],
  ];

  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy}">
<meta name="generator" content="Sira ${document.siraVersion}">
<title>${document.scenario.name} · Sira report</title>
<link rel="icon" href="data:,">
<style>${trusted(themeStyle())}${trusted(style)}</style>
</head>
<body>
<a class="skip" href="#answer">Skip to the answer</a>
<div class="page">
${headerSection(document)}
<nav aria-label="Sections">${links.map(([id, text]) => html`<a href="#${id}">${text}</a>`)}</nav>
<noscript><p>The charts need JavaScript; every number also stands in the tables.</p></noscript>
<main>
${headlineSection(document, ranking, headline)}
${resultsSection(document, ranking)}
${differences && html`<section aria-label="Differences"><h2>Against the baseline</h2>${figureMarkup(differences)}</section>`}
<section id="time"><h2>Over the measured window</h2>${packing && figureMarkup(packing)}
${legend(document, ranking)}${overTime.map(figureMarkup)}</section>
${distributions.length > 0 && distributionsSection(document, ranking, distributions)}
${schedule && html`<section aria-label="Schedule"><h2>Schedule</h2>${figureMarkup(schedule)}</section>`}
${bottlenecks.length > 0 && bottleneckSection(bottlenecks)}
${slowest}
${metricsSection(document, ranking)}
${guardsSection(document)}
${experimentSection(document)}
${methodSection(document)}
${digestsSection(document)}
${sourceSection(document)}
</main>
<footer>Made by Sira ${document.siraVersion}. Charts: Apache ECharts, Apache License 2.0.</footer>
</div>
<script type="application/json" id="figures">${trusted(scriptJson(figureData(figures)))}</script>
<script>${trusted(scriptSource(chartLibrary()))}</script>
<script>${trusted(clientScript)}</script>
</body>
</html>
`;
  return page.text;
}

function distributionsSection(document: ResultDocument, ranking: Ranking, figures: readonly Figure[]): Markup {
  return html`<section id="distributions"><h2>Distributions over tasks</h2>${legend(document, ranking)}${figures.map(figureMarkup)}</section>`;
}

/** Shows and hides policies in all line charts. */
function legend(document: ResultDocument, ranking: Ranking): Markup {
  const looks = policyLooks(document);
  return html`<div class="legend" role="group" aria-label="Policies shown in the charts below">${ranking.policies.map(
    ({ policy: { name } }) =>
      html`<button type="button" aria-pressed="true" data-policy="${name}"><span class="swatch" style="--c:${looks.get(name)!.color}"></span>${name}</button>`,
  )}</div>`;
}

function chartLibrary(): string {
  return readFileSync(createRequire(import.meta.url).resolve('echarts/dist/echarts.min.js'), 'utf8');
}
