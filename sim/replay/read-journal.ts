// Reads the journal of a live kernel from its data folder alone: a snapshot, then every input after it, in order, with the marks
// that were kept of its effects. Nothing is written, and the kernel that owns the folder may run: then it ends with what was on
// the disk when the reading began. What is done with the inputs is the reader's business.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import type { EffectMarks } from '../../core/kernel/effect-marks.ts';
import type { Input } from '../../core/kernel/inputs.ts';
import {
  defaultJournalSettings,
  Journal,
  type JournalFileEffect,
  type JournalReport,
  type JournalStore,
} from '../../core/kernel/journal.ts';
import { restoreSnapshot } from '../../core/kernel/journaled-kernel.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import type { LogFault } from '../../core/log/log.ts';
import { decodeSegmentHeader, segmentHeaderBytes } from '../../core/log/segment.ts';
import { type Snapshot, SnapshotStore } from '../../core/log/snapshot-store.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import { FrozenFiles } from './frozen-files.ts';

/** Where a journal is, and what of it to read. */
export interface JournalSource {
  /** The data folder of a kernel: `log` and `snapshots` lie in it. */
  readonly folder: string;
  /** Of the code that reads; a journal of other code is refused. `undefined`: read what any code wrote, as far as it can be read. */
  readonly codeHash: string | undefined;
}

export interface JournalReader {
  /** The kernel as the snapshot has it, with all inputs up to `kernel.lastSequence`. */
  restored(kernel: Kernel, profile: Profile): void;
  /** The next input; the envelope is used again for the one after it. False: enough. */
  input(input: Input, marks: EffectMarks | undefined): boolean;
}

/** Snapshots of a journal by the last input that they hold, oldest first. Throws SIRA_FILE_MISSING if there is none. */
export function snapshotSequences(source: JournalSource): readonly number[] {
  const folder = join(source.folder, 'snapshots');
  const numbers = new FrozenFiles(folder).names.flatMap((name) => /^(\d+)\.snapshot$/.exec(name)?.[1] ?? []);
  if (numbers.length > 0) return numbers.map(Number);
  const reason = existsSync(folder) ? 'there is no snapshot in it' : 'it is not the data folder of a kernel';
  throw new SiraError('SIRA_FILE_MISSING', `${reason}: a journal is read from a snapshot on`, { file: source.folder });
}

/** The digest over all effects that the kernel had when it took this snapshot; `undefined` if the file is damaged. */
export function snapshotDigest(source: JournalSource, sequence: number): string | undefined {
  const snapshot = readSnapshot(source, sequence);
  return snapshot === undefined ? undefined : restoreSnapshot(snapshot.body).kernel.digest;
}

/** The oldest snapshot from which the whole rest was written by this code. Throws SIRA_FILE_MISSING, or what hinders the newest
 *  from being read. */
export function oldestReadable(source: JournalSource): number {
  let fault: unknown;
  for (const sequence of snapshotSequences(source)) {
    try {
      const isAtEnd = readJournal(source, sequence, { restored() {}, input: () => false }) !== undefined;
      // A snapshot that nothing follows is no answer about inputs that other code handled.
      if (isAtEnd && fault !== undefined) break;
      return sequence;
    } catch (error) {
      // Whoever upgraded the kernel went over a snapshot: what follows that one can be read.
      if (!(error instanceof SiraError) || error.code !== 'SIRA_LOG_VERSION') throw error;
      fault = error;
    }
  }
  throw fault;
}

/** Reads from the snapshot at `fromSequence` on. What it found, `undefined` if the reader had enough. Throws SIRA_LOG_CORRUPT,
 *  SIRA_LOG_VERSION, SIRA_DISK_FAILED. */
export function readJournal(
  source: JournalSource,
  fromSequence: number,
  reader: JournalReader,
): JournalReport | undefined {
  const { folder } = source;
  const files: Readonly<Record<JournalStore, FrozenFiles>> = {
    log: new FrozenFiles(join(folder, 'log')),
    snapshots: new FrozenFiles(join(folder, 'snapshots')),
  };
  const sink = { push: ({ store, operation }: JournalFileEffect): void => files[store].submit(operation) };
  let fault: LogFault | undefined;
  let report: JournalReport | undefined;
  let goesOn = true;
  const journal = new Journal(
    { ...defaultJournalSettings, codeHash: source.codeHash ?? writerOf(files.log) },
    {
      begin: () => {
        throw new SiraError('SIRA_FILE_MISSING', 'there is no snapshot in it', { file: folder });
      },
      restore: (body) => {
        const { kernel, profile } = restoreSnapshot(body);
        reader.restored(kernel, profile);
      },
      replay: (input, _, marks) => {
        if (goesOn) goesOn = reader.input(input, marks);
      },
      opened: (found) => {
        report = found;
      },
      durable() {},
      stalled() {},
      failed: (found) => {
        fault = found;
      },
    },
  );
  journal.open(0, sink, fromSequence);
  while (goesOn && fault === undefined && report === undefined) {
    const store = (['snapshots', 'log'] as const).find((each) => files[each].isWaiting);
    if (store === undefined) break;
    const completion = files[store].next();
    if (completion !== undefined) journal.complete(store, completion, 0, sink);
  }
  if (fault !== undefined) {
    const { code, reason, file } = fault;
    throw new SiraError(code, reason, { file: file === undefined ? folder : join(folder, 'log', file) });
  }
  return goesOn ? report : undefined;
}

function readSnapshot(source: JournalSource, sequence: number): Snapshot | undefined {
  const files = new FrozenFiles(join(source.folder, 'snapshots'));
  const store = new SnapshotStore();
  let found: Snapshot | undefined;
  const sink = {
    push: (effect: Parameters<Parameters<SnapshotStore['readLatest']>[0]['push']>[0]): void => {
      if (effect.kind === 'file') files.submit(effect.operation);
      else if (effect.kind === 'snapshotRead') found = effect.snapshot;
    },
  };
  store.readLatest(sink, sequence);
  for (let next = files.next(); next !== undefined; next = files.next()) store.complete(next, sink);
  return found?.offset === sequence ? found : undefined;
}

/** The code that wrote the newest segment. */
function writerOf(files: FrozenFiles): string {
  const newest = files.names.filter((name) => name.endsWith('.log')).at(-1);
  if (newest === undefined) return '';
  files.submit({ id: 0, request: { kind: 'readAt', file: newest, position: 0, length: segmentHeaderBytes } });
  const completion = files.next();
  const header = completion?.ok === true ? decodeSegmentHeader(completion.bytes) : 'damaged';
  return typeof header === 'string' ? '' : header.codeHash;
}
