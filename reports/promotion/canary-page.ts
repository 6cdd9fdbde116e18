// The published page on canaries: goals beside what was seen, in words and one table.

import type { CanaryOutcome, StudyWorld } from './canary-study.ts';
import { studyTasksMax } from './canary-study.ts';

export interface OutcomeSummary {
  readonly canaries: number;
  readonly promoted: number;
  readonly rolledBack: number;
  readonly cannotTell: number;
  /** Shares of all. For candidates that differ in nothing, either verdict is wrong. */
  readonly wrongShare: number;
  readonly rolledBackShare: number;
  readonly tasksMedian: number;
  /** Excess slowdown of the candidates' tasks, in tasks of the incumbent's mean slowdown. */
  readonly harmMean: number;
  readonly harmMax: number;
}

export interface StudyResult {
  readonly world: StudyWorld;
  /** True relative change of the mean slowdown of the worse candidate, and its standard error. */
  readonly truth: { readonly change: number; readonly standardError: number };
  readonly same: OutcomeSummary;
  readonly worse: OutcomeSummary;
}

export function summarize(outcomes: readonly CanaryOutcome[]): OutcomeSummary {
  const of = (verdict: CanaryOutcome['verdict']): number => outcomes.filter((one) => one.verdict === verdict).length;
  const tasks = outcomes.map((one) => one.tasks).sort((left, right) => left - right);
  const harms = outcomes.map((one) => one.harmTasks);
  const canaries = outcomes.length;
  const promoted = of('promoted');
  const rolledBack = of('rolledBack');
  return {
    ...{ canaries, promoted, rolledBack, cannotTell: of('cannotTell') },
    wrongShare: (promoted + rolledBack) / canaries,
    rolledBackShare: rolledBack / canaries,
    tasksMedian: tasks[Math.floor(canaries / 2)] as number,
    harmMean: harms.reduce((sum, harm) => sum + harm, 0) / canaries,
    harmMax: Math.max(...harms),
  };
}

export function canaryPage(
  results: readonly StudyResult[],
  facts: { readonly canaries: number; readonly others: number; readonly truthTasks: number },
): string {
  const [first] = results as [StudyResult];
  const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)}%`;
  const met = (isMet: boolean): string => (isMet ? 'met' : '**missed**');
  const rows = results.flatMap(({ world, truth, same, worse }) => [
    row(world, 'tie-break seeds alone', '0', same),
    row(world, 'any free agent', `${percent(truth.change)} ± ${percent(1.96 * truth.standardError)}`, worse),
  ]);
  return `# How often a canary is wrong, and what it costs

\`npm run canaries\` (\`--canaries ${facts.canaries} --others ${facts.others} --truth-tasks ${facts.truthTasks}\`) makes this page again, to the last digit.

A canary serves incumbent and candidate in turns: blocks of 20 tasks, in pairs, and a fair coin for each pair says who goes first; the
first four tasks of a block are not counted. Its verdict is a sequential test over the pairs' differences, which may be looked at after
every task (core/policy/symmetric-test.ts names the theorem). Each canary below has its own arrivals, durations and coins, at most
${studyTasksMax.toLocaleString('en')} tasks, and no twin: nothing is compared but what a live canary could compare.

The world: 16 agents with one task at a time; work takes longer on half of them; durations are lognormal (σ of the logarithm 1), arrivals
Poisson; slowdown is response time over the estimate. The incumbent that is worsened takes the fast agents first, the worse candidate takes any
free one; how slow the slow agents are is chosen so that the candidate's true mean slowdown, over ${facts.truthTasks.toLocaleString('en')} tasks in 16 streams, is 10% above the incumbent's.

| goal (first world) | asked | seen | |
|---|---|---|---|
| wrong verdicts where only tie-break seeds differ | at most 5% | ${percent(first.same.wrongShare)} of ${first.same.canaries} | ${met(first.same.wrongShare <= 0.05)} |
| 10% worse: rolled back | at least 99% | ${percent(first.worse.rolledBackShare)} of ${first.worse.canaries} | ${met(first.worse.rolledBackShare >= 0.99)} |

| agents busy | candidate | true change of slowdown | canaries | promoted | rolled back | cannot tell | tasks (median) | harm, mean | harm, worst |
|---|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}

Harm is what the candidate's tasks lost: the sum of their slowdowns above what the incumbent's were, in tasks of the incumbent's mean slowdown
(100 is as if a hundred tasks had taken twice as long); below 0 is luck. A rollout ends by itself when it reaches its bound (400 here).

What the worlds show: the busier the agents, the more of a slowdown is waiting, which varies from block to block and which one arm leaves to
the next; the same 10% takes more tasks to see. A verdict of "cannot tell" promotes nothing: the incumbent serves, and a person may approve. A
policy that is 10% worse is *promoted* in ${results.map(({ worse }) => worse.promoted).join(', ')} of the canaries of the three worlds.
`;
}

function row(world: StudyWorld, candidate: string, change: string, summary: OutcomeSummary): string {
  const { canaries, promoted, rolledBack, cannotTell, tasksMedian, harmMean, harmMax } = summary;
  const cells = [canaries, promoted, rolledBack, cannotTell, tasksMedian, harmMean.toFixed(1), harmMax.toFixed(1)];
  return `| ${world.load} | ${candidate} | ${change} | ${cells.join(' | ')} |`;
}
