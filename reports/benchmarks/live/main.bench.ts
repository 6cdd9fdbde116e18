// `npm run bench:live`: measures the live kernel on this machine, prints the figures beside what they should reach, and writes them as a
// page and as data. Exit code 1 if a goal is missed, 2 for a mistake in the command line.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import Table from 'cli-table3';
import { Command, Option } from 'commander';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import { benchLive, type LiveBench, type LivePart, liveGoals, liveParts } from './live-bench.bench.ts';
import { livePage } from './live-page.bench.ts';

interface Options {
  readonly only?: readonly LivePart[];
  readonly brief?: boolean;
  readonly output: string;
}

await new Command('bench:live')
  .description(
    'Measures the live kernel on this machine, beside floors in the same run: heartbeats of 10,000 agents and discovery, 2,000\n' +
      'connections, what the journal adds to a decision, what the guard costs. About six minutes; nothing else should run meanwhile.',
  )
  .addOption(new Option('--only <parts...>', 'these parts alone; figures of the others stay').choices(liveParts))
  .option('--brief', 'a tenth of everything, to see that it works; not for figures')
  .option('-o, --output <folder>', 'where to write', join(projectRoot(), 'reports', 'benchmarks'))
  .addHelpText(
    'after',
    '\nExamples:\n  npm run bench:live\n  npm run bench:live -- --only journal guard -o /tmp/bench\n  chrt --rr 1 npm run bench:live     before all else that the machine does (Linux, root)',
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .action(run)
  .parseAsync();

async function run({ only, brief, output }: Options): Promise<void> {
  const measured = await benchLive(only ?? liveParts, brief === true, (what) => process.stderr.write(`${what}\n`));
  mkdirSync(output, { recursive: true });
  const file = join(output, 'live.json');
  const earlier = only !== undefined && existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as LiveBench) : {};
  const bench: LiveBench = { ...earlier, ...measured };
  const rounded = (_: string, each: unknown): unknown =>
    typeof each === 'number' ? Number(each.toPrecision(6)) : each;
  writeFileSync(file, `${JSON.stringify(bench, rounded, 1)}\n`);
  writeFileSync(join(output, 'live.md'), livePage(bench, 'npm run bench:live'));
  const goals = liveGoals(measured);
  const table = new Table({ head: ['figure', 'goal', 'measured', ''], style: { head: [], border: [] } });
  for (const { name, wanted, measured: value, met } of goals) table.push([name, wanted, value, met ? 'met' : 'missed']);
  if (goals.length > 0) console.log(table.toString());
  console.log(`written to ${relative(process.cwd(), resolve(output)) || '.'}`);
  process.exitCode = goals.every(({ met }) => met) ? 0 : 1;
}
