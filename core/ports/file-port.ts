// The file port: one flat folder of append-only files, spoken to in operations and completions, so that a deterministic core
// can use it without promises. The log and the snapshots are written against it; sim/world has a disk that loses, tears and
// rots, core/live the real one, and `file-port.contract.ts` holds both to what is said here.
//
// Order. Operations on one file take effect and complete in the order in which they were submitted, `readAt` excepted: a
// read runs beside the others and sees every append that had completed when it was submitted. Operations on names (create,
// rename, remove, list, syncFolder) keep their order among themselves as well.
//
// Durability. An append outlives a crash once a later `sync` of its file has completed; a name, old or new, once a later
// `syncFolder` has. Until then a crash may keep it, lose it, or keep some of its sectors and not others. After a failed
// `sync` nobody knows which of the appended bytes are on the disk, and a second `sync` may succeed without writing them: the
// bytes must be written again, to another file.

import type { ErrorCode } from '../base/errors.ts';

/** What can be asked of a folder. A file's name is 1 to 100 characters of `a-z`, `0-9`, `-` and `.`, not beginning with a dot. */
export type FileRequest =
  /** Lists all files. */
  | { readonly kind: 'list' }
  /** Makes an empty file; fails with `exists` if there is one. */
  | { readonly kind: 'create'; readonly file: string }
  /** Adds `bytes` at the end. They must not change until the completion. When it fails, any part of them may have been added. */
  | { readonly kind: 'append'; readonly file: string; readonly bytes: Uint8Array }
  /** Reads `length` bytes from `position`, fewer where the file ends. */
  | { readonly kind: 'readAt'; readonly file: string; readonly position: number; readonly length: number }
  | { readonly kind: 'sync'; readonly file: string }
  /** Cuts the file to `size` bytes, not more than it has. */
  | { readonly kind: 'truncate'; readonly file: string; readonly size: number }
  /** Gives `file` the name `to`; a file that had this name is gone. */
  | { readonly kind: 'rename'; readonly file: string; readonly to: string }
  | { readonly kind: 'remove'; readonly file: string }
  | { readonly kind: 'syncFolder' };

/** A request with the number under which its completion comes back; the caller chooses it, unique among those in flight. */
export interface FileOperation {
  readonly id: number;
  readonly request: FileRequest;
}

export interface FileEntry {
  readonly name: string;
  readonly sizeBytes: number;
}

/**
 * - `notFound`: no file of this name. - `exists`: the name is taken. - `full`: no room on the disk.
 * - `ioError`: the device failed; for `sync` see above.
 */
export type FileFailure = 'notFound' | 'exists' | 'full' | 'ioError';

export interface FileDone {
  readonly id: number;
  readonly ok: true;
  /** What `readAt` read; the receiver owns it. Empty for others. */
  readonly bytes: Uint8Array;
  /** What `list` found, in order of name (UTF-16 code units). Empty for others. */
  readonly entries: readonly FileEntry[];
}

export interface FileFailed {
  readonly id: number;
  readonly ok: false;
  readonly failure: FileFailure;
  /** What exactly failed, for people. */
  readonly reason: string;
}

export type FileCompletion = FileDone | FileFailed;

/** One folder. Completions go to the function that the adapter was made with, never during `submit`. */
export interface FilePort {
  submit(operation: FileOperation): void;
}

/** The code under which a failure that nobody expected is reported. */
export function fileErrorCode(failure: FileFailure): ErrorCode {
  return failure === 'full' ? 'SIRA_DISK_FULL' : 'SIRA_DISK_FAILED';
}

/** Whether `name` may name a file. */
export function isFileName(name: string): boolean {
  return /^[a-z0-9-][a-z0-9.-]{0,99}$/.test(name);
}
