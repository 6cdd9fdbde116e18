// Inputs as bytes, for the journal: a version, the kind, then the fields of the kind in a fixed order. What is decoded is what
// was encoded, to the last bit of every number, because a replay must make the same decisions. The table of fields is checked
// against the types: a new field of an input does not compile until it is here. Numbers of kinds, and the order of fields
// within a version, never change; a new field raises the version.

import { assert } from '../base/assert.ts';
import { PackedReader, PackedWriter } from '../base/packed-values.ts';
import { acceptedWith, type Result, refused } from '../base/status.ts';
import type { ResourceRequest } from '../scheduler/request.ts';
import type { AttemptReference, InputBody } from './inputs.ts';

/** Version 2 added the class and size of a task, and the joules of a result; version 3 the skill that a task needs;
 *  version 4 the time that a result's work waited in its agent. */
export const inputFormatVersion = 4;

/** How a field is written. `value`: plain data of any shape. */
type Field =
  | 'number'
  | 'text'
  | 'flag'
  | 'value'
  | 'integers'
  | { readonly optional: Field }
  | { readonly since: number; readonly optional: Field }
  | { readonly list: Field }
  | { readonly object: Readonly<Record<string, Field>> }
  | { readonly oneOf: readonly string[] };

type FieldsOf<T> = { readonly [K in keyof T as K extends 'kind' ? never : K]-?: Field };

const optional = (field: Field): Field => ({ optional: field });
/** A field that inputs of earlier versions do not have. */
const since = (version: number, field: Field): Field => ({ since: version, optional: field });
const reference: FieldsOf<AttemptReference> = { task: 'number', attempt: 'number' };
const request: FieldsOf<ResourceRequest> = {
  cpuMilli: 'number',
  memoryMib: 'number',
  gpuCount: 'number',
  gpuMilli: 'number',
  gpuModels: { list: 'text' },
  machineCount: 'number',
};
const produced = {
  timeMicros: 'number',
  producer: 'text',
  sequence: 'number',
  settledSequence: optional('number'),
  payload: 'value',
} as const;
const speaker = { task: 'number', attempt: 'number', agent: 'number', incarnation: 'number' } as const;
const subscriber = { timeMicros: 'number', subscriber: 'text' } as const;

type Table = {
  readonly [Kind in InputBody['kind']]: {
    readonly number: number;
    readonly fields: FieldsOf<Extract<InputBody, { kind: Kind }>>;
  };
};

const table: Table = {
  agentHello: {
    number: 1,
    fields: {
      gateway: 'number',
      name: 'text',
      incarnation: 'number',
      resources: { object: { cpuMilli: 'number', memoryMib: 'number', gpuCount: 'number', gpuModel: 'text' } },
      capabilities: 'value',
      attributes: 'value',
      sentMicros: 'number',
      connection: 'number',
      running: { list: { object: reference } },
    },
  },
  // `count` is that of the arrays once they are decoded; the beats beyond it are not part of the input.
  heartbeats: {
    number: 2,
    fields: { gateway: 'number', batch: 'number', count: 'number', agents: 'integers', incarnations: 'integers' },
  },
  agentDraining: { number: 3, fields: { agent: 'number', incarnation: 'number' } },
  taskSubmitted: {
    number: 4,
    fields: {
      submitter: 'number',
      submission: 'number',
      settled: 'number',
      request: { object: request },
      estimateMicros: 'number',
      priority: 'number',
      tenant: 'text',
      gang: optional({ object: { name: 'text', size: 'number' } }),
      checkpointMicros: optional('number'),
      taskClass: since(2, 'text'),
      size: since(2, 'number'),
      skill: since(3, 'text'),
    },
  },
  taskCancelled: { number: 5, fields: { submitter: 'number', submission: 'number' } },
  dispatchAccepted: { number: 6, fields: speaker },
  taskProgressed: { number: 7, fields: { ...speaker, progressMicros: 'number' } },
  taskFinished: {
    number: 8,
    fields: {
      ...speaker,
      outcome: { oneOf: ['completed', 'failed', 'stopped'] },
      serviceMicros: 'number',
      progressMicros: optional('number'),
      joules: since(2, 'number'),
      queueMicros: since(4, 'number'),
    },
  },
  settingChanged: { number: 9, fields: { name: 'text', value: 'number', who: 'text', why: 'text' } },
  resumed: { number: 10, fields: { pausedMicros: 'number' } },
  timeReached: { number: 11, fields: {} },
  instantEnded: { number: 12, fields: {} },
  subscribe: {
    number: 13,
    fields: {
      ...subscriber,
      subscription: 'text',
      topic: 'text',
      mode: { oneOf: ['exclusive', 'shared'] },
      start: { oneOf: ['earliest', 'next'] },
      inFlightMax: 'number',
    },
  },
  unsubscribe: { number: 14, fields: { ...subscriber, subscription: 'text' } },
  publish: { number: 15, fields: { ...produced, topic: 'text' } },
  acknowledge: { number: 16, fields: { ...subscriber, subscription: 'text', offset: 'number', cumulative: 'flag' } },
  subscriberConnected: { number: 17, fields: subscriber },
  subscriberDisconnected: { number: 18, fields: subscriber },
  request: { number: 19, fields: { ...produced, topic: 'text', replyTopic: 'text', timeoutMicros: 'number' } },
  reply: { number: 20, fields: { ...produced, requester: 'text', correlation: 'number' } },
  agentDisconnected: { number: 22, fields: { agent: 'number', incarnation: 'number', connection: 'number' } },
  agentPowerChanged: { number: 26, fields: { agent: 'number', incarnation: 'number', awake: 'flag' } },
  policyCommanded: { number: 40, fields: { command: 'value', who: 'text', why: 'text' } },
  settingsAssigned: { number: 21, fields: { values: 'value', who: 'text', why: 'text' } },
};

