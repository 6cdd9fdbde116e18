// `npm run bench:telemetry`: how many rows a second each store takes and acknowledges, beside a floor in the same run: the same rows
// as lines of text, appended to a file and synced batch by batch, by which a busy or slow machine is told from a slow store. Writes
// reports/telemetry/telemetry.md.

import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { questdb, startQuestDb } from '../../core/live/services/questdb.ts';
import { DuckDbStore } from '../../core/stores/duckdb-store.ts';
import { LineWriter } from '../../core/stores/line-protocol.ts';
import { QuestDbStore } from '../../core/stores/questdb-store.ts';
import { defaultBatcherSettings, TelemetryBatcher } from '../../core/telemetry/batcher.ts';
import { batchOf, type TelemetryBatch } from '../../core/telemetry/rows.ts';
import type { TableName, TelemetryRow } from '../../core/telemetry/tables.ts';
import type { TelemetryStore } from '../../core/telemetry/telemetry-store.ts';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import { plural } from '../format.ts';

const rounds = 3;
const rowsPerRound = 300_000;
const rowsPerBatch = 8192;
const inFlight = 4;
const start = Date.UTC(2026, 0, 5) * 1000;

interface Measure {
  readonly what: string;
  readonly table: string;
  /** Of the best round, and of the processor time of this process in it. */
  readonly rowsPerSecond: number;
  readonly rowsPerProcessorSecond: number;
  readonly floor: number;
}

const loadRow = (number: number): TelemetryRow<'agent_load'> => ({
  ...{ time: start + number, run: 'live', agent: `agent-${number % 1000}`, state: 'ready', running: number % 7 },
  cpu_capacity_milli: 64_000,
  cpu_used_milli: (number * 37) % 64_000,
  memory_capacity_mib: 262_144,
  memory_used_mib: (number * 91) % 262_144,
  gpu_capacity_milli: 8000,
  gpu_used_milli: (number * 13) % 8000,
});
const eventRow = (number: number): TelemetryRow<'task_events'> => ({
  time: start + number,
  run: 'live',
  sequence: number,
  part: 0,
  event: 'finished',
  submitter: 1,
  ...{ submission: number, task: number, attempt: number, agent: `agent-${number % 1000}`, tenant: `t${number % 9}` },
  ...{ task_class: `class-${number % 20}`, outcome: 'completed', estimate_seconds: 10, service_seconds: number / 7 },
});

/** Batches of one round; no two rounds share a key. */
function makeBatches(table: 'agent_load' | 'task_events', round: number): TelemetryBatch<TableName>[] {
  const batches: TelemetryBatch<TableName>[] = [];
  for (let from = 0; from < rowsPerRound; from += rowsPerBatch) {
    const numbers = Array.from(
      { length: Math.min(rowsPerBatch, rowsPerRound - from) },
      (_, index) => round * rowsPerRound + from + index,
    );
    batches.push(table === 'agent_load' ? batchOf(table, numbers.map(loadRow)) : batchOf(table, numbers.map(eventRow)));
  }
  return batches;
}

/** The best of the rounds. */
async function measure(
  table: 'agent_load' | 'task_events',
  write: (batches: readonly TelemetryBatch<TableName>[]) => Promise<void>,
): Promise<{ readonly wall: number; readonly processor: number }> {
  let wall = 0;
  let processor = 0;
  for (let round = 0; round < rounds; round++) {
    const batches = makeBatches(table, round);
    const began = performance.now();
    const used = process.cpuUsage();
    await write(batches);
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(used);
    wall = Math.max(wall, rowsPerRound / seconds);
    processor = Math.max(processor, rowsPerRound / ((user + system) / 1e6));
  }
  return { wall, processor };
}

async function writeAll(store: TelemetryStore, batches: readonly TelemetryBatch<TableName>[]): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < batches.length) await store.write(batches[next++] as TelemetryBatch<TableName>);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

/** Nanoseconds a row on the kernel's thread: gathered, closed, handed over. */
function gatherNanos(): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const taken: number[] = [];
    const sink = {
      push: (effect: { readonly kind: string; readonly batch: number }): void => {
        if (effect.kind === 'write') taken.push(effect.batch);
      },
    };
    const batcher = new TelemetryBatcher(defaultBatcherSettings);
    const began = performance.now();
    for (let number = 0; number < rowsPerRound; number++) {
      batcher.add('task_events', eventRow(number), number, sink);
      for (let batch = taken.pop(); batch !== undefined; batch = taken.pop()) batcher.written(batch, number, sink);
    }
    best = Math.min(best, ((performance.now() - began) * 1e6) / rowsPerRound);
  }
  return best;
}

const folder = mkdtempSync(join(tmpdir(), 'sira-bench-telemetry-'));
const measures: Measure[] = [];
try {
  const server = questdb.find() === undefined ? undefined : await startQuestDb(join(folder, 'questdb'));
  for (const table of ['agent_load', 'task_events'] as const) {
    const lines = new LineWriter();
    const file = openSync(join(folder, `${table}.lines`), 'a');
    const floor = await measure(table, async (batches) => {
      for (const batch of batches) {
        writeSync(file, lines.write(batch));
        fsyncSync(file);
      }
    });
    closeSync(file);
    const stores: [string, TelemetryStore][] = [['DuckDB', new DuckDbStore({ file: join(folder, `${table}.duckdb`) })]];
    if (server !== undefined) stores.push(['QuestDB', new QuestDbStore({ url: server.url, timeoutMillis: 60_000 })]);
    for (const [what, store] of stores) {
      await store.open();
      const { wall, processor } = await measure(table, (batches) => writeAll(store, batches));
      measures.push({ what, table, rowsPerSecond: wall, rowsPerProcessorSecond: processor, floor: floor.wall });
      await store.close();
    }
  }
  await server?.stop();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const thousands = (value: number): string => `${Math.round(value / 1000)},000`;
const page = `# Telemetry: rows a second

Made by \`npm run bench:telemetry\`: ${rounds} rounds of ${thousands(rowsPerRound)} rows in batches of ${rowsPerBatch}, ${inFlight} at once; a row counts when the store
has acknowledged it (DuckDB: committed; QuestDB: in its write-ahead log, over HTTP on loopback). The floor is the same rows as lines of
text, appended to a file and synced after each batch. ${plural(availableParallelism(), 'core')}, ${cpus()[0]?.model.trim()}, load ${loadavg()[0]?.toFixed(1)} at the end; Node ${process.versions.node}.
Best round of each; processor time is that of the writing process alone.

| store | table | rows/s | rows per second of processor time | beside the floor |
|---|---|---|---|---|
${measures
  .map(
    ({ what, table, rowsPerSecond, rowsPerProcessorSecond, floor }) =>
      `| ${what} | \`${table}\` | ${thousands(rowsPerSecond)} | ${thousands(rowsPerProcessorSecond)} | ${(rowsPerSecond / floor).toFixed(2)} of ${thousands(floor)} |`,
  )
  .join('\n')}

On the kernel's thread a row of \`task_events\` costs ${(gatherNanos() / 1000).toFixed(2)} µs: gathered into columns, closed into batches, handed over. Encoding and
sending are on a thread of their own.
`;
process.stdout.write(page);
if (process.argv.includes('--write')) writeFileSync(join(projectRoot(), 'reports', 'telemetry', 'telemetry.md'), page);
