// Batches of telemetry on the disk, while the store is away: a file each, written aside and renamed, with a checksum, so that a
// torn or rotted one is known as such. What the store will never take is kept under another name for a person to look at.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { crc32c } from '../../log/crc32c.ts';
import type { SpilledBatch } from '../../telemetry/batcher.ts';
import type { TelemetryBatch } from '../../telemetry/rows.ts';
import { columnsOf, type TableName } from '../../telemetry/tables.ts';

const headerBytes = 8;
const namePattern = /^(\d+)-(\d+)\.batch$/;

export class SpillFolder {
  private readonly folder: string;
  private readonly names = new Map<number, string>();

  constructor(folder: string) {
    this.folder = folder;
  }

  /** What an earlier process left. */
  open(): SpilledBatch[] {
    mkdirSync(this.folder, { recursive: true });
    const found: SpilledBatch[] = [];
    for (const name of readdirSync(this.folder)) {
      const [, batch, count] = namePattern.exec(name) ?? [];
      if (name.endsWith('.new')) rmSync(join(this.folder, name));
      if (batch === undefined || count === undefined) continue;
      this.names.set(Number(batch), name);
      const bytes = statSync(join(this.folder, name)).size;
      found.push({ batch: Number(batch), count: Number(count), bytes: Math.max(1, bytes) });
    }
    return found.sort((left, right) => left.batch - right.batch);
  }

  /** Bytes on the disk; 0 if it takes none. */
  write(batch: number, rows: TelemetryBatch<TableName>): number {
    const name = `${String(batch).padStart(12, '0')}-${rows.count}.batch`;
    return this.put(name, rows, () => this.names.set(batch, name));
  }

  setAside(batch: number, rows: TelemetryBatch<TableName>): void {
    this.put(`${String(batch).padStart(12, '0')}-${Date.now()}.refused`, rows, () => {});
  }

  /** Undefined if it is missing, torn, rotted, or of a later version's tables. */
  read(batch: number): TelemetryBatch<TableName> | undefined {
    const name = this.names.get(batch);
    if (name === undefined) return undefined;
    try {
      const bytes = readFileSync(join(this.folder, name));
      const body = bytes.subarray(headerBytes);
      if (bytes.readUInt32LE(0) !== body.length || bytes.readUInt32LE(4) !== checksum(body)) return undefined;
      return completed(deserialize(body) as TelemetryBatch<TableName>);
    } catch {
      return undefined;
    }
  }

  forget(batch: number): void {
    const name = this.names.get(batch);
    this.names.delete(batch);
    if (name !== undefined) rmSync(join(this.folder, name), { force: true });
  }

  private put(name: string, rows: TelemetryBatch<TableName>, done: () => void): number {
    const file = join(this.folder, name);
    try {
      const body = serialize(rows);
      const header = Buffer.alloc(headerBytes);
      header.writeUInt32LE(body.length, 0);
      header.writeUInt32LE(checksum(body), 4);
      writeFileSync(`${file}.new`, Buffer.concat([header, body]), { flush: true });
      renameSync(`${file}.new`, file);
      done();
      return headerBytes + body.length;
    } catch {
      rmSync(`${file}.new`, { force: true });
      return 0;
    }
  }
}

/** A batch of an older version, with the columns that came later, empty; undefined if it has more than there are. */
function completed(batch: TelemetryBatch<TableName>): TelemetryBatch<TableName> | undefined {
  const added = columnsOf(batch.table).slice(batch.columns.length);
  if (batch.columns.length + added.length !== columnsOf(batch.table).length) return undefined;
  const empty = added.map(({ kind }) =>
    kind === 'symbol' || kind === 'text'
      ? new Array<string>(batch.count).fill('')
      : new Float64Array(batch.count).fill(Number.NaN),
  );
  return { ...batch, columns: [...batch.columns, ...empty] };
}

function checksum(body: Uint8Array): number {
  return crc32c(body) >>> 0;
}
