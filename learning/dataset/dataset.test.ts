import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DuckDbStore } from '../../core/stores/duckdb-store.ts';
import { rowsOf, type TelemetryBatch } from '../../core/telemetry/rows.ts';
import type { TableName } from '../../core/telemetry/tables.ts';
import { loadScenario } from '../../sim/experiment/load-scenario.ts';
import { runExperiment } from '../../sim/experiment/run-experiment.ts';
import { writeSampleScenario } from '../../sim/experiment/sample-scenario.ts';
import { buildDataset, DatasetSource } from './build-dataset.ts';
import type { DatasetSpec } from './dataset-spec.ts';
import { findLeaks } from './find-leaks.ts';
import { standardDatasets } from './standard-datasets.ts';

type Row = Record<string, number | string>;

let folder = '';
const store = new DuckDbStore({ file: ':memory:' });
const rows = new Map<TableName, Row[]>();
const of = (table: TableName): Row[] => rows.get(table) ?? [];

/** A simulated run of some forty minutes. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sira-dataset-'));
  const file = writeSampleScenario(folder, {
    cluster:
      'cluster: { format: groups, groups: [ { name: node, count: 3, cpuCores: 8, memoryGib: 16, gpuCount: 2, gpuModel: T4 } ] }',
    workload:
      'workload: { format: synthetic, gap: 5s, service: { distribution: exponential, mean: 20s }, mix: [ { weight: 3, cpuCores: 1, gpuCount: 1, gpuMilli: 500 }, { weight: 1, cpuCores: 1, gpuCount: 2 } ], count: 500 }',
  });
  await store.open();
  const take = async (batch: TelemetryBatch<TableName>): Promise<void> => {
    rows.set(batch.table, [...of(batch.table), ...rowsOf(batch)]);
    await store.write(batch);
  };
  await runExperiment(loadScenario(file), { workers: 0, rows: take });
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const specOf = (name: string): DatasetSpec => standardDatasets.find((spec) => spec.name === name) as DatasetSpec;

async function withSource<Result>(
  spec: DatasetSpec,
  work: (source: DatasetSource) => Promise<Result>,
): Promise<Result> {
  const source = await DatasetSource.read(store, spec);
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

const leaksOf = (spec: DatasetSpec, micros: number) =>
  withSource(spec, (whole) => withSource(spec, (past) => findLeaks(whole, past, spec, micros)));

const middle = (): number => {
  const times = of('tasks').map(({ time }) => time as number);
  return times.sort((left, right) => left - right)[Math.floor(times.length / 2)] as number;
};

test('features of placements are those known before each, by a second computation', () =>
  withSource(specOf('placements'), async (source) => {
    const manifest = await buildDataset(source, specOf('placements'));
    const reader = await source.connection.runAndReadAll(
      `SELECT epoch_us(time)::DOUBLE AS at, agent, submission::DOUBLE AS submission, agent_running::DOUBLE AS running, class_completed::DOUBLE AS completed,
              class_service_seconds AS mean, label_service_seconds AS label, epoch_us(label_time)::DOUBLE AS known FROM dataset ORDER BY example`,
    );
    const examples = reader.getRowObjects() as Record<string, number | string | null>[];
    expect(examples).toHaveLength(of('decisions').filter(({ outcome }) => outcome === 'placed').length);
    for (const example of examples) {
      const at = example.at as number;
      const done = of('tasks').filter((row) => (row.time as number) < at);
      expect(example.completed ?? 0).toBe(done.length);
      if (done.length > 0)
        expect(example.mean).toBeCloseTo(
          done.reduce((sum, row) => sum + (row.service_seconds as number), 0) / done.length,
          6,
        );
      const loads = of('agent_load').filter((row) => row.agent === example.agent && (row.time as number) < at);
      expect(example.running ?? undefined).toBe(loads.at(-1)?.running);
      const end = of('tasks').find(({ submission }) => submission === example.submission);
      expect(example.label).toBe(end?.service_seconds);
      expect(example.known).toBe(end?.time);
    }
    expect(manifest.counts.train).toBeGreaterThan(200);
    expect(manifest.counts.test).toBeGreaterThan(50);
    expect(manifest.purged).toBeGreaterThan(0);
    const { train, validation, test: last } = manifest.counts;
    expect(train + validation + last + manifest.purged + manifest.unlabelled).toBe(examples.length);
  }));

test('no part learns from what was not known when the next one began', () =>
  withSource(specOf('placements'), async (source) => {
    const { boundariesMicros } = await buildDataset(source, specOf('placements'));
    const reader = await source.connection.runAndReadAll(
      'SELECT split, epoch_us(min(time))::DOUBLE, epoch_us(max(label_time))::DOUBLE FROM dataset WHERE split IS NOT NULL GROUP BY split',
    );
    const spans = new Map(
      reader.getRows().map(([split, begin, end]) => [split, [Number(begin), Number(end)] as const]),
    );
    expect(spans.get('train')?.[1]).toBeLessThan(boundariesMicros[0]);
    expect(spans.get('validation')?.[0]).toBeGreaterThanOrEqual(boundariesMicros[0]);
    expect(spans.get('validation')?.[1]).toBeLessThan(boundariesMicros[1]);
    expect(spans.get('test')?.[0]).toBeGreaterThanOrEqual(boundariesMicros[1]);
  }));

test('arrivals: what came and what comes, by a second computation', () =>
  withSource(specOf('arrivals'), async (source) => {
    await buildDataset(source, specOf('arrivals'));
    const reader = await source.connection.runAndReadAll(
      `SELECT epoch_us(time)::DOUBLE AS at, arrivals_1m::DOUBLE AS one, arrivals_10m::DOUBLE AS ten, label_arrivals_next_10m::DOUBLE AS next FROM dataset ORDER BY example`,
    );
    const submitted = of('task_events').filter(({ event }) => event === 'submitted');
    const minute = 60e6;
    const between = (from: number, to: number): number =>
      submitted.filter(({ time }) => (time as number) >= from && (time as number) < to).length;
    const examples = reader.getRowObjects() as Record<string, number | null>[];
    expect(examples.length).toBeGreaterThan(30);
    for (const { at, one, ten, next } of examples) {
      const time = at as number;
      expect(one).toBe(between(time - minute, time));
      expect(ten).toBe(between(time - 10 * minute, time));
      if (next !== null) expect(next).toBe(between(time, time + 10 * minute));
    }
    expect(examples.filter(({ next }) => next !== null).length).toBe(examples.length - 10);
  }));

test('the same rows give the same version, in whatever order they were written; one row more gives another', async () => {
  const spec = specOf('placements');
  const hashOf = (from: DuckDbStore): Promise<string> =>
    DatasetSource.read(from, spec).then(async (source) => {
      const { hash } = await buildDataset(source, spec);
      await source.close();
      return hash;
    });
  const first = await hashOf(store);
  const other = new DuckDbStore({ file: ':memory:' });
  await other.open();
  for (const table of spec.tables.toReversed()) {
    const batches: TelemetryBatch<TableName>[] = [];
    for await (const batch of store.read({ table })) batches.push({ ...batch, table });
    for (const batch of batches.reverse()) await other.write(batch);
  }
  expect(await hashOf(other)).toBe(first);
  await other.connection.run('UPDATE tasks SET service_seconds = service_seconds + 1e-9 WHERE submission = 7');
  expect(await hashOf(other)).not.toBe(first);
  await other.close();
});

describe('leaks', () => {
  test.each(standardDatasets.map((spec) => [spec.name, spec] as const))('%s has none', async (_, spec) => {
    for (const share of [0.5, 1, 1.5]) expect(await leaksOf(spec, middle() * share)).toEqual([]);
  });

  test('a mean over all time, dated at its beginning, is found', async () => {
    const spec = specOf('placements');
    const planted: DatasetSpec = {
      ...spec,
      features: spec.features.map((feature) =>
        feature.name === 'class'
          ? {
              ...feature,
              sql: `SELECT run, task_class, make_timestamp(0) AS time, count(*) AS class_completed, avg(service_seconds) AS class_service_seconds
                    FROM tasks GROUP BY run, task_class`,
            }
          : feature,
      ),
    };
    const leaks = await leaksOf(planted, middle());
    expect(leaks.map(({ feature }) => feature)).toEqual(['class_completed', 'class_service_seconds']);
  });

  test("the task's own outcome, dated when it came, is found", async () => {
    const spec = specOf('placements');
    const planted: DatasetSpec = {
      ...spec,
      features: [
        ...spec.features,
        {
          name: 'planted',
          sql: `SELECT run, submitter, submission, make_timestamp(submitted_micros) AS time, service_seconds AS planted FROM tasks`,
          by: ['submitter', 'submission'],
          columns: ['planted'],
          atSameInstant: true,
        },
      ],
    };
    const leaks = await leaksOf(planted, middle());
    expect(leaks.map(({ feature }) => feature)).toEqual(['planted']);
    expect(leaks[0]?.examples).toBeGreaterThan(0);
  });

  test('moments that are chosen by their outcome are found', async () => {
    const spec = specOf('placements');
    const planted: DatasetSpec = {
      ...spec,
      examples: `SELECT * FROM (${spec.examples}) WHERE (submitter, submission) IN (SELECT (submitter, submission) FROM tasks)`,
    };
    expect((await leaksOf(planted, middle())).map(({ feature }) => feature)).toEqual(['(the moments themselves)']);
  });
});
