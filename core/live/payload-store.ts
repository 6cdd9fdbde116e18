// What the kernel's journal does not hold: the work of each submission and the results of its attempts, so that they outlive a
// crash. Promises: what was put is on the disk when the promise resolves, and is found until it is removed, after a restart
// too. What is needed still is the submissions' side's business. On core/log: a record a payload, a tombstone a removal,
// compaction when more is dead than alive; memory holds an index, and of the bytes only the latest.

import { SiraError } from '../base/errors.ts';
import type { Result, Status } from '../base/status.ts';
import { accepted, acceptedWith, refused } from '../base/status.ts';
import { Log, type LogEffect, type LogFault, type LogRecord } from '../log/log.ts';
import { LiveFiles } from './files.ts';
import type { LiveClock } from './live-clock.ts';

/** `attempt` 0 is the work as it was submitted, others are results. */
export interface PayloadKey {
  readonly submitter: number;
  readonly submission: number;
  readonly attempt: number;
}

export interface PayloadStoreOptions {
  readonly folder: string;
  readonly clock: LiveClock;
  /** See {@link LiveFiles}. */
  readonly syncs: boolean;
  /** Of one payload, up to 16 MiB. */
  readonly payloadBytesMax: number;
  /** Of payloads kept in memory. */
  readonly cacheBytesMax: number;
  /** Called once if the disk fails: nothing is taken any more. */
  readonly failed: (fault: LogFault) => void;
}

interface Entry {
  readonly offset: number;
  readonly byteCount: number;
}

interface Waiter {
  readonly offset: number;
  resolve(): void;
  reject(error: Error): void;
}

const text = new TextEncoder();
const plain = new TextDecoder();
const readsMax = 64;
const segmentBytesMax = 16 * 1024 ** 2;

export class PayloadStore {
  private readonly options: PayloadStoreOptions;
  private readonly log: Log;
  private readonly files: LiveFiles;
  /** By submitter and submission, then by attempt. */
  private readonly entries = new Map<string, Map<number, Entry>>();
  /** In order of use, oldest first. */
  private readonly cache = new Map<number, Uint8Array>();
  private cacheBytes = 0;
  private liveBytes = 0;
  private readonly waiters: Waiter[] = [];
  private readonly reads = new Map<number, (result: readonly LogRecord[] | Error) => void>();
  private readonly waitingReads: (() => void)[] = [];
  private readCount = 0;
  private flushAsked = false;
  private readonly timer: NodeJS.Timeout;
  private whenOpen: ((fault: LogFault | undefined) => void) | undefined;
  private whenClosed: (() => void) | undefined;
  private readonly sink = { push: (effect: LogEffect): void => this.take(effect) };

  private constructor(options: PayloadStoreOptions) {
    this.options = options;
    const recordBytesMax = options.payloadBytesMax + 256;
    this.log = new Log({
      segmentBytesMax,
      recordBytesMax,
      pendingBytesMax: 4 * recordBytesMax + 32 * 1024 ** 2,
      tombstoneMicros: 0,
    });
    this.files = new LiveFiles(options.folder, (completion) => this.log.complete(completion, this.sink), {
      syncs: options.syncs,
    });
    this.timer = setInterval(() => this.maintain(), 1000);
    this.timer.unref();
  }

  /** Reads what is there. Throws the log's coded error if it cannot be read. */
  static async open(options: PayloadStoreOptions): Promise<PayloadStore> {
    const store = new PayloadStore(options);
    const fault = await new Promise<LogFault | undefined>((resolve) => {
      store.whenOpen = resolve;
      store.log.open(options.clock.now(), store.sink);
    });
    if (fault !== undefined) {
      clearInterval(store.timer);
      throw new SiraError(fault.code, fault.reason, fault.file === undefined ? {} : { file: fault.file });
    }
    await store.readAll();
    return store;
  }

  /** Of all payloads that are kept. */
  get sizeBytes(): number {
    return this.liveBytes;
  }

  get count(): number {
    let count = 0;
    for (const attempts of this.entries.values()) count += attempts.size;
    return count;
  }

