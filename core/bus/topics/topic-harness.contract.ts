// A broker of durable topics over files in memory, for the tests beside it: operations wait until they are carried out, a crash
// loses what was not synced. Torn writes, delays and rot are the simulated disk's (sim/world).

import { assert } from '../../base/assert.ts';
import type { FileCompletion, FileFailure, FileOperation, FileRequest } from '../../ports/file-port.ts';
import { TopicBroker } from './topic-broker.ts';
import type {
  CommitResult,
  MessageContent,
  SubscribeInput,
  TopicEffect,
  TopicInput,
  TopicTerms,
} from './topic-protocol.ts';
import type { TopicSettings } from './topic-settings.ts';

interface MemoryFile {
  bytes: Uint8Array;
  syncedLength: number;
}

type Outcome = { readonly bytes?: Uint8Array; readonly entries?: { name: string; sizeBytes: number }[] } | FileFailure;

/** One folder; names are durable at once. */
export class MemoryFolder {
  readonly files = new Map<string, MemoryFile>();
  isFull = false;
  syncCount = 0;

  run({ id, request }: FileOperation): FileCompletion {
    const outcome = this.carryOut(request);
    if (typeof outcome === 'string') return { id, ok: false, failure: outcome, reason: `${request.kind}: ${outcome}` };
    return { id, ok: true, bytes: outcome.bytes ?? new Uint8Array(0), entries: outcome.entries ?? [] };
  }

  crash(): void {
    for (const file of this.files.values()) file.bytes = file.bytes.slice(0, file.syncedLength);
  }

  private carryOut(request: FileRequest): Outcome {
    if (request.kind === 'list') {
      const names = [...this.files.keys()].sort((left, right) => (left < right ? -1 : 1));
      return { entries: names.map((name) => ({ name, sizeBytes: (this.files.get(name) as MemoryFile).bytes.length })) };
    }
    if (request.kind === 'syncFolder') return {};
    const file = this.files.get(request.file);
    if (request.kind === 'create') {
      if (file !== undefined) return 'exists';
      if (this.isFull) return 'full';
      this.files.set(request.file, { bytes: new Uint8Array(0), syncedLength: 0 });
      return {};
    }
    if (file === undefined) return 'notFound';
    switch (request.kind) {
      case 'append': {
        if (this.isFull) return 'full';
        const bytes = new Uint8Array(file.bytes.length + request.bytes.length);
        bytes.set(file.bytes);
        bytes.set(request.bytes, file.bytes.length);
        file.bytes = bytes;
        return {};
      }
      case 'readAt':
        return { bytes: file.bytes.slice(request.position, request.position + request.length) };
      case 'sync':
        this.syncCount++;
        file.syncedLength = file.bytes.length;
        return {};
      case 'truncate':
        file.bytes = file.bytes.slice(0, request.size);
        file.syncedLength = Math.min(file.syncedLength, request.size);
        return {};
      case 'rename':
        this.files.delete(request.file);
        this.files.set(request.to, file);
        return {};
      case 'remove':
        this.files.delete(request.file);
        return {};
    }
  }
}

type News = Exclude<TopicEffect, { kind: 'file' }>;
type Kind = News['kind'];

/** Small logs, so that rolling, reading back and compaction happen in short tests. */
export const smallSettings: Partial<TopicSettings> = {
  windowMessagesMax: 16,
  hotMessagesMax: 8,
  readMessagesMax: 4,
  checkpointMessages: 10,
  ledgerCompactBytes: 4096,
  log: { segmentBytesMax: 4096 },
};

export class TopicHarness {
  readonly folders = new Map<string, MemoryFolder>();
  readonly settings: Partial<TopicSettings>;
  broker: TopicBroker;
  news: News[] = [];
  nowMicros = 1_000_000;
  private operations: { readonly store: string; readonly operation: FileOperation }[] = [];
  private readonly effects = { push: (effect: TopicEffect): void => this.takeEffect(effect) };

  constructor(settings: Partial<TopicSettings> = smallSettings) {
    this.settings = settings;
    this.broker = new TopicBroker(settings, 1);
  }

  folder(store: string): MemoryFolder {
    let folder = this.folders.get(store);
    if (folder === undefined) {
      folder = new MemoryFolder();
      this.folders.set(store, folder);
    }
    return folder;
  }

  /** Opens, or opens again after a crash. */
  open(): this {
    this.broker.open(this.nowMicros, this.effects);
    return this.settle();
  }

  crash(): this {
    this.operations = [];
    for (const folder of this.folders.values()) folder.crash();
    this.broker = new TopicBroker(this.settings, 1);
    this.news = [];
    return this.open();
  }

