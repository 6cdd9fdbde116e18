// A run reads each file once, and what it gets from memory is what it would read.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectRoot } from '../experiment/project-root.ts';
import { openWorkload } from './open-workload.ts';
import type { RecordedSource } from './read-trace.ts';
import { readTrace } from './read-trace.ts';
import type { WorkloadSpec } from './spec.ts';
import { TraceCache } from './trace-cache.ts';
import type { MachineSpec, WorkloadTask } from './workload.ts';

let folder = '';
const columns = { arrival: 'at', duration: 'run', cpuCores: 'cores', timeUnit: 's' } as const;
const sourceOf = (name: string): RecordedSource => ({ format: 'csv', file: join(folder, name), columns });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sira-traces-'));
  for (const name of ['a.csv', 'b.csv', 'c.csv'])
    writeFileSync(join(folder, name), 'at,run,cores\n0,10,1\n5,20,2\n9,30,1\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('seeds of a run share one reading, and get the workloads that they would get alone', () => {
  const machines: MachineSpec[] = [{ name: 'm', cpuMilli: 4000, memoryMib: 1024, gpuCount: 0, gpuModel: '' }];
  const spec: WorkloadSpec = {
    source: sourceOf('a.csv'),
    arrivals: { kind: 'resampled', load: 0.5, resource: 'cpu' },
    durations: { capMicros: Number.MAX_SAFE_INTEGER, minimumMicros: 1, endless: false },
    estimates: { kind: 'lognormal', sigma: 0.5 },
  };
  const first = (seed: number, traces?: TraceCache): WorkloadTask[] => {
    const tasks = openWorkload(spec, machines, seed, traces).tasks();
    return Array.from({ length: 20 }, () => tasks.next().value as WorkloadTask);
  };
  const traces = new TraceCache();
  for (const seed of [1, 2, 3, 1]) expect(first(seed, traces)).toEqual(first(seed));
  expect(traces.readCount).toBe(1);
});

test('another source is another reading, and only the last two stay', () => {
  const traces = new TraceCache();
  const a = traces.read(sourceOf('a.csv'), 1);
  traces.read(sourceOf('b.csv'), 1);
  expect(traces.read(sourceOf('a.csv'), 2)).toBe(a);
  expect(traces.readCount).toBe(2);
  traces.read(sourceOf('c.csv'), 1);
  expect(traces.read(sourceOf('a.csv'), 1)).toBe(a);
  traces.read(sourceOf('b.csv'), 1);
  expect(traces.readCount).toBe(4);
});

test('windows that the seed names are read by seed', () => {
  const file = join(projectRoot(), 'scenarios/data/swf/lublin_256.swf.gz');
  const source: RecordedSource = { format: 'swf', file, firstJob: '{seed}', jobCount: 10 };
  const traces = new TraceCache();
  for (const seed of [1, 50, 1]) expect(traces.read(source, seed)).toEqual(readTrace(source, seed));
  expect(traces.readCount).toBe(2);
});
