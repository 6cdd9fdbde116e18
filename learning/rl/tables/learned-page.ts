// The page of the trained policies: what must hold, the tables, and how to read them.

import { markdownTable, mean } from '../../../reports/tables/markdown.ts';
import { type Check, checkList } from '../../../reports/tables/table.ts';
import type { LearnedRow } from './learned-rows.ts';

/** Published values to be beaten (Zhang et al., SC 2020, table 2; DeepRM's SJF recomputed with the original environment). */
const goals = { lublin: 254.67, 'lublin-backfill': 58.64, 'deep-rm': 4.925 } as const;
type Training = keyof typeof goals;

const titles: Readonly<Record<Training, string>> = {
  lublin: 'Lublin-1 without backfilling: mean bounded slowdown',
  'lublin-backfill': 'Lublin-1 with EASY backfilling: mean bounded slowdown',
  'deep-rm': 'DeepRM at arrival rate 0.7: mean slowdown',
};

const others: Readonly<Record<Training, readonly (readonly [string, string])[]>> = {
  lublin: [
    ['FCFS', '7273.77'],
    ['SJF', '277.35'],
    ['F1', '258.37'],
    ['RLScheduler, published', '254.67'],
  ],
  'lublin-backfill': [
    ['FCFS', '235.82'],
    ['SJF', '73.31'],
    ['F1', '75.07'],
    ['RLScheduler, published', '58.64'],
  ],
  'deep-rm': [
    ['Packer', '12.424'],
    ['SJF', '4.925'],
  ],
};

export interface Spread {
  readonly mean: number;
  readonly deviation: number;
  readonly least: number;
  readonly most: number;
}

export function spreadOf(rows: readonly LearnedRow[]): Spread {
  const values = rows.map((row) => row.mean);
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return {
    mean: middle,
    deviation: Math.sqrt(squares / Math.max(1, values.length - 1)),
    least: Math.min(...values),
    most: Math.max(...values),
  };
}

export function learnedChecks(rows: readonly LearnedRow[]): Check[] {
  return (Object.keys(goals) as Training[]).map((training) => {
    const own = rows.filter((row) => row.training === training);
    const spread = spreadOf(own);
    return {
      requirement: `${titles[training]} below ${goals[training]}, mean of five training seeds`,
      found: `${spread.mean.toFixed(3)} ± ${spread.deviation.toFixed(3)} (${spread.least.toFixed(3)} to ${spread.most.toFixed(3)}, ${own.length} seeds)`,
      holds: own.length === 5 && spread.mean < goals[training],
    };
  });
}

export function learnedPage(rows: readonly LearnedRow[], checks: readonly Check[]): string {
  const sections = (Object.keys(goals) as Training[]).map((training) => section(training, rows));
  return `# Trained scheduling policies

Written by \`npm run tables:learned\` from the policies in \`policies/\`; each of them says in its manifest which command and seed
trained it, on which data, and its curve. These choose the *next task*; trained placements have [a page of their own](placements.md).

${checkList(checks)}

${sections.join('\n')}
## How to read this

- **Training and tests share no job.** Policies are trained on jobs 0 to 1980 and 6252 to 7084 of the trace, in endless variations
  (blocks of consecutive jobs strung together, run times stretched by about 30%); the ten windows of the tests are RLScheduler's. DeepRM's
  training sequences are drawn, its tests are the hundred published ones. Of each training the checkpoint is exported that plays
  *validation* episodes best, which are drawn as the training's are; the tests were looked at afterwards.
- Discount, λ, the bound on advantages and the number of candidates were chosen in half a dozen trial runs with seed 1, whose printout
  showed the test windows beside the training's; nothing was chosen after the five seeds were trained.
- **Lublin-1 runs through the kernel**: its messages, its queue, the network in the kernel's plain arithmetic, the shield before it. "Fallback"
  is the share of decisions in which the shield let SJF decide, because inputs lay outside of the training's distribution.
- The windows differ by a factor of three to six among themselves, so a mean over ten of them is a noisy figure, for the published
  policies as for these; the deviation here is that over training seeds alone.
- In DeepRM a job may be placed at a later time within the horizon, as in the original environment, where the heuristics never use that. The one
  difference from the original: an idle machine does not wait while a job fits.
- One seed takes three to ten minutes on one busy core. \`scenarios/lublin-learned.yaml\` runs the policies chosen by validation
  beside the heuristics.
`;
}

function section(training: Training, all: readonly LearnedRow[]): string {
  const rows = all.filter((row) => row.training === training);
  const digits = training === 'deep-rm' ? 3 : 2;
  const spread = spreadOf(rows);
  const results = [
    ...others[training].map(([name, value]) => [name, value]),
    [`learned, ${rows.length} seeds`, `${spread.mean.toFixed(digits)} ± ${spread.deviation.toFixed(digits)}`],
  ];
  const seeds = rows.map((row) => [
    String(row.seed),
    row.mean.toFixed(digits),
    row.validation.toFixed(digits),
    row.shield === null ? '–' : `${((100 * fallbacks(row.shield)) / row.shield.decisions).toFixed(2)}%`,
    `\`${row.command}\``,
  ]);
  return `## ${titles[training]}

${markdownTable(['policy', 'value'], results)}

${markdownTable(['training seed', 'tests', 'validation', 'fallback', 'trained by'], seeds)}

![Curves of the trainings](${training}.svg)
`;
}

function fallbacks({ outside, overBudget, broken }: NonNullable<LearnedRow['shield']>): number {
  return outside + overBudget + broken;
}
