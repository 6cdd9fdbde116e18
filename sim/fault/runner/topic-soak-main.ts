// `npm run soak:broker`: a billion simulated messages through the durable topics, in cases with faults drawn from seeds, on all
// cores, every oracle on. The state is kept in a file, so that it may be stopped and taken up again; it stops by itself after
// `--minutes`. The last line says what was asked: acknowledged messages lost, out of key order, duplicates to an idempotent consumer.

import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { reportErrors, wholeNumber } from '../../experiment/program-options.ts';
import { topicReachable } from '../topics/topic-reach.ts';
import { runSwarm } from './run-swarm.ts';
import { coverageText, sayLeft } from './swarm-report.ts';
import { SwarmState } from './swarm-state.ts';
import { runSoakJob } from './topic-job.ts';
import { followSwarm } from './topic-progress.ts';
import { soakDocument, soakFigures, soakLine, soakMarkdown } from './topic-soak-report.ts';

interface Options {
  readonly messages: number;
  readonly from: number;
  readonly workers: number;
  readonly resume: string;
  readonly minutes: number;
  readonly failures: number;
  readonly output?: string;
}

const again = 'npm run swarm:broker -- --soak';

const program = new Command('soak:broker')
  .description('Sends a billion simulated messages through the durable topics, with faults, under every oracle.')
  .option('--messages <count>', 'stop when so many are published', wholeNumber(1), 1_000_000_000)
  .option('--from <seed>', 'the first seed', wholeNumber(0), 1)
  .option('--workers <count>', 'threads; 0 uses none', wholeNumber(0), availableParallelism())
  .option('--resume <file>', 'where the state is kept', join('reports', 'runs', 'soak-broker.json'))
  .option('--minutes <count>', 'stop after this time; the next run goes on', wholeNumber(1), 24 * 60)
  .option('--failures <count>', 'stop when so many seeds have failed', wholeNumber(1), 5)
  .option('--output <folder>', 'write broker.md and broker.json there')
  .action(run);

await reportErrors(() => program.parseAsync());

async function run({ messages, from, workers, resume, minutes, failures, output }: Options): Promise<void> {
  const plan = { from, seeds: 50_000, shard: 1, shards: 1, swarm: 'topics' } as const;
  const state = SwarmState.open(resume, plan, topicReachable);
  const former = soakFigures(state, 0).published;
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const follow = followSwarm(state, resume, again, () => {
    const { published } = soakFigures(state, 0);
    const rate = (published - former) / Math.max(seconds(), 0.001);
    const left = sayLeft((messages - published) / Math.max(rate, 1));
    const share = Math.floor((100 * published) / messages);
    return `${share}%  ${state.cases} cases, ${published} of ${messages} messages, ${Math.round(rate)} a second, ${left} left`;
  });
  await runSwarm(state, {
    workers,
    failuresMax: failures,
    ...follow,
    isEnough: () => seconds() > minutes * 60 || soakFigures(state, 0).published >= messages,
    jobs: { seedsPerJob: 1, run: runSoakJob, worker: new URL('./topic-soak-worker.js', import.meta.url) },
  });
  const wall = follow.end();
  const { user, system } = process.cpuUsage();
  const published = soakFigures(state, 0).published - former;
  const figures = soakFigures(state, wall, (published * 1e6) / (user + system));
  if (output !== undefined) {
    mkdirSync(output, { recursive: true });
    writeFileSync(join(output, 'broker.md'), soakMarkdown(state, figures, messages));
    writeFileSync(
      join(output, 'broker.json'),
      `${JSON.stringify(soakDocument(state, figures, messages), undefined, 1)}\n`,
    );
  }
  console.log(coverageText(state));
  console.log(soakLine(figures));
  process.exitCode = state.failures.length === 0 ? 0 : 1;
}
