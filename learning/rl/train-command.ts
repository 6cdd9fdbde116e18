// `sira train`: trains a scheduling policy from its document, with progress, checkpoints, curves, and the exported artifact at the
// end. A training that was interrupted goes on with `--resume` to the weights that it would have had.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import type { Command, CommandCall, CommandContext } from '../../core/ports/command.ts';
import type { CurveRow, TrainingResult } from './train.ts';
import type { EvolutionSpec, TrainingSpec } from './training-spec.ts';

type AnyTraining = TrainingSpec | EvolutionSpec;

export const trainCommand: Command = {
  name: 'train',
  summary: 'train a scheduling policy in simulation, and export it for the kernel',
  description:
    'Trains by PPO, or by evolution where runs are judged as a whole, as the document says (scenarios/training/), once for each seed: the same seed gives the same weights. Writes, for each seed, the policy (NAME.policy.safetensors, for `artifact:` in a scenario), its training.json and checkpoint.json, and a picture of the curves.',
  arguments: [{ name: 'training', description: 'YAML file', required: true, many: false }],
  options: [
    { flags: '--seed <number...>', description: 'one training for each (default: 1)' },
    { flags: '-o, --output <folder>', description: 'where to write (default: reports/runs/train-NAME)' },
    { flags: '--iterations <number>', description: 'other than the document says' },
    { flags: '--resume', description: 'go on from the checkpoints in the folder' },
    {
      flags: '--backend <name>',
      description: 'what computes gradients, for PPO: simd is the fastest',
      choices: ['plain', 'simd', 'tensorflow'],
      defaultValue: 'plain',
    },
    { flags: '--json', description: 'print the results as JSON' },
  ],
  examples: [
    { line: 'sira train scenarios/training/lublin-backfill.yaml', meaning: 'one seed, a few minutes' },
    { line: 'sira train scenarios/training/lublin.yaml --seed 1 2 3 4 5', meaning: 'five seeds: mean and spread' },
    { line: 'sira train scenarios/training/openb.yaml', meaning: 'a placement, by evolution' },
    { line: 'sira train scenarios/training/lublin.yaml --resume', meaning: 'go on where it was interrupted' },
  ],
  run: trainAll,
};

async function trainAll(call: CommandCall, context: CommandContext): Promise<number> {
  const { readAnyTraining } = await import('./training-spec.ts');
  const spec = withIterations(
    readAnyTraining(call.arguments[0] as string),
    call.options.iterations as string | undefined,
  );
  const seeds = ((call.options.seed as readonly string[] | undefined) ?? ['1']).map((text) =>
    wholeNumber(text, '--seed'),
  );
  const given = call.options.output as string | undefined;
  const folder =
    given === undefined ? join(context.projectRoot, 'reports', 'runs', `train-${spec.name}`) : resolve(given);
  const runs: { seed: number; result: TrainingResult }[] = [];
  for (const seed of seeds) runs.push({ seed, result: await trainOne(spec, seed, folder, call, context) });
  const { trainingFigure } = await import('./training-figure.ts');
  const { metric } = runs[0]!.result;
  const curves = runs.map(({ seed, result }) => ({ seed, curve: result.curve }));
  writeFileSync(join(folder, 'curves.svg'), trainingFigure(spec.name, metric, curves));
  tell(spec, runs, folder, call, context);
  return 0;
}

