// Reads a journal from its files alone, in a kernel of its own: every input in order with the effects that it brings about,
// beginning with the oldest snapshot kept. The kernel that wrote it must not run. The files stay as they are, but for a torn
// tail, which is cut as at every opening: who wants to keep that gives a copy.

import { readdirSync } from 'node:fs';
import { SiraError } from '../base/errors.ts';
import type { Effect } from '../kernel/effects.ts';
import type { Input } from '../kernel/inputs.ts';
import { defaultJournalSettings, Journal, type JournalFileEffect, type JournalStore } from '../kernel/journal.ts';
import { restoreSnapshot } from '../kernel/journaled-kernel.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { LogFault } from '../log/log.ts';
import { codeHash } from './code-hash.ts';
import { LiveFiles } from './files.ts';

/** The kernel after the last input. Throws SIRA_FILE_MISSING, SIRA_LOG_CORRUPT, SIRA_LOG_VERSION, SIRA_DISK_FAILED. */
export async function readJournal(
  folders: Readonly<Record<JournalStore, string>>,
  each: (input: Input, effects: readonly Effect[], kernel: Kernel) => void,
): Promise<Kernel> {
  const oldest = oldestSnapshot(folders.snapshots);
  if (oldest === undefined) throw new SiraError('SIRA_FILE_MISSING', `there is no snapshot in ${folders.snapshots}`);
  let kernel: Kernel | undefined;
  const fault = await new Promise<LogFault | undefined>((resolve) => {
    const sink = { push: ({ store, operation }: JournalFileEffect) => files[store].submit(operation) };
    const journal = new Journal(
      { ...defaultJournalSettings, codeHash: codeHash() },
      {
        begin: () => {
          throw new Error('a journal that is read has a snapshot');
        },
        restore: (body) => {
          kernel = restoreSnapshot(body).kernel;
        },
        replay: (input) => {
          const effects: Effect[] = [];
          kernel?.handle(input, effects);
          each(input, effects, kernel as Kernel);
        },
        opened: () => resolve(undefined),
        durable: () => {},
        stalled: () => {},
        failed: resolve,
      },
    );
    const open = (store: JournalStore): LiveFiles =>
      new LiveFiles(folders[store], (completion) => journal.complete(store, completion, 0, sink), { syncs: false });
    const files: Readonly<Record<JournalStore, LiveFiles>> = { log: open('log'), snapshots: open('snapshots') };
    journal.open(0, sink, oldest);
  });
  if (fault !== undefined)
    throw new SiraError(fault.code, fault.reason, fault.file === undefined ? {} : { file: fault.file });
  return kernel as Kernel;
}

/** The input up to which it holds everything. */
function oldestSnapshot(folder: string): number | undefined {
  try {
    const numbers = readdirSync(folder).flatMap((name) => /^(\d+)\.snapshot$/.exec(name)?.[1] ?? []);
    return numbers.length === 0 ? undefined : Math.min(...numbers.map(Number));
  } catch {
    return undefined;
  }
}
