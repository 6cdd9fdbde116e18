// The page of the matching report, made from its document alone: what was asked, how often the answer was right before and after
// learning, how fast it got there, and what was assumed.

import { estimate } from '../../sim/experiment/statistics.ts';
import { markdownTable } from '../tables/markdown.ts';
import { type Check, checkList } from '../tables/table.ts';
import type { MatchingPoint } from './matching-run.ts';
import { hardVariant, type MatchingDocument, mainVariant } from './matching-variants.ts';

/** The share of right answers that is promised. */
const goal = 0.95;

type Variant = MatchingDocument['variants'][number];

export function matchingChecks(document: MatchingDocument): Check[] {
  const main = variantOf(document, mainVariant);
  const hard = variantOf(document, hardVariant);
  const before = interval(main, 0, 'right');
  const after = interval(main, -1, 'right');
  const near = interval(hard, -1, 'nearlyRight');
  const exact = interval(hard, -1, 'right');
  const worst = Math.min(...valuesAt(main, -1, 'right'));
  return [
    {
      requirement: `the fastest agent, or one exactly as fast, is found in at least ${percent(goal)} after learning, in every seed`,
      found: `${text(after)} over ${main.runs.length} seeds, the worst ${percent(worst)}`,
      holds: worst >= goal && (after.low ?? 0) >= goal,
    },
    {
      requirement: 'by what agents declare alone it is found clearly less often',
      found: text(before),
      holds: (before.high ?? 1) < (after.low ?? 0) - 0.3,
    },
    {
      requirement: `where every agent is shared, one within 2% of the fastest is found in at least ${percent(goal)} on the mean of the seeds`,
      found: `${text(near)}; exactly the fastest in ${text(exact)}, ${(exact.mean ?? 0) < goal ? 'which is below the goal' : 'the goal too'}`,
      holds: (near.mean ?? 0) >= goal,
    },
  ];
}

export function matchingPage(document: MatchingDocument): string {
  const main = variantOf(document, mainVariant);
  const hard = variantOf(document, hardVariant);
  const first = main.runs[0];
  const last = first?.points.at(-1);
  const curve = (variant: Variant, note: string): string =>
    [
      `### ${variant.name}: ${variant.description}`,
      '',
      ...(note === '' ? [] : [note, '']),
      markdownTable(
        ['outcomes', 'right, %', '95% interval', 'within 2%, %', 'excess time, %', 'failed tasks', 'pairs tried, %'],
        (variant.runs[0]?.points ?? []).map((_, index) => rowOf(variant, index)),
      ),
      '',
    ].join('\n');
  return [
    '# Matching: is the agent found the one that serves the request fastest?',
    '',
    `Made by \`${document.command}\`. The whole experiment runs through the kernel in the simulator, with oracles on: agents register and`,
    'declare, tasks are submitted and placed, agents report service time, joules and failures in their results, the registry learns,',
    'and `Kernel.discover({fastest: {taskClass}, resources})` answers requests that were held out. The truth is told to nobody.',
    '',
    checkList(matchingChecks(document)),
    '',
    '![Right answers over outcomes](matching.svg)',
    '',
    '## What is asked, of whom',
    '',
    `- **Agents** (${first?.agents}): the machines of openb whose accelerators Gavel measured (134 with P100, 85 with V100 of 16 or 32 GB), and 24 of the`,
    '  K80 machines that Gavel used. An agent declares, for each class, the rate of its accelerator alone. What it does not know is the job that shares',
    '  its accelerators: drawn by the seed, one of the 26 job types, or none. Its true rates are those that Gavel measured for that pair; where Gavel has 0,',
    '  memory does not hold both, and the task fails after 5 s.',
    `- **Classes** (${first?.classes}): Gavel's job types (model and batch size) on one accelerator. Sizes are in steps.`,
    "- **Tasks**: arrivals and lengths of Azure's LLM requests (a request of mean length is 20 s of work for a P100 alone), kinds of work from a Gavel",
    '  trace, CPU and memory from the openb pods that ask for one GPU. Each run takes its size over the true rate, times a lognormal factor of mean 1 and',
    "  coefficient of variation 10% (assumed). Joules are the board's power limit times the time (assumed, and not judged).",
    `- **Requests** (${first?.requests} a seed): from the other half of the pods and of the Gavel trace. "Right": the agent found truly has the highest rate among`,
    '  the agents with enough CPU, memory and GPUs (their capacity); an agent with exactly the same rate is as right. "Within 2%": its rate is at',
    '  least 1/1.02 of the highest, a fifth of the noise of one run. Excess: how much longer it takes, one that fails counted as ten times as long.',
    '',
    `By drawing among the agents that are large enough, ${percent(chanceOf(main))} of the answers would be right (${percent(chanceOf(hard))} where every agent is shared): how many agents share`,
    'the first place differs from seed to seed. How much is tried and how cautious discovery is was chosen on seeds 1 to 3; those here are others.',
    'That one agent in ten is not shared is an assumption, and it makes the first population the easier one: its best agents stand out.',
    '',
    '## How it learns, and how the unknown is tried',
    '',
    'The logarithm of seconds a step is taken as declared + group at class + agent + agent at class + noise; each part is shrunk by the precision that it',
    'has (`core/registry/skill-table.ts`), so that an outcome also tells of the same agent at other classes and of its like. Discovery ranks by the expected',
    'time including retries, one standard deviation of what is not known to the disadvantage. The placement `fastest` takes the free agent whose time, one',
    'standard deviation to the advantage (`skills.optimism`; two for a pair never tried), is least: an agent is tried at a class as long as it might be the',
    `best, and no longer. Of ${first === undefined ? 0 : (first.agents * first.classes).toLocaleString('en')} pairs of agent and class ${percent(shareOfPairs(main, last))} had been tried at the end, with ${Math.round(mean(main, -1, 'failures'))} failed tasks on the way.`,
    '',
    '## Curves',
    '',
    ...document.variants.map((variant) => curve(variant, noteOn(variant))),
    '## What it does not show',
    '',
    '- Where every agent is shared, many differ by less than 1%; to tell those apart takes hundreds of runs of each, and the strict count stays below the',
    '  goal. The time lost by that is in the column of the excess.',
    '- Load does not slow these agents: Gavel measured pairs, and the kernel gives a whole accelerator to one task at a time.',
    '- openb machines with T4, A10, G2 and G3 are left out: nobody measured them here.',
    '',
  ].join('\n');
}

