// `npm run drift`: how often the watch over a promoted policy is wrong, and how soon it notices a change, over many simulated rollouts;
// writes the page reports/promotion/drift.md. What is written depends on the code and the options alone.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { reportErrors, wholeNumber } from '../../sim/experiment/program-options.ts';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import type { WorkloadDrift } from '../../sim/rollout/drifting-workload.ts';
import type { StudyWorld } from './canary-study.ts';
import { type DriftOutcome, driftStudyTasks, runDrift } from './drift-study.ts';

interface Options {
  readonly calm: number;
  readonly drifts: number;
  readonly output: string;
}

const worlds: readonly StudyWorld[] = [0.5, 0.7].map((load) => ({ name: `load ${load}`, load, slowness: 2, sigma: 1 }));
const changes: readonly { readonly name: string; readonly drift: Omit<WorkloadDrift, 'atMicros'> }[] = [
  { name: 'work takes 1.3 times as long as estimated', drift: { serviceFactor: 1.3 } },
  { name: 'tasks are 1.5 times as long', drift: { lengthFactor: 1.5 } },
  { name: 'tasks ask for half the CPU', drift: { demandFactor: 0.5 } },
];

const program = new Command('drift')
  .description('Runs many simulated rollouts to promotion and beyond: without any change, and with one in the middle.')
  .option('--calm <count>', 'rollouts without a change in each world', wholeNumber(1), 50)
  .option('--drifts <count>', 'rollouts with each change in each world', wholeNumber(1), 10)
  .option('-o, --output <folder>', 'where to write', join(projectRoot(), 'reports', 'promotion'))
  .action(run);

await reportErrors(() => program.parseAsync());

function run({ calm, drifts, output }: Options): void {
  const rows: string[] = [];
  const results: object[] = [];
  for (const world of worlds) {
    const add = (name: string, drift: Omit<WorkloadDrift, 'atMicros'> | undefined, count: number): void => {
      const outcomes = Array.from({ length: count }, (_, seed) => runDrift(world, drift, seed + 1));
      results.push({ load: world.load, change: name, outcomes });
      rows.push(
        rowOf(
          world.load,
          name,
          outcomes.filter(({ promoted }) => promoted),
          drift !== undefined,
        ),
      );
      console.error(rows.at(-1));
    };
    add('none', undefined, calm);
    for (const { name, drift } of changes) add(name, drift, drifts);
  }
  mkdirSync(output, { recursive: true });
  writeFileSync(join(output, 'drift.json'), `${JSON.stringify({ calm, drifts, results })}\n`);
  writeFileSync(join(output, 'drift.md'), page(rows, calm, drifts));
}

function rowOf(load: number, change: string, outcomes: readonly DriftOutcome[], changes: boolean): string {
  const falseAlarms = outcomes.filter(({ falseAlarm }) => falseAlarm).length;
  const calmTasks = outcomes.reduce((sum, each) => sum + each.calmTasks, 0);
  const noticed = outcomes.flatMap(({ noticedTasks }) => noticedTasks ?? []).sort((left, right) => left - right);
  const told = changes
    ? `${noticed.length} | ${noticed[Math.floor(noticed.length / 2)] ?? '—'} | ${noticed.at(-1) ?? '—'}`
    : '— | — | —';
  return `| ${load} | ${change} | ${outcomes.length} | ${calmTasks} | ${falseAlarms} | ${told} |`;
}

function page(rows: readonly string[], calm: number, drifts: number): string {
  return `# How often the watch over a promoted policy is wrong, and how soon it notices

\`npm run drift\` (\`--calm ${calm} --drifts ${drifts}\`) makes this page again, to the last digit.

Each rollout has its own arrivals, durations and coins: ${driftStudyTasks} tasks, of which the canary takes what it needs; then the promoted
policy serves alone and is held against its trial (core/policy/drift-reference.ts), in windows of 100 tasks. A false alarm is a rollback
though nothing had changed; a change comes in the middle of the run. The world is that of promotion.md: 16 agents, work takes twice as
long on half of them, durations are lognormal (σ 1).

| agents busy | change | promoted | tasks watched before any change | false alarms | noticed | tasks until then (median) | worst |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}

A change within the bounds of the plan (\`drift\`) is none by its terms, whatever it does. Shortly after a short trial little is known of how
much windows differ by themselves: more of them must be strange, which is what the worst cases show.
`;
}
