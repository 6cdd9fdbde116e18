// `npm run swarm`: checks drawn cases by the thousand on all cores, and says what they reached. Exit code 1 if a promise was
// broken, 130 if it was stopped on the way; with `--resume` the next run goes on where this one stopped.

import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { reportErrors, wholeNumber } from '../../experiment/program-options.ts';
import { checkCase, drawCase } from '../check-case.ts';
import { shrinkCase } from '../shrink.ts';
import { writeRegressFile } from './regress-file.ts';
import { runSwarm } from './run-swarm.ts';
import { soakDocument, soakPage } from './swarm-page.ts';
import { coverageText, failureText, sayLeft, summaryText } from './swarm-report.ts';
import { type SwarmPlan, SwarmState, sayPlan } from './swarm-state.ts';

interface Options {
  readonly seeds: number;
  readonly from: number;
  readonly shard: Pick<SwarmPlan, 'shard' | 'shards'>;
  readonly workers: number;
  readonly resume?: string;
  readonly failures: number;
  readonly minutes?: number;
  readonly output?: string;
  readonly seed?: number;
  readonly shrink?: boolean;
}

const program = new Command('swarm')
  .description(
    'Draws a whole case from each seed (cluster, tasks, policy, network, faults), runs it under every oracle, runs it again with\n' +
      'the kernel restored from its own snapshots, and says what the cases reached.',
  )
  .option('--seeds <count>', 'how many seeds', wholeNumber(1), 2000)
  .option('--from <seed>', 'the first of them', wholeNumber(0), 1)
  .option('--shard <i/n>', 'every n-th seed alone, beginning with the i-th: for several machines', parseShard, {
    shard: 1,
    shards: 1,
  })
  .option('--workers <count>', 'threads; 0 uses none', wholeNumber(0), availableParallelism())
  .option('--resume <file>', 'keep the state in this file, and go on from it if it is there')
  .option('--failures <count>', 'stop when so many seeds have failed', wholeNumber(1), 5)
  .option('--minutes <count>', 'stop after so long', wholeNumber(1))
  .option('-o, --output <folder>', 'write swarm.md and swarm.json there at the end, or when it is stopped')
  .option('--seed <seed>', 'this seed alone, with all that is known about its failure', wholeNumber(0))
  .option('--shrink', 'with --seed: make the failing case smaller, and save it in scenarios/regress/')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run swarm -- --seeds 2000\n  npm run swarm -- --seed 480\n' +
      '  npm run swarm -- --seeds 100000 --resume reports/runs/soak.json\n',
  )
  .action(run);

await reportErrors(() => program.parseAsync());

async function run(options: Options): Promise<void> {
  if (options.seed !== undefined) runOne(options.seed, options.shrink === true);
  else await runMany(options);
}

async function runMany({ seeds, from, shard, workers, resume, failures, minutes, output }: Options): Promise<void> {
  const plan = { from, seeds, ...shard };
  const state = resume === undefined ? new SwarmState(plan) : SwarmState.open(resume, plan);
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const save = (): void => {
    if (resume !== undefined) state.save(resume, seconds());
  };
  const formerCases = state.cases;
  if (formerCases > 0) console.error(`going on after ${formerCases} of ${state.caseCount} cases`);
  for (const failure of state.failures) console.error(failureText(failure));
  const interactive = process.stderr.isTTY === true;
  let told = 0;
  let saved = 0;
  const progress = (): void => {
    const now = seconds();
    const rate = (state.cases - formerCases) / Math.max(now, 0.001);
    if (now - saved >= 2) {
      save();
      saved = now;
    }
    if (now - told < (interactive ? 0.2 : 10) && state.cases < state.caseCount) return;
    told = now;
    const share = Math.floor((100 * state.cases) / Math.max(1, state.caseCount));
    const line = `${String(share).padStart(3)}%  ${state.cases} of ${state.caseCount} cases, ${rate.toFixed(1)} a second, ${sayLeft((state.caseCount - state.cases) / Math.max(rate, 0.001))} left`;
    process.stderr.write(interactive ? `\r\x1b[K${line}` : `${line}\n`);
  };
  const publish = (): void => {
    if (output === undefined) return;
    mkdirSync(output, { recursive: true });
    writeFileSync(join(output, 'swarm.md'), soakPage(state));
    writeFileSync(join(output, 'swarm.json'), `${JSON.stringify(soakDocument(state), undefined, 1)}\n`);
  };
  process.once('SIGINT', () => {
    save();
    publish();
    console.error(resume === undefined ? '\nstopped' : `\nstopped; the same command goes on from ${resume}`);
    process.exit(130);
  });
  await runSwarm(state, {
    workers,
    failuresMax: failures,
    isEnough: () => minutes !== undefined && seconds() > 60 * minutes,
    progress,
    failed: (failure) => console.error(`${interactive ? '\r\x1b[K' : ''}${failureText(failure)}`),
  });
  save();
  if (interactive) process.stderr.write('\r\x1b[K');
  publish();
  console.log(coverageText(state));
  console.log(`${sayPlan(plan)}: ${summaryText(state, seconds())}`);
  process.exitCode = state.failures.length === 0 ? 0 : 1;
}

function runOne(seed: number, shrink: boolean): void {
  const drawn = drawCase(seed);
  const { finding, digest, simulatedMicros, eventCount } = checkCase(drawn);
  if (finding === undefined) {
    console.log(
      `seed ${seed} keeps every promise: ${drawn.tasks.length} tasks, ${drawn.faults.length} faults, ${drawn.profile.order} ${drawn.profile.place} ` +
        `${drawn.profile.unplaced}, ${eventCount} events in ${sayLeft(simulatedMicros / 1e6)} simulated, digest ${digest}`,
    );
    return;
  }
  process.exitCode = 1;
  console.log(failureText({ seed, ...finding }));
  if (!shrink) return;
  const small = shrinkCase(drawn, {
    runsMax: 600,
    progress: (tasks, runs) => console.error(`${runs} runs: ${tasks} tasks left`),
  });
  if (small === undefined) return;
  const file = writeRegressFile({
    name: `seed-${seed}`,
    description: small.finding.what,
    oracle: small.finding.oracle,
    restartsMicros: small.restartsMicros,
    case: small.case,
  });
  console.log(
    `smallest that still fails, in ${relative(process.cwd(), file)}; say there what the bug was, and keep it\n`,
  );
  console.log(failureText({ seed, ...small.finding }));
}

function parseShard(text: string): Options['shard'] {
  const [shard, shards] = text.split('/').map(Number);
  if (!Number.isInteger(shard) || !Number.isInteger(shards) || shard! < 1 || shards! < shard!)
    throw new InvalidArgumentError('A shard is written 1/4.');
  return { shard: shard!, shards: shards! };
}