async function trainOne(
  spec: AnyTraining,
  seed: number,
  folder: string,
  call: CommandCall,
  context: CommandContext,
): Promise<TrainingResult> {
  const { writePolicyArtifact, policyExtension } = await import('../../core/policy/policy-artifact.ts');
  const { ProgressBar } = await import('../../reports/progress-bar.ts');
  const backend = call.options.backend as string;
  const own = join(folder, `seed-${seed}`);
  mkdirSync(own, { recursive: true });
  const checkpointFile = join(own, 'checkpoint.json');
  const bar = new ProgressBar(context.terminal, `${spec.name}, seed ${seed}`);
  const started = performance.now();
  let result: TrainingResult;
  try {
    const options = {
      seed,
      command: `sira train scenarios/training/${spec.name}.yaml --seed ${seed}${backend === 'plain' ? '' : ` --backend ${backend}`}`,
      checkpoint: call.options.resume === true ? readCheckpoint(checkpointFile) : undefined,
      onIteration: (row: CurveRow) => bar.update(row.iteration / spec.iterations, describe(row)),
      onCheckpoint: (checkpoint: object) => writeWhole(checkpointFile, JSON.stringify(checkpoint)),
    };
    if ('runs' in spec) {
      const { trainWholeRuns } = await import('./evolution-training.ts');
      result = trainWholeRuns(spec, options);
    } else {
      const { train } = await import('./train.ts');
      result = train(spec, { ...options, gradient: await openGradient(backend) });
    }
  } finally {
    bar.stop();
  }
  writeFileSync(join(own, `${spec.name}${policyExtension}`), writePolicyArtifact(result.artifact));
  const { artifact, ...rest } = result;
  const record = {
    command: context.line,
    backend,
    seconds: Math.round((performance.now() - started) / 100) / 10,
    ...rest,
    lineage: artifact.manifest.lineage,
    training: spec.source,
  };
  writeWhole(join(own, 'training.json'), `${JSON.stringify(record, undefined, 1)}\n`);
  return result;
}

async function openGradient(name: string) {
  const { createPlainGradient, createSimdGradient } = await import('./policy-gradient.ts');
  if (name === 'simd') return createSimdGradient();
  if (name === 'plain') return createPlainGradient();
  const { openTensorFlow } = await import('../tensorflow/tensorflow.ts');
  const { createTensorFlowGradient } = await import('./tensorflow-gradient.ts');
  return createTensorFlowGradient(await openTensorFlow());
}

function tell(
  spec: AnyTraining,
  runs: readonly { seed: number; result: TrainingResult }[],
  folder: string,
  call: CommandCall,
  { terminal }: CommandContext,
): void {
  const means = runs.map(({ result }) => result.testMean);
  const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
  const spread = Math.sqrt(means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, means.length - 1));
  if (call.options.json === true) {
    const seeds = runs.map(({ seed, result: { artifact: _, curve: __, ...rest } }) => ({ seed, ...rest }));
    terminal.write(`${JSON.stringify({ name: spec.name, mean, spread, seeds }, undefined, 2)}\n`);
    return;
  }
  for (const { seed, result } of runs)
    terminal.write(
      `seed ${seed}: ${result.metric} ${result.testMean.toFixed(3)} on the tests (checkpoint of iteration ${result.best.iteration}, ${result.best.validation.toFixed(3)} on validation)\n`,
    );
  if (runs.length > 1) terminal.write(`mean ${mean.toFixed(3)}, deviation over seeds ${spread.toFixed(3)}\n`);
  terminal.write(`written to ${relative(process.cwd(), folder) || '.'}\n`);
}

function describe({ iteration, training, validation, entropy, sigma }: CurveRow): string {
  const number = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(3));
  return `iteration ${iteration}: training ${number(training)}, validation ${number(validation)}, ${sigma === undefined ? `entropy ${entropy.toFixed(2)}` : `sigma ${sigma.toFixed(2)}`}`;
}

function readCheckpoint(file: string) {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8'), (_, value) => (value === null ? Number.NaN : value));
  } catch {
    throw new SiraError('SIRA_FILE_MISSING', 'the checkpoint cannot be read', { file }, 'Leave out `--resume`.');
  }
}

/** A reader finds the old content or the new, never half of it. */
function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

function withIterations<Spec extends AnyTraining>(spec: Spec, text: string | undefined): Spec {
  return text === undefined ? spec : { ...spec, iterations: Math.max(1, wholeNumber(text, '--iterations')) };
}

function wholeNumber(text: string, flag: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new SiraError('SIRA_USAGE', `${flag} takes whole numbers`);
  return value;
}
