// How fast the log appends to real files, beside the floor: plain write and fdatasync of the same bytes from the same
// process, one batch after another. Figures are of this machine's disk; the ratios say what the log itself costs.
// Run: npx tsx core/live/files.bench.ts [--json FILE]

import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Table from 'cli-table3';
import { median, quantile } from 'simple-statistics';
import { crc32c } from '../log/crc32c.ts';
import { Log, type LogEffect } from '../log/log.ts';
import { recordLength } from '../log/record.ts';
import { LiveFiles } from './files.ts';

/** One case: records of a size, so many waiting at once. */
interface Case {
  readonly valueBytes: number;
  /** Appends that wait for the disk at any moment: 1 is a caller who waits for each. */
  readonly waiting: number;
  readonly records: number;
}

export interface AppendRow extends Case {
  readonly recordsPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly recordsPerSync: number;
  /** From append to durable, milliseconds. */
  readonly latencyMedianMillis: number;
  readonly latency99Millis: number;
  /** Plain write and fdatasync in batches as large as the log's were on average. */
  readonly floorMegabytesPerSecond: number;
  readonly ratio: number;
}

export interface AppendBench {
  readonly machine: string;
  readonly rows: readonly AppendRow[];
  /** One write of 4 KiB and its fdatasync, milliseconds. */
  readonly syncMedianMillis: number;
  readonly sync99Millis: number;
  readonly checksumMegabytesPerSecond: number;
}

const cases: readonly Case[] = [
  { valueBytes: 100, waiting: 1, records: 300 },
  { valueBytes: 100, waiting: 100, records: 20_000 },
  { valueBytes: 100, waiting: 10_000, records: 1_000_000 },
  { valueBytes: 1000, waiting: 10_000, records: 200_000 },
  { valueBytes: 65_536, waiting: 100, records: 5000 },
];
const repetitions = 3;

const millis = (): number => performance.now();

interface LogRun {
  readonly seconds: number;
  readonly syncs: number;
  readonly latencies: readonly number[];
}

async function runLog(folder: string, { valueBytes, waiting, records }: Case): Promise<LogRun> {
  const log = new Log({ pendingBytesMax: 256 * 1024 * 1024 });
  const value = new Uint8Array(valueBytes).fill(7);
  const begun: number[] = [];
  const latencies: number[] = [];
  let syncs = 0;
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const effects = { push: (effect: LogEffect): void => take(effect) };
  const files = new LiveFiles(folder, (completion) => {
    log.complete(completion, effects);
    if (log.state === 'open') fill();
  });
  const fill = (): void => {
    const most = Math.min(records, log.durableEnd + waiting);
    while (log.nextOffset < most) {
      const offset = log.nextOffset;
      if (offset % 16 === 0) begun[offset] = millis();
      log.append({ timeMicros: 0, value });
    }
    log.flush(effects);
  };
  let reported = 0;
  const take = (effect: LogEffect): void => {
    if (effect.kind === 'file') files.submit(effect.operation);
    else if (effect.kind === 'logDurable') {
      syncs++;
      const now = millis();
      for (let offset = Math.ceil(reported / 16) * 16; offset < effect.endOffset; offset += 16) {
        latencies.push(now - begun[offset]!);
      }
      reported = effect.endOffset;
      if (reported === records) finish();
    } else if (effect.kind === 'logFailed' || effect.kind === 'logOpenFailed') throw new Error(effect.fault.reason);
  };
  const start = millis();
  log.open(0, effects);
  await finished;
  const seconds = (millis() - start) / 1000;
  await files.close();
  return { seconds, syncs, latencies };
}

/** Seconds to write `total` bytes in batches of `batch`, each synced. */
function runFloor(folder: string, total: number, batch: number): number {
  const descriptor = openSync(join(folder, 'floor'), 'w');
  const bytes = new Uint8Array(batch).fill(7);
  const start = millis();
  for (let written = 0; written < total; written += batch) {
    writeSync(descriptor, bytes);
    fdatasyncSync(descriptor);
  }
  const seconds = (millis() - start) / 1000;
  closeSync(descriptor);
  return seconds;
}

