// What every store of telemetry promises, as tests that take a store: nothing written is lost or doubled, however often it is
// written; what is read is what was written; rollups agree with the rows that they are made of; old days go.

import { describe, expect, test } from 'vitest';
import { RandomStream } from '../base/random.ts';
import { batchOf, rowsOf } from '../telemetry/rows.ts';
import { columnsOf, type TableName, type TelemetryRow, tableNames } from '../telemetry/tables.ts';
import type { TelemetryQuery, TelemetryStore } from '../telemetry/telemetry-store.ts';

export interface StoreUnderTest {
  readonly store: TelemetryStore;
  /** Ends it and gives one that sees what it left. */
  reopen(): Promise<TelemetryStore>;
  dispose(): Promise<void>;
}

const start = Date.UTC(2026, 0, 5, 10, 0, 0) * 1000;
const minute = 60_000_000;
const day = 86_400_000_000;

/** All rows of a query. */
export async function readAll(
  store: TelemetryStore,
  query: TelemetryQuery,
): Promise<Record<string, number | string>[]> {
  const rows: Record<string, number | string>[] = [];
  for await (const batch of store.read(query)) rows.push(...rowsOf(batch));
  return rows;
}

function taskRow(number: number, changes: TelemetryRow<'tasks'> = {}): TelemetryRow<'tasks'> {
  return {
    ...{ time: start + number * 1000, run: 'live', submitter: 1, submission: number, task: number },
    ...{ outcome: 'completed', agent: `agent-${number % 7}`, tenant: 'a', task_class: 'c', priority: 0 },
    ...{ queue_seconds: number / 3, service_seconds: 0.1, total_seconds: 0.1 + number / 3, ...changes },
  };
}

/** A row of a table with something in each column, drawn. */
function drawnRow(table: TableName, random: RandomStream, number: number): TelemetryRow<TableName> {
  const texts = ['', 'a', "it's", 'with "quotes", commas', 'naïve ☃', 'x'.repeat(150), 'line\nbreak', 'a=b\\c d'];
  const values = columnsOf(table).map(({ name, kind }): [string, string | number | undefined] => {
    if (kind === 'time') return [name, start + number];
    if (name === 'run') return [name, 'drawn'];
    if (kind === 'symbol' || kind === 'text') return [name, texts[random.nextBelow(texts.length)]];
    if (kind === 'integer') {
      const integers = [0, -1, 7, 2 ** 31, -(2 ** 40), Number.MAX_SAFE_INTEGER, undefined];
      return [name, integers[random.nextBelow(integers.length)]];
    }
    return [name, [0, -0.5, 1 / 3, 1e-300, 1.7e308, 123456789.123456, undefined][random.nextBelow(7)]];
  });
  return Object.fromEntries(values) as TelemetryRow<TableName>;
}

