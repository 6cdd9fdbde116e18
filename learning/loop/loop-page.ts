// The report of a loop: one HTML page that needs nothing from elsewhere, with the story, its figures and its pictures.

import { html, type Markup, trusted } from '../../reports/report/html.ts';
import { style } from '../../reports/report/style.ts';
import { themeStyle } from '../../reports/report/theme.ts';
import type { LoopFigure } from './loop-figures.ts';
import type { LoopResults } from './loop-results.ts';

// Nothing may be fetched, whatever a name holds.
const contentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

export function loopPage(results: LoopResults, figures: readonly LoopFigure[]): string {
  const { startedAt, command, seed, machine, version, seconds } = results;
  const facts: readonly (readonly [string, string])[] = [
    ['Seed', `${seed}`],
    ['Took', `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`],
    ['Rows', results.rowsSha256?.slice(0, 12) ?? 'none'],
    ['Policy', results.training?.policyHash.slice(0, 12) ?? 'none'],
    ['Run', startedAt.slice(0, 16).replace('T', ' ')],
  ];
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy}">
<title>The learning loop · Sira</title><link rel="icon" href="data:,">
<style>${trusted(themeStyle())}${trusted(style)}figure img{width:100%;height:auto;border:1px solid var(--rule);border-radius:8px}</style></head>
<body><div class="page"><header class="top"><p class="kicker">Sira · the learning loop</p>
<h1>From telemetry to a policy that serves, and back</h1>
<p class="lede">A live kernel and its agents were given work in rushes. Everything after was learned from the rows of their telemetry.</p>
<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></header>
<main>${verdict(results)}${story(results)}
${figures.map(
  ({
    name,
    caption,
    svg,
  }) => html`<section id="${name}"><figure><img alt="${caption}" src="data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}">
<figcaption>${caption}</figcaption></figure></section>`,
)}
${gateTable(results)}${historyTable(results)}
<section><h2>How to run it again</h2><div class="command"><code>${command}</code></div>
<p>The fitted world (<code>world.json</code>), the training (<code>training.yaml</code>, for <code>sira train</code>), the suite of the gate
(<code>suite/</code>, for <code>sira policy gate … --suite</code>) and the signed policy (<code>policies/</code>) lie beside this page; figures in
<code>loop.json</code>. On the same rows the same seed gives the same policy and verdict, bit by bit.</p>
<footer>Sira ${version}, ${machine}</footer></section></main></div></body></html>
`.text;
}

function verdict({ succeeded, gain, promotion, forced, drift, steps }: LoopResults): Markup {
  if (!succeeded) {
    const last = steps.at(-1);
    return html`<div class="verdict tone-bad"><p class="label">Not everything came as it should</p>
<h2>The loop ended at “${last?.name ?? 'start'}”</h2><p>${last?.told ?? ''}</p></div>`;
  }
  return html`<div class="verdict tone-good"><p class="label">Learned, promoted, watched</p>
<h2>${gain === undefined ? 'Promoted' : `Slowdown ${signed(gain.change)} live, from ${signed(gain.low)} to ${signed(gain.high)}`}</h2>
<p>Promoted after ${promotion?.tasks ?? 0} live tasks: ${promotion?.evidence ?? ''}.</p>
<p>A bad policy was rejected by the simulation gate; forced through, it had ${forced?.candidateTasks ?? 0} tasks before it was rolled back. When the
work drifted, the policy of before served again${drift?.noticedSeconds === undefined ? '' : ` after ${drift.noticedSeconds.toFixed(1)} s`}.</p></div>`;
}

function story({ steps }: LoopResults): Markup {
  return html`<section id="story"><h2>The story</h2><div class="table"><table><thead><tr><th class="text">step</th><th class="text">what came of it</th><th>seconds</th></tr></thead><tbody>
${steps.map(({ name, told, seconds }) => html`<tr><th>${name}</th><td class="text wrap">${told}</td><td>${seconds.toFixed(1)}</td></tr>`)}
</tbody></table></div></section>`;
}

function gateTable({ gate, bad }: LoopResults): Markup | false {
  if (gate === undefined) return false;
  const change = (value: number | null): string => (value === null ? '–' : signed(value));
  return html`<section id="gate"><h2>The simulation gate</h2><p>Change of the mean wait against whoever served, on paired seeds, with 95% intervals.</p>
<div class="table"><table><thead><tr><th class="text">scenario</th><th>candidate</th><th>interval</th><th>the bad one</th></tr></thead><tbody>
${gate.scenarios.map(
  ({
    scenario,
    change: own,
    low,
    high,
  }) => html`<tr><th>${scenario}</th><td>${change(own)}</td><td>${change(low)} to ${change(high)}</td>
<td>${change(bad?.gate.scenarios.find((each) => each.scenario === scenario)?.change ?? null)}</td></tr>`,
)}
</tbody></table></div></section>`;
}

function historyTable({ history }: LoopResults): Markup | false {
  if (history === undefined) return false;
  return html`<section id="history"><h2>Who decided what, when</h2><p>As <code>sira policy history</code> tells it.</p>
<div class="table"><table><thead><tr><th class="text">when</th><th>rollout</th><th class="text">step</th><th class="text">who and why</th><th>serves</th></tr></thead><tbody>
${history.map(
  ({
    rollout,
    from,
    to,
    who,
    why,
    atMicros,
    servesVersion,
  }) => html`<tr><th>${new Date(atMicros / 1000).toISOString().slice(11, 23)}</th><td>${rollout}</td>
<td class="text">${from} → ${to}</td><td class="text wrap">${who}: ${why}</td><td>version ${servesVersion}</td></tr>`,
)}
</tbody></table></div></section>`;
}

function signed(change: number): string {
  return `${change > 0 ? '+' : '−'}${Math.abs(100 * change).toFixed(1)}%`;
}
