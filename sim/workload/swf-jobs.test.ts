import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { SiraError } from '../../core/base/errors.ts';
import { openMachines } from './open-machines.ts';
import { openWorkload } from './open-workload.ts';
import { readSwfJobs } from './swf-jobs.ts';
import type { Trace, TraceTask } from './trace.ts';

const data = (name: string): string => fileURLToPath(new URL(`../../scenarios/data/swf/${name}`, import.meta.url));
const lublin = data('lublin_256.swf.gz');
const kth = data('KTH-SP2-1996-2.1-cln.swf.gz');
const read = (file: string, firstJob = 1, jobCount = 0): Trace => readSwfJobs({ file, firstJob, jobCount });

function errorOf(call: () => unknown): SiraError {
  try {
    call();
  } catch (error) {
    return error as SiraError;
  }
  throw new Error('nothing was thrown');
}

/** Mean bounded slowdown of first come, first served on an empty cluster, straight from its definition. */
function fcfsSlowdown(jobs: readonly TraceTask[], processors: number): number {
  const running: { end: number; processors: number }[] = [];
  let free = processors;
  let now = 0;
  let sum = 0;
  const releaseUntil = (time: number): void => {
    for (let index = running.length - 1; index >= 0; index--) {
      const job = running[index] as { end: number; processors: number };
      if (job.end > time) continue;
      free += job.processors;
      running.splice(index, 1);
    }
  };
  for (const job of jobs) {
    now = Math.max(now, job.arrivalMicros);
    releaseUntil(now);
    while (free < job.request.machineCount) {
      now = Math.min(...running.map(({ end }) => end));
      releaseUntil(now);
    }
    free -= job.request.machineCount;
    running.push({ end: now + job.durationMicros, processors: job.request.machineCount });
    const response = now - job.arrivalMicros + job.durationMicros;
    sum += Math.max(1, response / Math.max(job.durationMicros, 10e6));
  }
  return sum / jobs.length;
}

describe('the archive’s files', () => {
  test('Lublin: 10,000 jobs, run time for an unknown request', () => {
    const { tasks, notes } = read(lublin);
    expect(tasks).toHaveLength(10_000);
    expect(notes).toEqual([]);
    expect(tasks[0]).toMatchObject({
      name: '1',
      arrivalMicros: 5094e6,
      durationMicros: 12072e6,
      estimateMicros: 12072e6,
      request: { cpuMilli: 1000, machineCount: 16 },
      tenant: 'default',
    });
  });

  test('KTH-SP2: 28,467 of 28,476 jobs ran on some processor; the requested time is the estimate', () => {
    const { tasks, notes } = read(kth);
    expect(tasks).toHaveLength(28_467);
    expect(notes).toEqual(['9 jobs without run time or processors left out.']);
    expect(tasks[0]).toMatchObject({
      name: '15',
      arrivalMicros: 599850e6,
      durationMicros: 3477e6,
      estimateMicros: 53940e6,
      request: { machineCount: 4 },
      tenant: 'user-12',
    });
    expect(tasks.filter((task) => (task.estimateMicros as number) < task.durationMicros)).toHaveLength(475);
  });

  test.each([
    ['lublin_256', lublin],
    ['KTH-SP2-1996-2.1-cln', kth],
  ])('%s: FCFS over the published windows gives the published slowdowns', (name, file) => {
    const golden = JSON.parse(readFileSync(data(`golden_bsld_${name}.json`), 'utf8'));
    for (const window of [0, 3, 9]) {
      // The published starts count from 0.
      const { tasks } = read(file, golden.starts[window] + 1, 1024);
      expect(tasks).toHaveLength(1024);
      expect(fcfsSlowdown(tasks, golden.procs)).toBeCloseTo(golden.policies.FCFS.windows[window], 4);
    }
  });

  test('a window starts at time 0 on machines of one processor', () => {
    const { machines } = openMachines(
      {
        format: 'groups',
        groups: [{ name: 'node', count: 100, cpuMilli: 1000, memoryMib: 0, gpuCount: 0, gpuModel: '' }],
      },
      1,
    );
    const spec = {
      source: { format: 'swf', file: kth, firstJob: 1982, jobCount: 1024 },
      arrivals: { kind: 'trace' },
      durations: { capMicros: Number.POSITIVE_INFINITY, minimumMicros: 1, endless: false },
      estimates: { kind: 'trace' },
    } as const;
    const workload = openWorkload(spec, machines, 1);
    expect(workload.tasks().next().value).toMatchObject({ arrivalMicros: 0 });
    expect(workload.notes).toContain("The kernel is told the trace's own estimates of run times.");
    const fewer = openWorkload(spec, machines.slice(0, 50), 1);
    expect(fewer.notes.join(' ')).toMatch(
      /fit no machine of this cluster and were left out: \d+ × \d+ machines of 1 CPU/,
    );
  });
});

