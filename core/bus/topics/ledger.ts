// The ledger: one log of control facts by key, of which the last value counts: topics and groups with their terms, cursors,
// producers' marks, commits, tensors. Promises: facts become durable in the order in which they were appended, `whenDurable`
// is called in that order, and an opening shows them in that order. What the facts mean is others' business.

import { accepted, refused, type Status } from '../../base/status.ts';
import { Log, type LogEffect, type LogRecord } from '../../log/log.ts';
import type { FileCompletion } from '../../ports/file-port.ts';
import type { TopicEnvironment } from './topic-environment.ts';

export const ledgerStore = 'ledger';

export interface LedgerOwner {
  /** A fact, while opening. `value` undefined: it ended. */
  fact(key: string, value: Uint8Array | undefined): void;
  /** All facts were shown. */
  ledgerOpened(cutBytes: number, earlierCutBytes: number): void;
}

interface Waiting {
  readonly offset: number;
  readonly action: () => void;
}

/** Largest commit: its results, all together. */
const recordBytesMax = 16 * 1024 * 1024;

export class Ledger {
  private readonly log: Log;
  private readonly environment: TopicEnvironment;
  private readonly owner: LedgerOwner;
  private waiting: Waiting[] = [];
  private waitingFrom = 0;
  private bytesSinceCompaction = 0;
  private readonly sink = { push: (effect: LogEffect): void => this.said(effect) };
  private readonly encoder = new TextEncoder();
  private readonly decoder = new TextDecoder();

  constructor(environment: TopicEnvironment, owner: LedgerOwner) {
    this.environment = environment;
    this.owner = owner;
    const { log } = environment.settings;
    this.log = new Log({
      ...log,
      recordBytesMax,
      pendingBytesMax: Math.max(log.pendingBytesMax ?? 0, 4 * recordBytesMax),
      // Compaction alone decides what goes; the one reader has met every tombstone.
      retainBytesMax: Number.POSITIVE_INFINITY,
      retainMicros: Number.POSITIVE_INFINITY,
      tombstoneMicros: 0,
    });
  }

  open(): void {
    this.log.open(this.environment.nowMicros, this.sink);
  }

  complete(completion: FileCompletion): void {
    this.log.complete(completion, this.sink);
  }

  /** Writes a fact down, `undefined`: it ended. Refused when too much waits for the disk, or it is too large. */
  append(key: string, value: Uint8Array | undefined, whenDurable?: () => void): Status {
    const keyBytes = this.encoder.encode(key);
    if (keyBytes.length + (value?.length ?? 0) > recordBytesMax)
      return refused('SIRA_MESSAGE_REFUSED', `a commit has at most ${recordBytesMax} bytes`);
    const timeMicros = Math.max(this.environment.nowMicros, this.log.lastTimeMicros);
    const appended = this.log.append({ timeMicros, key: keyBytes, value });
    if (!appended.ok) return appended;
    this.bytesSinceCompaction += keyBytes.length + (value?.length ?? 0) + 40;
    if (whenDurable !== undefined) this.waiting.push({ offset: appended.value, action: whenDurable });
    return accepted;
  }

  flush(): void {
    if (this.log.state === 'open' && this.log.nextOffset > this.log.durableEnd) this.log.flush(this.sink);
  }

  maintain(): void {
    const { nowMicros, settings } = this.environment;
    this.log.maintain(nowMicros, this.sink);
    if (this.bytesSinceCompaction < settings.ledgerCompactBytes) return;
    // The active segment is left alone: it is closed now, and compacted the next time.
    this.log.roll(this.sink);
    if (this.log.compact(nowMicros, this.sink)) this.bytesSinceCompaction = 0;
  }

  private said(effect: LogEffect): void {
    const { environment } = this;
    switch (effect.kind) {
      case 'file':
        environment.ask(ledgerStore, effect.operation);
        return;
      case 'logOpened':
        this.cutBytes = effect.report.cutBytes;
        this.earlierCutBytes = effect.report.earlierCutBytes;
        this.read(effect.report.startOffset);
        return;
      case 'logRead':
        this.show(effect.records);
        this.read(effect.nextOffset);
        return;
      case 'logDurable':
        this.durable(effect.endOffset);
        return;
      case 'logStalled':
        environment.emit({ kind: 'topicsStalled', store: ledgerStore, reason: effect.reason });
        return;
      case 'logResumed':
        environment.emit({ kind: 'topicsStalled', store: ledgerStore, reason: '' });
        return;
      case 'logOpenFailed':
      case 'logReadFailed':
      case 'logFailed':
        environment.fail(ledgerStore, effect.fault);
        return;
      default:
        return;
    }
  }

  private cutBytes = 0;
  private earlierCutBytes = 0;

  private read(fromOffset: number): void {
    if (fromOffset >= this.log.durableEnd) this.owner.ledgerOpened(this.cutBytes, this.earlierCutBytes);
    else this.log.read({ id: 0, fromOffset, recordsMax: 4096, bytesMax: 1024 * 1024 }, this.sink);
  }

  private show(records: readonly LogRecord[]): void {
    for (const { key, value } of records) if (key !== undefined) this.owner.fact(this.decoder.decode(key), value);
  }

  private durable(endOffset: number): void {
    while (this.waitingFrom < this.waiting.length) {
      const first = this.waiting[this.waitingFrom] as Waiting;
      if (first.offset >= endOffset) break;
      this.waitingFrom++;
      first.action();
    }
    if (this.waitingFrom === this.waiting.length || this.waitingFrom > 1024) {
      this.waiting.splice(0, this.waitingFrom);
      this.waitingFrom = 0;
    }
  }
}
