import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { forecastSeconds, readDurations, writeDurations } from '../../core/policy/forecast/duration-model.ts';
import type { Workload, WorkloadTask } from '../../sim/workload/workload.ts';
import { chooseDurationOptions, DurationForecaster, playDurations, type TimedTask } from './durations.ts';
import { workloadSeries } from './workload-series.ts';

/** Two classes that differ by a factor of a hundred, each with a spread of a factor of e; one comes every ten seconds. */
function twoClasses(count: number): TimedTask[] {
  const stream = new RandomStream(3, 'durations');
  return Array.from({ length: count }, (_, index) => {
    const isLong = stream.nextFloat() < 0.3;
    const spread = Math.exp(stream.nextFloat() - 0.5);
    return {
      ...{ submittedSeconds: 10 * index, seconds: (isLong ? 3000 : 30) * spread },
      ...{ taskClass: isLong ? 'long' : 'short', gpuCount: 1 },
    };
  });
}

describe('durations', () => {
  test('forecasts use what had ended, and are better than every naive one; intervals hold', () => {
    const tasks = twoClasses(3000);
    const options = chooseDurationOptions(tasks.slice(0, 1500), 7500);
    const { scores, forecaster } = playDurations(tasks, 15_000, options);
    expect(scores.tasks).toBe(1500);
    expect(scores.squared.shrunk).toBeLessThan(scores.squared['last of the class']);
    expect(scores.squared.shrunk).toBeLessThan(scores.squared['mean of all'] / 3);
    expect(scores.squared.shrunk).toBeLessThan(1.05 * scores.squared['mean of the class']);
    expect(scores.coverage80).toBeGreaterThan(0.75);
    expect(scores.coverage80).toBeLessThan(0.85);
    const read = readDurations(writeDurations(forecaster.exported('two', {})));
    expect(forecastSeconds(read, 'long', 1)).toBe(forecastSeconds(forecaster.exported('two', {}), 'long', 1));
    expect(forecastSeconds(read, 'long', 1)).toBeGreaterThan(50 * forecastSeconds(read, 'short', 1));
  });

  test('by hand: a new class is like all, and moves to its own as it shows', () => {
    const forecaster = new DurationForecaster({ halfLife: 1e9, strength: 1 });
    const task = { submittedSeconds: 0, seconds: Math.exp(4), taskClass: 'a', gpuCount: 1 };
    forecaster.ended(task);
    const all = (4 + Math.log(600)) / 2;
    expect(forecaster.forecast('b', 1)).toBeCloseTo(all, 6);
    const own = (4 + all) / 2;
    expect(forecaster.forecast('a', 2)).toBeCloseTo(own, 6);
    expect(forecaster.forecast('a', 1)).toBeCloseTo((4 + own) / 2, 6);
  });

  test('a task whose end lies behind the submission teaches nothing yet', () => {
    const tasks: TimedTask[] = [
      { submittedSeconds: 0, seconds: 5, taskClass: 'a', gpuCount: 1 },
      { submittedSeconds: 10, seconds: 1000, taskClass: 'a', gpuCount: 1 },
      { submittedSeconds: 20, seconds: 5, taskClass: 'a', gpuCount: 1 },
    ];
    const { scores } = playDurations(tasks, 15, { halfLife: 100, strength: 1 });
    expect(scores.absolute['last of the class']).toBe(0);
  });
});

test('the series of a workload, by hand', () => {
  const request = { cpuMilli: 100, memoryMib: 0, gpuCount: 1, gpuMilli: 500, gpuModels: [], machineCount: 2 };
  const task = (arrival: number, seconds: number): WorkloadTask => ({
    ...{ name: '', arrivalMicros: arrival * 1e6, request, durationMicros: seconds * 1e6 },
    ...{ estimateMicros: 1, priority: 0, tenant: '' },
  });
  const workload: Workload = {
    // Three at once in the first ten seconds; the third ends as the fourth begins; nothing from 30 s on.
    tasks: () => [task(0, 5), task(1, 5), task(2, 10), task(12, 10), task(50, 1)][Symbol.iterator](),
    typicalTasks: () => [],
    notes: [],
  };
  const options = { resource: 'gpu', intervalMicros: 10e6, untilMicros: 45e6 } as const;
  expect([...workloadSeries(workload, { ...options, target: 'demand' })]).toEqual([3000, 1000, 1000, 0]);
  expect([...workloadSeries(workload, { ...options, target: 'demand', resource: 'cpu' })]).toEqual([600, 200, 200, 0]);
  expect([...workloadSeries(workload, { ...options, target: 'arrivals' })]).toEqual([3, 1, 0, 0]);
});
