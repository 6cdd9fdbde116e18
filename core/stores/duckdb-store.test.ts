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
