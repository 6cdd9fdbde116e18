// A tensor that travels by reference, and its fact in the ledger: who owns it, until when, which messages refer to it. Packed,
// version 1; a golden test holds the bytes.

import { PackedReader, PackedWriter } from '../../base/packed-values.ts';
import { readBytes, writeBytes } from './message-record.ts';
import type { TensorReleasedEffect } from './topic-protocol.ts';

export interface TensorMention {
  readonly topicNumber: number;
  readonly offset: number;
  readonly producer: string;
  /** By a dead letter: beyond the publications that its owner counted. */
  readonly isExtra: boolean;
}

/** `live`: may be referred to. `lost`: it is gone, its messages are not. `released`: the owner is to free it. `freed`: it has;
 *  remembered for a while, so that a repeated announcement does not bring it back. */
export type TensorState = 'live' | 'lost' | 'released' | 'freed';

export interface TensorFact {
  readonly owner: string;
  readonly sizeBytes: number;
  readonly digest: Uint8Array;
  readonly publications: number;
  leaseEndMicros: number;
  state: TensorState;
  releaseCause: TensorReleasedEffect['cause'];
  lossReason: string;
  /** Everybody was told of the loss. */
  isTold: boolean;
  readonly mentions: TensorMention[];
}

const version = 1;
const states: readonly TensorState[] = ['live', 'lost', 'released', 'freed'];
const causes: readonly TensorReleasedEffect['cause'][] = ['done', 'leaseEnd', 'lost'];

/** `isStored`: whether a mention is durable; the others are found again in their topics. */
export function encodeTensor(fact: TensorFact, isStored: (mention: TensorMention) => boolean): Uint8Array {
  const writer = new PackedWriter();
  writer.byte(version);
  writer.text(fact.owner);
  writer.number(fact.sizeBytes);
  writeBytes(writer, fact.digest);
  writer.number(fact.publications);
  writer.number(fact.leaseEndMicros);
  writer.byte(states.indexOf(fact.state));
  writer.byte(causes.indexOf(fact.releaseCause));
  writer.byte(fact.isTold ? 1 : 0);
  writer.text(fact.lossReason);
  const stored = fact.mentions.filter(isStored);
  writer.number(stored.length);
  for (const { topicNumber, offset, producer, isExtra } of stored) {
    writer.number(topicNumber);
    writer.number(offset);
    writer.text(producer);
    writer.byte(isExtra ? 1 : 0);
  }
  return writer.written;
}

/** `undefined` if it is damaged. */
export function decodeTensor(bytes: Uint8Array): TensorFact | undefined {
  const reader = new PackedReader(bytes);
  if (reader.byte() !== version) return undefined;
  const fact: TensorFact = {
    owner: reader.text(),
    sizeBytes: reader.number(),
    digest: readBytes(reader),
    publications: reader.number(),
    leaseEndMicros: reader.number(),
    state: states[reader.byte()] ?? 'live',
    releaseCause: causes[reader.byte()] ?? 'done',
    isTold: reader.byte() === 1,
    lossReason: reader.text(),
    mentions: [],
  };
  for (let left = reader.length(4); left > 0 && reader.fault === undefined; left--) {
    const topicNumber = reader.number();
    const offset = reader.number();
    fact.mentions.push({ topicNumber, offset, producer: reader.text(), isExtra: reader.byte() === 1 });
  }
  return reader.fault === undefined ? fact : undefined;
}
