// The environment that policies of the loop are trained in: it keeps its word, trains the same twice, and starts every task when the
// kernel does, through its messages, in a scenario of the gate's suite.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writePolicyArtifact } from '../../core/policy/policy-artifact.ts';
import { runBatch } from '../../reports/tables/batch-run.ts';
import { openInputs } from '../../sim/experiment/build-world.ts';
import { loadScenario } from '../../sim/experiment/load-scenario.ts';
import { BatchEnvironment } from '../env/batch/batch-environment.ts';
import { openEnvironment } from '../env/catalogue.ts';
import { checkEnvironment } from '../env/check-environment.ts';
import { type FittedWorld, fittedWorldFormat } from '../env/fitted-world.ts';
import { createPlainGradient } from '../rl/policy-gradient.ts';
import { train } from '../rl/train.ts';
import { readTraining } from '../rl/training-spec.ts';
import { writeSuite } from './gate-suite.ts';
import { judgeHeuristics } from './judge-heuristics.ts';
import { briefSizes, plantedWork, trainingDocument } from './loop-sizes.ts';

const folder = mkdtempSync(join(tmpdir(), 'sira-fitted-'));
afterAll(() => rmSync(folder, { recursive: true }));

const world: FittedWorld = {
  ...{ format: fittedWorldFormat, rowsSha256: '0', tasks: 1000, seconds: 60, phaseGain: 100, slots: 8 },
  work: { ...plantedWork, classes: plantedWork.classes.map((own) => ({ ...own, count: 100, distance: 0 })) },
  machines: ['a', 'b', 'c', 'd'].map((name) => ({ name, cpuMilli: 2000, memoryMib: 2048 })),
  outages: { count: 1, perAgentHour: 15, meanSeconds: 5 },
  request: { cpuMilli: 1000, memoryMib: 256 },
};
writeFileSync(join(folder, 'world.json'), JSON.stringify(world));
const training = join(folder, 'training.yaml');
writeFileSync(training, JSON.stringify(trainingDocument('world.json', briefSizes)));

test('it keeps its word', () => {
  const { environment, folder: from } = readTraining(training);
  const { create } = openEnvironment(environment, from);
  expect(checkEnvironment(create(), create(), { episodes: 3, stepsMax: 2000 })).toEqual([]);
});

test('the same world and seed train the same policy, bit by bit', () => {
  const spec = { ...readTraining(training), iterations: 2, checkpointEvery: 2, validationEpisodes: 2 };
  const small = { ...spec, ppo: { ...spec.ppo, steps: 64 }, imitation: { teacher: 'sjf', iterations: 2 } };
  const bytes = (seed: number): Uint8Array =>
    writePolicyArtifact(train(small, { seed, gradient: createPlainGradient(), command: 'test' }).artifact);
  const first = bytes(3);
  expect(bytes(3)).toEqual(first);
  expect(bytes(4)).not.toEqual(first);
});

test('short tasks first is better than first come, first served, by far', () => {
  const { fcfs, sjf } = judgeHeuristics(training);
  expect(fcfs).toBeGreaterThan(1.5 * sjf);
});

test.each(['fcfs', 'sjf'])('the kernel starts every task when it does: %s', (order) => {
  writeSuite(join(folder, 'suite'), world, { seed: 1, seedsMax: 1, tasks: 300 });
  const loaded = loadScenario(join(folder, 'suite', 'bursty.yaml'));
  const place = { place: 'best-fit', unplaced: 'skip', backfill: 'none', overtakeMax: 0 } as const;
  const latency = { distribution: 'constant', meanMicros: 0, sigma: 0 } as const;
  const scenario = {
    ...{ ...loaded, network: { ...loaded.network, latency }, policies: [{ name: order, order, ...place }] },
    // Beats are events between which nothing happens here.
    heartbeat: { intervalMicros: 3_600_000_000, leaseMicros: 10_800_000_000 },
  };
  const started = runBatch(scenario, openInputs(scenario, 1), order, 1);

  const rows = readFileSync(join(folder, 'suite', 'data', 'bursty-1.csv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1);
  const column = (index: number): Float64Array => Float64Array.from(rows, (row) => Number(row.split(',')[index]));
  const environment = new BatchEnvironment({
    ...{ processorCount: world.slots, backfill: 'skip', fallback: order, candidatesMax: 400 },
    windows: { draw: () => expect.unreachable() as never },
  });
  const first = column(1)[0] as number;
  environment.begin({
    ...{ count: rows.length, runSeconds: column(2), estimateSeconds: column(3) },
    submitSeconds: column(1).map((seconds) => seconds - first),
    processors: new Int32Array(rows.length).fill(1),
  });
  while (!environment.done) environment.step(0);
  const waited = started.filter(({ startMicros, arrivalMicros }) => startMicros > arrivalMicros).length;
  expect(waited).toBeGreaterThan(50);
  for (const [index, { startMicros, arrivalMicros }] of started.entries()) {
    const simulated = environment.simulation.startSeconds[index] as number;
    expect((startMicros - (started[0]?.arrivalMicros ?? 0)) / 1e6, `task ${index}, came ${arrivalMicros}`).toBeCloseTo(
      simulated,
      5,
    );
  }
});
