// Telemetry in DuckDB: one file, in this process, no server. A batch is one transaction. Rows that come later than all that is
// stored are appended as they are; only where times overlap, rows of the same keys are taken out first, so that a batch written
// twice is there once. One process has the file at a time.

import {
  BIGINT,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBType,
  TIMESTAMP,
  VARCHAR,
} from '@duckdb/node-api';
import { SiraError } from '../base/errors.ts';
import type { TelemetryBatch } from '../telemetry/rows.ts';
import {
  type ColumnKind,
  columnsOf,
  keyOf,
  type RollupName,
  rollupNames,
  type TableName,
  tableNames,
  telemetryRollups,
} from '../telemetry/tables.ts';
import type { Retention, TelemetryQuery, TelemetryStore } from '../telemetry/telemetry-store.ts';
import { fillVector, readVector } from './duckdb-vectors.ts';
import { columnList, microsPerDay, minutesToRollUp, orderOf, rollupSelect, storedNames, whereOf } from './store-sql.ts';

const types: Readonly<Record<ColumnKind, DuckDBType>> = {
  time: TIMESTAMP,
  symbol: VARCHAR,
  text: VARCHAR,
  integer: BIGINT,
  real: DOUBLE,
};

/** Rows of one chunk, DuckDB's vector size. */
const chunkRows = 2048;

export interface DuckDbOptions {
  /** A file, made if it is not there; `:memory:` for none. */
  readonly file: string;
  /** Threads of queries; 1 leaves the others to the kernel. */
  readonly threads?: number | undefined;
  readonly isReadOnly?: boolean | undefined;
}

export class DuckDbStore implements TelemetryStore {
  readonly kind = 'duckdb';
  private readonly options: DuckDbOptions;
  private instance: DuckDBInstance | undefined;
  private current: DuckDBConnection | undefined;
  /** The latest time stored, by table. */
  private readonly latestMicros = new Map<TableName, number>();
  /** The earliest time written since the last roll-up, by table. */
  private readonly changedMicros = new Map<TableName, number>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(options: DuckDbOptions) {
    this.options = options;
  }

  /** For SQL of one's own; see {@link telemetryTables} for what there is. */
  get connection(): DuckDBConnection {
    if (this.current === undefined) throw this.notOpen();
    return this.current;
  }

  async open(): Promise<void> {
    if (this.current !== undefined) return;
    const { file, threads = 1, isReadOnly = false } = this.options;
    try {
      this.instance = await DuckDBInstance.create(file, {
        threads: `${threads}`,
        autoinstall_known_extensions: 'false',
        ...(isReadOnly ? { access_mode: 'READ_ONLY' } : {}),
      });
      this.current = await this.instance.connect();
      if (!isReadOnly) await this.makeTables(this.current);
      for (const table of tableNames) {
        const reader = await this.current.runAndReadAll(`SELECT epoch_us(max(time)) FROM ${table}`);
        const latest = reader.getRows()[0]?.[0];
        if (typeof latest === 'bigint') this.latestMicros.set(table, Number(latest));
      }
    } catch (error) {
      await this.close();
      throw away(error, file);
    }
  }

  write(batch: TelemetryBatch<TableName>): Promise<void> {
    return this.inTurn(async () => {
      const { connection } = this;
      const times = batch.columns[0] as Float64Array;
      let earliest = Number.POSITIVE_INFINITY;
      let latest = Number.NEGATIVE_INFINITY;
      for (const micros of times) {
        earliest = Math.min(earliest, micros);
        latest = Math.max(latest, micros);
      }
      const stored = this.latestMicros.get(batch.table) ?? Number.NEGATIVE_INFINITY;
      await connection.run('BEGIN');
      try {
        if (earliest > stored) await append(connection, batch.table, batch);
        else await this.replace(connection, batch, earliest, Math.min(latest, stored));
        await connection.run('COMMIT');
      } catch (error) {
        await connection.run('ROLLBACK').catch(() => {});
        throw refusal(error);
      }
      this.latestMicros.set(batch.table, Math.max(stored, latest));
      this.changedMicros.set(batch.table, Math.min(this.changedMicros.get(batch.table) ?? earliest, earliest));
    });
  }

  async *read(query: TelemetryQuery): AsyncGenerator<TelemetryBatch> {
    const columns = columnsOf(query.table);
    const names = columnList(columns, ({ name }) => name);
    // A connection of its own: writing goes on meanwhile, and would end what another statement streams.
    if (this.instance === undefined) throw this.notOpen();
    const connection = await this.instance.connect();
    try {
      const result = await connection.stream(
        `SELECT ${names} FROM ${query.table}${whereOf(query, instant)} ORDER BY ${orderOf(query.table)}`,
      );
      for (;;) {
        const chunk = await result.fetchChunk();
        if (chunk === null || chunk.rowCount === 0) return;
        yield {
          table: query.table,
          count: chunk.rowCount,
          columns: columns.map(({ kind }, index) => readVector(chunk, index, kind)),
        };
      }
    } finally {
      connection.closeSync();
    }
  }

  rollUp(): Promise<void> {
    return this.inTurn(async () => {
      for (const name of rollupNames) await this.rollUpOne(name);
      this.changedMicros.clear();
    });
  }