  /** Why this much could not be put now; `undefined` if it can. */
  refusal(byteCount: number): Status {
    const { payloadBytesMax } = this.options;
    if (byteCount > payloadBytesMax)
      return refused('SIRA_MESSAGE_REFUSED', `a payload of ${byteCount} bytes; the limit is ${payloadBytesMax}`);
    if (this.log.state !== 'open') return refused('SIRA_LOG_CLOSED', 'the store of payloads is closed');
    if (this.log.stalledReason !== undefined) return refused('SIRA_DISK_FULL', this.log.stalledReason);
    return accepted;
  }

  /** Keeps `bytes`, which must not change. Refused, or a promise that it is on the disk. */
  put(key: PayloadKey, bytes: Uint8Array): Result<Promise<void>> {
    const refusal = this.refusal(bytes.length);
    if (!refusal.ok) return refusal;
    const timeMicros = Math.max(this.options.clock.now(), this.log.lastTimeMicros);
    const appended = this.log.append({ timeMicros, key: keyBytes(key), value: bytes });
    if (!appended.ok) return appended;
    const offset = appended.value;
    this.index(key, { offset, byteCount: bytes.length });
    this.remember(offset, bytes);
    this.askFlush();
    return acceptedWith(
      new Promise<void>((resolve, reject) => {
        this.waiters.push({ offset, resolve, reject });
      }),
    );
  }

  has({ submitter, submission, attempt }: PayloadKey): boolean {
    return this.entries.get(nameOf(submitter, submission))?.has(attempt) ?? false;
  }

  /** What was put, `undefined` if it was not, or was removed. */
  async get({ submitter, submission, attempt }: PayloadKey): Promise<Uint8Array | undefined> {
    const entry = this.entries.get(nameOf(submitter, submission))?.get(attempt);
    if (entry === undefined) return undefined;
    const cached = this.cached(entry.offset);
    if (cached !== undefined) return cached;
    const [record] = await this.read(entry.offset, 1, entry.byteCount);
    const bytes = record?.offset === entry.offset ? record.value : undefined;
    if (bytes !== undefined) this.remember(entry.offset, bytes);
    return bytes;
  }

  /** From memory alone. */
  getNow({ submitter, submission, attempt }: PayloadKey): Uint8Array | undefined {
    const entry = this.entries.get(nameOf(submitter, submission))?.get(attempt);
    return entry === undefined ? undefined : this.cached(entry.offset);
  }

  /** Forgets one payload, or with `attempt` left out the submission's work and all results. On the disk this lags behind. */
  remove(submitter: number, submission: number, attempt?: number): void {
    const name = nameOf(submitter, submission);
    const attempts = this.entries.get(name);
    if (attempts === undefined) return;
    for (const [number, entry] of [...attempts]) {
      if (attempt !== undefined && number !== attempt) continue;
      const timeMicros = Math.max(this.options.clock.now(), this.log.lastTimeMicros);
      const key = keyBytes({ submitter, submission, attempt: number });
      // Should it fail, the payload comes back at the next start, and is swept.
      this.log.append({ timeMicros, key, value: undefined });
      attempts.delete(number);
      this.forget(entry);
    }
    if (attempts.size === 0) this.entries.delete(name);
    this.askFlush();
  }

  /** Submissions of which something is kept. */
  *submissions(): Iterable<{ readonly submitter: number; readonly submission: number }> {
    for (const name of this.entries.keys()) {
      const [submitter, submission] = name.split('/').map(Number) as [number, number];
      yield { submitter, submission };
    }
  }

