// What the journal adds to a decision: from a submission to the moment in which its dispatch may leave, without a journal, with one in
// memory, with one that the operating system has, and with one that the disk has. The cases take turns, so that all see the same
// weather; floors are one turn of the event loop, one append, and one append with its sync.

import { closeSync, fdatasync, mkdtempSync, openSync, rmSync, write } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LiveFiles } from '../../../core/live/files.ts';
import { DecisionShell, type FilesOf } from './decision-shell.bench.ts';
import { MemoryFiles } from './memory-files.bench.ts';
import { type Latencies, latenciesOf } from './open-load.bench.ts';
import { type Surroundings, watchMachine } from './surroundings.bench.ts';

export interface DecisionRow {
  readonly name: string;
  readonly latency: Latencies;
  /** Of this process, a decision and the end of its task; 0 for floors. */
  readonly cpuMicros: number;
  /** Of the medians: this one's less that without a journal. */
  readonly addedMicros: number;
}

export interface JournalBench {
  readonly rows: readonly DecisionRow[];
  readonly floors: readonly DecisionRow[];
  readonly surroundings: Surroundings;
}

export interface JournalBenchOptions {
  readonly turns: number;
  readonly perTurn: number;
}

const warmUp = 2000;
/** About what the inputs of one decision take in the journal. */
const floorBytes = 512;

export async function benchJournal(
  { turns, perTurn }: JournalBenchOptions,
  told: (what: string) => void,
): Promise<JournalBench> {
  const folder = mkdtempSync(join(tmpdir(), 'sira-journal-bench-'));
  const onDisk =
    (name: string, syncs: boolean): FilesOf =>
    (store, complete) =>
      new LiveFiles(join(folder, name, store), complete, { syncs });
  const cases: { name: string; shell: DecisionShell; millis: number[]; cpuMicros: number }[] = [];
  for (const [name, files] of [
    ['no journal', undefined],
    ['in memory', (_: unknown, complete: ConstructorParameters<typeof MemoryFiles>[0]) => new MemoryFiles(complete)],
    ['processCrash', onDisk('crash', false)],
    ['powerFailure', onDisk('power', true)],
  ] as const)
    cases.push({ name, shell: await DecisionShell.start(files), millis: [], cpuMicros: 0 });
  const floors = floorsIn(folder).map((each) => ({ ...each, millis: [] as number[] }));
  try {
    told('the compiler sees it all');
    for (const { shell } of cases.slice(0, 3)) for (let count = 0; count < warmUp; count++) await shell.decide();
    const watched = watchMachine();
    for (let turn = 0; turn < turns; turn++) {
      told(`decisions, turn ${turn + 1} of ${turns}`);
      for (const each of cases) {
        const before = process.cpuUsage();
        for (let count = 0; count < perTurn; count++) each.millis.push((await each.shell.decide()) / 1000);
        const { user, system } = process.cpuUsage(before);
        each.cpuMicros += user + system;
      }
      for (const each of floors)
        for (let count = 0; count < perTurn; count++) {
          const begin = performance.now();
          await each.act();
          each.millis.push(performance.now() - begin);
        }
    }
    const rows = cases.map(({ name, millis, cpuMicros }) => ({
      ...{ name, latency: latenciesOf({ millis, late: [] }), cpuMicros: cpuMicros / millis.length },
    }));
    const least = rows[0]?.latency.p50Millis ?? 0;
    return {
      rows: rows.map((row) => ({ ...row, addedMicros: 1000 * (row.latency.p50Millis - least) })),
      floors: floors.map(({ name, millis }) => ({
        ...{ name, latency: latenciesOf({ millis, late: [] }), cpuMicros: 0, addedMicros: 0 },
      })),
      surroundings: watched(),
    };
  } finally {
    for (const { close } of floors) close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function floorsIn(folder: string): { name: string; act: () => Promise<unknown>; close: () => void }[] {
  const descriptor = openSync(join(folder, 'floor'), 'a');
  const block = Buffer.alloc(floorBytes, 7);
  const append = (): Promise<unknown> => promisify(write)(descriptor, block);
  return [
    { name: 'one turn of the event loop', act: () => new Promise((resolve) => setImmediate(resolve)), close() {} },
    { name: `append of ${floorBytes} bytes`, act: append, close() {} },
    {
      name: `append of ${floorBytes} bytes and fdatasync`,
      act: async () => {
        await append();
        await promisify(fdatasync)(descriptor);
      },
      close: () => closeSync(descriptor),
    },
  ];
}
