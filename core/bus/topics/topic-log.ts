// The log of one topic, as the topic uses it: settings from the terms, reads whose answers go to whoever asked, news of what is
// durable. It knows records, not their meaning.

import type { Result } from '../../base/status.ts';
import { Log, type LogEffect, type LogFault, type LogRecord, type RecoveryReport } from '../../log/log.ts';
import type { FileCompletion } from '../../ports/file-port.ts';
import type { TopicEnvironment } from './topic-environment.ts';
import type { TopicTerms } from './topic-protocol.ts';
import { originBytesMax } from './topic-settings.ts';

export interface TopicLogOwner {
  logOpened(report: RecoveryReport): void;
  durable(endOffset: number): void;
  /** Messages before this offset went by retention. */
  trimmed(startOffset: number): void;
}

export type ReadAnswer =
  | { readonly ok: true; readonly records: readonly LogRecord[]; readonly nextOffset: number }
  | { readonly ok: false; readonly fault: LogFault };

export class TopicLog {
  readonly log: Log;
  readonly store: string;
  private readonly environment: TopicEnvironment;
  private readonly owner: TopicLogOwner;
  private readonly reads = new Map<number, (answer: ReadAnswer) => void>();
  private readonly searches = new Map<number, (offset: number) => void>();
  private nextReadId = 1;
  private readonly compacts: boolean;
  private compactedSegments = 1;
  private readonly sink = { push: (effect: LogEffect): void => this.said(effect) };

  constructor(environment: TopicEnvironment, store: string, terms: TopicTerms, owner: TopicLogOwner) {
    this.environment = environment;
    this.store = store;
    this.owner = owner;
    this.compacts = terms.compaction;
    const { log, messageBytesMax } = environment.settings;
    const recordBytesMax = messageBytesMax + originBytesMax;
    // A message ages out with its segment, so that a segment must not stay open for long.
    const segmentAgeMaxMicros = Math.max(1_000_000, Math.floor(terms.retainMicros / 8));
    this.log = new Log({
      ...log,
      recordBytesMax,
      pendingBytesMax: Math.max(log.pendingBytesMax ?? 16 * 1024 * 1024, 2 * recordBytesMax),
      retainMicros: terms.retainMicros,
      retainBytesMax: terms.retainBytesMax,
      segmentAgeMaxMicros: Math.min(log.segmentAgeMaxMicros ?? Number.POSITIVE_INFINITY, segmentAgeMaxMicros),
    });
  }

  open(): void {
    this.log.open(this.environment.nowMicros, this.sink);
  }

  complete(completion: FileCompletion): void {
    this.log.complete(completion, this.sink);
  }

  /** Begins to write, if there is something. */
  flush(): void {
    if (this.log.state === 'open' && this.log.nextOffset > this.log.durableEnd) this.log.flush(this.sink);
  }

  /** `compactsUpTo`: messages from there on are still needed one by one. */
  maintain(compactsUpTo: number): void {
    const { nowMicros } = this.environment;
    this.log.maintain(nowMicros, this.sink);
    if (!this.compacts) return;
    const { segments } = this.log;
    const active = segments.at(-1);
    if (segments.length <= this.compactedSegments || active === undefined || active.baseOffset > compactsUpTo) return;
    if (this.log.compact(nowMicros, this.sink)) this.compactedSegments = Number.POSITIVE_INFINITY;
  }

  /** Reads from an offset on; false: too many read, ask again later. */
  read(fromOffset: number, recordsMax: number, bytesMax: number, take: (answer: ReadAnswer) => void): boolean {
    const id = this.nextReadId++;
    this.reads.set(id, take);
    const begun = this.log.read({ id, fromOffset, recordsMax, bytesMax }, this.sink);
    if (!begun.ok) this.reads.delete(id);
    return begun.ok;
  }

  /** The first durable offset published at `timeMicros` or later; the end if there is none. */
  findTime(timeMicros: number, take: (offset: number) => void): Result<undefined> {
    const id = this.nextReadId++;
    this.searches.set(id, take);
    const begun = this.log.findTime(id, timeMicros, this.sink);
    if (!begun.ok) this.searches.delete(id);
    return begun;
  }

  private said(effect: LogEffect): void {
    const { environment, owner } = this;
    switch (effect.kind) {
      case 'file':
        environment.ask(this.store, effect.operation);
        return;
      case 'logOpened':
        owner.logOpened(effect.report);
        return;
      case 'logDurable':
        owner.durable(effect.endOffset);
        return;
      case 'logRead':
        this.answer(effect.id, { ok: true, records: effect.records, nextOffset: effect.nextOffset });
        return;
      case 'logReadFailed':
        if (this.reads.has(effect.id)) this.answer(effect.id, { ok: false, fault: effect.fault });
        else environment.fail(this.store, effect.fault);
        return;
      case 'logTimeFound': {
        const take = this.searches.get(effect.id);
        this.searches.delete(effect.id);
        take?.(effect.offset);
        return;
      }
      case 'logTrimmed':
        owner.trimmed(effect.startOffset);
        return;
      case 'logCompacted':
        this.compactedSegments = this.log.segments.length;
        return;
      case 'logMaintenanceFailed':
        // Tried again at a later maintenance: nothing is lost by what stays.
        this.compactedSegments = Math.min(this.compactedSegments, this.log.segments.length);
        return;
      case 'logStalled':
        environment.emit({ kind: 'topicsStalled', store: this.store, reason: effect.reason });
        return;
      case 'logResumed':
        environment.emit({ kind: 'topicsStalled', store: this.store, reason: '' });
        return;
      case 'logOpenFailed':
      case 'logFailed':
        environment.fail(this.store, effect.fault);
        return;
      default:
        return;
    }
  }

  private answer(id: number, answer: ReadAnswer): void {
    const take = this.reads.get(id);
    this.reads.delete(id);
    take?.(answer);
  }
}
