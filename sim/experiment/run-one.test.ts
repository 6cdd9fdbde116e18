import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { World } from '../world/world.ts';
import { openInputs } from './build-world.ts';
import { firstDifferingEffect, firstDifferingStretch, type Trail } from './effect-trace.ts';
import { loadScenario } from './load-scenario.ts';
import { type FinishedRun, type RunOptions, runOne } from './run-one.ts';
import { sampleSynthetic, writeSampleScenario } from './sample-scenario.ts';
import { outcomeNames } from './task-columns.ts';
import { traceRun } from './verify-process.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sira-run-one-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

function run(
  changes: Readonly<Record<string, string>>,
  { policy, seed = 1, ...options }: Partial<RunOptions> & { policy?: string; seed?: number } = {},
): FinishedRun {
  const scenario = loadScenario(writeSampleScenario(folder, changes));
  const name = policy ?? (scenario.policies[0]?.name as string);
  return runOne(scenario, openInputs(scenario, seed), name, seed, { gantt: false, ...options });
}

function column(values: ArrayLike<number>, count: number): number[] {
  return Array.from(values).slice(0, count);
}

describe('the sample, computed by hand', () => {
  test('to the end of all tasks', () => {
    const { record, collector } = run({});
    const { tasks } = collector;
    expect(tasks.names.slice()).toEqual(['A', 'B', 'C', 'D']);
    expect(column(tasks.startMicros, 4)).toEqual([0, 10e6, 5e6, 30e6]);
    expect(column(tasks.endMicros, 4)).toEqual([10e6, 30e6, 10e6, 34e6]);
    expect(column(tasks.attempts, 4)).toEqual([1, 1, 1, 1]);
    expect([...record.wait.values]).toEqual([0, 10, 0, 18]);
    expect([...record.wait.censored]).toEqual([0, 0, 0, 0]);
    expect([...record.completion.values]).toEqual([10, 30, 5, 22]);
    // Run times below 10 s count as 10 s.
    expect([...record.slowdown.values]).toEqual([1, 1.5, 1, 2.2]);
    const { metrics } = record;
    // GPU seconds 10 + 2·20 + 5 + 4 of 2·34; CPU seconds 10 + 20 + 5 + 4 of 4·34.
    expect(metrics.gpuUtilizationPercent).toBeCloseTo((100 * 59) / 68, 9);
    expect(metrics.cpuUtilizationPercent).toBeCloseTo((100 * 39) / 136, 9);
    expect(metrics.queueLengthMean).toBeCloseTo((10 + 18) / 34, 9);
    expect(metrics).toMatchObject({
      waitP50Seconds: 0,
      waitP95Seconds: 18,
      waitP99Seconds: 18,
      completionP99Seconds: 30,
      gpuAllocationEndPercent: 0,
      queueLengthEnd: 0,
      starvedTasks: 0,
      droppedTasks: 0,
      retriedTasks: 0,
    });
    expect(metrics.waitMeanSeconds).toBeCloseTo(7, 9);
    expect(metrics.completionMeanSeconds).toBeCloseTo(16.75, 9);
    expect(metrics.slowdownMean).toBeCloseTo(1.425, 9);
    expect(metrics.makespanHours).toBeCloseTo(34 / 3600, 12);
    expect(metrics.throughputTasksPerHour).toBeCloseTo((4 * 3600) / 34, 9);
    expect(record.cluster).toEqual({ machines: 1, gpus: 2, cpuCores: 4, models: { T4: 1 } });
    expect(record.counts.placements).toBe(4);
    expect(record.slowest.slice(0, 2)).toEqual([
      expect.objectContaining({ task: 'D', id: 4, waitSeconds: 18, runSeconds: 4 }),
      expect.objectContaining({
        task: 'B',
        id: 2,
        waitSeconds: 10,
        reason: '1 of 1 machines ruled out: 1 too few GPUs free',
      }),
    ]);
  });

  test('over a window from 5 s to 25 s: what is still going on is censored', () => {
    const { record } = run({ warmUp: 'warmUp: 5s', measure: 'measure: 20s' });
    // C waited 0 s; D has waited 13 s when the window ends, and B, which holds its GPUs, came before it began.
    expect([...record.wait.values]).toEqual([0, 13]);
    expect([...record.wait.censored]).toEqual([0, 1]);
    expect([...record.completion.values]).toEqual([5, 13]);
    expect([...record.completion.censored]).toEqual([0, 1]);
    const { metrics } = record;
    expect(metrics.gpuUtilizationPercent).toBeCloseTo(100, 9);
    expect(metrics.queueLengthMean).toBeCloseTo((5 + 13) / 20, 9);
    expect(metrics.waitMeanSeconds).toBeCloseTo(6.5, 9);
    expect(metrics).toMatchObject({ gpuAllocationEndPercent: 100, queueLengthEnd: 1, starvedTasks: 1 });
    expect(metrics.throughputTasksPerHour).toBeCloseTo((2 * 3600) / 20, 9);
    expect(record.slowest[0]).toMatchObject({ task: 'D', waitSeconds: 13 });
    expect(record.slowest[0]?.reason).toMatch(/^still waiting at the end: /);
    expect(record.samples.timeSeconds).toHaveLength(240);
    expect(record.samples.timeSeconds.at(-1)).toBe(25);
  });

  test('samples average what was between them', () => {
    const { record } = run({});
    const { timeSeconds, gpuUtilizationPercent, queueLength } = record.samples;
    expect(timeSeconds).toEqual(Array.from({ length: 34 }, (_, index) => index + 1));
    expect(gpuUtilizationPercent.reduce((sum, value) => sum + value, 0)).toBeCloseTo((100 * 59) / 2, 6);
    expect(queueLength.reduce((sum, value) => sum + value, 0)).toBeCloseTo(28, 6);
  });

  test('Gantt bars of the last quarter of the window', () => {
    const { record } = run({ warmUp: 'warmUp: 5s', measure: 'measure: 32s' }, { gantt: true });
    // From 29 s on; times count from the begin of the window.
    expect(record.gantt).toEqual([
      { machine: 'node-0', task: 'B', startSeconds: 5, endSeconds: 25, gpuMilli: 2000 },
      { machine: 'node-0', task: 'D', startSeconds: 25, endSeconds: 29, gpuMilli: 1000 },
    ]);
  });
});

