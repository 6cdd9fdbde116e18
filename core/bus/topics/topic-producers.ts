// The producers of one topic: which of their sequences are stored. Bounded; what an opening needs beyond the messages since the
// last checkpoint is written down by `takeRecords`. A producer that was silent for long gives its place away.

import { PackedReader, PackedWriter } from '../../base/packed-values.ts';
import { ProducerWindow } from '../producer-window.ts';
import type { PublishInput, TopicMessage } from './topic-protocol.ts';
import type { TopicSettings } from './topic-settings.ts';

interface Producer {
  readonly name: string;
  readonly window: ProducerWindow;
  lastMicros: number;
  isDirty: boolean;
}

/** Why a sequence cannot be looked at. */
export type ProducerRefusal = 'full' | 'beyond' | 'malformed';

const version = 1;

export class TopicProducers {
  private readonly producers = new Map<string, Producer>();
  private readonly settings: TopicSettings;
  private dirty: Producer[] = [];
  private forgotten: string[] = [];
  private lookedMicros = -1;
  /** The one that was asked for last: mostly the next one too. */
  private last: Producer | undefined;

  constructor(settings: TopicSettings) {
    this.settings = settings;
  }

  /** `new`, `duplicate`, or why not. A new one is to be noted by {@link note}. */
  look(input: PublishInput, nowMicros: number): 'new' | 'duplicate' | ProducerRefusal {
    const { sequence, settledSequence } = input;
    if (!Number.isSafeInteger(sequence) || sequence < 1) return 'malformed';
    if (settledSequence !== undefined && !(Number.isSafeInteger(settledSequence) && settledSequence < sequence))
      return 'malformed';
    const producer = this.find(input.producer);
    if (producer === undefined) {
      if (this.producers.size >= this.settings.producersPerTopicMax && !this.makeRoom(nowMicros)) return 'full';
      const watermark = Math.max(0, settledSequence ?? 0);
      return sequence > watermark + this.settings.producerWindow ? 'beyond' : 'new';
    }
    if (settledSequence !== undefined && settledSequence > producer.window.watermark) {
      producer.window.settle(settledSequence);
      this.touch(producer);
    }
    return producer.window.standing(sequence);
  }

  /** A sequence that was `new` is stored. */
  note(name: string, sequence: number, settledSequence: number, nowMicros: number): void {
    let producer = this.find(name);
    if (producer === undefined) {
      producer = { name, window: new ProducerWindow(this.settings.producerWindow), lastMicros: 0, isDirty: false };
      this.producers.set(name, producer);
      this.last = producer;
    }
    producer.window.settle(settledSequence);
    producer.window.note(sequence);
    producer.lastMicros = nowMicros;
    this.touch(producer);
  }

  /** A message that is stored, met while opening; it may be known already. */
  recover({ producer, sequence, settledSequence, publishMicros }: TopicMessage): void {
    const window = this.find(producer)?.window;
    // It was admitted, so that everything further back than the window was stored or given up.
    const settled = Math.max(settledSequence, sequence - this.settings.producerWindow);
    if (window === undefined || window.standing(sequence) !== 'duplicate')
      this.note(producer, sequence, settled, publishMicros);
  }

  isStored(name: string, sequence: number): boolean {
    return this.find(name)?.window.standing(sequence) === 'duplicate';
  }

  /** The highest sequence below which all are stored. */
  watermarkOf(name: string): number {
    return this.find(name)?.window.watermark ?? 0;
  }

  /** What has changed since the last time, by producer's name; a value of undefined ends the fact. */
  takeRecords(): { readonly name: string; readonly value: Uint8Array | undefined }[] {
    const records: { name: string; value: Uint8Array | undefined }[] = [];
    for (const name of this.forgotten) if (!this.producers.has(name)) records.push({ name, value: undefined });
    for (const producer of this.dirty) {
      producer.isDirty = false;
      if (this.producers.get(producer.name) === producer)
        records.push({ name: producer.name, value: encode(producer) });
    }
    this.dirty = [];
    this.forgotten = [];
    return records;
  }

  /** Takes a record of an earlier life; false if it is damaged. */
  restore(name: string, value: Uint8Array | undefined): boolean {
    this.producers.delete(name);
    this.last = undefined;
    if (value === undefined) return true;
    const reader = new PackedReader(value);
    if (reader.byte() !== version) return false;
    const lastMicros = reader.number();
    const watermark = reader.number();
    const early: number[] = [];
    let sequence = watermark;
    for (let left = reader.length(); left > 0 && reader.fault === undefined; left--) {
      sequence += reader.number();
      early.push(sequence);
    }
    if (reader.fault !== undefined) return false;
    const window = new ProducerWindow(this.settings.producerWindow);
    // A window that was wider in an earlier life gives up what no longer fits.
    const last = early.at(-1) ?? watermark;
    const lowest = Math.max(watermark, last - this.settings.producerWindow);
    window.restore({ watermark: lowest, early: early.filter((stored) => stored > lowest) });
    this.producers.set(name, { name, window, lastMicros, isDirty: false });
    return true;
  }

  private find(name: string): Producer | undefined {
    if (this.last?.name === name) return this.last;
    const producer = this.producers.get(name);
    if (producer !== undefined) this.last = producer;
    return producer;
  }

  private touch(producer: Producer): void {
    if (producer.isDirty) return;
    producer.isDirty = true;
    this.dirty.push(producer);
  }

  /** Forgets whoever was silent for long; looks once a second at most. The broker's own names stay. */
  private makeRoom(nowMicros: number): boolean {
    if (this.lookedMicros >= 0 && nowMicros - this.lookedMicros < 1_000_000) return false;
    this.lookedMicros = nowMicros;
    for (const { name, lastMicros } of this.producers.values()) {
      if (name.charCodeAt(0) === 126 || nowMicros - lastMicros < this.settings.producerIdleMicros) continue;
      this.producers.delete(name);
      this.forgotten.push(name);
    }
    this.last = undefined;
    return this.producers.size < this.settings.producersPerTopicMax;
  }
}

function encode({ lastMicros, window }: Producer): Uint8Array {
  const { watermark, early } = window.save();
  const writer = new PackedWriter();
  writer.byte(version);
  writer.number(lastMicros);
  writer.number(watermark);
  writer.number(early.length);
  let last = watermark;
  for (const sequence of early) {
    writer.number(sequence - last);
    last = sequence;
  }
  return writer.written.slice();
}
