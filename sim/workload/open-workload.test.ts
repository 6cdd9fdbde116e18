import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SiraError } from '../../core/base/errors.ts';
import { microsPerDay } from '../../core/base/time.ts';
import { demandMilli } from './offered-load.ts';
import { openMachines } from './open-machines.ts';
import { openWorkload } from './open-workload.ts';
import type { ArrivalSpec, WorkloadSpec } from './spec.ts';
import type { MachineSpec, Workload, WorkloadTask } from './workload.ts';

const data = (name: string): string =>
  fileURLToPath(new URL(`../../scenarios/data/openb-fgd/${name}`, import.meta.url));
const cluster = (sample = 1, seed = 42): MachineSpec[] =>
  openMachines({ format: 'openb', file: data('openb_node_list_gpu_node.csv'), gpuOnly: true, sample }, seed).machines;
const whole = cluster();
const gpuMilli = 6_212_000;

const openb = (arrivals: ArrivalSpec, changes: Partial<WorkloadSpec> = {}, list = 'default'): WorkloadSpec => ({
  source: { format: 'openb', file: data(`openb_pod_list_${list}.csv`) },
  arrivals,
  durations: { capMicros: microsPerDay, minimumMicros: 1000, endless: false },
  estimates: { kind: 'lognormal', sigma: 0.5 },
  ...changes,
});
const resampled: ArrivalSpec = { kind: 'resampled', load: 0.95, resource: 'gpu' };
const inflated: ArrivalSpec = { kind: 'inflated', ratio: 1.3 };

function take(workload: Workload, count = Number.POSITIVE_INFINITY): WorkloadTask[] {
  const tasks: WorkloadTask[] = [];
  const stream = workload.tasks();
  while (tasks.length < count) {
    const next = stream.next();
    if (next.done === true) break;
    tasks.push(next.value);
  }
  return tasks;
}

function errorOf(call: () => unknown): SiraError {
  try {
    call();
  } catch (error) {
    return error as SiraError;
  }
  throw new Error('nothing was thrown');
}

describe('openb pods by their own times', () => {
  const workload = openWorkload(openb({ kind: 'trace' }), whole, 1);
  const tasks = take(workload);

  test('all 8,152 arrive in order, with what they ask for', () => {
    expect(tasks).toHaveLength(8152);
    expect(
      tasks.every(
        (task, index) => index === 0 || task.arrivalMicros >= (tasks[index - 1] as WorkloadTask).arrivalMicros,
      ),
    ).toBe(true);
    expect(tasks[0]).toMatchObject({
      name: 'openb-pod-0000',
      arrivalMicros: 0,
      request: { cpuMilli: 12000, memoryMib: 16384, gpuCount: 1, gpuMilli: 1000, gpuModels: [], machineCount: 1 },
      durationMicros: microsPerDay,
      tenant: 'default',
      priority: 0,
    });
    expect(tasks[1]).toMatchObject({ name: 'openb-pod-0001', arrivalMicros: 427061e6, request: { gpuMilli: 460 } });
  });

  test('never-scheduled pods run for the shortest duration, long ones for the cap', () => {
    expect(tasks.filter((task) => task.durationMicros === 1000)).toHaveLength(897);
    expect(tasks.filter((task) => task.durationMicros === microsPerDay)).toHaveLength(86);
    expect(workload.notes.join(' ')).toMatch(
      /897 of 8,152 pods were never scheduled.*86 tasks of more than 1 d were cut/,
    );
  });

  test('equal requests are one object', () => {
    expect(new Set(tasks.map((task) => task.request)).size).toBe(151);
  });

  test('a list without times arrives at once', () => {
    const untimed = openWorkload(openb({ kind: 'trace' }, {}, 'multigpu20'), whole, 1);
    expect(take(untimed).every((task) => task.arrivalMicros === 0 && task.durationMicros === 1000)).toBe(true);
    expect(untimed.notes[0]).toMatch(/no times/);
    expect(errorOf(() => openWorkload(openb({ ...resampled, kind: 'scaled' }, {}, 'multigpu20'), whole, 1)).code).toBe(
      'SIRA_SCENARIO_INVALID',
    );
  });
});

