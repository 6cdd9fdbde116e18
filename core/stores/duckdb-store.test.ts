import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { batchOf } from '../telemetry/rows.ts';
import { DuckDbStore } from './duckdb-store.ts';
import { readAll, telemetryStoreContract } from './telemetry-store.contract.ts';

telemetryStoreContract('DuckDB', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sira-duckdb-'));
  const file = join(folder, 'telemetry.duckdb');
  const stores = [new DuckDbStore({ file })];
  return {
    store: stores[0] as DuckDbStore,
    async reopen() {
      await stores.at(-1)?.close();
      const next = new DuckDbStore({ file });
      stores.push(next);
      return next;
    },
    async dispose() {
      for (const store of stores) await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});

test('a file that cannot be opened says why', async () => {
  const store = new DuckDbStore({ file: '/no/such/folder/telemetry.duckdb' });
  await expect(store.open()).rejects.toMatchObject({ code: 'SIRA_TELEMETRY_AWAY' });
});

test('what is read goes on while rows are written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sira-duckdb-'));
  const store = new DuckDbStore({ file: join(folder, 'telemetry.duckdb') });
  await store.open();
  const rows = (from: number) =>
    batchOf(
      'links',
      Array.from({ length: 10_000 }, (_, index) => ({ time: from + index, run: 'r', agent: 'a', loss: 0 })),
    );
  await store.write(rows(0));
  const times: number[] = [];
  for await (const batch of store.read({ table: 'links' })) {
    if (times.length === 0) await store.write(rows(10_000));
    times.push(...(batch.columns[0] as Float64Array));
  }
  expect(times).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
  expect(await readAll(store, { table: 'links' })).toHaveLength(20_000);
  await store.close();
  rmSync(folder, { recursive: true });
});

test('a file of an older version gets the columns that came later', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sira-duckdb-'));
  const file = join(folder, 'telemetry.duckdb');
  const old = new DuckDbStore({ file });
  await old.open();
  await old.write(batchOf('decisions', [{ time: 1, run: 'r', sequence: 1, part: 0, decision: 1 }]));
  for (const column of ['explored', 'shadow_agent'])
    await old.connection.run(`ALTER TABLE decisions DROP COLUMN ${column}`);
  await old.close();
  const store = new DuckDbStore({ file });
  await store.open();
  await store.write(
    batchOf('decisions', [{ time: 2, run: 'r', sequence: 2, part: 0, decision: 2, explored: 1, shadow_agent: 'x' }]),
  );
  expect(await readAll(store, { table: 'decisions' })).toEqual([
    { time: 1, run: 'r', sequence: 1, part: 0, decision: 1 },
    { time: 2, run: 'r', sequence: 2, part: 0, decision: 2, explored: 1, shadow_agent: 'x' },
  ]);
  await store.close();
  rmSync(folder, { recursive: true });
});
