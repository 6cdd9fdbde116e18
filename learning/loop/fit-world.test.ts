// What is fitted to rows is what was planted in them, and rows that say too little are refused.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { DuckDbStore } from '../../core/stores/duckdb-store.ts';
import { batchOf } from '../../core/telemetry/rows.ts';
import type { FittedWorld } from '../env/fitted-world.ts';
import { meanRate, meanServiceSeconds, takeWork, type WorkTask } from '../env/work-model.ts';
import { fitArrivals } from './fit-forecaster.ts';
import { fitPhases } from './fit-phases.ts';
import { fitWorld } from './fit-world.ts';
import { suiteNames, writeSuite } from './gate-suite.ts';
import { type LoopRows, readLoopRows } from './loop-rows.ts';
import { plantedWork } from './loop-sizes.ts';

const folder = mkdtempSync(join(tmpdir(), 'sira-fit-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Rows as a kernel would have written them, of four agents of which one was away for a while. */
async function rowsOf(tasks: readonly WorkTask[], seconds: number): Promise<LoopRows> {
  const store = new DuckDbStore({ file: ':memory:' });
  await store.open();
  const ended = tasks
    .map((task, index) => ({ ...task, index, endSeconds: task.arrivalSeconds + task.serviceSeconds }))
    .sort((left, right) => left.endSeconds - right.endSeconds);
  if (tasks.length > 0)
    await store.write(
      batchOf(
        'tasks',
        ended.map(({ taskClass, arrivalSeconds, serviceSeconds, estimateSeconds, endSeconds, index }) => ({
          ...{ time: Math.round(1e6 * endSeconds), run: 'loop', submitter: 1, submission: index, task: index },
          ...{ outcome: 'completed', agent: 'agent-1', task_class: taskClass, cpu_milli: 1000, memory_mib: 256 },
          ...{ submitted_micros: Math.round(1e6 * arrivalSeconds), estimate_seconds: estimateSeconds },
          ...{ service_seconds: serviceSeconds, total_seconds: serviceSeconds, queue_seconds: 0, attempts: 1 },
        })),
      ),
    );
  const sample = (agent: string, atSeconds: number, state: string) => ({
    ...{ time: Math.round(1e6 * atSeconds), run: 'loop', agent, state, running: 0 },
    ...{ cpu_capacity_milli: state === 'dead' ? 0 : 2000, memory_capacity_mib: 2048 },
  });
  const agents = ['agent-1', 'agent-2', 'agent-3', 'agent-4'];
  await store.write(
    batchOf('agent_load', [
      ...agents.map((agent) => sample(agent, 0, 'ready')),
      ...[sample('agent-2', seconds / 2, 'dead'), sample('agent-2', seconds / 2 + 3, 'ready')],
    ]),
  );
  const rows = await readLoopRows(store, { run: 'loop' });
  await store.close();
  return rows;
}

const seconds = 90;
const planted = takeWork(plantedWork, { seed: 4 }, { seconds });

describe('the world fitted to rows', () => {
  test('is the one that was planted', async () => {
    const { work, outages, slots, phaseGain, tasks } = fitWorld(await rowsOf(planted, seconds));
    expect(tasks).toBe(planted.length);
    expect(phaseGain).toBeGreaterThan(50);
    expect(work.arrivals.calmPerSecond / plantedWork.arrivals.calmPerSecond).toBeCloseTo(1, 0);
    expect(work.arrivals.rushPerSecond / plantedWork.arrivals.rushPerSecond).toBeCloseTo(1, 0);
    expect(meanRate(work.arrivals)).toBeGreaterThan(0.8 * (planted.length / seconds));
    expect(meanRate(work.arrivals)).toBeLessThan(1.2 * (planted.length / seconds));
    expect(work.classes.map(({ name }) => name)).toEqual(plantedWork.classes.map(({ name }) => name));
    for (const [index, truth] of plantedWork.classes.entries()) {
      const { share, medianSeconds, sigma, estimateSigma, distance } = work.classes[index]!;
      expect(share, truth.name).toBeCloseTo(truth.share, 1);
      expect(medianSeconds / truth.medianSeconds, truth.name).toBeGreaterThan(0.8);
      expect(medianSeconds / truth.medianSeconds, truth.name).toBeLessThan(1.2);
      expect(Math.abs(sigma - truth.sigma), truth.name).toBeLessThan(0.12);
      expect(Math.abs(estimateSigma - truth.estimateSigma), truth.name).toBeLessThan(0.1);
      expect(distance, truth.name).toBeLessThan(0.12);
    }
    expect(outages).toMatchObject({ count: 1, meanSeconds: 3 });
    expect(outages.perAgentHour).toBeCloseTo(3600 / (4 * seconds), 0);
    expect(slots).toBe(8);
  });

  test('is the same for the same rows, and their content has one name', async () => {
    const [first, second] = [await rowsOf(planted, seconds), await rowsOf(planted, seconds)];
    expect(second.sha256).toBe(first.sha256);
    expect(fitWorld(second)).toEqual(fitWorld(first));
    const other = await rowsOf(planted.slice(1), seconds);
    expect(other.sha256).not.toBe(first.sha256);
  });

  test('is refused where the rows say too little', async () => {
    const code = { code: 'SIRA_TELEMETRY_TOO_FEW' };
    const empty = await rowsOf([], seconds);
    expect(() => fitWorld(empty)).toThrow(expect.objectContaining(code));
    const few = await rowsOf(planted.slice(0, 60), seconds);
    expect(() => fitWorld(few)).toThrow(expect.objectContaining(code));
    const { tasks, sha256 } = await rowsOf(planted, seconds);
    expect(() => fitWorld({ tasks, sha256, agents: [] })).toThrow(expect.objectContaining(code));
    const failed = tasks.map((task) => ({ ...task, outcome: 'failed' }));
    expect(() => fitWorld({ tasks: failed, agents: empty.agents, sha256 })).toThrow(expect.objectContaining(code));
  });
});

test('one rate for all is told from two', () => {
  const steady = Float64Array.from({ length: 400 }, (_, at) => 4 + ((at * 7919) % 5) - 2);
  expect(fitPhases(steady, 0.25).logLikelihoodGain).toBeLessThan(10);
  const rushing = steady.map((count, at) => (at % 40 < 10 ? 4 * count : count));
  const { phases, rushShare, logLikelihoodGain } = fitPhases(rushing, 0.25);
  expect(logLikelihoodGain).toBeGreaterThan(100);
  expect(phases.rushPerSecond / phases.calmPerSecond).toBeCloseTo(4, 0);
  expect(phases.rushSeconds).toBeCloseTo(2.5, 0);
  expect(rushShare[5]).toBeGreaterThan(0.9);
  expect(rushShare[25]).toBeLessThan(0.1);
});

test('a forecaster of arrivals is better than the last value, and its interval holds', async () => {
  const { error, persistenceError, coverage, model } = fitArrivals(await rowsOf(planted, seconds), 'test');
  expect(error).toBeLessThan(persistenceError);
  expect(coverage).toBeGreaterThan(0.7);
  expect(model.manifest).toMatchObject({ target: 'arrivals', unit: 'tasks', intervalMicros: 250_000 });
});

test('the suite has the eight kinds of load, each at its own, and is the same for the same world', async () => {
  const world = fitWorld(await rowsOf(planted, seconds));
  const read = (name: string): Map<string, string> => {
    writeSuite(join(folder, name), world, { seed: 1, seedsMax: 2, tasks: 150 });
    const files = readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' }).sort((left, right) =>
      left < right ? -1 : 1,
    );
    return new Map(
      files
        .filter((file) => /\.(yaml|csv)$/.test(file))
        .map((file) => [file, readFileSync(join(folder, name, file), 'utf8')]),
    );
  };
  const files = read('first');
  expect(suiteNames).toHaveLength(8);
  for (const name of suiteNames) expect([...files.keys()]).toContain(`${name}.yaml`);
  expect(read('second')).toEqual(files);
  expect(files.get('data/gangs-1.csv')).toMatch(/,2$/m);
  const loadOf = (name: string): number => {
    const lines = (files.get(`data/${name}-1.csv`) as string).trim().split('\n').slice(1);
    const cells = lines.map((line) => line.split(',').map(Number));
    const work = cells.reduce((sum, [, , service = 0]) => sum + service, 0);
    return work / ((cells.at(-1)?.[1] as number) * world.slots);
  };
  expect(loadOf('overload')).toBeGreaterThan(loadOf('gangs'));
  expect(meanServiceSeconds(world.work)).toBeGreaterThan(0.15);
  expect((world as FittedWorld).format).toBe('sira-fitted-world/1');
});