interface KindRow {
  readonly kind: string;
  readonly number: number;
  readonly names: readonly string[];
  readonly fields: readonly Field[];
}

const rows: readonly KindRow[] = Object.entries(table).map(([kind, { number, fields }]) => ({
  kind,
  number,
  names: Object.keys(fields),
  fields: Object.values(fields) as Field[],
}));
const rowOfKind: ReadonlyMap<string, KindRow> = new Map(rows.map((row) => [row.kind, row]));
const rowOfNumber: ReadonlyMap<number, KindRow> = new Map(rows.map((row) => [row.number, row]));

/** Appends an input to what `writer` holds. */
export function writeInput(writer: PackedWriter, body: InputBody): void {
  const { number, names, fields } = rowOfKind.get(body.kind) as KindRow;
  writer.byte(inputFormatVersion);
  writer.byte(number);
  const values = body as unknown as Readonly<Record<string, unknown>>;
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index] as Field;
    const value = values[names[index] as string];
    if (field === 'integers') writer.integers(value as Int32Array, values.count as number);
    else writeField(writer, field, value);
  }
}

/** Reads an input to the end of the bytes. SIRA_LOG_VERSION if another version wrote it, SIRA_LOG_CORRUPT if none did. */
export function readInput(reader: PackedReader): Result<InputBody> {
  const version = reader.byte();
  const number = reader.byte();
  if (reader.fault === undefined && !(version >= 1 && version <= inputFormatVersion))
    return refused(
      'SIRA_LOG_VERSION',
      `an input has format ${version}, and this version reads 1 to ${inputFormatVersion}`,
    );
  const row = rowOfNumber.get(number);
  if (row === undefined) return refused('SIRA_LOG_CORRUPT', `no input is of kind ${number}`);
  const body: Record<string, unknown> = { kind: row.kind };
  for (let index = 0; index < row.fields.length && reader.fault === undefined; index++) {
    const field = row.fields[index] as Field;
    if (typeof field === 'object' && 'since' in field && version < field.since) continue;
    const value = readField(reader, field);
    if (value !== undefined) body[row.names[index] as string] = value;
  }
  const columns = [body.agents, body.incarnations] as (Int32Array | undefined)[];
  if (columns.some((column) => column !== undefined && column.length !== body.count)) reader.fail('columns differ');
  if (!reader.isAtEnd) reader.fail('more follows');
  if (reader.fault !== undefined)
    return refused('SIRA_LOG_CORRUPT', `an input of kind ${row.kind} is malformed: ${reader.fault}`);
  return acceptedWith(body as unknown as InputBody);
}

/** The bytes of one input. */
export function encodeInput(body: InputBody): Uint8Array {
  const writer = new PackedWriter();
  writeInput(writer, body);
  return writer.written.slice();
}

/** The way back from {@link encodeInput}. */
export function decodeInput(bytes: Uint8Array): Result<InputBody> {
  return readInput(new PackedReader(bytes));
}

function writeField(writer: PackedWriter, field: Exclude<Field, 'integers'>, value: unknown): void {
  if (field === 'number') writer.number(value as number);
  else if (field === 'text') writer.text(value as string);
  else if (field === 'flag') writer.byte(value === true ? 1 : 0);
  else if (field === 'value') writer.value(value);
  else if ('optional' in field) {
    writer.byte(value === undefined ? 0 : 1);
    if (value !== undefined) writeField(writer, field.optional as typeof field, value);
  } else if ('list' in field) {
    const list = value as readonly unknown[];
    writer.number(list.length);
    for (const part of list) writeField(writer, field.list as typeof field, part);
  } else if ('object' in field) {
    const parts = value as Readonly<Record<string, unknown>>;
    for (const name in field.object) writeField(writer, field.object[name] as typeof field, parts[name]);
  } else {
    const at = field.oneOf.indexOf(value as string);
    assert(at >= 0, 'inputs are checked before they are journaled');
    writer.byte(at);
  }
}

function readField(reader: PackedReader, field: Field): unknown {
  if (field === 'number') return reader.number();
  if (field === 'text') return reader.text();
  if (field === 'value') return reader.value();
  if (field === 'integers') return reader.integers();
  if (field === 'flag' || 'optional' in field) {
    const byte = reader.byte();
    if (byte > 1) reader.fail(`${byte} is neither yes nor no`);
    return field === 'flag' ? byte === 1 : byte === 1 ? readField(reader, field.optional) : undefined;
  }
  if ('list' in field) {
    const list: unknown[] = [];
    for (let left = reader.length(); left > 0 && reader.fault === undefined; left--)
      list.push(readField(reader, field.list));
    return list;
  }
  if ('object' in field) {
    const parts: Record<string, unknown> = {};
    for (const name in field.object) parts[name] = readField(reader, field.object[name] as Field);
    return parts;
  }
  const at = reader.byte();
  return field.oneOf[at] ?? reader.fail(`${at} is none of ${field.oneOf.join(', ')}`);
}
