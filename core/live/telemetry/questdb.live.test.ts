// Telemetry in a real QuestDB: the suite that every store passes, and what is left when the server is killed while rows come.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { QuestDbStore } from '../../stores/questdb-store.ts';
import { telemetryStoreContract } from '../../stores/telemetry-store.contract.ts';
import { type BatcherEffect, defaultBatcherSettings, TelemetryBatcher } from '../../telemetry/batcher.ts';
import { numbersOf } from '../../telemetry/rows.ts';
import { rollupNames, tableNames } from '../../telemetry/tables.ts';
import { questdb, type RunningQuestDb, startQuestDb } from '../services/questdb.ts';
import { SpillFolder } from './spill-folder.ts';
import { type DeskAnswer, StoreDesk } from './store-desk.ts';

const isInstalled = questdb.find() !== undefined;
let folder = '';
let server: RunningQuestDb;

beforeAll(async () => {
  if (!isInstalled) return;
  folder = mkdtempSync(join(tmpdir(), 'sira-questdb-'));
  server = await startQuestDb(join(folder, 'server'));
}, 120_000);
afterAll(async () => {
  if (!isInstalled) return;
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Not dropped: what a connection of the server has open of a table that is gone would still take rows. */
async function empty(store: QuestDbStore): Promise<void> {
  await store.open();
  for (const name of [...tableNames, ...rollupNames]) await store.rows(`TRUNCATE TABLE ${name}`);
}

it.runIf(process.env.CI)('has a QuestDB to test with (npm run services)', () => {
  expect(isInstalled).toBe(true);
});

describe.runIf(isInstalled)('a real QuestDB', () => {
  telemetryStoreContract('QuestDB', async () => {
    const store = new QuestDbStore({ url: server.url });
    await empty(store);
    return { store, reopen: async () => new QuestDbStore({ url: server.url }), dispose: () => store.close() };
  });

  test('a server that is killed while rows come loses none and doubles none', async () => {
    const store = new QuestDbStore({ url: server.url, timeoutMillis: 3000 });
    await empty(store);
    const settings = {
      ...defaultBatcherSettings,
      batchRowsMax: 1000,
      deadlineMicros: 4_000_000,
      memoryRowsMax: 20_000,
    };
    const batcher = new TelemetryBatcher(settings);
    const now = (): number => Math.round(performance.now() * 1000);
    let failures = 0;
    const answered = (answer: DeskAnswer): void => {
      if (answer.kind === 'written') batcher.written(answer.batch, now(), sink);
      else if (answer.kind === 'failed') {
        failures++;
        expect(answer.isLasting, answer.reason).toBe(false);
        batcher.failed(answer.batch, false, now(), sink);
      } else if (answer.kind === 'spilled') batcher.spilled(answer.batch, answer.bytes, now(), sink);
      else if (answer.kind === 'loaded') batcher.loaded(answer.batch, answer.rows, now(), sink);
    };
    const desk = new StoreDesk(store, new SpillFolder(join(folder, 'spill')), (answer) =>
      queueMicrotask(() => answered(answer)),
    );
    const sink = { push: (effect: BatcherEffect): void => desk.take(effect) };
    desk.open();
    const start = Date.UTC(2026, 0, 5) * 1000;
    const total = 120_000;
    let sent = 0;
    const restarts: Promise<void>[] = [];
    const restart = async (): Promise<void> => {
      const before = failures;
      await server.kill();
      const end = performance.now() + 20_000;
      // A server that is back before anybody missed it would prove nothing.
      while (failures === before && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
      await server.startAgain();
    };
    while (sent < total) {
      for (let count = 0; count < 500 && sent < total; count++) {
        const row = { time: start + sent, run: 'live', submitter: 1, submission: sent + 1, service_seconds: sent / 7 };
        if (!batcher.add('tasks', { ...row, outcome: 'completed', agent: `a${sent % 5}` }, now(), sink)) break;
        sent++;
      }
      // In the middle, and again while it is catching up.
      if (restarts.length === 0 && sent > 30_000) restarts.push(restart());
      if (restarts.length === 1 && sent > 100_000) restarts.push((restarts[0] as Promise<void>).then(restart));
      batcher.tick(now(), sink);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await Promise.all(restarts);
    batcher.flush(now(), sink);
    const giveUp = performance.now() + 90_000;
    while (!batcher.isEmpty && performance.now() < giveUp) {
      batcher.tick(now(), sink);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(batcher.counts).toMatchObject({ written: total, setAside: 0, lost: 0, memoryRows: 0, spilledBatches: 0 });
    expect(failures).toBeGreaterThan(1);
    const seen = new Uint8Array(total + 1);
    let rows = 0;
    let wrong = 0;
    for await (const batch of store.read({ table: 'tasks' })) {
      rows += batch.count;
      const services = numbersOf(batch, 'service_seconds');
      numbersOf(batch, 'submission').forEach((submission, row) => {
        seen[submission] = (seen[submission] as number) + 1;
        if (services[row] !== (submission - 1) / 7) wrong++;
      });
    }
    expect(rows).toBe(total);
    expect(wrong).toBe(0);
    expect(seen.findIndex((count, number) => number > 0 && count !== 1)).toBe(-1);
    await store.close();
  }, 240_000);
});