describe('what is wrong is named with file, line and field', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sira-swf-'));
  const good = '1 5 -1 10 4 -1 -1 4 60 -1 1 7 1 -1 -1 -1 -1 -1';
  const write = (name: string, lines: readonly string[]): string => {
    const file = join(folder, name);
    writeFileSync(file, lines.join('\n'));
    return file;
  };

  test.each([
    ['submit', '2 -5 -1 10 4 -1 -1 4 60 -1 1 7 1 -1 -1 -1 -1 -1', '2 (submit time)', /-5 is negative/],
    ['run', '2 5 -1 ten 4 -1 -1 4 60 -1 1 7 1 -1 -1 -1 -1 -1', '4 (run time)', /"ten" is not a number/],
    ['procs', '2 5 -1 10 4.5 -1 -1 4 60 -1 1 7 1 -1 -1 -1 -1 -1', '5 (allocated processors)', /4\.5 is not a whole/],
    ['requested', '2 5 -1 10 4 -1 -1 4 -7 -1 1 7 1 -1 -1 -1 -1 -1', '9 (requested time)', /-7 is less than -1/],
    ['short', '2 5 -1 10 4', undefined, /5 fields, SWF has 18/],
  ])('%s', (name, line, field, message) => {
    const file = write(`${name}.swf`, ['; a comment', good, '', line]);
    const error = errorOf(() => read(file));
    expect(error.code).toBe('SIRA_TRACE_MALFORMED');
    expect(error.place).toEqual(field === undefined ? { file, line: 4 } : { file, line: 4, field });
    expect(error.message).toMatch(message);
  });

  test('a window after the end', () => {
    expect(errorOf(() => read(lublin, 10_001, 1)).code).toBe('SIRA_SCENARIO_INVALID');
    expect(read(lublin, 10_000, 5).notes).toContain('The trace ends 4 jobs before the window does.');
  });

  test('jobs out of order are taken by number, and by arrival in the stream, with a note', () => {
    const later = good.replace('1 5 ', '3 2 ');
    const file = write('order.swf', [later, good]);
    expect(read(file).tasks.map((task) => task.name)).toEqual(['1', '3']);
    const { machines } = openMachines(
      {
        format: 'groups',
        groups: [{ name: 'node', count: 8, cpuMilli: 1000, memoryMib: 0, gpuCount: 0, gpuModel: '' }],
      },
      1,
    );
    const workload = openWorkload(
      {
        source: { format: 'swf', file, firstJob: 1, jobCount: 0 },
        arrivals: { kind: 'trace' },
        durations: { capMicros: Number.POSITIVE_INFINITY, minimumMicros: 1, endless: false },
        estimates: { kind: 'trace' },
      },
      machines,
      1,
    );
    expect(
      [...(workload.tasks() as Generator<{ name: string; arrivalMicros: number }>)].map((task) => [
        task.name,
        task.arrivalMicros,
      ]),
    ).toEqual([
      ['3', 0],
      ['1', 3e6],
    ]);
    expect(workload.notes[0]).toMatch(/1 task arrived earlier than one above them/);
  });
});

describe('windows of a scenario', () => {
  const { machines } = openMachines(
    { format: 'groups', groups: [{ name: 'p', count: 256, cpuMilli: 1000, memoryMib: 0, gpuCount: 0, gpuModel: '' }] },
    1,
  );
  const open = (origin: 'first' | 'trace', seed: number) =>
    openWorkload(
      {
        source: { format: 'swf', file: lublin, firstJob: '{seed}', jobCount: 3 },
        arrivals: { kind: 'trace', origin },
        durations: { capMicros: Number.POSITIVE_INFINITY, minimumMicros: 1, endless: false },
        estimates: { kind: 'trace' },
      },
      machines,
      seed,
    ).tasks();

  test('the seed names the first job', () => {
    expect(open('first', 1982).next().value?.name).toBe(read(lublin, 1982, 1).tasks[0]?.name);
    expect(open('first', 2757).next().value?.name).toBe(read(lublin, 2757, 1).tasks[0]?.name);
  });

  test("time 0 is the first arrival, or the trace's own", () => {
    expect(open('first', 1982).next().value?.arrivalMicros).toBe(0);
    expect(open('trace', 1982).next().value?.arrivalMicros).toBe(read(lublin, 1982, 1).tasks[0]?.arrivalMicros);
  });
});
