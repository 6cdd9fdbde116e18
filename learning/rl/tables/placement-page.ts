// The page of the trained placements: what must hold, the tables, and how to read them.

import { markdownTable, mean, signed } from '../../../reports/tables/markdown.ts';
import { packingWorkloads } from '../../../reports/tables/published.ts';
import { type Check, checkList } from '../../../reports/tables/table.ts';
import { completionBoundSeconds } from '../../env/agents/sustained-load.ts';
import { type AgentRow, agentHeuristics } from './agent-rows.ts';
import type { PackingRows } from './placement-rows.ts';

/** More load than spreading, by which the agents scenario is judged. */
const loadGoal = 1.3;

/** Where a policy comes from, as its manifest says. */
export interface TrainedFrom {
  readonly training: 'openb' | 'agents';
  readonly seed: number;
  readonly command: string;
  readonly validation: number;
}

export interface PlacementDocument {
  readonly command: string;
  readonly packing: PackingRows;
  readonly agents: readonly AgentRow[];
  readonly trained: readonly TrainedFrom[];
}

export function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / Math.max(1, values.length - 1));
}

/** By pod list: FGD, and the learned placements' means by training seed. */
export function packingSummary({ orders }: PackingRows) {
  return packingWorkloads.map((workload) => {
    const rows = orders.filter((row) => row.workload === workload);
    const seeds = rows[0]!.learned.map((_, seed) => mean(rows.map((row) => row.learned[seed]!)));
    const gains = rows.flatMap((row) => row.learned.map((value) => value - row.fgd));
    return {
      workload,
      orders: rows.length,
      published: mean(rows.map((row) => row.published)),
      fgd: mean(rows.map((row) => row.fgd)),
      learned: mean(seeds),
      deviation: deviation(seeds),
      seedLeast: Math.min(...seeds),
      gainLeast: Math.min(...gains),
      better: gains.filter((gain) => gain > 0).length,
      runs: gains.length,
    };
  });
}

/** By policy: the mean over fleets of the load sustained, of each training seed. */
export function agentsSummary(rows: readonly AgentRow[]) {
  return [...agentHeuristics, 'learned'].map((policy) => {
    const means = rows.filter((row) => row.policy === policy).map((row) => mean(row.sustained));
    return { policy, means, mean: mean(means), deviation: deviation(means) };
  });
}

export function placementChecks({ packing, agents }: PlacementDocument): Check[] {
  const summary = packingSummary(packing);
  const spread = agentsSummary(agents).find(({ policy }) => policy === 'spread')!;
  const learned = agentsSummary(agents).find(({ policy }) => policy === 'learned')!;
  const ratio = learned.mean / spread.mean;
  const least = Math.min(...learned.means) / spread.mean;
  return [
    {
      requirement: 'openb: mean allocation of five training seeds above FGD on every pod list',
      found: summary.map(({ workload, learned: value, fgd }) => `${workload} ${signed(value - fgd, 2)}`).join(', '),
      holds: summary.every((row) => row.learned > row.fgd && row.learned > row.published),
    },
    {
      requirement: 'openb: every training seed above FGD on every published order',
      found: `${summary.reduce((sum, row) => sum + row.better, 0)} of ${summary.reduce((sum, row) => sum + row.runs, 0)} runs, least difference ${signed(Math.min(...summary.map((row) => row.gainLeast)), 2)} points`,
      holds: summary.every((row) => row.better === row.runs),
    },
    {
      requirement: `agents: at least ${loadGoal} times the load of spreading within ${completionBoundSeconds} s at the 99th percentile`,
      found: `${ratio.toFixed(2)} times (worst training seed ${least.toFixed(2)})`,
      holds: ratio >= loadGoal && least >= loadGoal,
    },
  ];
}

