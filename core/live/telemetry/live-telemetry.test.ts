// Telemetry of a live kernel as people run it: real processes, a thread of its own, DuckDB.

import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest';
import { DuckDbStore } from '../../stores/duckdb-store.ts';
import { rowsOf } from '../../telemetry/rows.ts';
import type { TelemetryQuery } from '../../telemetry/telemetry-store.ts';
import { AgentConnection, Submitter, tensorFrom } from '../client.ts';
import { built, killed, LiveProcesses } from '../live-processes.contract.ts';
import { silentLogger } from '../logger.ts';
import { runKernel } from '../run-kernel.ts';
import { startSettings } from '../start-settings.ts';

let processes: LiveProcesses;
beforeEach(() => {
  processes = new LiveProcesses();
  onTestFailed(() => void process.stderr.write(processes.errors.join('')));
});
afterEach(() => processes.end());

type Row = Record<string, number | string>;

async function readAll(store: DuckDbStore, query: TelemetryQuery): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of store.read(query)) rows.push(...rowsOf(batch));
  return rows;
}

async function runTasks(count: number): Promise<void> {
  const submitter = await Submitter.connect({ address: processes.address, name: 'tester', retryMicros: 200_000 });
  const one = tensorFrom(Float64Array.of(2), [1, 1]);
  const ends: Promise<unknown>[] = [];
  for (let number = 0; number < count; number++)
    ends.push(submitter.run({ function: 'matrix-multiply', inputs: { left: one, right: one }, tenant: 'a' }));
  await Promise.all(ends);
  submitter.abandon();
}

/** Rows of everything, and what must hold between them. */
async function check(file: string, count: number): Promise<void> {
  const store = new DuckDbStore({ file });
  await store.open();
  try {
    const tasks = await readAll(store, { table: 'tasks', run: 'live' });
    expect(tasks).toHaveLength(count);
    for (const row of tasks) {
      const parts = ['queue', 'retry', 'dispatch', 'lost', 'service', 'transfer'];
      const sum = parts.reduce((total, part) => total + (row[`${part}_seconds`] as number), 0);
      expect(sum).toBeCloseTo(row.total_seconds as number, 6);
      expect(row).toMatchObject({ outcome: 'completed', agent: 'one', tenant: 'a', task_class: 'matrix-multiply' });
    }
    const events = await readAll(store, { table: 'task_events' });
    const told = (event: string): number => events.filter((row) => row.event === event).length;
    expect(told('submitted')).toBe(count);
    expect(told('ended')).toBe(count);
    const decisions = await readAll(store, { table: 'decisions' });
    // On a machine that is busy, an agent may be given up in between, and its task placed again.
    const placements = decisions.filter(({ outcome }) => outcome === 'placed');
    expect(placements.length).toBeGreaterThanOrEqual(count);
    expect(told('placed')).toBe(placements.length);
    expect(events.filter((row) => row.event === 'finished' && row.outcome === 'completed').length).toBe(count);
    for (const { propensity } of decisions) expect(propensity).toBeGreaterThan(0);
    expect(new Set(decisions.map(({ decision }) => decision)).size).toBe(decisions.length);
    expect((await readAll(store, { table: 'agent_load' })).length).toBeGreaterThan(0);
  } finally {
    await store.close();
  }
}

test('a kernel that is stopped leaves all that happened in DuckDB, and goes on there when it is started again', async () => {
  const file = join(processes.folder, 'telemetry.duckdb');
  let kernel = await processes.startKernel('--telemetry', file);
  const agent = processes.startAgent('one');
  await runTasks(100);
  expect(await killed(kernel, 'SIGTERM')).toBe(0);
  await check(file, 100);
  kernel = await processes.startKernel('--telemetry', file);
  await runTasks(50);
  await killed(agent, 'SIGKILL');
  expect(await killed(kernel, 'SIGTERM')).toBe(0);
  await check(file, 150);
}, 120_000);

test('a store that is away keeps nobody waiting: the rows go to the disk, and to the store when it is there', async () => {
  // No file can be made in a folder that is not there.
  const folder = join(processes.folder, 'later');
  const file = join(folder, 'telemetry.duckdb');
  let kernel = await processes.startKernel('--telemetry', file, '--log-level', 'error');
  processes.startAgent('one');
  await runTasks(60);
  expect(await killed(kernel, 'SIGTERM')).toBe(0);
  mkdirSync(folder);
  kernel = await processes.startKernel('--telemetry', file);
  await runTasks(40);
  expect(await killed(kernel, 'SIGTERM')).toBe(0);
  // What the first one left is written as soon as there is time.
  kernel = await processes.startKernel('--telemetry', file);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(await killed(kernel, 'SIGTERM')).toBe(0);
  await check(file, 100);
  rmSync(folder, { recursive: true });
}, 120_000);

test('what a killed kernel had in memory is made again from its journal, and what was written is not doubled', async () => {
  const file = join(processes.folder, 'telemetry.duckdb');
  const rebuild = (): Promise<number> => {
    const words = [join(built, 'sira.js'), 'telemetry', 'rebuild', processes.data, file];
    const child = processes.spawn(process.execPath, words);
    return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? -1)));
  };
  let kernel = await processes.startKernel('--telemetry', file);
  processes.startAgent('one');
  await runTasks(60);
  await killed(kernel, 'SIGKILL');
  expect(await rebuild()).toBe(0);
  await check(file, 60);
  kernel = await processes.startKernel('--telemetry', file);
  await runTasks(20);
  expect(await killed(kernel, 'SIGTERM')).toBe(0);
  expect(await rebuild()).toBe(0);
  await check(file, 80);
}, 120_000);

test('the metrics say what became of the rows, and nobody waits for a store that hangs', async () => {
  // A server that takes connections and says nothing.
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as AddressInfo;
  const running = await runKernel(
    startSettings({
      data: processes.data,
      grpc: { address: '127.0.0.1:0' },
      http: { address: '127.0.0.1:0' },
      durability: 'processCrash',
      telemetry: { store: `http://127.0.0.1:${port}` },
    }),
    '1',
    silentLogger,
  );
  processes.address = running.grpc.address;
  const agent = AgentConnection.start({
    address: running.grpc.address,
    agents: [{ name: 'one', functions: { 'matrix-multiply': async () => ({}) } }],
    retryMicros: 200_000,
  });
  const began = performance.now();
  await runTasks(30);
  expect(performance.now() - began).toBeLessThan(30_000);
  const text = await running.http.metrics.registry.metrics();
  expect(text).toContain('sira_telemetry_rows_total{outcome="written"} 0');
  expect(Number(/sira_telemetry_memory_rows (\d+)/.exec(text)?.[1])).toBeGreaterThan(100);
  silent.closeAllConnections();
  silent.close();
  await agent.stop();
  await running.stop();
  // What nobody took is there for the next process.
  expect(
    readdirSync(join(processes.data, 'telemetry')).filter((name) => name.endsWith('.batch')).length,
  ).toBeGreaterThan(0);
}, 120_000);
