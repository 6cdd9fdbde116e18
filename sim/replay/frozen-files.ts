// A folder as it was when it was first looked at, for reading a journal that may belong to a kernel which runs: what is changed
// is changed in memory alone, and the files stay as they are. It keeps the promises of the file port, one operation after the
// other; completions are fetched by whoever submits. What is appended is kept in memory, a segment of the log at most.

import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type {
  FileCompletion,
  FileEntry,
  FileFailure,
  FileOperation,
  FilePort,
  FileRequest,
} from '../../core/ports/file-port.ts';

/** A file's bytes: those on the disk up to `diskBytes`, then the pieces appended since. */
interface FrozenFile {
  readonly path: string | undefined;
  diskBytes: number;
  pieces: Uint8Array[];
}

const noBytes = new Uint8Array(0);

export class FrozenFiles implements FilePort {
  private readonly files = new Map<string, FrozenFile>();
  private readonly completions: FileCompletion[] = [];

  /** A folder that is not there is empty. */
  constructor(folder: string) {
    if (!existsSync(folder)) return;
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const found = statSync(path, { throwIfNoEntry: false });
      if (found?.isFile() === true) this.files.set(name, { path, diskBytes: found.size, pieces: [] });
    }
  }

  get names(): readonly string[] {
    return [...this.files.keys()].sort((left, right) => (left < right ? -1 : 1));
  }

  submit({ id, request }: FileOperation): void {
    const answer = this.perform(request);
    this.completions.push(
      typeof answer === 'string'
        ? { id, ok: false, failure: answer, reason: `${request.kind}: ${answer}` }
        : { id, ok: true, bytes: answer.bytes ?? noBytes, entries: answer.entries ?? [] },
    );
  }

  /** Whether there is a completion to fetch. */
  get isWaiting(): boolean {
    return this.completions.length > 0;
  }

  /** The next completion, `undefined` if all have been fetched. */
  next(): FileCompletion | undefined {
    return this.completions.shift();
  }

  private perform(
    request: FileRequest,
  ): FileFailure | { readonly bytes?: Uint8Array; readonly entries?: readonly FileEntry[] } {
    const { files } = this;
    switch (request.kind) {
      case 'list':
        return { entries: this.names.map((name) => ({ name, sizeBytes: sizeOf(files.get(name) as FrozenFile) })) };
      case 'syncFolder':
        return {};
      case 'create':
        if (files.has(request.file)) return 'exists';
        files.set(request.file, { path: undefined, diskBytes: 0, pieces: [] });
        return {};
      default: {
        const file = files.get(request.file);
        if (file === undefined) return 'notFound';
        if (request.kind === 'readAt') return read(file, request.position, request.length);
        if (request.kind === 'append') file.pieces.push(request.bytes.slice());
        else if (request.kind === 'truncate') {
          if (request.size > sizeOf(file)) return 'ioError';
          truncate(file, request.size);
        } else if (request.kind !== 'sync') files.delete(request.file);
        if (request.kind === 'rename') files.set(request.to, file);
        return {};
      }
    }
  }
}

function sizeOf({ diskBytes, pieces }: FrozenFile): number {
  return pieces.reduce((sum, piece) => sum + piece.length, diskBytes);
}

function read(file: FrozenFile, position: number, length: number): FileFailure | { readonly bytes: Uint8Array } {
  const bytes = new Uint8Array(Math.max(0, Math.min(length, sizeOf(file) - position)));
  let filled = 0;
  if (file.path !== undefined && position < file.diskBytes) {
    const wanted = Math.min(bytes.length, file.diskBytes - position);
    const got = readDisk(file.path, bytes, wanted, position);
    // Gone or cut since it was listed: the kernel that owns it has gone on.
    if (got < wanted) return 'ioError';
    filled = got;
  }
  let begin = file.diskBytes;
  for (const piece of file.pieces) {
    const from = Math.max(0, position + filled - begin);
    const part = from < piece.length ? piece.subarray(from, from + bytes.length - filled) : noBytes;
    bytes.set(part, filled);
    filled += part.length;
    begin += piece.length;
  }
  return { bytes };
}

function readDisk(path: string, bytes: Uint8Array, length: number, position: number): number {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return -1;
  }
  try {
    let got = 0;
    while (got < length) {
      const count = readSync(descriptor, bytes, got, length - got, position + got);
      if (count === 0) break;
      got += count;
    }
    return got;
  } finally {
    closeSync(descriptor);
  }
}

function truncate(file: FrozenFile, size: number): void {
  file.diskBytes = Math.min(file.diskBytes, size);
  let left = size - file.diskBytes;
  const pieces: Uint8Array[] = [];
  for (const piece of file.pieces) {
    if (left > 0) pieces.push(piece.subarray(0, left));
    left -= piece.length;
  }
  file.pieces = pieces;
}