describe('scaled arrivals', () => {
  test('work over capacity × span is the load asked for', () => {
    const tasks = take(openWorkload(openb({ kind: 'scaled', load: 0.95, resource: 'gpu' }), whole, 1));
    const work = tasks.reduce((sum, task) => sum + demandMilli(task.request, 'gpu') * task.durationMicros, 0);
    expect(work / (gpuMilli * (tasks.at(-1) as WorkloadTask).arrivalMicros)).toBeCloseTo(0.95, 9);
  });
});

describe('resampled arrivals', () => {
  test('the rate and the load offered are those asked for', () => {
    const workload = openWorkload(openb(resampled), whole, 7);
    expect(workload.notes.join(' ')).toContain('159,395 a day, an offered GPU load of 0.95');
    let work = 0;
    let last: WorkloadTask | undefined;
    const stream = workload.tasks();
    for (let count = 0; count < 200_000; count++) {
      last = stream.next().value as WorkloadTask;
      work += demandMilli(last.request, 'gpu') * last.durationMicros;
    }
    // The standard error of the work of 200,000 draws is 1.2%, that of their number 0.2%.
    expect(work / (gpuMilli * (last as WorkloadTask).arrivalMicros)).toBeCloseTo(0.95, 1);
    expect(Math.abs(200_000 / ((last as WorkloadTask).arrivalMicros / microsPerDay) / 159_395 - 1)).toBeLessThan(0.01);
  });

  test('pods that no machine of a sample could hold are left out and reported', () => {
    const small = whole.filter((machine) => machine.gpuCount < 8);
    const workload = openWorkload(openb(resampled, {}, 'gpuspec10'), small, 1);
    expect(workload.notes.join(' ')).toMatch(
      /tasks fit no machine of this cluster and were left out: 29 × 1 whole GPU \(G2\), .* 16 × 8 whole GPUs, .*; and \d+ more kinds\./,
    );
    expect(take(workload, 5000).every((task) => task.request.gpuCount < 8)).toBe(true);
    // Two pods ask for a G2 with 720 GiB, which the whole cluster has not got either.
    expect(openWorkload(openb({ kind: 'trace' }, {}, 'gpuspec10'), whole, 1).notes.join(' ')).toContain(
      '2 of 8,152 tasks fit no machine of this cluster and were left out: 2 × 8 whole GPUs (G2), 120 CPUs, 720 GiB.',
    );
  });

  test('property: the same seed gives the same stream, and a fresh iteration starts anew', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 53 - 1 }), (seed) => {
        const workload = openWorkload(openb(resampled), whole, seed);
        const first = take(workload, 50);
        expect(take(workload, 50)).toEqual(first);
        expect(take(openWorkload(openb(resampled), whole, seed), 50)).toEqual(first);
        expect(take(openWorkload(openb(resampled), whole, seed === 0 ? 1 : seed - 1), 50)).not.toEqual(first);
        for (const [index, task] of first.entries()) {
          expect(Number.isSafeInteger(task.arrivalMicros) && Number.isSafeInteger(task.estimateMicros)).toBe(true);
          expect(task.estimateMicros).toBeGreaterThanOrEqual(1);
          if (index > 0)
            expect(task.arrivalMicros).toBeGreaterThanOrEqual((first[index - 1] as WorkloadTask).arrivalMicros);
        }
      }),
      { numRuns: 5 },
    );
  });

  test('a load of what the cluster has not got is refused', () => {
    const noGpus = openMachines(
      {
        format: 'groups',
        groups: [{ name: 'cpu', count: 3, cpuMilli: 96000, memoryMib: 400000, gpuCount: 0, gpuModel: '' }],
      },
      1,
    );
    expect(errorOf(() => openWorkload(openb(resampled), noGpus.machines, 1)).code).toBe('SIRA_SCENARIO_INVALID');
    const tiny = openMachines(
      { format: 'groups', groups: [{ name: 'tiny', count: 1, cpuMilli: 1, memoryMib: 1, gpuCount: 0, gpuModel: '' }] },
      1,
    );
    expect(errorOf(() => openWorkload(openb({ kind: 'trace' }), tiny.machines, 1)).message).toContain(
      'no task fits the cluster',
    );
  });
});

