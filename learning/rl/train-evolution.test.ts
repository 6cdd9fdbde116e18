import { join } from 'node:path';
import { expect, test } from 'vitest';
import { placementFeatureNames } from '../../core/policy/placement-features.ts';
import type { PolicyLineage } from '../../core/policy/policy-manifest.ts';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import { openWholeRuns } from '../env/whole-runs-catalogue.ts';
import {
  type EvolutionCheckpoint,
  type EvolutionOptions,
  type EvolutionPlan,
  type EvolutionResult,
  trainByEvolution,
} from './train-evolution.ts';
import { readAnyTraining } from './training-spec.ts';

const spec = readAnyTraining(join(projectRoot(), 'scenarios', 'training', 'openb.yaml'));
if (!('runs' in spec) || spec.runs.kind !== 'packing') throw new TypeError('it packs');
const runs = openWholeRuns({ ...spec.runs, machineShare: 0.01 }, spec.folder);
const plan: EvolutionPlan = {
  name: 'small',
  iterations: 6,
  checkpointEvery: 2,
  validationRuns: 3,
  settings: { population: 6, runs: 1, sigma: 1.5, measuredRuns: 1 },
  shield: spec.shield,
  candidatesMax: 64,
};
const lineage = (_: unknown, evaluation: Readonly<Record<string, number>>): PolicyLineage => ({
  ...{
    command: 'test',
    seed: 7,
    configSha256: '0',
    dataSha256: {},
    codeVersion: '0',
    parents: [],
    curve: {},
    evaluation,
  },
});
const play = (more: Partial<EvolutionOptions> = {}): EvolutionResult =>
  trainByEvolution(plan, runs, { seed: 7, lineage, ...more });

test('the same seed trains the same policy, another one another, and none is worse on validation than what it corrects', () => {
  const first = play();
  expect(play().artifact({})).toEqual(first.artifact({}));
  const other = play({ seed: 8 });
  expect(other.artifact({}).layers).not.toEqual(first.artifact({}).layers);
  for (const { best, curve } of [first, other]) {
    expect(curve.map(({ iteration }) => iteration)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(best.validation).toBeGreaterThanOrEqual(curve[0]!.validation);
  }
});

test('a training that goes on from a checkpoint ends as one that was not interrupted', () => {
  const whole = play();
  let saved: EvolutionCheckpoint | undefined;
  expect(() =>
    play({
      onCheckpoint: (checkpoint) => {
        saved = JSON.parse(JSON.stringify(checkpoint), (_, value) => (value === null ? Number.NaN : value));
        if (checkpoint.curve.at(-1)!.iteration === 4) throw new Error('interrupted');
      },
    }),
  ).toThrow('interrupted');
  const resumed = play({ checkpoint: saved });
  expect(resumed.artifact({})).toEqual(whole.artifact({}));
  expect(resumed.curve).toEqual(whole.curve);
});

test('weights are given to what can tell machines apart, and to nothing else', () => {
  const { features, shield, network } = play().artifact({}).manifest;
  const { kernel } = play().artifact({}).layers[0]!;
  expect(network.widths).toEqual([placementFeatureNames.length, 1]);
  expect(shield.fallback).toBe('fgd');
  const weightOf = (name: string): number => kernel[placementFeatureNames.indexOf(name)]!;
  // One rack, no gangs, no classes of work: the same for every machine.
  for (const column of ['speedLog', 'gangRoom', 'linkDelay', 'matesHere']) expect(weightOf(`share.${column}`)).toBe(0);
  expect(weightOf('cpu.deviceLeft')).toBe(0);
  expect(weightOf('share.fragmentationRise')).not.toBe(0);
  for (const { minimum, maximum } of features) expect(minimum <= 0 && maximum >= 0).toBe(true);
});
