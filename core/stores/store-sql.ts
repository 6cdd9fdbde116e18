// What both stores say in SQL, made from the schema alone; where their dialects differ, the caller says how.

import {
  columnsOf,
  keyOf,
  type RollupName,
  rollupNames,
  type TelemetryColumn,
  tableNames,
  telemetryRollups,
} from '../telemetry/tables.ts';
import type { TelemetryQuery } from '../telemetry/telemetry-store.ts';

const microsPerMinute = 60_000_000;
export const microsPerDay = 86_400_000_000;

/** All that a store holds. */
export const storedNames = [...tableNames, ...rollupNames] as const;

/** A text in SQL. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Columns of a table, texts last told apart from numbers by whoever reads them. */
export function columnList(columns: readonly TelemetryColumn[], write: (column: TelemetryColumn) => string): string {
  return columns.map(write).join(', ');
}

/** The `WHERE` of a query, empty if it asks for all. `instant` writes a time in the store's words. */
export function whereOf({ run, fromMicros, toMicros }: TelemetryQuery, instant: (micros: number) => string): string {
  const parts = [
    ...(run === undefined ? [] : [`run = ${quoted(run)}`]),
    ...(fromMicros === undefined ? [] : [`time >= ${instant(fromMicros)}`]),
    ...(toMicros === undefined ? [] : [`time < ${instant(toMicros)}`]),
  ];
  return parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`;
}

/** The `SELECT` that makes the rows of a rollup between two minutes. `minute` is the store's word for the minute of `time`. */
export function rollupSelect(
  name: RollupName,
  minute: string,
  instant: (micros: number) => string,
  fromMicros: number,
  toMicros: number,
): string {
  const { from, by, measures } = telemetryRollups[name];
  const columns = [
    `${minute} AS time`,
    'run',
    ...by,
    ...measures.map(({ name: column, aggregate, of }) => `${expressions[aggregate](of)} AS ${column}`),
  ];
  const groups = columns.slice(0, 2 + by.length).map((_, index) => index + 1);
  const where = whereOf({ table: from, fromMicros, toMicros }, instant);
  return `SELECT ${columns.join(', ')} FROM ${from}${where} GROUP BY ${groups.join(', ')}`;
}

/** Times of the rows of a table, and of its rollup, as stored; `undefined` where there are none. */
export interface StoredTimes {
  readonly firstMicros: number | undefined;
  readonly latestMicros: number | undefined;
  readonly rolledMicros: number | undefined;
}

/** The whole minutes that a rollup lacks, or of which rows have come since (`changedMicros`); `undefined` if there are none. */
export function minutesToRollUp(
  { firstMicros, latestMicros, rolledMicros }: StoredTimes,
  changedMicros = Number.POSITIVE_INFINITY,
): { readonly fromMicros: number; readonly toMicros: number } | undefined {
  if (firstMicros === undefined || latestMicros === undefined) return undefined;
  const minute = (micros: number): number => Math.floor(micros / microsPerMinute) * microsPerMinute;
  const missing = rolledMicros === undefined ? firstMicros : Math.max(firstMicros, rolledMicros + microsPerMinute);
  const fromMicros = minute(Math.min(changedMicros, missing));
  const toMicros = minute(latestMicros);
  return fromMicros < toMicros ? { fromMicros, toMicros } : undefined;
}

const expressions: Readonly<Record<string, (column: string) => string>> = {
  count: () => 'count(*)',
  sum: (column) => `sum(${column})`,
  mean: (column) => `avg(${column})`,
  max: (column) => `max(${column})`,
};

/** Order of the rows that a store gives. */
export function orderOf(name: TelemetryQuery['table']): string {
  return keyOf(name).join(', ');
}

export function positionOfTime(name: TelemetryQuery['table']): number {
  return columnsOf(name).findIndex(({ kind }) => kind === 'time');
}
