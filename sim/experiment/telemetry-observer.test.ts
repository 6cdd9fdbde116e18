import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BottleneckAnalysis } from '../../core/telemetry/bottlenecks.ts';
import { rowsOf, type TelemetryBatch } from '../../core/telemetry/rows.ts';
import { keyOf, type TableName } from '../../core/telemetry/tables.ts';
import { loadScenario } from './load-scenario.ts';
import { runExperiment } from './run-experiment.ts';
import { writeSampleScenario } from './sample-scenario.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sira-telemetry-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(changes: Readonly<Record<string, string>> = {}) {
  const batches: TelemetryBatch<TableName>[] = [];
  const scenario = loadScenario(writeSampleScenario(folder, changes));
  const rows = async (batch: TelemetryBatch<TableName>) => void batches.push(batch);
  const records = await runExperiment(scenario, { workers: 0, rows });
  const of = (table: TableName) => batches.filter((batch) => batch.table === table).flatMap((batch) => rowsOf(batch));
  return { records, batches, of };
}

test('the simulator writes the same tables, and they say what is known by hand', async () => {
  const { of, batches } = await run();
  const tasks = of('tasks');
  const by = (submission: number) => tasks.find((row) => row.submission === submission);
  // Tasks A and B come together and the order of one instant is the trace's: A, B, C, D are 1, 2, 3, 4.
  expect(by(1)).toMatchObject({
    run: 'best-fit/1',
    time: 10e6,
    queue_seconds: 0,
    service_seconds: 10,
    agent: 'node-0',
  });
  expect(by(2)).toMatchObject({ time: 30e6, queue_seconds: 10, service_seconds: 20, wait_reason: 'too few GPUs free' });
  expect(by(3)).toMatchObject({ time: 10e6, submitted_micros: 5e6, queue_seconds: 0, service_seconds: 5 });
  expect(by(4)).toMatchObject({ time: 34e6, queue_seconds: 18, service_seconds: 4, total_seconds: 22 });
  const count = (event: string) => of('task_events').filter((row) => row.event === event).length;
  expect(['submitted', 'placed', 'started', 'finished', 'ended'].map(count)).toEqual([4, 4, 4, 4, 4]);
  const analysis = new BottleneckAnalysis();
  for (const batch of batches) analysis.add(batch);
  const found = analysis.result();
  expect(found?.parts.find(({ name }) => name === 'queue')?.seconds).toBeCloseTo(28, 9);
  expect(found?.limit.name).toBe('service');
});

test('with a kernel that crashes and a network that loses, tasks end once, parts add up, and keys differ', async () => {
  const { of, records, batches } = await run({
    workload:
      'workload: { format: synthetic, gap: 1s, service: { distribution: exponential, mean: 4s }, mix: [ { weight: 1, cpuCores: 1, gpuCount: 1 } ], count: 120 }',
    network: 'network: { latency: 1ms, loss: 0.05 }',
    journal: 'journal: {}',
    faults: 'faults: [ { kind: kernelCrash, at: 20s, for: 3s }, { kind: kernelCrash, at: 60s, for: 3s } ]',
  });
  const tasks = of('tasks');
  expect(tasks).toHaveLength(120);
  expect(new Set(tasks.map(({ submission }) => submission)).size).toBe(120);
  for (const row of tasks) {
    const parts = ['queue', 'retry', 'dispatch', 'lost', 'service', 'transfer'];
    const sum = parts.reduce((total, part) => total + (row[`${part}_seconds`] as number), 0);
    expect(sum).toBeCloseTo(row.total_seconds as number, 6);
  }
  const placed = of('decisions').filter(({ outcome }) => outcome === 'placed');
  expect(placed).toHaveLength(records[0]?.counts.placements as number);
  for (const { table } of batches) {
    const keys = of(table).map((row) =>
      keyOf(table)
        .map((column) => row[column])
        .join(' '),
    );
    expect(new Set(keys).size, table).toBe(keys.length);
  }
});

test('what machines took adds up to what the run took', async () => {
  const { of, records } = await run({ power: 'power: {}', objective: 'objective: energyKilowattHours' });
  const joules = (source: string): number =>
    of('energy')
      .filter((row) => row.source === source)
      .reduce((sum, row) => sum + (row.joules as number), 0);
  expect(joules('machine') / 3.6e6).toBeCloseTo(records[0]?.metrics.energyKilowattHours as number, 9);
  const tasks = of('tasks').reduce((sum, row) => sum + ((row.joules as number | undefined) ?? 0), 0);
  expect(joules('task')).toBeCloseTo(tasks, 6);
  expect(joules('task') + joules('idle') + joules('sleep') + joules('wake')).toBeCloseTo(joules('machine'), 3);
});
