// Where the time of tasks went, as a section of the report: for each run one bar of parts, what limits in a sentence, and over time
// how many tasks waited for what. Drawn as plain markup: it needs no script.

import { type Bottlenecks, partMeanings, type TimePart, timeParts } from '../../core/telemetry/bottlenecks.ts';
import { percentText, secondsText } from '../bottlenecks/bottlenecks-text.ts';
import { html, type Markup } from './html.ts';

/** Colours of the theme, by part; waiting stands out. */
const partColors: Readonly<Record<TimePart, string>> = {
  queue: 'var(--policy-2)',
  lost: 'var(--policy-4)',
  retry: 'var(--policy-5)',
  dispatch: 'var(--policy-7)',
  transfer: 'var(--policy-6)',
  service: 'var(--policy-3)',
};
const reasonColors = [2, 1, 4, 5, 7, 6, 8, 3].map((number) => `var(--policy-${number})`);
const reasonsMax = reasonColors.length;
/** What would be written as 0.0% is left out. */
const shareLeast = 0.0005;
const width = 720;
const height = 120;

export interface NamedBottlenecks {
  readonly name: string;
  readonly found: Bottlenecks;
}

export function bottleneckSection(runs: readonly NamedBottlenecks[]): Markup {
  return html`<section id="bottlenecks"><h2>Where the time went</h2>
<ul class="key">${timeParts.map(
    (part) => html`<li><span class="swatch" style="--c:${partColors[part]}"></span>${part}: ${partMeanings[part]}</li>`,
  )}</ul>
${runs.map(runMarkup)}
<p>The parts of a task’s time add up to its whole time from submission to end. Over time, waiting is laid before lost attempts, these before the last one.</p>
</section>`;
}

function runMarkup({ name, found }: NamedBottlenecks): Markup {
  const shown = found.parts.filter(({ share }) => share > 0);
  const label = shown.map((part) => `${part.name} ${percentText(part.share)}`).join(', ');
  return html`<h3>${name}</h3>
<p>${found.limit.sentence}</p>
<svg viewBox="0 0 ${width} 26" width="100%" role="img" aria-label="${label}">${bars(found)}</svg>
<div class="table"><table><thead><tr><th class="text" scope="col">Part</th><th>Share</th><th>Mean a task</th></tr></thead><tbody>${found.parts.map(
    (part) =>
      html`<tr><th scope="row">${part.name}</th><td>${percentText(part.share)}</td><td>${secondsText(part.seconds / found.tasks)}</td></tr>`,
  )}</tbody></table></div>
${waiting(found)}`;
}

function bars(found: Bottlenecks): Markup[] {
  let left = 0;
  return found.parts.map(({ name, share }) => {
    const from = left;
    left += share * width;
    return html`<rect x="${from.toFixed(2)}" y="0" width="${(share * width).toFixed(2)}" height="26" fill="${partColors[name as TimePart]}"><title>${name} ${percentText(share)}</title></rect>`;
  });
}

/** Mean number of waiting tasks, stacked by what kept them. */
function waiting({ reasons, windows }: Bottlenecks): Markup | undefined {
  const shown = reasons.filter(({ share }) => share >= shareLeast).slice(0, reasonsMax);
  if (shown.length === 0) return undefined;
  const count = windows.parts.queue.length;
  const floor = new Array<number>(count).fill(0);
  const areas: { readonly color: string; readonly low: readonly number[]; readonly high: readonly number[] }[] = [];
  shown.forEach(({ name }, index) => {
    const low = [...floor];
    for (let window = 0; window < count; window++)
      floor[window] = (floor[window] as number) + (windows.reasons[name]?.[window] ?? 0);
    areas.push({ color: reasonColors[index] as string, low, high: [...floor] });
  });
  const most = Math.max(...floor, 1e-9);
  const point = (window: number, value: number): string =>
    `${((window / (count - 1)) * width).toFixed(1)},${(height - (value / most) * height).toFixed(1)}`;
  const spanSeconds = (windows.widthMicros * count) / 1e6;
  return html`<figure><figcaption>Waiting tasks by what kept them, over ${secondsText(spanSeconds)}; the most at once: ${Number(most.toPrecision(3))}.</figcaption>
<ul class="key">${shown.map(({ name, share }, index) => html`<li><span class="swatch" style="--c:${reasonColors[index]}"></span>${name} ${percentText(share)}</li>`)}</ul>
<svg viewBox="0 0 ${width} ${height}" width="100%" role="img" aria-label="Waiting tasks over time, by what kept them">${areas.map(
    ({ color, low, high }) => {
      const upper = high.map((value, window) => point(window, value));
      const lower = low.map((value, window) => point(window, value)).reverse();
      return html`<polygon points="${[...upper, ...lower].join(' ')}" fill="${color}"/>`;
    },
  )}</svg></figure>`;
}