  expire(nowMicros: number, { rawMicros, rollupMicros }: Retention): Promise<void> {
    return this.inTurn(async () => {
      const day = (micros: number): string => instant(Math.floor(micros / microsPerDay) * microsPerDay);
      for (const table of tableNames)
        await this.connection.run(`DELETE FROM ${table} WHERE time < ${day(nowMicros - rawMicros)}`);
      for (const name of rollupNames)
        await this.connection.run(`DELETE FROM ${name} WHERE time < ${day(nowMicros - rollupMicros)}`);
    });
  }

  async close(): Promise<void> {
    await this.last.catch(() => {});
    this.current?.closeSync();
    this.instance?.closeSync();
    this.current = undefined;
    this.instance = undefined;
  }

  private notOpen(): SiraError {
    return new SiraError('SIRA_TELEMETRY_AWAY', `${this.options.file} is not open`);
  }

  private async makeTables(connection: DuckDBConnection): Promise<void> {
    for (const name of storedNames) {
      const columns = columnList(columnsOf(name), (column) => `${column.name} ${types[column.kind]}`);
      await connection.run(`CREATE TABLE IF NOT EXISTS ${name} (${columns})`);
      // One that an older version made lacks what came later.
      const reader = await connection.runAndReadAll(`SELECT * FROM ${name} LIMIT 0`);
      const there = new Set(reader.columnNames());
      for (const column of columnsOf(name).filter((one) => !there.has(one.name)))
        await connection.run(`ALTER TABLE ${name} ADD COLUMN ${column.name} ${types[column.kind]}`);
    }
  }

  /** Rows of the same keys go first. Only those stored at such times can be of the same keys. */
  private async replace(
    connection: DuckDBConnection,
    batch: TelemetryBatch<TableName>,
    fromMicros: number,
    toMicros: number,
  ): Promise<void> {
    const { table } = batch;
    await connection.run(`CREATE OR REPLACE TEMP TABLE coming AS SELECT * FROM ${table} LIMIT 0`);
    await append(connection, 'coming', batch);
    const same = keyOf(table).map((column) => `${table}.${column} IS NOT DISTINCT FROM coming.${column}`);
    const between = `${table}.time BETWEEN ${instant(fromMicros)} AND ${instant(toMicros)}`;
    await connection.run(`DELETE FROM ${table} USING coming WHERE ${between} AND ${same.join(' AND ')}`);
    await connection.run(`INSERT INTO ${table} SELECT * FROM coming`);
  }

  /** All whole minutes from the first that changed, or that the rollup lacks. */
  private async rollUpOne(name: RollupName): Promise<void> {
    const { from } = telemetryRollups[name];
    const reader = await this.connection.runAndReadAll(
      `SELECT (SELECT epoch_us(max(time)) FROM ${name}), (SELECT epoch_us(min(time)) FROM ${from}), (SELECT epoch_us(max(time)) FROM ${from})`,
    );
    const [rolledMicros, firstMicros, latestMicros] = (reader.getRows()[0] ?? []).map((value) =>
      typeof value === 'bigint' ? Number(value) : undefined,
    );
    const minutes = minutesToRollUp({ firstMicros, latestMicros, rolledMicros }, this.changedMicros.get(from));
    if (minutes === undefined) return;
    const { fromMicros, toMicros } = minutes;
    const minute = "time_bucket(INTERVAL '1 minute', time)";
    await this.connection.run('BEGIN');
    await this.connection.run(
      `DELETE FROM ${name} WHERE time >= ${instant(fromMicros)} AND time < ${instant(toMicros)}`,
    );
    await this.connection.run(`INSERT INTO ${name} ${rollupSelect(name, minute, instant, fromMicros, toMicros)}`);
    await this.connection.run('COMMIT');
  }

  /** One connection has one transaction at a time. */
  private inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.last.then(work, work);
    this.last = result.catch(() => {});
    return result;
  }
}

async function append(connection: DuckDBConnection, table: string, batch: TelemetryBatch<TableName>): Promise<void> {
  const columns = columnsOf(batch.table);
  const appender = await connection.createAppender(table);
  try {
    for (let from = 0; from < batch.count; from += chunkRows) {
      const count = Math.min(chunkRows, batch.count - from);
      const chunk = DuckDBDataChunk.create(
        columns.map(({ kind }) => types[kind]),
        count,
      );
      columns.forEach(({ kind }, index) => {
        const values = batch.columns[index];
        if (values !== undefined) fillVector(chunk, index, kind, values, from, count);
      });
      appender.appendDataChunk(chunk);
    }
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
}

function instant(micros: number): string {
  return `make_timestamp(${Math.round(micros)})`;
}

function away(error: unknown, file: string): SiraError {
  if (error instanceof SiraError) return error;
  const { message } = error as Error;
  if (/lock|being used/i.test(message))
    return new SiraError(
      'SIRA_TELEMETRY_AWAY',
      `${file} is held by another process`,
      { file },
      'A kernel that runs holds its DuckDB file: stop it, ask a copy of the file, or have it write to QuestDB.',
    );
  return new SiraError('SIRA_TELEMETRY_AWAY', `${file}: ${message}`, { file });
}

/** What DuckDB says of rows that it will never take, told from what may pass. */
function refusal(error: unknown): SiraError {
  if (error instanceof SiraError) return error;
  const { message } = error as Error;
  const lasting = /Binder|Catalog|Conversion|Constraint|Invalid Input|column count|type mismatch/i.test(message);
  return new SiraError(lasting ? 'SIRA_TELEMETRY_REFUSED' : 'SIRA_TELEMETRY_AWAY', message);
}
