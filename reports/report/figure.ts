// A figure's place in the page: title, choice, key, caption and the box that the script draws into.

import type { Figure } from './chart.ts';
import { html, type Markup } from './html.ts';
import { cssColor } from './theme.ts';

export function figureMarkup(figure: Figure): Markup {
  return html`<figure id="${figure.id}">
<div class="figure-head"><h3>${figure.title}</h3>${choice(figure)}</div>
<figcaption>${figure.caption}</figcaption>
${
  figure.key &&
  html`<ul class="key">${figure.key.map(({ color, label }) => html`<li><span class="swatch" style="--c:${cssColor(color)}"></span>${label}</li>`)}</ul>`
}
<div class="chart" id="${figure.id}-chart" role="img" aria-label="${figure.label}" style="height:${figure.heightPixels}px"></div>
</figure>
`;
}

function choice(figure: Figure): Markup | false {
  if (figure.variants.length < 2) return false;
  return html`<label class="choice">${figure.chooses ?? 'show'} <select id="${figure.id}-choice" autocomplete="off">${figure.variants.map(
    ({ label }) => html`<option>${label}</option>`,
  )}</select></label>`;
}

/** What the page's script reads: one entry a figure, one option a choice. */
export function figureData(figures: readonly Figure[]): unknown {
  return figures.map(({ id, renderer, variants, zoom }) => ({
    id,
    renderer,
    options: variants.map(({ option }) => option),
    ...(zoom ? { zoom } : {}),
  }));
}
