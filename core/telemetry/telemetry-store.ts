// What a store of telemetry can do: the one interface before DuckDB and QuestDB, held by one contract suite
// (telemetry-store.contract.ts in core/stores). A row is durable when `write` has resolved; a row written twice under one key is
// one row, the latest.

import type { TelemetryBatch } from './rows.ts';
import type { RollupName, TableName } from './tables.ts';

export interface TelemetryQuery {
  readonly table: TableName | RollupName;
  /** Only of this run. */
  readonly run?: string | undefined;
  /** At or after; before. */
  readonly fromMicros?: number | undefined;
  readonly toMicros?: number | undefined;
}

/** What stays how long, by the time of the rows; whole days go at once. */
export interface Retention {
  readonly rawMicros: number;
  readonly rollupMicros: number;
}

export interface TelemetryStore {
  readonly kind: 'duckdb' | 'questdb';
  /** Reaches the store and makes the tables that it lacks. Rejects with `SIRA_TELEMETRY_AWAY` while it does not answer. */
  open(): PromiseLike<void>;
  /** Resolves when the rows are durable. The keys within a batch differ. Rejects with `SIRA_TELEMETRY_AWAY` where trying again may help (and nobody knows
   *  whether they are durable), `SIRA_TELEMETRY_REFUSED` where the rows themselves will never be taken. */
  write(batch: TelemetryBatch<TableName>): PromiseLike<void>;
  /** All acknowledged rows that match, in the order of the table's key. */
  read(query: TelemetryQuery): AsyncIterable<TelemetryBatch>;
  /** Brings the rollups up to date with all whole minutes that have changed. */
  rollUp(): PromiseLike<void>;
  /** Lets go of days that are older than the retention at `nowMicros`. */
  expire(nowMicros: number, retention: Retention): PromiseLike<void>;
  close(): PromiseLike<void>;
}
