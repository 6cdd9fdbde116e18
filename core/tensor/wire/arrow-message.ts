// The framing of Arrow's IPC streams and files: each message is a length, metadata (a FlatBuffer) and a body. Gives messages
// one after the other as windows; what they mean is arrow-schema.ts's and arrow-batch.ts's affair. Streams from before Arrow
// 0.15, without the continuation marker, are read too. Source: arrow.apache.org/docs/format/Columnar.html, "IPC".

import type { ByteReader } from './byte-reader.ts';
import { FlatBuffer, type FlatTable } from './flat-buffer.ts';
import type { TensorLimits } from './tensor-limits.ts';

export const arrowFormat = 'arrow';

/** Numbers of the union MessageHeader. */
export const headerTypes = { schema: 1, dictionaryBatch: 2, recordBatch: 3, tensor: 4, sparseTensor: 5 } as const;

export interface ArrowMessage {
  /** Where it begins, for messages. */
  readonly at: number;
  /** MetadataVersion: 3 for V4, 4 for V5. */
  readonly version: number;
  readonly headerType: number;
  readonly header: FlatTable;
  /** Body: bytes bodyStart…bodyEnd of the input. */
  readonly bodyStart: number;
  readonly bodyEnd: number;
  /** Texts of the message's own, by name. */
  readonly metadata: ReadonlyMap<string, string>;
}

const continuation = 0xffffffff;

/** The next message, or `undefined` at the end-of-stream mark or the end of the bytes. */
export function readMessage(reader: ByteReader, limits: TensorLimits): ArrowMessage | undefined {
  if (reader.left === 0) return undefined;
  const at = reader.at;
  let length = reader.u32('length of metadata');
  if (length === continuation) length = reader.u32('length of metadata');
  if (length === 0) return undefined;
  if (length > limits.headerBytesMax)
    throw reader.fail(`metadata of ${length} bytes; the limit is ${limits.headerBytesMax}`, at);
  const start = reader.at;
  reader.skip(length, 'metadata');
  const message = new FlatBuffer(reader.bytes, arrowFormat, start, reader.at).root();
  const version = message.i16(0);
  if (version < 3 || version > 4) throw reader.fail(`metadata version V${version + 1}; V4 and V5 are known`, at);
  const header = message.table(2);
  if (header === undefined) throw reader.fail('a message without header', at);
  const bodyStart = reader.at;
  const bodyLength = message.size64(3);
  reader.skip(bodyLength, 'body');
  return {
    ...{ at, version, headerType: message.u8(1), header, bodyStart, bodyEnd: reader.at },
    metadata: readKeyValues(message, 4, limits),
  };
}

/** Field `index` of `table`, a vector of KeyValue. A key that comes twice keeps its first value, as Arrow reads it. */
export function readKeyValues(table: FlatTable, index: number, limits: TensorLimits): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of table.tables(index, limits)) {
    const key = pair.text(0, limits.nameBytesMax);
    if (!pairs.has(key)) pairs.set(key, pair.text(1, limits.stringBytesMax));
  }
  return pairs;
}
