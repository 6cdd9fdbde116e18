import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DuckDbStore } from './duckdb-store.ts';
import { telemetryStoreContract } from './telemetry-store.contract.ts';

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