function noteOn(variant: Variant): string {
  if (!variant.name.startsWith('changed')) return '';
  return 'The change strikes at 8,000 outcomes.';
}

function rowOf(variant: Variant, index: number): string[] {
  const right = interval(variant, index, 'right');
  const bounds =
    right.low === null || right.high === null
      ? '–'
      : `${figure(Math.max(0, right.low))} to ${figure(Math.min(1, right.high))}`;
  return [
    String(variant.runs[0]?.points[index]?.outcomes ?? 0),
    figure(right.mean ?? 0),
    bounds,
    figure(mean(variant, index, 'nearlyRight')),
    (100 * mean(variant, index, 'excess')).toFixed(2),
    mean(variant, index, 'failures').toFixed(0),
    figure(shareOfPairs(variant, variant.runs[0]?.points.at(index))),
  ];
}

export function interval(variant: Variant, index: number, key: 'right' | 'nearlyRight') {
  return estimate(valuesAt(variant, index, key));
}

function chanceOf(variant: Variant): number {
  return estimate(variant.runs.map(({ chance }) => chance)).mean ?? 0;
}

function variantOf(document: MatchingDocument, name: string): Variant {
  return document.variants.find((variant) => variant.name === name) as Variant;
}

function valuesAt(variant: Variant, index: number, key: keyof MatchingPoint): number[] {
  return variant.runs.map(({ points }) => points.at(index)?.[key] as number);
}

function mean(variant: Variant, index: number, key: keyof MatchingPoint): number {
  return estimate(valuesAt(variant, index, key)).mean ?? 0;
}

function shareOfPairs(variant: Variant, point: MatchingPoint | undefined): number {
  const run = variant.runs[0];
  if (run === undefined || point === undefined) return 0;
  return mean(variant, run.points.indexOf(point), 'pairsTried') / (run.agents * run.classes);
}

function text({ mean: center, low, high }: ReturnType<typeof estimate>): string {
  const bounds =
    low === null || high === null ? '' : ` (95% interval ${figure(Math.max(0, low))} to ${figure(Math.min(1, high))})`;
  return `${percent(center ?? 0)}${bounds}`;
}

function percent(share: number): string {
  return `${figure(share)}%`;
}

function figure(share: number): string {
  return (100 * share).toFixed(1);
}