export function placementPage(document: PlacementDocument, checks: readonly Check[]): string {
  return `# Trained placements

Written by \`${document.command}\` from the policies in \`policies/\`; each of them says in its manifest which command and seed trained it, on
which data, and its curve. What trained queue orders reach stands on [its own page](learned.md).

${checkList(checks)}

## openb: GPUs allocated when tasks have asked for 130% of them, percent

FGD (Weng et al., USENIX ATC 2023) on the published orders of its five pod lists, through the kernel and its messages; *learned* is the
mean of five training seeds with the deviation over them, each run on the same orders.

${packingTable(document)}

![GPU allocation of FGD and of the learned placement](openb.svg)

${trainedTable(document, 'openb')}

![Curves of the trainings](openb-training.svg)

## Agents: bursts of requests, three generations of machines, groups that exchange tensors

How many times as fast as in the trace may Azure's requests come, so that 99% of them complete within ${completionBoundSeconds} s? Mean over five fleets;
everybody queues first come, first served.

${agentsTable(document)}

![Completion by load, and the load sustained](agents.svg)

${trainedTable(document, 'agents')}

![Curves of the trainings](agents-training.svg)

## How to read this

- **What is learned** is a correction of another placement's scores: FGD's on openb, best fit's for the agents. It is one layer of weights over
  [what a machine would be like afterwards](../../core/policy/placement-features.ts), with weights of their own for tasks without GPUs,
  that share one, take one or take several. A network that says nothing places as the placement that it corrects, which is also what
  the shield falls back to: ${fallbackText(document.packing)}.
- **Trained by evolution** (separable CMA-ES) on whole runs, since a run is cheap and its end is all that counts: the members of a generation
  play the same few runs, and of each training the mean is exported that played *validation* runs best.
- **openb: training draws** three tenths of the machines in an order of its own, and tasks from the default pod list with replacement, each
  kind of task up to twice as frequent or rare. Neither the tests' orders nor their mixes are met, but the *kinds* of pods and machines
  are those of the trace: this is another draw of the same world, not another world.
- **Agents: training, validation and tests** have times of Azure's trace (minutes 0 to 30, 30 to 38, 38 to the end) and fleets of their own. A
  request is served by one, two or four agents; how fast each is at a class of work is Gavel's measurement on K80, P100 and V100; what
  groups exchange is what tensor parallelism of a model of 80 layers and width 8192 exchanges, over 1000, 100 or 10 Gb/s within a
  machine, a rack, or beyond. The bound was chosen where spreading keeps to it at about the trace's own speed in the validation's part.
  The load is found by halving, to 2%; the percentile does not rise strictly with it, so a single fleet's figure is good to about a tenth.
  Links are not shared: an exchange is as fast as if it were alone, which flatters who exchanges much, and so spreading most.
- **The gain over spreading is there for a heuristic as well**: \`locality\` knows the same things, weighed by a person, and sustains as much or a
  little more, and at low load its tail is clearly shorter. What was learned began at best fit, which knows neither links nor speeds, and took
  less than a minute a seed.
- Settings were chosen on validation runs and on the validation's part of the trace alone, in a few trial runs (openb: first steps of 1.5 and 4
  units ended alike; agents: beginning at \`locality\` with first steps of 10 units made it worse on validation, so training begins at best
  fit). How long a training may be was set by the time that there was: openb's curves still rise. The tests were run once.
- Lublin's and DeepRM's settings were chosen otherwise, with the tests in sight: [their page](learned.md) says where.
`;
}

function packingTable({ packing }: PlacementDocument): string {
  return markdownTable(
    ['pod list', 'orders', 'FGD, published', 'FGD, here', 'learned', 'difference', 'least over orders and seeds'],
    packingSummary(packing).map((row) => [
      row.workload,
      String(row.orders),
      row.published.toFixed(2),
      row.fgd.toFixed(2),
      `${row.learned.toFixed(2)} ± ${row.deviation.toFixed(2)}`,
      signed(row.learned - row.fgd, 2),
      signed(row.gainLeast, 2),
    ]),
  );
}

function agentsTable({ agents }: PlacementDocument): string {
  const summary = agentsSummary(agents);
  const spread = summary[0]!.mean;
  return markdownTable(
    ['placement', 'load sustained', 'to spreading'],
    summary.map(({ policy, means, mean: value, deviation: spreadOver }) => [
      policy === 'learned' ? `learned, ${means.length} seeds` : policy,
      policy === 'learned' ? `${value.toFixed(2)} ± ${spreadOver.toFixed(2)}` : value.toFixed(2),
      `${(value / spread).toFixed(2)}`,
    ]),
  );
}

function trainedTable({ trained, packing, agents }: PlacementDocument, training: 'openb' | 'agents'): string {
  const own = trained.filter((row) => row.training === training);
  const learned = agents.filter((row) => row.policy === 'learned');
  const tests = own.map((_, index) =>
    training === 'openb' ? mean(packing.orders.map((row) => row.learned[index]!)) : mean(learned[index]!.sustained),
  );
  return markdownTable(
    [
      'training seed',
      training === 'openb' ? 'tests, mean of all orders' : 'load sustained',
      'validation',
      'trained by',
    ],
    own.map((row, index) => [
      String(row.seed),
      tests[index]!.toFixed(2),
      row.validation.toFixed(3),
      `\`${row.command}\``,
    ]),
  );
}

function fallbackText({ shields }: PackingRows): string {
  const decisions = shields.reduce((sum, counts) => sum + counts.decisions, 0);
  const fallbacks = shields.reduce((sum, { outside, overBudget, broken }) => sum + outside + overBudget + broken, 0);
  return `${((100 * fallbacks) / Math.max(1, decisions)).toFixed(2)}% of the decisions on openb were its`;
}
