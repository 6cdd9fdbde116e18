// Served to Python as Gymnasium: its own checker passes, and an episode there is the same as one here.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import { readTraining } from '../../rl/training-spec.ts';
import { openEnvironment } from '../catalogue.ts';
import { answerLine } from '../serve-environment.ts';

const root = projectRoot();
const modules = [join(root, '.services', 'gymnasium'), import.meta.dirname].join(delimiter);
const environment = { ...process.env, PYTHONPATH: modules };
const hasGymnasium =
  existsSync(join(root, 'dist', 'sira.js')) &&
  spawnSync('python3', ['-c', 'import gymnasium'], { env: environment }).status === 0;
const trainings = ['lublin-backfill', 'deep-rm', 'cart-pole'].map((name) =>
  join(root, 'scenarios', 'training', `${name}.yaml`),
);

test.skipIf(!hasGymnasium)(
  'Gymnasium checks the environments, and plays the same episodes (needs `npm run provision:gymnasium`)',
  () => {
    const script = join(import.meta.dirname, 'check_gymnasium.py');
    const output = execFileSync('python3', [script, ...trainings], { env: environment, encoding: 'utf8' });
    const { episodes } = JSON.parse(output) as {
      episodes: Record<string, { reward: number; steps: number; refused: boolean; metrics: Record<string, number> }>;
    };
    for (const training of trainings) {
      const spec = readTraining(training);
      const own = openEnvironment(spec.environment, spec.folder).create();
      own.reset(5);
      let reward = 0;
      let steps = 0;
      while (!own.done) reward += own.step(steps++ % own.candidateCount);
      const { reward: total, ...rest } = episodes[training]!;
      expect(total).toBeCloseTo(reward, 6);
      expect(rest).toEqual({ steps, refused: true, metrics: own.metrics() });
    }
  },
  120_000,
);

test('lines that mean nothing are refused, and change nothing', () => {
  const spec = readTraining(trainings[2]!);
  const own = openEnvironment(spec.environment, spec.folder).create();
  own.reset(1);
  const before = answerLine(own, '{"step": 0}');
  for (const line of ['', 'x', '3', 'null', '[]', '{"step": 2}', '{"step": -1}', '{"step": 0.5}', '{"reset": "a"}'])
    expect(JSON.parse(answerLine(own, line)), line).toHaveProperty('error');
  own.reset(1);
  expect(answerLine(own, '{"step": 0}')).toBe(before);
});
