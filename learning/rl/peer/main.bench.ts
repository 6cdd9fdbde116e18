// Steps a second of this PPO beside stable-baselines3's, each on its own environments written natively: CartPole-v1 (8 environments, 256
// steps, batches of 256, 10 epochs) and the batch machine. Each runs alone, one after the other, in the same call; wall clock and
// processor time are both told, since other work stretches the wall clock. Without the peer it says how to get it, and measures ours.
// Run: npm run bench:rl [-- --steps 100000 --seed 1 --json FILE]

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { delimiter, join } from 'node:path';
import { Command } from 'commander';
import { RandomStream } from '../../../core/base/random.ts';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import { openEnvironment } from '../../env/catalogue.ts';
import { VectorEnvironment } from '../../env/vector-environment.ts';
import { FeatureScaler } from '../feature-scaler.ts';
import { createSimdGradient } from '../policy-gradient.ts';
import { Ppo } from '../ppo.ts';
import { readTraining } from '../training-spec.ts';

interface Measured {
  readonly trainer: string;
  readonly steps: number;
  readonly seconds: number;
  readonly processorSeconds: number;
  /** Over the last hundred episodes of training. */
  readonly meanReturn: number;
}

const environmentCount = 8;
const stepsOfRollout = 256;
const root = projectRoot();
const options = new Command('bench:rl')
  .description('Steps a second beside stable-baselines3, on CartPole-v1 and on the batch machine.')
  .option('--steps <number>', 'of each training', '100000')
  .option('--seed <number>', 'of each training', '1')
  .option('--json <file>', 'write the figures')
  .parse()
  .opts<{ steps: string; seed: string; json?: string }>();
const [steps, seed] = [Number(options.steps), Number(options.seed)];

const results = (['cart-pole', 'batch'] as const).map((kind) => {
  const ours = measure(kind);
  tell(kind, ours);
  const peer = measurePeer(kind);
  if (peer === undefined)
    console.log('  no stable-baselines3 here: `npm run provision:stable-baselines` (5 GB), then again');
  else {
    tell(kind, peer);
    const ratio = ours.steps / ours.seconds / (peer.steps / peer.seconds);
    const processor = ours.steps / ours.processorSeconds / (peer.steps / peer.processorSeconds);
    console.log(
      `  ${ratio.toFixed(2)} times as fast by the wall clock, ${processor.toFixed(2)} times in processor time`,
    );
  }
  return { kind, ours, peer: peer ?? null };
});
const machine = { processor: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version };
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ machine, results }, undefined, 1)}\n`);

function measure(kind: 'cart-pole' | 'batch'): Measured {
  const name = kind === 'batch' ? 'lublin' : kind;
  const spec = readTraining(join(root, 'scenarios', 'training', `${name}.yaml`));
  const opened = openEnvironment(spec.environment, spec.folder);
  const environments = Array.from({ length: environmentCount }, () => opened.create());
  const vector = new VectorEnvironment(environments, new RandomStream(seed, 'bench episodes'));
  const settings = { ...spec.ppo, steps: stepsOfRollout, minibatch: 256, epochs: 10 };
  const ppo = new Ppo(vector, settings, new FeatureScaler(environments[0]!.featureNames), createSimdGradient(), seed);
  const iterations = Math.ceil(steps / (environmentCount * stepsOfRollout));
  const returns: number[] = [];
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  ppo.measureFeatures(opened.fallback);
  for (let iteration = 0; iteration < iterations; iteration++)
    for (const episode of ppo.iterate(iteration / iterations).episodes) returns.push(episode.reward);
  const used = process.cpuUsage(cpu);
  const last = returns.slice(-100);
  return {
    trainer: `Sira, Node ${process.version}`,
    steps: iterations * environmentCount * stepsOfRollout,
    seconds: (performance.now() - began) / 1000,
    processorSeconds: (used.user + used.system) / 1e6,
    meanReturn: last.reduce((sum, value) => sum + value, 0) / Math.max(1, last.length),
  };
}

function measurePeer(kind: 'cart-pole' | 'batch'): Measured | undefined {
  const modules = [join(root, '.services', 'stable-baselines'), import.meta.dirname].join(delimiter);
  const environment = { ...process.env, PYTHONPATH: modules };
  if (spawnSync('python3', ['-c', 'import stable_baselines3'], { env: environment }).status !== 0) return undefined;
  const trace = join(root, 'scenarios', 'data', 'swf', 'lublin_256.swf.gz');
  const script = join(import.meta.dirname, 'stable_baselines_ppo.py');
  const run = spawnSync('python3', [script, kind, String(seed), String(steps), trace], {
    env: environment,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (run.status !== 0) throw new Error(`the peer failed: ${run.stderr}`);
  return JSON.parse(run.stdout.trim().split('\n').at(-1)!) as Measured;
}

function tell(kind: string, measured: Measured): void {
  const perSecond = measured.steps / measured.seconds;
  const perProcessorSecond = measured.steps / measured.processorSeconds;
  console.log(
    `${kind}: ${measured.trainer}: ${perSecond.toFixed(0)} steps/s (${perProcessorSecond.toFixed(0)} a second of processor time), mean return of the last 100 episodes ${measured.meanReturn.toFixed(1)}`,
  );
}
