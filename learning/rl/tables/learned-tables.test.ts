// The committed page against the policies that lie beside it: one window through the kernel again, DeepRM anew, and the scenario runs the
// policies that validation chose.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toBase64 } from '../../../core/base/base64.ts';
import { boundedSlowdownMean, runBatch } from '../../../reports/tables/batch-run.ts';
import { openInputs } from '../../../sim/experiment/build-world.ts';
import { loadScenario } from '../../../sim/experiment/load-scenario.ts';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import { readTraining } from '../training-spec.ts';
import { learnedChecks, learnedPage } from './learned-page.ts';
import { deepRmRows, type LearnedRow } from './learned-rows.ts';
import { chosenPolicy, publishedPolicies } from './published-policies.ts';

const folder = join(projectRoot(), 'reports', 'learned');
const document = JSON.parse(readFileSync(join(folder, 'learned.json'), 'utf8')) as { rows: LearnedRow[] };

test('the committed page holds, and is made from the committed rows', () => {
  const checks = learnedChecks(document.rows);
  expect(checks.map(({ holds }) => holds)).toEqual([true, true, true]);
  expect(learnedPage(document.rows, checks)).toBe(readFileSync(join(folder, 'learned.md'), 'utf8'));
});

test('DeepRM anew', () => {
  const { rows, heuristics } = deepRmRows();
  const committed = document.rows.filter(({ training }) => training === 'deep-rm');
  expect(rows.map(({ mean }) => Number(mean.toPrecision(10)))).toEqual(committed.map(({ mean }) => mean));
  expect(heuristics.sjf).toBeCloseTo(4.925, 3);
});

test('the scenario runs what validation chose, and the kernel gives a window its committed value', () => {
  const scenario = loadScenario(join(projectRoot(), 'scenarios', 'lublin-learned.yaml'));
  const seed = scenario.seeds[2]!;
  for (const [training, name] of [
    ['lublin', 'learned'],
    ['lublin-backfill', 'learned-easy'],
  ] as const) {
    const chosen = chosenPolicy(publishedPolicies(training));
    expect(scenario.policies.find((policy) => policy.name === name)?.artifact).toBe(toBase64(chosen.bytes));
    const row = document.rows.find((one) => one.training === training && one.seed === chosen.seed)!;
    const value = boundedSlowdownMean(runBatch(scenario, openInputs(scenario, seed), name, seed));
    expect(Number(value.toPrecision(10))).toBe(row.windows[2]);
  }
});

test('every policy says what trained it, on data and a document that lie here', () => {
  for (const training of ['lublin', 'lublin-backfill', 'deep-rm']) {
    const { source } = readTraining(join(projectRoot(), 'scenarios', 'training', `${training}.yaml`));
    const policies = publishedPolicies(training);
    expect(policies.map(({ seed }) => seed)).toEqual([1, 2, 3, 4, 5]);
    for (const { artifact, seed } of policies) {
      expect(artifact.manifest.lineage.command).toBe(`sira train scenarios/training/${training}.yaml --seed ${seed}`);
      expect(artifact.manifest.name).toBe(training);
      expect(artifact.manifest.lineage.configSha256).toBe(createHash('sha256').update(source).digest('hex'));
    }
  }
});
