import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { microsPerDay, microsPerSecond } from '../../core/base/time.ts';
import { createEstimator } from './estimator.ts';
import { openMachines } from './open-machines.ts';
import { openWorkload } from './open-workload.ts';
import type { WorkloadSpec } from './spec.ts';
import { meanGapMicros, type SyntheticSource, syntheticTasks } from './synthetic-tasks.ts';
import type { WorkloadTask } from './workload.ts';

const cpuTask = { cpuMilli: 1000, memoryMib: 512, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 };
const gpuTask = { ...cpuTask, gpuCount: 1, gpuMilli: 500 };
const source = (changes: Partial<SyntheticSource> = {}): SyntheticSource => ({
  format: 'synthetic',
  gapMicros: microsPerSecond,
  pattern: 'poisson',
  service: { distribution: 'exponential', meanMicros: 10 * microsPerSecond, shape: 1.5 },
  mix: [
    { weight: 3, ...cpuTask },
    { weight: 1, ...gpuTask },
  ],
  count: 0,
  ...changes,
});
const { machines } = openMachines(
  {
    format: 'groups',
    groups: [{ name: 'node', count: 10, cpuMilli: 4000, memoryMib: 8192, gpuCount: 1, gpuModel: 'T4' }],
  },
  1,
);
const spec = (from: SyntheticSource, changes: Partial<WorkloadSpec> = {}): WorkloadSpec => ({
  source: from,
  arrivals: { kind: 'trace' },
  durations: { capMicros: Number.POSITIVE_INFINITY, minimumMicros: 1, endless: false },
  estimates: { kind: 'exact' },
  ...changes,
});

function gapsOf(from: SyntheticSource, count: number): { mean: number; variation: number; last: number } {
  let [sum, squares, before] = [0, 0, 0];
  const stream = syntheticTasks(from, 5);
  for (let index = 0; index < count; index++) {
    const { arrivalMicros } = stream.next().value as { arrivalMicros: number };
    const gap = arrivalMicros - before;
    sum += gap;
    squares += gap * gap;
    before = arrivalMicros;
  }
  const mean = sum / count;
  return { mean, variation: Math.sqrt(squares / count - mean * mean) / mean, last: before };
}

describe('arrival patterns', () => {
  // 172,800 gaps are two whole days. Diurnal: E[gap²] = 2 / √(1 − 0.8²) gaps², so the variation is √(2/0.6 − 1).
  test.each([
    ['constant', 1, 0, 0.001, 0.001],
    ['poisson', 1, 1, 0.02, 0.02],
    ['diurnal', 1, 1.528, 0.02, 0.05],
    ['bursty', 4, 10.65, 0.1, 1],
  ] as const)(
    '%s: mean gap and its coefficient of variation',
    (pattern, mean, variation, meanError, variationError) => {
      const from = source({ pattern });
      expect(meanGapMicros(from)).toBe(mean * microsPerSecond);
      const gaps = gapsOf(from, 172_800);
      expect(Math.abs(gaps.mean / (mean * microsPerSecond) - 1)).toBeLessThan(meanError);
      expect(Math.abs(gaps.variation - variation)).toBeLessThan(variationError);
    },
  );

  test('diurnal: the first half of the day has (1 + 1.6/π) / 2 of the arrivals', () => {
    let early = 0;
    let all = 0;
    for (const { arrivalMicros } of syntheticTasks(source({ pattern: 'diurnal' }), 9)) {
      if (arrivalMicros >= 2 * microsPerDay) break;
      all++;
      if (arrivalMicros % microsPerDay < microsPerDay / 2) early++;
    }
    expect(early / all).toBeCloseTo(0.5 + 0.8 / Math.PI, 2);
  });
});

describe('run times', () => {
  test.each([
    ['constant', 1, 0.0001],
    ['exponential', 1.5, 0.02],
    ['lognormal', 1, 0.03],
    ['pareto', 2.5, 0.05],
  ] as const)('%s has the mean asked for', (distribution, shape, error) => {
    const from = source({ service: { distribution, meanMicros: 1e7, shape } });
    let sum = 0;
    const stream = syntheticTasks(from, 3);
    for (let count = 0; count < 100_000; count++)
      sum += (stream.next().value as { durationMicros: number }).durationMicros;
    expect(Math.abs(sum / 1e12 - 1)).toBeLessThan(error);
  });
});

