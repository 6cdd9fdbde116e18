// `npm run swarm:broker`: checks drawn cases of the durable topics by the thousand on all cores, and says what they reached. Exit
// code 1 if a promise was broken, 130 if it was stopped on the way; with `--resume` the next run goes on where this one stopped.

import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { Command } from 'commander';
import { reportErrors, wholeNumber } from '../../experiment/program-options.ts';
import type { TopicCase } from '../../world/topic-case.ts';
import { checkTopicCase } from '../topics/check-topic-case.ts';
import { drawTopicCase } from '../topics/draw-topic-case.ts';
import { shrinkTopicCase } from '../topics/shrink-topic-case.ts';
import { topicReachable } from '../topics/topic-reach.ts';
import { runSwarm } from './run-swarm.ts';
import { coverageText, failureText, sayLeft, summaryText } from './swarm-report.ts';
import { SwarmState, sayPlan } from './swarm-state.ts';
import { drawSoakCase, runTopicJob } from './topic-job.ts';
import { followSwarm } from './topic-progress.ts';
import { writeTopicRegressFile } from './topic-regress-file.ts';

interface Options {
  readonly seeds: number;
  readonly from: number;
  readonly workers: number;
  readonly resume?: string;
  readonly failures: number;
  readonly seed?: number;
  readonly soak?: boolean;
  readonly shrink?: boolean;
}

const again = 'npm run swarm:broker --';

const program = new Command('swarm:broker')
  .description(
    'Draws a whole case of the durable topics from each seed (topics, groups, producers, network, disk, faults), runs it under every\n' +
      'oracle to its end, and says what the cases reached.',
  )
  .option('--seeds <count>', 'how many seeds', wholeNumber(1), 2000)
  .option('--from <seed>', 'the first of them', wholeNumber(0), 1)
  .option('--workers <count>', 'threads; 0 uses none', wholeNumber(0), availableParallelism())
  .option('--resume <file>', 'keep the state in this file, and go on from it if it is there')
  .option('--failures <count>', 'stop when so many seeds have failed', wholeNumber(1), 5)
  .option('--seed <seed>', 'this seed alone, with all that is known about its failure', wholeNumber(0))
  .option('--soak', 'with --seed: the case that the soak draws')
  .option('--shrink', 'with --seed: make the failing case smaller, and save it in scenarios/regress/topics/')
  .addHelpText('after', `\nExamples:\n  ${again} --seeds 2000\n  ${again} --seed 480\n`)
  .action((options: Options) => (options.seed === undefined ? runMany(options) : runOne(options)));

await reportErrors(() => program.parseAsync());

async function runMany({ seeds, from, workers, resume, failures }: Options): Promise<void> {
  const plan = { from, seeds, shard: 1, shards: 1, swarm: 'topics' } as const;
  const state =
    resume === undefined ? new SwarmState(plan, topicReachable) : SwarmState.open(resume, plan, topicReachable);
  const follow = followSwarm(state, resume, again, (rate) => {
    const left = sayLeft((state.caseCount - state.cases) / Math.max(rate, 0.001));
    return `${state.cases} of ${state.caseCount} cases, ${rate.toFixed(1)} a second, ${left} left`;
  });
  const worker = new URL('./topic-worker.js', import.meta.url);
  await runSwarm(state, {
    workers,
    failuresMax: failures,
    ...follow,
    jobs: { seedsPerJob: 4, run: runTopicJob, worker },
  });
  const seconds = follow.end();
  console.log(coverageText(state));
  console.log(`${sayPlan(plan)}: ${summaryText(state, seconds)}`);
  process.exitCode = state.failures.length === 0 ? 0 : 1;
}

function runOne({ seed = 0, soak, shrink }: Options): void {
  const drawn = soak === true ? drawSoakCase(seed) : drawTopicCase(seed);
  const started = performance.now();
  const { finding, digest, simulatedMicros, eventCount, published, deliveries } = checkTopicCase(drawn);
  const seconds = (performance.now() - started) / 1000;
  if (finding !== undefined) {
    process.exitCode = 1;
    console.log(failureText({ seed, ...finding }, again));
    if (shrink === true) saveSmaller(seed, drawn);
    return;
  }
  console.log(
    `seed ${seed} keeps every promise: ${drawn.topics.length} topics, ${drawn.members.length} subscribers, ${drawn.faults.length} faults, ` +
      `${published} messages, ${deliveries} deliveries, ${eventCount} events in ${sayLeft(simulatedMicros / 1e6)} simulated, ` +
      `digest ${digest}, ${seconds.toFixed(2)} s, ${Math.round(published / seconds)} messages a second`,
  );
}

function saveSmaller(seed: number, drawn: TopicCase): void {
  const small = shrinkTopicCase(drawn, { runsMax: 400 });
  if (small === undefined) return;
  const { oracle, what } = small.finding;
  const file = writeTopicRegressFile({ name: `seed-${seed}`, description: what, oracle, case: small.case });
  console.log(
    `smallest that still fails, in ${relative(process.cwd(), file)}; say there what the bug was, and keep it\n`,
  );
  console.log(failureText({ seed, ...small.finding }, again));
}