describe('other endings', () => {
  test('dropped tasks are counted and not averaged', () => {
    const { record, collector } = run({ policyDefaults: 'policyDefaults: { unplaced: drop }' });
    expect(column(collector.tasks.outcome, 4).map((code) => outcomeNames[code])).toEqual([
      'completed',
      'dropped',
      'completed',
      'completed',
    ]);
    expect(record.metrics).toMatchObject({ droppedTasks: 1, queueLengthEnd: 0, waitMeanSeconds: 0 });
    expect(record.slowest.find(({ task }) => task === 'B')?.reason).toMatch(/^dropped: /);
  });

  test('tasks that never end: the run ends when nothing else can happen', () => {
    const workload =
      'workload: { format: csv, file: trace.csv, columns: { name: name, arrival: at, duration: for, cpuCores: cores, gpuCount: gpus }, durations: { endless: true } }';
    const { record } = run({ workload, policyDefaults: 'policyDefaults: { unplaced: drop }' });
    // A and C hold the two GPUs for good.
    expect(record.metrics).toMatchObject({ gpuAllocationEndPercent: 100, droppedTasks: 2, makespanHours: 12 / 3600 });
  });

  test('a queue that is too short refuses', () => {
    const { record, collector } = run({ limits: 'limits: { queueLengthMax: 1 }' });
    expect(column(collector.tasks.outcome, 4).map((code) => outcomeNames[code])).toContain('refused');
    expect(record.metrics.droppedTasks).toBeGreaterThan(0);
    expect(record.metrics.queueLengthEnd).toBe(0);
  });

  test('a machine that crashes: its tasks begin again, the first wait counts, the queue adds up', () => {
    const faults = 'faults: [ { kind: crash, at: 15s, for: 5s, machines: [node-0] } ]';
    const { record, collector } = run({ faults });
    const { tasks } = collector;
    expect(column(tasks.attempts, 4)).toEqual([1, 2, 1, 1]);
    expect(record.metrics).toMatchObject({ retriedTasks: 1, queueLengthEnd: 0 });
    // The machine is back at 20 s; B, which came before D, has both GPUs until 40 s.
    expect(column(tasks.startMicros, 4)).toEqual([0, 10e6, 5e6, 40e6]);
    expect(column(tasks.endMicros, 4)).toEqual([10e6, 40e6, 10e6, 44e6]);
    // Waits: B 0–10 and 15–20, D 12–40.
    expect(collector.usage.at(44e6).waiting).toBe((10 + 5 + 28) * 1e6);
    expect(collector.usage.waiting).toBe(0);
    expect(collector.usage.running).toBe(0);
  });
});