  give(...inputs: Untimed[]): this {
    for (const input of inputs)
      this.broker.handle({ ...input, timeMicros: this.nowMicros } as TopicInput, this.effects);
    this.broker.flush(this.effects);
    return this;
  }

  /** Makes topics. */
  make(terms: Readonly<Record<string, Partial<TopicTerms>>>): this {
    for (const [topic, changes] of Object.entries(terms)) this.give({ kind: 'createTopic', topic, terms: changes });
    this.settle();
    this.takeAll('topicCreated');
    return this;
  }

  /** Publishes texts as producer `p`, beginning with `sequence`. */
  publish(topic: string, sequence: number, ...texts: string[]): this {
    this.give(...texts.map((text, index) => publication(topic, sequence + index, text)));
    return this.settle();
  }

  /** Connects, subscribes, and grants. */
  join(subscriber: string, group: string, more: Partial<SubscribeInput> = {}, credit = 1000): this {
    const connection = more.connection ?? 1;
    this.give({ kind: 'subscriberConnected', subscriber, connection }, subscription(subscriber, group, more)).settle();
    return this.give(granting(subscriber, group, credit, connection)).settle();
  }

  /** What was delivered since the last time, as `subscriber text#attempt`. */
  delivered(): string[] {
    return this.takeAll('deliver').map(
      ({ subscriber, message, attempt }) => `${subscriber} ${textOf(message.payload)}#${attempt}`,
    );
  }

  /** Carries out operations until none is left, or `count` of them. */
  settle(count = 100_000): this {
    for (; count > 0 && this.operations.length > 0; count--) this.step();
    assert(count > 0 || this.operations.length === 0, 'operations come to an end');
    return this;
  }

  /** Carries out the operation that was asked for first. */
  step(): void {
    const next = this.operations.shift();
    assert(next !== undefined, 'there is an operation');
    const completion = this.folder(next.store).run(next.operation);
    this.broker.complete(next.store, completion, this.nowMicros, this.effects);
    this.broker.flush(this.effects);
  }

  /** Time passes, with everything that is due on the way. */
  pass(micros: number): this {
    const endMicros = this.nowMicros + micros;
    for (;;) {
      const due = this.broker.nextDeadlineMicros();
      if (due > endMicros) break;
      this.nowMicros = Math.max(this.nowMicros, due);
      this.broker.fireDue(this.nowMicros, this.effects);
      this.broker.flush(this.effects);
      this.settle();
    }
    this.nowMicros = endMicros;
    return this;
  }

  maintain(): this {
    this.broker.maintain(this.nowMicros, this.effects);
    this.broker.flush(this.effects);
    return this.settle();
  }

  get operationCount(): number {
    return this.operations.length;
  }

  takeAll<K extends Kind>(kind: K): Extract<News, { kind: K }>[] {
    const taken = this.news.filter((news): news is Extract<News, { kind: K }> => news.kind === kind);
    this.news = this.news.filter((news) => news.kind !== kind);
    return taken;
  }

  private takeEffect(effect: TopicEffect): void {
    if (effect.kind === 'file') this.operations.push(effect);
    else this.news.push(effect);
  }
}

/** An input whose time the harness stamps. */
export type Untimed = {
  [K in TopicInput['kind']]: Omit<Extract<TopicInput, { kind: K }>, 'timeMicros'>;
}[TopicInput['kind']];

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export function publication(
  topic: string,
  sequence: number,
  text: string,
  more: Partial<MessageContent & { producer: string; settledSequence: number }> = {},
): Untimed {
  return { kind: 'publish', topic, producer: 'p', sequence, payload: bytesOf(text), ...more };
}

export function subscription(subscriber: string, group: string, more: Partial<SubscribeInput> = {}): Untimed {
  const terms = { topic: 'a', mode: 'exclusive', start: 'earliest', speed: 'full' } as const;
  return { kind: 'subscribe', subscriber, connection: 1, group, ...terms, ...more };
}

export function granting(subscriber: string, group: string, messages: number, connection = 1, bytes = 1e9): Untimed {
  return { kind: 'grant', subscriber, connection, group, messages, bytes };
}

export function acknowledgement(subscriber: string, group: string, offset: number, cumulative = false): Untimed {
  return { kind: 'acknowledge', subscriber, group, offset, cumulative };
}

export function rejection(subscriber: string, group: string, offset: number, reason = 'no'): Untimed {
  return { kind: 'reject', subscriber, group, offset, reason };
}

export function commitment(
  subscriber: string,
  group: string,
  commit: number,
  offsets: readonly number[],
  results: readonly CommitResult[],
): Untimed {
  return { kind: 'commit', subscriber, group, commit, offsets, results };
}
