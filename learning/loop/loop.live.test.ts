// The whole loop as people run it, in brief, with a real QuestDB; what an empty table does to it, and what an interrupt.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest';
import { built, killed, LiveProcesses } from '../../core/live/live-processes.contract.ts';
import { questdb, type RunningQuestDb, startQuestDb } from '../../core/live/services/questdb.ts';
import { QuestDbStore } from '../../core/stores/questdb-store.ts';
import { fitWorld } from './fit-world.ts';
import { loopRun } from './live-cluster.ts';
import type { LoopResults } from './loop-results.ts';
import { readLoopRows } from './loop-rows.ts';

const isInstalled = questdb.find() !== undefined;
const folder = mkdtempSync(join(tmpdir(), 'sira-loop-'));
let server: RunningQuestDb | undefined;
let processes: LiveProcesses | undefined;

beforeAll(async () => {
  if (isInstalled) server = await startQuestDb(join(folder, 'questdb'));
}, 120_000);
afterEach(async () => {
  await processes?.end();
  processes = undefined;
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function sira(...words: string[]) {
  processes ??= new LiveProcesses();
  const child = processes.spawn(process.execPath, [join(built, 'sira.js'), ...words]);
  let said = '';
  child.stdout?.on('data', (text) => {
    said += text;
  });
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  return { child, ended, said: () => said };
}

it.runIf(process.env.CI)('has a QuestDB to test with (npm run services)', () => {
  expect(isInstalled).toBe(true);
});

describe.runIf(isInstalled)('the loop on a real QuestDB', () => {
  test('has nothing to learn from empty tables', async () => {
    const store = new QuestDbStore({ url: server!.url });
    await store.open();
    const rows = await readLoopRows(store, { run: loopRun });
    expect(rows.tasks).toEqual([]);
    expect(() => fitWorld(rows)).toThrow(expect.objectContaining({ code: 'SIRA_TELEMETRY_TOO_FEW' }));
    await store.close();
  });

  test('learns a policy from rows, promotes it by evidence, catches a bad one, and gives it up when the work drifts', async () => {
    const output = join(folder, 'loop');
    const { ended, said } = sira('loop', '--brief', '--store', server!.url, '--output', output);
    expect(await ended, said() + processes!.errors.join('')).toBe(0);
    const results = JSON.parse(readFileSync(join(output, 'loop.json'), 'utf8')) as LoopResults;
    expect(results.succeeded).toBe(true);
    // What was learned from is what the server has, and tells of the crash.
    const store = new QuestDbStore({ url: server!.url });
    await store.open();
    const { tasks } = await readLoopRows(store, { run: loopRun });
    await store.close();
    expect(tasks.length).toBeGreaterThan(results.record!.tasks);
    expect(results.world).toMatchObject({ slots: 8, rowsSha256: results.rowsSha256 });
    expect(results.world!.outages.count).toBeGreaterThan(0);
    const { testMean, heuristics } = results.training!;
    expect(testMean).toBeLessThan(heuristics.fcfs as number);
    expect(results.gate).toMatchObject({ verdict: 'pass' });
    expect(results.gate!.scenarios).toHaveLength(8);
    expect(results.replay).toMatchObject({ verdict: 'pass' });
    expect(results.promotion).toMatchObject({ stage: 'promoted' });
    expect(results.gain!.high).toBeLessThan(0);
    expect(results.bad).toMatchObject({ stage: 'rejected', gate: { verdict: 'fail' } });
    // Past the gates by force, it is thrown out by what watches the canary.
    expect(results.forced).toMatchObject({ stage: 'rolledBack', lateDecisions: 0 });
    expect(results.forced!.rollbackSeconds).toBeLessThan(1);
    expect(results.drift).toMatchObject({ stage: 'rolledBack', servesVersion: 1 });
    expect(results.drift!.rollbackSeconds).toBeLessThan(1);
    expect(results.drift!.rowsShift).toBeGreaterThan(0.25);
    expect(readFileSync(join(output, 'loop.html'), 'utf8')).toContain('</html>');
  }, 400_000);

  test('an interrupt ends all that it had started', async () => {
    const { child, said } = sira('loop', '--brief', '--store', server!.url, '--output', join(folder, 'interrupted'));
    const end = performance.now() + 60_000;
    while (!said().includes('agents run') && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const { kernel } = JSON.parse(readFileSync(join(folder, 'interrupted', 'live', 'processes.json'), 'utf8'));
    process.kill(kernel, 0);
    expect(await killed(child, 'SIGINT')).toBe(130);
    expect(() => process.kill(kernel, 0)).toThrow();
  }, 120_000);
});

test('says what is wrong with what was typed', async () => {
  expect(await sira('loop', '--seed', 'many').ended).toBe(2);
  const full = join(folder, 'full');
  mkdirSync(full);
  writeFileSync(join(full, 'thesis.txt'), 'the only copy');
  expect(await sira('loop', '--output', full).ended).toBe(2);
  expect(readFileSync(join(full, 'thesis.txt'), 'utf8')).toBe('the only copy');
});
