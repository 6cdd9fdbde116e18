// Colours of the report, as CSS custom properties for both colour schemes. A policy keeps one colour in every chart and table:
// the baseline is neutral, the others take a palette after Okabe and Ito (2008), darkened or lightened until a line of it is
// seen on the page. From the ninth on, colours repeat with another dash.

import type { ResultDocument } from '../../sim/experiment/results.ts';

const light: Readonly<Record<string, string>> = {
  page: '#ffffff',
  raised: '#f7f7f5',
  ink: '#17202a',
  'ink-soft': '#505b66',
  'ink-faint': '#737d87',
  rule: '#dfe2e5',
  grid: '#eceef0',
  shade: 'rgba(90,105,120,.08)',
  accent: '#0b5c8f',
  good: '#00735a',
  'good-wash': '#e6f4f0',
  bad: '#b34700',
  'bad-wash': '#fdf0e7',
  unsure: '#7a5b00',
  'unsure-wash': '#fbf4df',
  used: '#3a7ca5',
  stuck: '#d55e00',
  spare: '#e3e6e9',
  'policy-baseline': '#5d6873',
  'policy-1': '#0072b2',
  'policy-2': '#d55e00',
  'policy-3': '#009e73',
  'policy-4': '#b5488f',
  'policy-5': '#c48a00',
  'policy-6': '#4aa8de',
  'policy-7': '#5b4bb7',
  'policy-8': '#7b5a33',
  'level-0': '#c3c9cf',
  'level-1': '#c6dbec',
  'level-2': '#8dbbdc',
  'level-3': '#4f93c4',
  'level-4': '#1f689f',
  'level-5': '#0b3c63',
};

const dark: Readonly<Record<string, string>> = {
  page: '#12161b',
  raised: '#1a2027',
  ink: '#e8ecef',
  'ink-soft': '#aeb8c1',
  'ink-faint': '#89939d',
  rule: '#303841',
  grid: '#252c34',
  shade: 'rgba(170,185,200,.09)',
  accent: '#78b9e8',
  good: '#4fd0a8',
  'good-wash': '#12302a',
  bad: '#ff9a5c',
  'bad-wash': '#37210f',
  unsure: '#e6bd4a',
  'unsure-wash': '#322910',
  used: '#5b9fca',
  stuck: '#ff8a4c',
  spare: '#343d47',
  'policy-baseline': '#9aa5b0',
  'policy-1': '#4f9fe6',
  'policy-2': '#ff8a4c',
  'policy-3': '#35c79b',
  'policy-4': '#e58cc2',
  'policy-5': '#f0b832',
  'policy-6': '#9bdbff',
  'policy-7': '#a99af5',
  'policy-8': '#c9a477',
  'level-0': '#4a545f',
  'level-1': '#24435c',
  'level-2': '#2f6690',
  'level-3': '#4f93c4',
  'level-4': '#8dbfe3',
  'level-5': '#d3e8f8',
};

const hues = 8;
const dashes = ['solid', 'dashed', 'dotted'] as const;

/** How a policy is drawn. `color` is a CSS `var(…)`; the page's script resolves it for charts. */
export interface PolicyLook {
  readonly color: string;
  readonly dash: (typeof dashes)[number];
}

/** One look a policy, by name. */
export function policyLooks(document: ResultDocument): ReadonlyMap<string, PolicyLook> {
  const looks = new Map<string, PolicyLook>();
  let next = 0;
  for (const { name } of document.policies) {
    if (name === document.baseline) {
      looks.set(name, { color: cssColor('policy-baseline'), dash: 'solid' });
    } else {
      looks.set(name, {
        color: cssColor(`policy-${(next % hues) + 1}`),
        dash: dashes[Math.floor(next / hues) % dashes.length],
      });
      next++;
    }
  }
  return looks;
}

/** `var(--name)`; a name that the theme lacks is a programmer's error. */
export function cssColor(name: string): string {
  if (!(name in light)) throw new TypeError(`the theme has no colour ${name}`);
  return `var(--${name})`;
}

/** The custom properties: light, dark where the reader prefers it, light again on paper. */
export function themeStyle(): string {
  const properties = (colors: Readonly<Record<string, string>>) =>
    Object.entries(colors)
      .map(([name, value]) => `--${name}:${value}`)
      .join(';');
  return [
    `:root{color-scheme:light;${properties(light)}}`,
    `@media (prefers-color-scheme:dark){:root:not(.printing){color-scheme:dark;${properties(dark)}}}`,
    `@media print{:root{color-scheme:light;${properties(light)}}}`,
  ].join('\n');
}
