// The folder in which a live kernel keeps its journal, snapshots and payloads, and the lock that keeps a second kernel off it.
// The lock is a file that names its owner by process number and start; one whose owner is gone is taken over. It guards against
// mistakes on one machine, not against two machines that share the folder.

import { closeSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SiraError } from '../base/errors.ts';

const lockName = 'lock.json';

interface Owner {
  readonly pid: number;
  /** When the process began, in ticks since the machine did; empty where the system does not say. */
  readonly started: string;
  readonly since: string;
}

export class DataFolder {
  readonly path: string;
  private readonly lockFile: string;
  private readonly owner: string;

  private constructor(path: string, lockFile: string, owner: string) {
    this.path = path;
    this.lockFile = lockFile;
    this.owner = owner;
  }

  /** Makes the folder if it is not there, and takes the lock. Throws SIRA_DATA_LOCKED, SIRA_DISK_FAILED. */
  static open(path: string): DataFolder {
    const lockFile = join(path, lockName);
    const { pid } = process;
    const owner = JSON.stringify({ pid, started: startOf(pid) ?? '', since: new Date().toISOString() } satisfies Owner);
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      for (let attempt = 0; attempt < 3; attempt++) {
        if (create(lockFile, owner)) return new DataFolder(path, lockFile, owner);
        const present = read(lockFile);
        if (present === undefined) continue;
        if (isAlive(present)) throw lockedBy(path, present);
        takeAway(lockFile, present);
      }
    } catch (error) {
      if (error instanceof SiraError) throw error;
      throw new SiraError('SIRA_DISK_FAILED', `the data folder cannot be used: ${(error as Error).message}`, {
        file: path,
      });
    }
    throw lockedBy(path, read(lockFile) ?? '');
  }

  folder(name: 'log' | 'snapshots' | 'payloads'): string {
    return join(this.path, name);
  }

  release(): void {
    if (read(this.lockFile) === this.owner) unlinkSync(this.lockFile);
  }
}

/** False if there is one. */
function create(file: string, content: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  writeSync(descriptor, content);
  closeSync(descriptor);
  return true;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes a lock whose owner is gone; if another process was faster, its lock is put back. */
function takeAway(file: string, stale: string): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (read(aside) !== stale) {
    try {
      linkSync(aside, file);
    } catch {
      // A third one has taken it meanwhile; the second finds that out when it verifies.
    }
  }
  unlinkSync(aside);
}

function isAlive(content: string): boolean {
  const { pid, started } = parse(content);
  if (pid === undefined) return false;
  const now = startOf(pid);
  // A process of the same number that began at another time is somebody else: the owner is gone.
  if (now !== undefined && started !== '') return now === started;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function parse(content: string): { readonly pid: number | undefined; readonly started: string } {
  try {
    const { pid, started } = JSON.parse(content) as Partial<Owner>;
    return { pid: Number.isSafeInteger(pid) ? pid : undefined, started: started ?? '' };
  } catch {
    return { pid: undefined, started: '' };
  }
}

/** Start of a process as the kernel of Linux tells it, with the boot that it counts from. */
function startOf(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return undefined;
  }
}

function lockedBy(path: string, content: string): SiraError {
  const { pid } = parse(content);
  return new SiraError(
    'SIRA_DATA_LOCKED',
    `${path} is in use${pid === undefined ? '' : ` by process ${pid}`}`,
    { file: path },
    pid === undefined ? undefined : `Stop process ${pid}, or give another folder with --data.`,
  );
}
