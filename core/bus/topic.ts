// The messages of one topic that some subscription has yet to acknowledge: a ring of columns between two offsets, bounded.
// A topic without subscriptions retains nothing. Who gets what, and when again, is the subscription's business.

import { assert } from '../base/assert.ts';
import type { Correlation } from './broker-protocol.ts';

/** Somebody who has yet to acknowledge the offsets from `floorOffset` on. */
export interface TopicReader {
  readonly id: number;
  readonly floorOffset: number;
}

export interface SavedMessage {
  readonly producer: string;
  readonly sequence: number;
  readonly payload: unknown;
  readonly correlation: Correlation | null;
}

export interface SavedTopic {
  readonly name: string;
  readonly firstOffset: number;
  readonly messages: readonly SavedMessage[];
}

export class Topic<Reader extends TopicReader = TopicReader> {
  readonly name: string;
  /** In order of creation. */
  readonly readers: Reader[] = [];
  /** Oldest offset retained. */
  firstOffset: number;
  /** Offset of the next message. */
  nextOffset: number;
  /** Messages that it holds, at most; more that it has already stay. */
  messagesMax: number;
  private producers: string[] = [];
  private sequences = new Float64Array(0);
  private payloads: unknown[] = [];
  private correlations: (Correlation | null)[] = [];
  private mask = -1;
  /** Readers whose floor is `firstOffset`: when the last of them moves on, messages can go. */
  private slowestCount = 0;

  constructor(name: string, messagesMax: number, firstOffset = 0) {
    this.name = name;
    this.messagesMax = messagesMax;
    this.firstOffset = firstOffset;
    this.nextOffset = firstOffset;
  }

  get isFull(): boolean {
    return this.nextOffset - this.firstOffset >= this.messagesMax;
  }

  producerAt(offset: number): string {
    return this.producers[offset & this.mask] as string;
  }

  sequenceAt(offset: number): number {
    return this.sequences[offset & this.mask] as number;
  }

  payloadAt(offset: number): unknown {
    return this.payloads[offset & this.mask];
  }

  correlationAt(offset: number): Correlation | null {
    return this.correlations[offset & this.mask] as Correlation | null;
  }

  /** The new message's offset. The topic must not be full. */
  append(producer: string, sequence: number, payload: unknown, correlation: Correlation | null): number {
    assert(this.readers.length === 0 || !this.isFull, 'a full topic takes no message');
    return this.put(producer, sequence, payload, correlation);
  }

  /** `reader.floorOffset` lies between `firstOffset` and `nextOffset`. */
  addReader(reader: Reader): void {
    this.readers.push(reader);
    if (reader.floorOffset === this.firstOffset) this.slowestCount++;
    if (this.slowestCount === 0) this.trim();
  }

  removeReader(reader: Reader): void {
    const index = this.readers.indexOf(reader);
    assert(index >= 0, 'the topic has no such reader');
    this.readers.splice(index, 1);
    if (reader.floorOffset === this.firstOffset) this.slowestCount--;
    if (this.slowestCount === 0) this.trim();
  }

  /** A reader's floor has risen from `formerFloor`: drops what nobody needs any more. */
  floorRisen(formerFloor: number): void {
    if (formerFloor !== this.firstOffset) return;
    this.slowestCount--;
    if (this.slowestCount === 0) this.trim();
  }

  save(): SavedTopic {
    const messages: SavedMessage[] = [];
    for (let offset = this.firstOffset; offset < this.nextOffset; offset++) {
      messages.push({
        producer: this.producerAt(offset),
        sequence: this.sequenceAt(offset),
        payload: this.payloadAt(offset),
        correlation: this.correlationAt(offset),
      });
    }
    return { name: this.name, firstOffset: this.firstOffset, messages };
  }

  /** On a fresh topic whose `readers` hold those that were saved with it. */
  restore(saved: SavedTopic): void {
    this.firstOffset = saved.firstOffset;
    this.nextOffset = saved.firstOffset;
    for (const { producer, sequence, payload, correlation } of saved.messages) {
      this.put(producer, sequence, payload, correlation);
    }
    this.slowestCount = 0;
    for (const reader of this.readers) if (reader.floorOffset === this.firstOffset) this.slowestCount++;
  }

  private put(producer: string, sequence: number, payload: unknown, correlation: Correlation | null): number {
    const offset = this.nextOffset;
    this.nextOffset = offset + 1;
    if (this.readers.length === 0) {
      this.firstOffset = this.nextOffset;
      return offset;
    }
    if (offset - this.firstOffset > this.mask) this.grow();
    const slot = offset & this.mask;
    this.producers[slot] = producer;
    this.sequences[slot] = sequence;
    this.payloads[slot] = payload;
    this.correlations[slot] = correlation;
    return offset;
  }

  private trim(): void {
    let lowest = this.nextOffset;
    for (const reader of this.readers) if (reader.floorOffset < lowest) lowest = reader.floorOffset;
    // Payloads are let go at once; the other columns are overwritten in their turn.
    for (let offset = this.firstOffset; offset < lowest; offset++) {
      this.payloads[offset & this.mask] = undefined;
      this.correlations[offset & this.mask] = null;
    }
    this.firstOffset = lowest;
    this.slowestCount = 0;
    for (const reader of this.readers) if (reader.floorOffset === lowest) this.slowestCount++;
  }

  private grow(): void {
    const capacity = Math.max(16, (this.mask + 1) * 2);
    const mask = capacity - 1;
    const producers = new Array<string>(capacity).fill('');
    const sequences = new Float64Array(capacity);
    const payloads = new Array<unknown>(capacity).fill(undefined);
    const correlations = new Array<Correlation | null>(capacity).fill(null);
    for (let offset = this.firstOffset; offset < this.nextOffset - 1; offset++) {
      producers[offset & mask] = this.producerAt(offset);
      sequences[offset & mask] = this.sequenceAt(offset);
      payloads[offset & mask] = this.payloadAt(offset);
      correlations[offset & mask] = this.correlationAt(offset);
    }
    this.producers = producers;
    this.sequences = sequences;
    this.payloads = payloads;
    this.correlations = correlations;
    this.mask = mask;
  }
}
