// The real adapter of the file port: one folder of the file system through node:fs, callbacks below, completions above. It
// keeps the order that the port promises with one queue a file and one for the names, and a bounded number of files open.
// Completions of one queue come in order; what they mean is the log's business.

import {
  close,
  fdatasync,
  fstat,
  fsync,
  ftruncate,
  mkdirSync,
  open,
  read,
  readdir,
  rename,
  stat,
  unlink,
  write,
} from 'node:fs';
import { join } from 'node:path';
import { assert } from '../base/assert.ts';
import {
  type FileCompletion,
  type FileEntry,
  type FileFailure,
  type FileOperation,
  type FilePort,
  type FileRequest,
  isFileName,
} from '../ports/file-port.ts';

/** Files kept open at most while nothing is asked of them. */
const idleFilesMax = 64;

/** Waiting and running operations of a file, or of the names of the folder. */
interface Lane {
  readonly queue: Job[];
  file: OpenFile | undefined;
}

interface OpenFile {
  readonly descriptor: number;
  sizeBytes: number;
  /** Reads under way, which keep the descriptor open. */
  readers: number;
  /** To be closed once nobody reads. */
  released: boolean;
}

interface Job {
  readonly operation: FileOperation;
  readonly lanes: readonly string[];
  started: boolean;
}

interface Answer {
  readonly bytes?: Uint8Array;
  readonly entries?: readonly FileEntry[];
}

type Finish = (error: NodeJS.ErrnoException | null, answer?: Answer) => void;

const noBytes: Readonly<Uint8Array> = new Uint8Array(0);
const names = '';

export interface LiveFilesOptions {
  /** False: `sync` and `syncFolder` answer at once, and what was written outlives the end of this process, but no power failure. */
  readonly syncs?: boolean;
}

export class LiveFiles implements FilePort {
  readonly folder: string;
  private readonly syncs: boolean;
  private readonly complete: (completion: FileCompletion) => void;
  private readonly lanes = new Map<string, Lane>();
  private unfinished = 0;
  private whenIdle: (() => void)[] = [];

  /**
   * @param folder made if it is not there, with the folders above it.
   * @throws what node:fs throws when the folder cannot be made.
   */
  constructor(folder: string, complete: (completion: FileCompletion) => void, options: LiveFilesOptions = {}) {
    mkdirSync(folder, { recursive: true });
    this.syncs = options.syncs ?? true;
    this.folder = folder;
    this.complete = complete;
  }

  submit(operation: FileOperation): void {
    const { request } = operation;
    for (const name of filesOf(request)) assert(isFileName(name), 'not a file name');
    this.unfinished++;
    if (request.kind === 'readAt') {
      this.read(operation, request.file, request.position, request.length);
      return;
    }
    const job: Job = { operation, lanes: lanesOf(request), started: false };
    for (const name of job.lanes) this.lane(name).queue.push(job);
    this.start(job);
  }

  /** Waits for what was submitted, then closes all files. */
  async close(): Promise<void> {
    if (this.unfinished > 0) await new Promise<void>((resolve) => this.whenIdle.push(resolve));
    for (const lane of this.lanes.values()) await closed(lane);
    this.lanes.clear();
  }

  private lane(name: string): Lane {
    let lane = this.lanes.get(name);
    if (lane === undefined) {
      this.closeIdle();
      lane = { queue: [], file: undefined };
      this.lanes.set(name, lane);
    }
    return lane;
  }

  /** Runs the job if it is the first of all its queues. */
  private start(job: Job): void {
    if (job.started || !job.lanes.every((name) => this.lanes.get(name)?.queue[0] === job)) return;
    job.started = true;
    const { operation } = job;
    const finish: Finish = (error, answer) => {
      for (const name of job.lanes) this.lanes.get(name)!.queue.shift();
      this.answer(operation.id, operation.request, error, answer);
      for (const name of job.lanes) {
        const next = this.lanes.get(name)?.queue[0];
        if (next !== undefined) this.start(next);
      }
    };
    this.perform(operation.request, finish);
  }

  private answer(id: number, request: FileRequest, error: NodeJS.ErrnoException | null, answer: Answer = {}): void {
    this.unfinished--;
    if (error === null) this.complete({ id, ok: true, bytes: answer.bytes ?? noBytes, entries: answer.entries ?? [] });
    else {
      const reason = `${request.kind} in ${this.folder}: ${error.message}`;
      this.complete({ id, ok: false, failure: failureOf(error), reason });
    }
    if (this.unfinished === 0) for (const resolve of this.whenIdle.splice(0)) resolve();
  }

  private perform(request: FileRequest, finish: Finish): void {
    switch (request.kind) {
      case 'list':
        this.list(finish);
        return;
      case 'syncFolder':
        if (this.syncs) syncFolder(this.folder, finish);
        else setImmediate(finish, null);
        return;
      case 'create':
        open(this.path(request.file), 'wx+', (error, descriptor) => {
          if (error === null) this.lane(request.file).file = openFile(descriptor, 0);
          finish(error);
        });
        return;
      case 'append':
        this.withFile(request.file, finish, (file) => writeAll(file, request.bytes, finish));
        return;
      case 'sync':
        // Sizes are among what fdatasync writes, times are not.
        this.withFile(request.file, finish, (file) => {
          if (this.syncs) fdatasync(file.descriptor, (error) => finish(error));
          else setImmediate(finish, null);
        });
        return;
      case 'truncate':
        this.withFile(request.file, finish, (file) => {
          if (request.size > file.sizeBytes) {
            // Never during `submit`.
            setImmediate(() => finish(new Error(`${request.file} is shorter than ${request.size} bytes`)));
            return;
          }
          ftruncate(file.descriptor, request.size, (error) => {
            if (error === null) file.sizeBytes = request.size;
            finish(error);
          });
        });
        return;
      case 'rename':
        release(this.lane(request.file));
        release(this.lane(request.to));
        rename(this.path(request.file), this.path(request.to), (error) => finish(error));
        return;
      case 'remove':
        release(this.lane(request.file));
        unlink(this.path(request.file), (error) => finish(error));
        return;
      case 'readAt':
        throw new Error('reads have no queue');
    }
  }

