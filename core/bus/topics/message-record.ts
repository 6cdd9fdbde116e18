// A message as the bytes of a record's value; its offset and time are the record's own. Version 1, packed (see
// core/base/packed-values.ts):
//
//   byte version, byte flags (1 key, 2 deadline, 4 deliver-at, 8 parent, 16 tensors, 32 digest, 64 origin, 128 settled),
//   text producer, number sequence, byte priority, then what the flags say, in their order, then the payload to the end.
//
// A golden test holds the bytes. Records of a topic with compaction have the message's key, as UTF-8, as the record's key too.

import type { PackedWriter } from '../../base/packed-values.ts';
import { PackedReader } from '../../base/packed-values.ts';
import type { LogRecord } from '../../log/log.ts';
import type { AttemptEnd, DeadLetterOrigin, MessageContent, TensorReference, TopicMessage } from './topic-protocol.ts';

export const messageFormatVersion = 1;

const flag = {
  key: 1,
  deadline: 2,
  deliverAt: 4,
  parent: 8,
  tensors: 16,
  digest: 32,
  origin: 64,
  settled: 128,
} as const;

/** In this order in records of dead letters and cursors. */
export const attemptEnds: readonly AttemptEnd[] = ['rejected', 'timedOut', 'disconnected'];

export const noTensors: readonly TensorReference[] = Object.freeze([]);

export function writeMessage(
  writer: PackedWriter,
  producer: string,
  sequence: number,
  settledSequence: number,
  content: MessageContent,
  origin: DeadLetterOrigin | undefined,
): void {
  const { key, deadlineMicros, deliverAtMicros, parent, tensors, digest } = content;
  const hasDeadline = deadlineMicros !== undefined && deadlineMicros >= 0;
  const hasDeliverAt = deliverAtMicros !== undefined && deliverAtMicros >= 0;
  const hasTensors = tensors !== undefined && tensors.length > 0;
  writer.byte(messageFormatVersion);
  writer.byte(
    (key === undefined ? 0 : flag.key) |
      (hasDeadline ? flag.deadline : 0) |
      (hasDeliverAt ? flag.deliverAt : 0) |
      (parent === undefined ? 0 : flag.parent) |
      (hasTensors ? flag.tensors : 0) |
      (digest === undefined ? 0 : flag.digest) |
      (origin === undefined ? 0 : flag.origin) |
      (settledSequence < 0 ? 0 : flag.settled),
  );
  writer.text(producer);
  writer.number(sequence);
  writer.byte(content.priority ?? 0);
  if (key !== undefined) writer.text(key);
  if (hasDeadline) writer.number(deadlineMicros);
  if (hasDeliverAt) writer.number(deliverAtMicros);
  if (parent !== undefined) {
    writer.text(parent.topic);
    writer.number(parent.offset);
  }
  if (hasTensors) writeTensors(writer, tensors);
  if (digest !== undefined) writeBytes(writer, digest);
  if (origin !== undefined) writeOrigin(writer, origin);
  if (settledSequence >= 0) writer.number(settledSequence);
  writer.raw(content.payload);
}

/** The message of a record, or what is wrong with it. */
export function readMessage(record: LogRecord): TopicMessage | string {
  if (record.value === undefined) return 'the record has no value';
  return readMessageBytes(record.value, record.offset, record.timeMicros);
}

export function readMessageBytes(bytes: Uint8Array, offset: number, publishMicros: number): TopicMessage | string {
  const reader = new PackedReader(bytes);
  const version = reader.byte();
  if (version !== messageFormatVersion) return `its format is version ${version}`;
  const flags = reader.byte();
  const message: TopicMessage = {
    offset,
    publishMicros,
    producer: reader.text(),
    sequence: reader.number(),
    priority: reader.byte(),
    key: (flags & flag.key) === 0 ? undefined : reader.text(),
    deadlineMicros: (flags & flag.deadline) === 0 ? -1 : reader.number(),
    deliverAtMicros: (flags & flag.deliverAt) === 0 ? -1 : reader.number(),
    parent: (flags & flag.parent) === 0 ? undefined : { topic: reader.text(), offset: reader.number() },
    tensors: (flags & flag.tensors) === 0 ? noTensors : readTensors(reader),
    digest: (flags & flag.digest) === 0 ? undefined : readBytes(reader),
    origin: (flags & flag.origin) === 0 ? undefined : readOrigin(reader),
    settledSequence: (flags & flag.settled) === 0 ? -1 : reader.number(),
    payload: reader.rest(),
  };
  return reader.fault ?? message;
}

/** A message that was just taken, equal to what reading its record gives. */
export function messageOf(
  offset: number,
  publishMicros: number,
  producer: string,
  sequence: number,
  settledSequence: number,
  content: MessageContent,
): TopicMessage {
  return {
    offset,
    publishMicros,
    producer,
    sequence,
    settledSequence,
    priority: content.priority ?? 0,
    key: content.key,
    deadlineMicros: content.deadlineMicros ?? -1,
    deliverAtMicros: content.deliverAtMicros ?? -1,
    parent: content.parent,
    tensors: content.tensors ?? noTensors,
    digest: content.digest,
    origin: undefined,
    payload: content.payload,
  };
}

export function writeBytes(writer: PackedWriter, bytes: Uint8Array): void {
  writer.number(bytes.length);
  writer.raw(bytes);
}

export function readBytes(reader: PackedReader): Uint8Array {
  return reader.raw(reader.length());
}

function writeTensors(writer: PackedWriter, tensors: readonly TensorReference[]): void {
  writer.number(tensors.length);
  for (const { tensor, sizeBytes, digest } of tensors) {
    writer.text(tensor);
    writer.number(sizeBytes);
    writeBytes(writer, digest);
  }
}

function readTensors(reader: PackedReader): readonly TensorReference[] {
  const tensors: TensorReference[] = [];
  for (let left = reader.length(3); left > 0 && reader.fault === undefined; left--) {
    tensors.push({ tensor: reader.text(), sizeBytes: reader.number(), digest: readBytes(reader) });
  }
  return tensors;
}

function writeOrigin(writer: PackedWriter, origin: DeadLetterOrigin): void {
  writer.text(origin.topic);
  writer.text(origin.group);
  writer.number(origin.offset);
  writer.text(origin.producer);
  writer.number(origin.sequence);
  writer.number(origin.attempts);
  writer.byte(attemptEnds.indexOf(origin.cause));
  writer.text(origin.reason);
}

function readOrigin(reader: PackedReader): DeadLetterOrigin {
  return {
    topic: reader.text(),
    group: reader.text(),
    offset: reader.number(),
    producer: reader.text(),
    sequence: reader.number(),
    attempts: reader.number(),
    cause: attemptEnds[reader.byte()] ?? 'rejected',
    reason: reader.text(),
  };
}
