// `npm run canaries`: how often canaries are wrong and what they cost, over many simulated ones; writes the page
// reports/promotion/promotion.md. Exit code 1 if a goal is missed. What is written depends on the code and the options alone.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import { canaryPage, type StudyResult, summarize } from './canary-page.ts';
import {
  anyAgent,
  type CanaryOutcome,
  calibrate,
  fastFirst,
  runCanary,
  type StudyWorld,
  trueChange,
} from './canary-study.ts';

interface Options {
  readonly canaries: number;
  readonly others: number;
  readonly truthTasks: number;
  readonly output: string;
}

/** The first one is the one that goals are set for. */
const worlds: readonly Omit<StudyWorld, 'slowness'>[] = [
  { name: 'half of the agents busy', load: 0.5, sigma: 1 },
  { name: 'seven in ten busy', load: 0.7, sigma: 1 },
  { name: 'eight in ten busy', load: 0.8, sigma: 1 },
];

const program = new Command('canaries')
  .description(
    'Runs many simulated canaries: of candidates that differ from the incumbent in tie-break seeds alone, and of candidates whose\n' +
      'true mean slowdown is 10% worse; counts wrong and missed verdicts, and the harm done.',
  )
  .option('--canaries <count>', 'canaries of each kind in the first world', count, 1000)
  .option('--others <count>', 'canaries of each kind in the other worlds', count, 200)
  .option('--truth-tasks <count>', 'tasks over which true slowdowns are taken', count, 400_000)
  .option('-o, --output <folder>', 'where to write', join(projectRoot(), 'reports', 'promotion'))
  .action(run);

await program.parseAsync();

function run({ canaries, others, truthTasks, output }: Options): void {
  const results = worlds.map((each, index): StudyResult => {
    const slowness = calibrate(each, 0.1, truthTasks / 4);
    const world: StudyWorld = { ...each, slowness };
    const truth = trueChange(world, 1_000_003, truthTasks);
    const number = index === 0 ? canaries : others;
    const play = (kind: string, one: (seed: number) => CanaryOutcome): CanaryOutcome[] =>
      Array.from({ length: number }, (_, seed) => {
        const outcome = one(seed + 1);
        if ((seed + 1) % 50 === 0) console.error(`${world.name}, ${kind}: ${seed + 1} of ${number}`);
        return outcome;
      });
    const same = summarize(
      play('the same', (seed) => runCanary(world, anyAgent(2 * seed), anyAgent(2 * seed + 1), seed)),
    );
    const worse = summarize(play('worse', (seed) => runCanary(world, fastFirst, anyAgent(seed), seed + 1_000_000)));
    return { world, truth, same, worse };
  });
  mkdirSync(output, { recursive: true });
  const facts = { canaries, others, truthTasks };
  writeFileSync(join(output, 'promotion.json'), `${JSON.stringify({ ...facts, results }, null, 2)}\n`);
  const page = canaryPage(results, facts);
  writeFileSync(join(output, 'promotion.md'), page);
  console.log(page);
  const [first] = results as [StudyResult];
  const isMet = first.same.wrongShare <= 0.05 && first.worse.rolledBackShare >= 0.99;
  process.exitCode = isMet ? 0 : 1;
}

function count(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('a whole number above 0');
  return number;
}