  private read(operation: FileOperation, name: string, position: number, length: number): void {
    const { id, request } = operation;
    const finish: Finish = (error, answer) => this.answer(id, request, error, answer);
    const bytes = new Uint8Array(length);
    const file = this.lanes.get(name)?.file;
    if (file !== undefined) {
      file.readers++;
      readAll(file.descriptor, bytes, 0, position, (error, answer) => {
        file.readers--;
        if (file.released && file.readers === 0) close(file.descriptor, () => {});
        finish(error, answer);
      });
      return;
    }
    // A descriptor of its own: a lane's is opened in the order of its queue, which reads do not keep.
    open(this.path(name), 'r', (error, descriptor) => {
      if (error !== null) finish(error);
      else
        readAll(descriptor, bytes, 0, position, (failure, answer) => close(descriptor, () => finish(failure, answer)));
    });
  }

  private list(finish: Finish): void {
    readdir(this.folder, (error, found) => {
      if (error !== null) {
        finish(error);
        return;
      }
      const wanted = found.filter(isFileName).sort((left, right) => (left < right ? -1 : 1));
      const entries: FileEntry[] = [];
      const next = (index: number): void => {
        const name = wanted[index];
        if (name === undefined) {
          finish(null, { entries });
          return;
        }
        stat(this.path(name), (failure, found) => {
          // Gone meanwhile is not there.
          if (failure !== null && failure.code !== 'ENOENT') finish(failure);
          else {
            if (failure === null && found.isFile()) entries.push({ name, sizeBytes: found.size });
            next(index + 1);
          }
        });
      };
      next(0);
    });
  }

  /** Calls `use` with the file open and its size known. */
  private withFile(name: string, finish: Finish, use: (file: OpenFile) => void): void {
    const lane = this.lane(name);
    if (lane.file !== undefined) {
      use(lane.file);
      return;
    }
    open(this.path(name), 'r+', (error, descriptor) => {
      if (error !== null) {
        finish(error);
        return;
      }
      fstat(descriptor, (failure, found) => {
        if (failure !== null) {
          close(descriptor, () => finish(failure));
          return;
        }
        lane.file = openFile(descriptor, found.size);
        use(lane.file);
      });
    });
  }

  private closeIdle(): void {
    if (this.lanes.size < idleFilesMax) return;
    for (const [name, lane] of this.lanes) {
      if (lane.queue.length > 0) continue;
      this.lanes.delete(name);
      release(lane);
      if (this.lanes.size < idleFilesMax) return;
    }
  }

  private path(file: string): string {
    return join(this.folder, file);
  }
}

function filesOf(request: FileRequest): string[] {
  if (request.kind === 'list' || request.kind === 'syncFolder') return [];
  return request.kind === 'rename' ? [request.file, request.to] : [request.file];
}

function lanesOf(request: FileRequest): string[] {
  const changesNames = ['list', 'syncFolder', 'create', 'rename', 'remove'].includes(request.kind);
  return [...new Set([...(changesNames ? [names] : []), ...filesOf(request)])];
}

function openFile(descriptor: number, sizeBytes: number): OpenFile {
  return { descriptor, sizeBytes, readers: 0, released: false };
}

/** Gives up the descriptor, as when the name changes. Reads under way keep it until they end. */
function release(lane: Lane): void {
  const { file } = lane;
  lane.file = undefined;
  if (file === undefined) return;
  file.released = true;
  if (file.readers === 0) close(file.descriptor, () => {});
}

function writeAll(file: OpenFile, bytes: Uint8Array, finish: Finish): void {
  write(file.descriptor, bytes, 0, bytes.length, file.sizeBytes, (error, written) => {
    if (error === null) file.sizeBytes += written;
    if (error !== null || written === bytes.length) finish(error);
    else writeAll(file, bytes.subarray(written), finish);
  });
}

function readAll(descriptor: number, bytes: Uint8Array, from: number, position: number, finish: Finish): void {
  read(descriptor, bytes, from, bytes.length - from, position + from, (error, count) => {
    if (error !== null) finish(error);
    else if (count === 0 || from + count === bytes.length) finish(null, { bytes: bytes.subarray(0, from + count) });
    else readAll(descriptor, bytes, from + count, position, finish);
  });
}

function syncFolder(folder: string, finish: Finish): void {
  open(folder, 'r', (error, descriptor) => {
    if (error !== null) finish(error);
    else fsync(descriptor, (failure) => close(descriptor, () => finish(failure)));
  });
}

function closed({ file }: Lane): Promise<void> {
  return new Promise((resolve) => {
    if (file === undefined) resolve();
    else close(file.descriptor, () => resolve());
  });
}

function failureOf(error: NodeJS.ErrnoException): FileFailure {
  switch (error.code) {
    case 'ENOENT':
      return 'notFound';
    case 'EEXIST':
      return 'exists';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'full';
    default:
      return 'ioError';
  }
}