describe('inflated arrivals (FGD)', () => {
  const order = data('orders/default-{seed}-pods.txt.gz');

  test('a given order is followed: 10,866 pods for seed 42, 129.99% of the GPUs', () => {
    const endless = { durations: { capMicros: Number.POSITIVE_INFINITY, minimumMicros: 1000, endless: true } };
    const tasks = take(openWorkload(openb({ ...inflated, order }, endless), whole, 42));
    expect(tasks).toHaveLength(10_866);
    expect(tasks.slice(0, 3).map((task) => task.name)).toEqual(['openb-pod-0255', 'openb-pod-1685', 'openb-pod-6784']);
    const asked = tasks.reduce((sum, task) => sum + demandMilli(task.request, 'gpu'), 0);
    expect((100 * asked) / gpuMilli).toBeCloseTo(129.9916, 4);
    expect(tasks.every((task) => task.arrivalMicros === 0 && task.durationMicros === Number.POSITIVE_INFINITY)).toBe(
      true,
    );
    expect(tasks.every((task) => Number.isSafeInteger(task.estimateMicros))).toBe(true);
    expect(take(openWorkload(openb({ ...inflated, order }), whole, 43))).toHaveLength(10_793);
  });

  test('our own order: every pod once, shuffled, then draws up to the ratio and not above', () => {
    for (const list of ['default', 'multigpu20']) {
      const tasks = take(openWorkload(openb(inflated, {}, list), whole, 42));
      const listed = list === 'default' ? 8152 : 8324;
      expect(new Set(tasks.slice(0, listed).map((task) => task.name)).size).toBe(listed);
      const asked = tasks.reduce((sum, task) => sum + demandMilli(task.request, 'gpu'), 0) / gpuMilli;
      expect(asked).toBeLessThanOrEqual(1.3);
      expect(asked).toBeGreaterThan(1.3 - 8000 / gpuMilli);
    }
    const names = (seed: number): string[] => take(openWorkload(openb(inflated), whole, seed)).map((task) => task.name);
    expect(names(42)).toEqual(names(42));
    expect(names(42)).not.toEqual(names(43));
  });

  test('an order made for another list is refused with its line', () => {
    const error = errorOf(() => openWorkload(openb({ ...inflated, order }, {}, 'cpu050'), whole, 42));
    expect(error.code).toBe('SIRA_TRACE_MALFORMED');
    expect(error.place.line).toBeGreaterThan(0);
    expect(error.message).toMatch(/no task of the trace has a name that ends in \d+/);
  });
});

describe('typical tasks', () => {
  const typical = openWorkload(openb(resampled), cluster(0.1), 1).typicalTasks(0.95);

  test('35 kinds cover 95% of the default list, most frequent first', () => {
    expect(typical).toHaveLength(35);
    expect(typical[0]).toEqual({
      cpuMilli: 3152,
      gpuCount: 1,
      gpuMilli: 810,
      gpuModels: [],
      count: 1047 / 8152 / (7766 / 8152),
    });
    expect(
      typical.every((task, index) => index === 0 || task.count <= (typical[index - 1] as { count: number }).count),
    ).toBe(true);
    expect(typical.reduce((sum, task) => sum + task.count, 0)).toBeCloseTo(1, 12);
    // 7,766 pods are covered; without the last kind it would be less than 95%.
    expect(7766 * (1 - (typical.at(-1) as { count: number }).count)).toBeLessThan(0.95 * 8152);
  });

  test('the list, line by line, has not changed', () => {
    const text = typical
      .map((task) => `${task.cpuMilli} ${task.gpuCount} ${task.gpuMilli} ${Math.round(7766 * task.count)}`)
      .join('\n');
    let hash = 0x811c9dc5;
    for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
    // Computed by an independent script over the same file.
    expect(hash).toBe(1587911788);
  });

  test('GPU models make kinds of their own', () => {
    const specified = openWorkload(openb(resampled, {}, 'gpuspec10'), whole, 1).typicalTasks(0.95);
    expect(specified.some((task) => task.gpuModels.length > 0)).toBe(true);
    expect(openWorkload(openb(resampled), whole, 1).typicalTasks(1)).toHaveLength(91);
  });
});