export function telemetryStoreContract(name: string, make: () => Promise<StoreUnderTest>): void {
  const withStore = async (work: (under: StoreUnderTest) => Promise<void>): Promise<void> => {
    const under = await make();
    try {
      await under.store.open();
      await work(under);
    } finally {
      await under.dispose();
    }
  };

  describe(name, () => {
    test('gives back what was written, in the order of the key, to the last bit', () =>
      withStore(async ({ store }) => {
        const random = new RandomStream(7, 'rows');
        for (const table of tableNames) {
          const rows = Array.from({ length: 50 }, (_, number) => drawnRow(table, random, number));
          await store.write(batchOf(table, rows.toReversed()));
          const expected = rowsOf(batchOf(table, rows));
          expect(await readAll(store, { table }), table).toEqual(expected);
        }
      }));

    test('a batch that is written again is there once, and the latest row of a key counts', () =>
      withStore(async ({ store }) => {
        const rows = Array.from({ length: 1000 }, (_, number) => taskRow(number));
        const first = batchOf('tasks', rows.slice(0, 600));
        const second = batchOf('tasks', rows.slice(600));
        for (const batch of [first, second, first, second, second, first]) await store.write(batch);
        expect(await readAll(store, { table: 'tasks' })).toEqual(rowsOf(batchOf('tasks', rows)));
        // Other boundaries, and one row that says something else now.
        await store.write(batchOf('tasks', [...rows.slice(550, 650), taskRow(3, { outcome: 'failed', joules: 5 })]));
        const after = await readAll(store, { table: 'tasks' });
        expect(after).toHaveLength(1000);
        expect(after[3]).toMatchObject({ submission: 3, outcome: 'failed', joules: 5 });
      }));

    test('rows differ by every column of the key', () =>
      withStore(async ({ store }) => {
        const row = taskRow(1);
        const others = [{ time: start }, { run: 'other' }, { submitter: 2 }, { submission: 9 }];
        await store.write(batchOf('tasks', [row, ...others.map((other) => ({ ...row, ...other }))]));
        await store.write(batchOf('tasks', [row]));
        expect(await readAll(store, { table: 'tasks' })).toHaveLength(5);
        expect(await readAll(store, { table: 'tasks', run: 'other' })).toHaveLength(1);
        expect(await readAll(store, { table: 'tasks', fromMicros: start, toMicros: start + 1 })).toHaveLength(1);
      }));

    test('what is acknowledged is there for whoever opens it next', () =>
      withStore(async (under) => {
        await under.store.write(batchOf('tasks', [taskRow(1), taskRow(2)]));
        const again = await under.reopen();
        await again.open();
        await again.write(batchOf('tasks', [taskRow(2), taskRow(3)]));
        expect((await readAll(again, { table: 'tasks' })).map(({ submission }) => submission)).toEqual([1, 2, 3]);
      }));

    test('rollups agree with the rows, also after rows that come late, twice, or when the store is opened again', () =>
      withStore(async (under) => {
        let { store } = under;
        const rows: TelemetryRow<'tasks'>[] = [];
        for (let number = 0; number < 600; number++)
          rows.push(
            taskRow(number, {
              time: start + number * 1_000_000,
              tenant: number % 3 === 0 ? 'b' : '',
              wait_reason: number % 2 === 0 ? 'CPU' : 'memory',
            }),
          );
        const held = 60 * 5 + 7;
        const late = rows[held] as TelemetryRow<'tasks'>;
        await store.write(batchOf('tasks', rows.toSpliced(held, 1)));
        await store.rollUp();
        await store.rollUp();
        store = await under.reopen();
        await store.open();
        await store.write(batchOf('tasks', [late]));
        await store.write(batchOf('tasks', [late]));
        await store.rollUp();
        const rolled = await readAll(store, { table: 'task_minutes' });
        // 600 s from the start of a minute: the tenth minute is not over, as far as anybody knows.
        const expected = new Map<string, { tasks: number; queue: number; most: number }>();
        for (const row of rows) {
          const at = Math.floor((row.time as number) / minute) * minute;
          if (at >= start + 9 * minute) continue;
          const key = `${at} ${row.tenant} ${row.wait_reason}`;
          const sums = expected.get(key) ?? { tasks: 0, queue: 0, most: 0 };
          sums.tasks++;
          sums.queue += row.queue_seconds as number;
          sums.most = Math.max(sums.most, row.total_seconds as number);
          expected.set(key, sums);
        }
        expect(rolled).toHaveLength(expected.size);
        for (const row of rolled) {
          const sums = expected.get(`${row.time} ${row.tenant ?? ''} ${row.wait_reason}`);
          expect(row.tasks).toBe(sums?.tasks);
          expect(row.queue_seconds).toBeCloseTo(sums?.queue ?? 0, 6);
          expect(row.total_seconds_max).toBeCloseTo(sums?.most ?? 0, 9);
        }
      }));

    test('days beyond the retention go, rollups later than the rows that they are made of', () =>
      withStore(async ({ store }) => {
        const rows = Array.from({ length: 10 }, (_, number) => taskRow(number, { time: start + number * day }));
        await store.write(batchOf('tasks', rows));
        await store.rollUp();
        const now = start + 9 * day;
        await store.expire(now, { rawMicros: 3 * day, rollupMicros: 6 * day });
        const raw = await readAll(store, { table: 'tasks' });
        expect(raw.map(({ submission }) => submission)).toEqual([6, 7, 8, 9]);
        // The last minute is not over.
        expect(await readAll(store, { table: 'task_minutes' })).toHaveLength(6);
        await store.write(batchOf('tasks', [rows[9] as TelemetryRow<'tasks'>]));
        expect(await readAll(store, { table: 'tasks' })).toHaveLength(4);
      }));

    test('rows that the store will never take are refused for good, and others are taken after them', () =>
      withStore(async ({ store }) => {
        const batch = batchOf('tasks', [taskRow(1)]);
        const wrong = { ...batch, table: 'no_such_table' as TableName };
        await expect(Promise.resolve(store.write(wrong))).rejects.toThrow();
        await store.write(batch);
        expect(await readAll(store, { table: 'tasks' })).toHaveLength(1);
      }));
  });
}
