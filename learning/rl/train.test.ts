import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPolicyArtifact, writePolicyArtifact } from '../../core/policy/policy-artifact.ts';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import { openTensorFlow } from '../tensorflow/tensorflow.ts';
import { createPlainGradient, createSimdGradient } from './policy-gradient.ts';
import { createTensorFlowGradient } from './tensorflow-gradient.ts';
import { type Checkpoint, type TrainingOptions, train } from './train.ts';
import { readTraining, type TrainingSpec, trainingProblems } from './training-spec.ts';

const training = (name: string): string => join(projectRoot(), 'scenarios', 'training', `${name}.yaml`);

/** A training of a second. */
function small(name: string, iterations: number): TrainingSpec {
  const spec = readTraining(training(name));
  const imitation = { ...spec.imitation, iterations: 1 };
  const ppo = { ...spec.ppo, steps: 32, epochs: 2, minibatch: 64 };
  return { ...spec, environments: 4, iterations, checkpointEvery: 2, validationEpisodes: 3, imitation, ppo };
}

function options(more: Partial<TrainingOptions> = {}): TrainingOptions {
  return { seed: 7, gradient: createPlainGradient(), command: 'test', ...more };
}

test.each(['deep-rm', 'cart-pole', 'lublin-backfill'])(
  '%s: the same seed trains the same policy, another one another',
  (name) => {
    const spec = { ...small(name, 2), ...(name === 'lublin-backfill' ? { validationEpisodes: 1 } : {}) };
    const first = train(spec, options());
    const again = train(spec, options());
    expect(writePolicyArtifact(again.artifact)).toEqual(writePolicyArtifact(first.artifact));
    expect(again.curve).toEqual(first.curve);
    const other = train(spec, options({ seed: 8 }));
    expect(other.artifact.layers).not.toEqual(first.artifact.layers);
  },
);

test('a training that goes on from a checkpoint ends with the same weights as one that was not interrupted', () => {
  const spec = small('deep-rm', 6);
  const whole = train(spec, options());
  let saved: Checkpoint | undefined;
  expect(() =>
    train(
      spec,
      options({
        onCheckpoint: (checkpoint) => {
          saved = JSON.parse(JSON.stringify(checkpoint), (_, value) => (value === null ? Number.NaN : value));
          if (checkpoint.iteration === 4) throw new Error('interrupted');
        },
      }),
    ),
  ).toThrow('interrupted');
  const resumed = train(spec, options({ checkpoint: saved }));
  expect(resumed.artifact.layers).toEqual(whole.artifact.layers);
  expect(resumed.curve).toEqual(whole.curve);
  expect(resumed.tests).toEqual(whole.tests);
});

test('PPO learns: CartPole stands longer than by chance', () => {
  const spec = { ...readTraining(training('cart-pole')), iterations: 6, checkpointEvery: 2, validationEpisodes: 10 };
  const { curve, testMean } = train(spec, options({ seed: 1 }));
  expect(curve[0]!.training).toBeLessThan(40);
  expect(testMean).toBeGreaterThan(100);
});

test('vectors train as well, repeat, and go on from a checkpoint', () => {
  const spec = { ...small('deep-rm', 4), validationEpisodes: 2 };
  const gradient = createSimdGradient();
  const saved: Checkpoint[] = [];
  const first = train(
    spec,
    options({ gradient, onCheckpoint: (checkpoint) => saved.push(structuredClone(checkpoint)) }),
  );
  const again = train(spec, options({ gradient: createSimdGradient() }));
  expect(writePolicyArtifact(again.artifact)).toEqual(writePolicyArtifact(first.artifact));
  const resumed = train(spec, options({ gradient, checkpoint: saved.find(({ iteration }) => iteration === 2) }));
  expect(resumed.artifact.layers).toEqual(first.artifact.layers);
  const plain = train({ ...spec, iterations: 2 }, options());
  const short = train({ ...spec, iterations: 2 }, options({ gradient }));
  for (const [index, { kernel }] of plain.artifact.layers.entries())
    for (const [place, weight] of kernel.entries())
      expect(short.artifact.layers[index]!.kernel[place]).toBeCloseTo(weight, 2);
});

test('TensorFlow.js trains as well, and repeats', async () => {
  const tf = await openTensorFlow('cpu');
  const spec = { ...small('cart-pole', 2), validationEpisodes: 2 };
  const train1 = train(spec, options({ gradient: createTensorFlowGradient(tf) }));
  const train2 = train(spec, options({ gradient: createTensorFlowGradient(tf) }));
  expect(writePolicyArtifact(train2.artifact)).toEqual(writePolicyArtifact(train1.artifact));
  const plain = train(spec, options());
  for (const [index, { kernel }] of plain.artifact.layers.entries())
    for (const [place, weight] of kernel.entries())
      expect(train1.artifact.layers[index]!.kernel[place]).toBeCloseTo(weight, 2);
});

test('what is exported says where it comes from', () => {
  const spec = small('deep-rm', 2);
  const bytes = writePolicyArtifact(train(spec, options({ command: 'sira train …' })).artifact);
  const { manifest } = readPolicyArtifact(bytes);
  expect(manifest).toMatchObject({
    name: 'deep-rm',
    schema: 'deep-rm/1',
    lineage: { command: 'sira train …', seed: 7 },
  });
  expect(Object.keys(manifest.lineage.dataSha256)).toEqual(['jobs_rate0.7_seed42.json.gz']);
  expect(manifest.lineage.curve.validation).toHaveLength(1);
  expect(manifest.lineage.evaluation.slowdownMeanTest).toBeGreaterThan(1);
});

test('mistakes in the document are named with their place', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sira-training-'));
  try {
    const problemsOf = (name: string, from: string | RegExp, to: string): string[] => {
      const file = join(folder, 'training.yaml');
      const data = join(projectRoot(), 'scenarios', 'data');
      const text = readFileSync(training(name), 'utf8').replaceAll('../data', data).replace(from, to);
      writeFileSync(file, text);
      return trainingProblems(file).map(({ code, place }) => `${place.line} ${place.field ?? '-'} ${code}`);
    };
    expect(problemsOf('lublin', 'x', 'x')).toEqual([]);
    expect(problemsOf('lublin', 'count: 1981', 'count: 1982')).toEqual([
      '17 environment.tests.starts.0 SIRA_SCENARIO_INVALID',
    ]);
    expect(problemsOf('lublin', 'processors:', 'procesors:')[0]).toMatch(/environment.*SIRA_SCENARIO_INVALID/);
    expect(problemsOf('lublin', 'lublin_256', 'nothing')).toEqual(['9 environment.trace SIRA_FILE_MISSING']);
    expect(problemsOf('deep-rm', 'rate: 0.7', 'rate: 7')).toEqual(['9 environment.rate SIRA_SCENARIO_INVALID']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