  /** Writes what waits, then closes the files. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    if (this.log.state === 'open') {
      await new Promise<void>((resolve) => {
        this.whenClosed = resolve;
        this.log.close(this.sink);
      });
    }
    await this.files.close();
  }

  private async readAll(): Promise<void> {
    const { log } = this;
    for (let from = log.startOffset; from < log.durableEnd; ) {
      const records = await this.read(from, 1000, 4 * 1024 ** 2);
      const last = records[records.length - 1];
      if (last === undefined) return;
      for (const record of records) this.replay(record);
      from = last.offset + 1;
    }
  }

  private replay({ key, value, offset }: LogRecord): void {
    const [submitter, submission, attempt] = plain
      .decode(key ?? new Uint8Array(0))
      .split('/')
      .map(Number) as [number, number, number];
    if (value !== undefined) {
      this.index({ submitter, submission, attempt }, { offset, byteCount: value.length });
      return;
    }
    const name = nameOf(submitter, submission);
    const attempts = this.entries.get(name);
    const entry = attempts?.get(attempt);
    if (attempts === undefined || entry === undefined) return;
    attempts.delete(attempt);
    this.forget(entry);
    if (attempts.size === 0) this.entries.delete(name);
  }

  private index({ submitter, submission, attempt }: PayloadKey, entry: Entry): void {
    const name = nameOf(submitter, submission);
    let attempts = this.entries.get(name);
    if (attempts === undefined) {
      attempts = new Map();
      this.entries.set(name, attempts);
    }
    const old = attempts.get(attempt);
    if (old !== undefined) this.forget(old);
    attempts.set(attempt, entry);
    this.liveBytes += entry.byteCount;
  }

  private forget({ offset, byteCount }: Entry): void {
    this.liveBytes -= byteCount;
    if (this.cache.delete(offset)) this.cacheBytes -= byteCount;
  }

  private remember(offset: number, bytes: Uint8Array): void {
    this.cache.set(offset, bytes);
    this.cacheBytes += bytes.length;
    for (const [oldest, { length }] of this.cache) {
      // What is not on the disk cannot be read from there.
      if (this.cacheBytes <= this.options.cacheBytesMax || oldest >= this.log.durableEnd) return;
      this.cache.delete(oldest);
      this.cacheBytes -= length;
    }
  }

  private cached(offset: number): Uint8Array | undefined {
    const bytes = this.cache.get(offset);
    if (bytes === undefined) return undefined;
    this.cache.delete(offset);
    this.cache.set(offset, bytes);
    return bytes;
  }

  private async read(fromOffset: number, recordsMax: number, bytesMax: number): Promise<readonly LogRecord[]> {
    while (this.reads.size >= readsMax) await new Promise<void>((resolve) => this.waitingReads.push(resolve));
    const id = this.readCount++;
    const result = await new Promise<readonly LogRecord[] | Error>((resolve) => {
      this.reads.set(id, resolve);
      const status = this.log.read({ id, fromOffset, recordsMax, bytesMax: Math.max(1, bytesMax) }, this.sink);
      if (!status.ok) this.readDone(id, new SiraError(status.code, status.reason));
    });
    if (result instanceof Error) throw result;
    return result;
  }

  private readDone(id: number, result: readonly LogRecord[] | Error): void {
    const resolve = this.reads.get(id);
    this.reads.delete(id);
    this.waitingReads.shift()?.();
    resolve?.(result);
  }

  private askFlush(): void {
    if (this.flushAsked) return;
    this.flushAsked = true;
    setImmediate(() => {
      this.flushAsked = false;
      this.log.flush(this.sink);
    });
  }

  private maintain(): void {
    const { log } = this;
    if (log.state !== 'open') return;
    const now = Math.max(this.options.clock.now(), log.lastTimeMicros);
    log.maintain(now, this.sink);
    if (log.sizeBytes > 2 * this.liveBytes + 2 * segmentBytesMax) log.compact(now, this.sink);
  }

  private take(effect: LogEffect): void {
    switch (effect.kind) {
      case 'file':
        this.files.submit(effect.operation);
        return;
      case 'logOpened':
        this.whenOpen?.(undefined);
        return;
      case 'logOpenFailed':
        this.whenOpen?.(effect.fault);
        return;
      case 'logDurable': {
        let count = 0;
        while (count < this.waiters.length && (this.waiters[count] as Waiter).offset < effect.endOffset) count++;
        for (const waiter of this.waiters.splice(0, count)) waiter.resolve();
        return;
      }
      case 'logRead':
        this.readDone(effect.id, effect.records);
        return;
      case 'logReadFailed':
        this.readDone(effect.id, new SiraError(effect.fault.code, effect.fault.reason));
        return;
      case 'logFailed':
        for (const waiter of this.waiters.splice(0))
          waiter.reject(new SiraError(effect.fault.code, effect.fault.reason));
        this.whenClosed?.();
        this.options.failed(effect.fault);
        return;
      case 'logClosed':
        this.whenClosed?.();
        return;
      default:
        return;
    }
  }
}

function nameOf(submitter: number, submission: number): string {
  return `${submitter}/${submission}`;
}

function keyBytes({ submitter, submission, attempt }: PayloadKey): Uint8Array {
  return text.encode(`${submitter}/${submission}/${attempt}`);
}