describe('the stream', () => {
  test('property: same seed, same tasks; whole microseconds in order; the mix by weight', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 32 }),
        fc.constantFrom('constant', 'poisson', 'diurnal', 'bursty'),
        fc.integer({ min: 1, max: 1e9 }),
        (seed, pattern, gapMicros) => {
          const workload = openWorkload(spec(source({ pattern, gapMicros, count: 400 })), machines, seed);
          const tasks = [...(workload.tasks() as Generator<WorkloadTask>)];
          expect([...(workload.tasks() as Generator<WorkloadTask>)]).toEqual(tasks);
          expect(tasks).toHaveLength(400);
          for (const [index, task] of tasks.entries()) {
            expect(Number.isSafeInteger(task.arrivalMicros) && Number.isSafeInteger(task.durationMicros)).toBe(true);
            if (index > 0)
              expect(task.arrivalMicros).toBeGreaterThanOrEqual((tasks[index - 1] as WorkloadTask).arrivalMicros);
          }
          const share = tasks.filter((task) => task.request.gpuCount === 1).length / 400;
          expect(Math.abs(share - 0.25)).toBeLessThan(0.15);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('a million tasks pass through without being kept', () => {
    const requests = new Set<object>();
    const stream = openWorkload(spec(source({ count: 1_000_000 })), machines, 1).tasks();
    let count = 0;
    for (let next = stream.next(); next.done !== true; next = stream.next()) {
      count++;
      requests.add(next.value.request);
    }
    expect(count).toBe(1_000_000);
    expect(requests.size).toBe(2);
  });

  test('requests that fit no machine are left out and reported; a mix of nothing else is refused', () => {
    const large = { ...cpuTask, cpuMilli: 5000 };
    const from = source({
      mix: [
        { weight: 1, ...large },
        { weight: 1, ...cpuTask },
      ],
      count: 1000,
    });
    const workload = openWorkload(spec(from), machines, 1);
    const count = [...(workload.tasks() as Generator<WorkloadTask>)].length;
    expect(Math.abs(count - 500)).toBeLessThan(60);
    expect(workload.notes).toContain(
      'Tasks that ask for 5 CPUs, 0.5 GiB fit no machine of this cluster and were left out.',
    );
    expect(() => openWorkload(spec(source({ mix: [{ weight: 1, ...large }] })), machines, 1)).toThrow(
      'no request of the mix fits',
    );
  });

  test('run times are bounded, typical tasks come from the mix, the load is stated', () => {
    const workload = openWorkload(
      spec(source({ count: 1000 }), { durations: { capMicros: 1e7, minimumMicros: 5e6, endless: false } }),
      machines,
      1,
    );
    const durations = [...(workload.tasks() as Generator<WorkloadTask>)].map((task) => task.durationMicros);
    expect(Math.min(...durations)).toBe(5e6);
    expect(Math.max(...durations)).toBe(1e7);
    expect(workload.typicalTasks(0.7)).toEqual([{ cpuMilli: 1000, gpuCount: 0, gpuMilli: 0, gpuModels: [], count: 1 }]);
    // GPU: ¼ · 0.5 · 10 s / (10 GPUs · 1 s); CPU: 1 · 10 s / (40 CPUs · 1 s).
    expect(workload.notes[1]).toBe(
      'Before run times are bounded they offer a GPU load of 0.125 and a CPU load of 0.250.',
    );
  });

  test('a counted source can be scaled to a load, an endless one cannot', () => {
    const scaled = spec(source({ count: 5000 }), { arrivals: { kind: 'scaled', load: 0.5, resource: 'cpu' } });
    const tasks = [...(openWorkload(scaled, machines, 1).tasks() as Generator<WorkloadTask>)];
    const work = tasks.reduce((sum, task) => sum + 1000 * task.durationMicros, 0);
    expect(work / (40_000 * (tasks.at(-1) as WorkloadTask).arrivalMicros)).toBeCloseTo(0.5, 6);
    expect(() => openWorkload({ ...scaled, source: source() }, machines, 1)).toThrow('cannot be scaled');
  });
});

describe('estimates', () => {
  test('lognormal: the median is the truth, σ is that of the logarithm', () => {
    const estimate = createEstimator({ kind: 'lognormal', sigma: 0.5 }, 11);
    const logarithms = Array.from({ length: 50_000 }, () => Math.log(estimate(1e9, undefined) / 1e9));
    const mean = logarithms.reduce((sum, value) => sum + value, 0) / logarithms.length;
    const variance = logarithms.reduce((sum, value) => sum + (value - mean) ** 2, 0) / logarithms.length;
    expect(mean).toBeCloseTo(0, 2);
    expect(Math.sqrt(variance)).toBeCloseTo(0.5, 2);
  });

  test('at least 1, the trace’s own where it has one, the truth where it has none', () => {
    const noisy = createEstimator({ kind: 'lognormal', sigma: 3 }, 1);
    for (let count = 0; count < 1000; count++) expect(noisy(1, undefined)).toBeGreaterThanOrEqual(1);
    const own = createEstimator({ kind: 'trace' }, 1);
    expect([own(5, 9), own(5, undefined)]).toEqual([9, 5]);
    expect(createEstimator({ kind: 'exact' }, 1)(5, 9)).toBe(5);
  });
});
