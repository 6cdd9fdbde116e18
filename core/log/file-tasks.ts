// Runs work that waits for files: a task is a generator that yields a request and is resumed with its completion, so that
// recovery, compaction or a read is written as one text, top to bottom, and yet does no I/O and knows no promise. Which task
// waits for which operation is kept here; the operations themselves leave as effects.

import { assert } from '../base/assert.ts';
import type { ErrorCode } from '../base/errors.ts';
import { acceptedWith, type Result, refused } from '../base/status.ts';
import {
  type FileCompletion,
  type FileDone,
  type FileOperation,
  type FileRequest,
  fileErrorCode,
} from '../ports/file-port.ts';

/** Yields requests, is given their completions, returns `T`. */
export type FileTask<T> = Generator<FileRequest, T, FileCompletion>;

/** Ask the file port. */
export interface FileEffect {
  readonly kind: 'file';
  readonly operation: FileOperation;
}

export interface FileEffectSink {
  push(effect: FileEffect): unknown;
}

interface Waiting {
  readonly step: (completion: FileCompletion, effects: FileEffectSink) => void;
}

export class FileTasks {
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 1;

  /** Operations under way. */
  get count(): number {
    return this.waiting.size;
  }

  /** Begins a task. `whenDone` gets its result, at once if it asks for no file, and the effects of the moment. */
  start<T, Sink extends FileEffectSink>(
    task: FileTask<T>,
    effects: Sink,
    whenDone: (result: T, effects: Sink) => void,
  ): void {
    const advance = (next: IteratorResult<FileRequest, T>, sink: Sink): void => {
      if (next.done === true) {
        whenDone(next.value, sink);
        return;
      }
      const id = this.nextId++;
      this.waiting.set(id, { step: (completion, later) => advance(task.next(completion), later as Sink) });
      sink.push({ kind: 'file', operation: { id, request: next.value } });
    };
    advance(task.next(), effects);
  }

  /** Hands a completion to the task that waits for it. `effects` is of the kind that the task was started with. */
  complete(completion: FileCompletion, effects: FileEffectSink): void {
    const waiting = this.waiting.get(completion.id);
    assert(waiting !== undefined, 'a completion belongs to an operation under way');
    this.waiting.delete(completion.id);
    waiting.step(completion, effects);
  }

  /** Forgets every task: completions that still come are answered with an assertion, so none may. */
  clear(): void {
    this.waiting.clear();
  }
}

/** A read that fails is tried again so often: it changes nothing, and a device that fails once in a thousand reads should not make a
 *  recovery of a thousand reads fail. */
const readAttemptsMax = 4;

/** Asks for one operation; a failure becomes a refusal with its code. */
export function* ask(request: FileRequest): FileTask<Result<FileDone>> {
  let completion = yield request;
  const isRead = request.kind === 'readAt' || request.kind === 'list';
  for (
    let attempt = 1;
    isRead && !completion.ok && completion.failure === 'ioError' && attempt < readAttemptsMax;
    attempt++
  )
    completion = yield request;
  if (completion.ok) return acceptedWith(completion);
  return refused(fileErrorCode(completion.failure), completion.reason);
}

/** Asks for several in turn and stops at the first that fails. */
export function* askAll(requests: readonly FileRequest[]): FileTask<Result<undefined>> {
  for (const request of requests) {
    const result = yield* ask(request);
    if (!result.ok) return result;
  }
  return acceptedWith(undefined);
}

/** Why something in a log cannot be used, and where. */
export interface LogFault {
  readonly code: ErrorCode;
  readonly reason: string;
  /** File and byte position in it, if it is about one. */
  readonly file?: string;
  readonly position?: number;
}