async function inFolder<T>(use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sira-log-bench-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(measured: Case): Promise<AppendRow> {
  const total = recordLength(0, measured.valueBytes) * measured.records;
  const runs: (LogRun & { readonly floorSeconds: number })[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const run = await inFolder((folder) => runLog(folder, measured));
    const batch = Math.max(1, Math.round(total / run.syncs));
    runs.push({ ...run, floorSeconds: await inFolder((folder) => runFloor(folder, total, batch)) });
  }
  const seconds = median(runs.map((run) => run.seconds));
  const latencies = runs.flatMap((run) => run.latencies);
  return {
    ...measured,
    recordsPerSecond: measured.records / seconds,
    megabytesPerSecond: total / seconds / 1e6,
    recordsPerSync: measured.records / median(runs.map((run) => run.syncs)),
    latencyMedianMillis: median(latencies),
    latency99Millis: quantile(latencies, 0.99),
    floorMegabytesPerSecond: total / median(runs.map((run) => run.floorSeconds)) / 1e6,
    ratio: median(runs.map((run) => run.floorSeconds / run.seconds)),
  };
}

/** Measures all cases; half a minute or so. `progress` is told the name of each before it runs. */
export async function benchAppend(progress: (name: string) => void = () => {}): Promise<AppendBench> {
  // The compiler sees it all before anything is measured.
  await inFolder((folder) => runLog(folder, { valueBytes: 100, waiting: 1000, records: 50_000 }));
  const rows: AppendRow[] = [];
  for (const measured of cases) {
    progress(`${measured.valueBytes} bytes, ${measured.waiting} waiting`);
    rows.push(await measure(measured));
  }
  const syncs = await inFolder((folder) =>
    Array.from({ length: 200 }, () => {
      const start = millis();
      runFloor(folder, 4096, 4096);
      return millis() - start;
    }),
  );
  const bytes = new Uint8Array(1024 * 1024).fill(3);
  const start = millis();
  for (let round = 0; round < 200; round++) crc32c(bytes);
  const checksumMegabytesPerSecond = (200 * bytes.length) / (millis() - start) / 1000;
  return {
    machine: `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}`,
    rows,
    syncMedianMillis: median(syncs),
    sync99Millis: quantile(syncs, 0.99),
    checksumMegabytesPerSecond,
  };
}

/** The result as a table for the terminal. */
export function formatAppendBench(bench: AppendBench): string {
  const table = new Table({
    head: ['value', 'waiting', 'records/s', 'MB/s', 'records/sync', 'latency p50', 'p99', 'floor MB/s', 'ratio'],
    style: { head: [], border: [] },
  });
  for (const row of bench.rows) {
    table.push([
      `${row.valueBytes} B`,
      String(row.waiting),
      row.recordsPerSecond.toFixed(0),
      row.megabytesPerSecond.toFixed(1),
      row.recordsPerSync.toFixed(1),
      `${row.latencyMedianMillis.toFixed(2)} ms`,
      `${row.latency99Millis.toFixed(2)} ms`,
      row.floorMegabytesPerSecond.toFixed(1),
      row.ratio.toFixed(2),
    ]);
  }
  return [
    `append to real files, on ${bench.machine}; medians of ${repetitions} interleaved repetitions`,
    table.toString(),
    `floor: write and fdatasync in batches as large as the log's. 4 KiB: p50 ${bench.syncMedianMillis.toFixed(2)} ms, ` +
      `p99 ${bench.sync99Millis.toFixed(2)} ms. CRC-32C: ${bench.checksumMegabytesPerSecond.toFixed(0)} MB/s`,
  ].join('\n');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const bench = await benchAppend((name) => process.stderr.write(`measuring ${name}\n`));
  console.log(formatAppendBench(bench));
  const json = process.argv.indexOf('--json');
  if (json >= 0)
    writeFileSync(process.argv[json + 1] ?? 'append-bench.json', `${JSON.stringify(bench, undefined, 2)}\n`);
}