describe('determinism', () => {
  const synthetic = (seed: number, policy: string, options: Partial<RunOptions> = {}): FinishedRun =>
    run(sampleSynthetic, { seed, policy, ...options });

  test('the same seed gives the same digest, another seed another', () => {
    const digests = [1, 1, 2].map((seed) => synthetic(seed, 'random').record.digest);
    expect(digests[0]).toBe(digests[1]);
    expect(digests[0]).not.toBe(digests[2]);
  });

  test('policies of one seed face the same tasks, and do not do the same', () => {
    const runs = ['random', 'best-fit'].map((policy) => synthetic(2, policy));
    const [one, other] = runs.map(({ collector: { tasks } }) => ({
      names: tasks.names.slice(),
      arrivals: column(tasks.arrivalMicros, tasks.count),
      durations: column(tasks.durationMicros, tasks.count),
      estimates: column(tasks.estimateMicros, tasks.count),
      requests: column(tasks.request, tasks.count).map((index) => tasks.requests[index]),
    }));
    expect(one?.names).toHaveLength(60);
    expect(other).toEqual(one);
    expect(runs[0]?.record.digest).not.toBe(runs[1]?.record.digest);
  });

  test('utilization is the demand of all tasks over time, under every policy', () => {
    for (const policy of ['random', 'best-fit', 'fgd']) {
      const { record, collector } = synthetic(3, policy);
      const { tasks } = collector;
      let gpuMicros = 0;
      for (let row = 0; row < tasks.count; row++) {
        const { gpuCount, gpuMilli } = tasks.requestOf(row);
        gpuMicros += gpuCount * gpuMilli * (tasks.durationMicros[row] as number);
      }
      const elapsed = collector.usage.at(1e12).gpuMilli;
      expect(elapsed).toBe(gpuMicros);
      const end = (record.metrics.makespanHours as number) * 3600e6 + (tasks.arrivalMicros[0] as number);
      expect(record.metrics.gpuUtilizationPercent).toBeCloseTo((100 * gpuMicros) / (6000 * end), 1);
    }
  });

  test.each([
    ['to the end', {}],
    ['over a window', { warmUp: 'warmUp: 10s', measure: 'measure: 30s' }],
  ])('a kernel restored on the way leaves the same trail, %s', (_, changes) => {
    const restarts = vi.spyOn(World.prototype, 'restartKernelFromSnapshot');
    const scenario = loadScenario(writeSampleScenario(folder, { ...sampleSynthetic, ...changes }));
    const inputs = openInputs(scenario, 1);
    const request = { file: scenario.file, policy: 'fgd', seed: 1, restored: false, wordsFrom: -1 };
    const plain = traceRun(scenario, inputs, request);
    expect(restarts).not.toHaveBeenCalled();
    const restored = traceRun(scenario, inputs, { ...request, restored: true });
    // 1, 2, 4 … 32 of the 60 arrivals; or once, half-way.
    expect(restarts).toHaveBeenCalledTimes('measure' in changes ? 1 : 6);
    expect(restored).toEqual(plain);
    expect(plain.effects).toBeGreaterThan(150);
  });

  test('where two seeds part is found, and shown', () => {
    const scenario = loadScenario(writeSampleScenario(folder, sampleSynthetic));
    const trail = (seed: number, wordsFrom: number): Trail =>
      traceRun(scenario, openInputs(scenario, seed), { file: '', policy: 'fgd', seed, restored: false, wordsFrom });
    expect(firstDifferingStretch(trail(1, -1), trail(2, -1))).toBe(0);
    const [one, other] = firstDifferingEffect(trail(1, 0), trail(2, 0)) ?? [];
    const numberOf = (words: string | undefined): string | undefined =>
      /^effect (\d+) at \d+ µs: /.exec(words ?? '')?.[1];
    expect(numberOf(one)).toBe(numberOf(other));
    expect(numberOf(one)).toBeDefined();
  });

  test('watching changes nothing', () => {
    const { record } = synthetic(1, 'best-fit');
    let seen = 0;
    const watched = synthetic(1, 'best-fit', { observers: [{ kernelEffect: () => void seen++ }], gantt: true });
    expect(watched.record.digest).toBe(record.digest);
    expect(seen).toBe(record.counts.effects);
  });
});

test('a scenario may have more faults than anybody would write by hand', () => {
  const fault = '{ kind: slow, at: 1s, for: 1s, factor: 2, machines: [node-0] }';
  const { record } = run({ faults: `faults: [ ${Array(1000).fill(fault).join(', ')} ]` });
  expect(record.metrics.queueLengthEnd).toBe(0);
});

test('a fault on a machine that does not exist is told in words', () => {
  const faults = 'faults: [ { kind: crash, at: 15s, for: 5s, machines: [node-0, node-1] } ]';
  expect(() => run({ faults })).toThrow(
    expect.objectContaining({
      code: 'SIRA_SCENARIO_INVALID',
      message: 'no machine is called "node-1"',
      place: expect.objectContaining({ field: 'faults.0.machines.1' }),
    }),
  );
});

test('progress never falls and ends at 1', () => {
  for (const changes of [{}, { measure: 'measure: 20s' }]) {
    const shares: number[] = [];
    run(changes, { progress: (share) => void shares.push(share) });
    expect(shares.toSorted((left, right) => left - right)).toEqual(shares);
    expect(shares.at(-1)).toBe(1);
  }
});

test('a trace without tasks is told in words', () => {
  writeFileSync(join(folder, 'empty.csv'), 'name,at,for,cores,gpus\n');
  const workload =
    'workload: { format: csv, file: empty.csv, columns: { name: name, arrival: at, duration: for, cpuCores: cores, gpuCount: gpus } }';
  expect(() => run({ workload })).toThrow(/no task/);
});
