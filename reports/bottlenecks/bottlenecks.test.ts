import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommandContext } from '../../core/ports/command.ts';
import type { Bottlenecks } from '../../core/telemetry/bottlenecks.ts';
import { writeSampleScenario } from '../../sim/experiment/sample-scenario.ts';
import { runCommand } from '../run-command.ts';
import { bottlenecksCommand } from './bottlenecks-command.ts';

let folder = '';
let written = '';
const context = (): CommandContext => ({
  terminal: {
    write: (text) => {
      written += text;
    },
    writeError: () => {},
    colour: false,
    colourError: false,
    interactive: false,
    columns: 100,
  },
  printError: () => {},
  projectRoot: folder,
  version: '1.2.3',
  line: 'sira run tiny.yaml',
});

async function bottlenecks(store: string, options: Record<string, string | boolean | string[]> = {}): Promise<string> {
  written = '';
  await bottlenecksCommand.run({ arguments: [store], options }, context());
  return written;
}

const file = (name: string): string => join(folder, name);

/** The tiny scenario: tasks A and C wait for nothing, B 10 s and D 18 s for GPUs; they work 10, 20, 5 and 4 s. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sira-bottlenecks-'));
  const scenario = writeSampleScenario(folder, { policies: 'policies: [best-fit, spread]' });
  const options = { telemetry: file('runs.duckdb'), output: file('run'), workers: '0' };
  await runCommand.run({ arguments: [scenario], options }, context());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('says where the time of every run went, and what limits', async () => {
  const text = await bottlenecks(file('runs.duckdb'));
  expect(text).toContain('best-fit/1  4 tasks (4 completed)');
  expect(text).toContain('spread/1  4 tasks (4 completed)');
  // 28 of 67 seconds.
  expect(text).toMatch(/queue +█+·+ +41\.8% +7 s a task/);
  expect(text).toMatch(/service +█+·+ +58\.2% +9\.75 s a task/);
  expect(text).toMatch(/too few GPUs free +100\.0%/);
});

test('as JSON, of one run, of its end alone', async () => {
  const whole = JSON.parse(await bottlenecks(file('runs.duckdb'), { run: ['spread/1'], json: true }));
  const found = whole['spread/1'] as Bottlenecks;
  expect(Object.keys(whole)).toEqual(['spread/1']);
  expect(found.reasons).toEqual([{ name: 'too few GPUs free', seconds: 28, share: 1 }]);
  // B ends at 30 s, D at 34.
  const last = JSON.parse(await bottlenecks(file('runs.duckdb'), { run: ['spread/1'], last: '5s', json: true }));
  expect((last['spread/1'] as Bottlenecks).tasks).toBe(2);
});

test('as a page without scripts, and as a section of the report', async () => {
  await bottlenecks(file('runs.duckdb'), { output: file('page.html') });
  const page = readFileSync(file('page.html'), 'utf8');
  expect(page).toContain('<h3>best-fit/1</h3>');
  expect(page).toContain('aria-label="queue 41.8%, service 58.2%"');
  expect(page).not.toContain('<script');
  const report = readFileSync(join(file('run'), 'report.html'), 'utf8');
  expect(report).toContain('<section id="bottlenecks">');
  expect(report).toContain('<a href="#bottlenecks">Where the time went</a>');
});

test('mistakes are told as such', async () => {
  await expect(bottlenecks(file('none.duckdb'))).rejects.toMatchObject({ code: 'SIRA_FILE_MISSING' });
  await expect(bottlenecks(file('runs.duckdb'), { run: ['x'] })).rejects.toMatchObject({ code: 'SIRA_RUN_NOT_FOUND' });
  await expect(bottlenecks(file('runs.duckdb'), { last: 'soon' })).rejects.toMatchObject({ code: 'SIRA_USAGE' });
  await expect(bottlenecks('http://127.0.0.1:1')).rejects.toMatchObject({ code: 'SIRA_TELEMETRY_AWAY' });
});
