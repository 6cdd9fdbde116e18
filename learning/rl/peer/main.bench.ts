// Steps a second of this PPO beside stable-baselines3's, each on its own environments written natively: CartPole-v1 (8 environments, 256
// steps, batches of 256, 10 epochs) and the batch machine. For each seed both train alone, one right after the other, so that what
// else the machine does hits both; wall clock and processor time are both told, since other work stretches the wall clock. Both
// batch machines must return the same for the same choices before anything is measured. Without the peer it says how to get it,
// and measures ours.
// Run: npm run bench:rl [-- --steps 100000 --seeds 1 2 3 --kinds cart-pole batch --json FILE]

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { delimiter, join } from 'node:path';
import { Command } from 'commander';
import { RandomStream } from '../../../core/base/random.ts';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import { VectorEnvironment } from '../../env/vector-environment.ts';
import { FeatureScaler } from '../feature-scaler.ts';
import { createPlainGradient, createSimdGradient } from '../policy-gradient.ts';
import { Ppo } from '../ppo.ts';
import { readTraining } from '../training-spec.ts';
import { openPeerEnvironment, type PeerKind, peerTrace, playAround } from './peer-environments.ts';

interface Measured {
  readonly trainer: string;
  readonly steps: number;
  readonly seconds: number;
  readonly processorSeconds: number;
  /** Over the last hundred episodes of training. */
  readonly meanReturn: number;
}

interface Pair {
  readonly seed: number;
  readonly ours: Measured;
  readonly peer: Measured | null;
}

const environmentCount = 8;
const stepsOfRollout = 256;
const root = projectRoot();
const options = new Command('bench:rl')
  .description('Steps a second beside stable-baselines3, on CartPole-v1 and on the batch machine.')
  .option('--steps <number>', 'of each training', '100000')
  .option('--seeds <number...>', 'one training of each for each', ['1', '2', '3'])
  .option('--kinds <name...>', 'cart-pole, batch', ['cart-pole', 'batch'])
  .option('--backend <name>', 'of ours: simd or plain', 'simd')
  .option('--json <file>', 'write the figures')
  .parse()
  .opts<{ steps: string; seeds: string[]; kinds: PeerKind[]; backend: string; json?: string }>();
const steps = Number(options.steps);
const createGradient = options.backend === 'plain' ? createPlainGradient : createSimdGradient;

const hasPeer = runPeer(['-c', 'import stable_baselines3']).status === 0;
if (hasPeer) compareMachines();
else console.log('no stable-baselines3 here: `npm run provision:stable-baselines` (5 GB), then again');
const results = options.kinds.map((kind) => ({
  kind,
  pairs: options.seeds.map((seed) => measurePair(kind, Number(seed))),
}));
for (const { kind, pairs } of results) sumUp(kind, pairs);
const machine = { processor: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version };
if (options.json !== undefined)
  writeFileSync(options.json, `${JSON.stringify({ machine, backend: options.backend, results }, undefined, 1)}\n`);

/** Throws if the same choices do not return the same. */
function compareMachines(): void {
  const starts = [0, 400, 1000, 1725];
  const run = runPeer([join(import.meta.dirname, 'batch_machine.py'), peerTrace, ...starts.map(String)]);
  if (run.status !== 0) throw new Error(`the peer's batch machine failed: ${run.stderr}`);
  const theirs = JSON.parse(run.stdout) as number[];
  for (const [index, ours] of playAround(starts).entries())
    if (Math.abs(ours - theirs[index]!) > 1e-9 * Math.abs(ours))
      throw new Error(`the window from job ${starts[index]} returns ${ours} here and ${theirs[index]} there`);
}

function measurePair(kind: PeerKind, seed: number): Pair {
  const ours = measure(kind, seed);
  tell(kind, seed, ours);
  const peer = hasPeer ? measurePeer(kind, seed) : null;
  if (peer !== null) tell(kind, seed, peer);
  return { seed, ours, peer };
}

function measure(kind: PeerKind, seed: number): Measured {
  const { create, training, teacher, rewardUnit } = openPeerEnvironment(kind);
  const spec = readTraining(join(root, 'scenarios', 'training', `${training}.yaml`));
  const environments = Array.from({ length: environmentCount }, create);
  const vector = new VectorEnvironment(environments, new RandomStream(seed, 'bench episodes'));
  const settings = { ...spec.ppo, steps: stepsOfRollout, minibatch: 256, epochs: 10 };
  const ppo = new Ppo(vector, settings, new FeatureScaler(environments[0]!.featureNames), createGradient(), seed);
  const iterations = Math.ceil(steps / (environmentCount * stepsOfRollout));
  const returns: number[] = [];
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  ppo.measureFeatures(teacher);
  for (let iteration = 0; iteration < iterations; iteration++)
    for (const episode of ppo.iterate(iteration / iterations).episodes) returns.push(episode.reward / rewardUnit);
  const used = process.cpuUsage(cpu);
  return {
    trainer: `Sira, Node ${process.version}`,
    steps: iterations * environmentCount * stepsOfRollout,
    seconds: (performance.now() - began) / 1000,
    processorSeconds: (used.user + used.system) / 1e6,
    meanReturn: meanOf(returns.slice(-100)),
  };
}

function measurePeer(kind: PeerKind, seed: number): Measured {
  const script = join(import.meta.dirname, 'stable_baselines_ppo.py');
  const run = runPeer([script, kind, String(seed), String(steps), peerTrace]);
  if (run.status !== 0) throw new Error(`the peer failed: ${run.stderr}`);
  return JSON.parse(run.stdout.trim().split('\n').at(-1)!) as Measured;
}

function runPeer(words: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const modules = [join(root, '.services', 'stable-baselines'), import.meta.dirname].join(delimiter);
  const environment = { ...process.env, PYTHONPATH: modules };
  return spawnSync('python3', words, { env: environment, encoding: 'utf8', maxBuffer: 2 ** 26 });
}

function tell(kind: PeerKind, seed: number, measured: Measured): void {
  const perSecond = measured.steps / measured.seconds;
  const perProcessorSecond = measured.steps / measured.processorSeconds;
  console.log(
    `${kind}, seed ${seed}: ${measured.trainer}: ${perSecond.toFixed(0)} steps/s (${perProcessorSecond.toFixed(0)} a second of processor time), mean return of the last 100 episodes ${measured.meanReturn.toFixed(1)}`,
  );
}

/** Ratios of the median pair, and returns over the seeds. */
function sumUp(kind: PeerKind, pairs: readonly Pair[]): void {
  const whole = pairs.flatMap(({ ours, peer }) => (peer === null ? [] : [{ ours, peer }]));
  if (whole.length === 0) return;
  const ratioBy = (pick: (measured: Measured) => number): string =>
    medianOf(whole.map(({ ours, peer }) => ours.steps / pick(ours) / (peer.steps / pick(peer)))).toFixed(2);
  const returns = (pick: (pair: (typeof whole)[number]) => Measured): string =>
    meanOf(whole.map((pair) => pick(pair).meanReturn)).toFixed(1);
  console.log(
    `${kind}: ${ratioBy(({ processorSeconds }) => processorSeconds)} times as fast in processor time, ${ratioBy(({ seconds }) => seconds)} times by the wall clock (medians of ${whole.length}); mean return ${returns(({ ours }) => ours)} beside ${returns(({ peer }) => peer)}`,
  );
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
