import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { batchOf, rowsOf, type TelemetryBatch } from '../../telemetry/rows.ts';
import type { TableName } from '../../telemetry/tables.ts';
import { SpillFolder } from './spill-folder.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sira-spill-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const batch: TelemetryBatch<TableName> = batchOf('decisions', [
  { time: 1, run: 'r', sequence: 1, part: 0, agents: 'naïve ☃', propensity: 1 / 3, explored: 1, shadow_agent: 'x' },
  { time: 2, run: 'r', sequence: 2, part: 0 },
]);
const fileOf = (): string => join(folder, readdirSync(folder)[0] as string);

test('what is put is there for the next process, until it is forgotten', () => {
  const first = new SpillFolder(folder);
  expect(first.open()).toEqual([]);
  const bytes = first.write(7, batch);
  expect(bytes).toBeGreaterThan(100);
  const second = new SpillFolder(folder);
  expect(second.open()).toEqual([{ batch: 7, count: 2, bytes }]);
  expect(rowsOf(second.read(7) as typeof batch)).toEqual(rowsOf(batch));
  second.forget(7);
  expect(new SpillFolder(folder).open()).toEqual([]);
});

test.each(['torn', 'rotted'])('a %s file is known as such', (what) => {
  const spill = new SpillFolder(folder);
  spill.open();
  const bytes = spill.write(1, batch);
  if (what === 'torn') truncateSync(fileOf(), bytes - 3);
  else {
    const content = readFileSync(fileOf());
    content[40] = (content[40] as number) ^ 1;
    writeFileSync(fileOf(), content);
  }
  expect(spill.read(1)).toBeUndefined();
});

test('a batch of an older version gets the columns that came later; one of a later version is not read', () => {
  const spill = new SpillFolder(folder);
  spill.open();
  spill.write(1, { ...batch, columns: batch.columns.slice(0, -2) });
  spill.write(2, { ...batch, columns: [...batch.columns, new Float64Array(2)] });
  const [older] = rowsOf(spill.read(1) as typeof batch);
  expect(older).toEqual({ time: 1, run: 'r', sequence: 1, part: 0, agents: 'naïve ☃', propensity: 1 / 3 });
  expect(spill.read(2)).toBeUndefined();
});

test('a folder that takes nothing says so', () => {
  const spill = new SpillFolder(folder);
  spill.open();
  rmSync(folder, { recursive: true });
  expect(spill.write(1, batch)).toBe(0);
});
