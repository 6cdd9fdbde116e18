// Rows of telemetry as columns, the form in which they are gathered, kept, written and read: numbers as doubles (NaN is
// missing), texts as strings (empty is missing). A buffer grows as rows come; sealed, it is a batch that nobody changes.

import { assert } from '../base/assert.ts';
import { columnsOf, type RollupName, type TableName, type TelemetryRow } from './tables.ts';

export type TelemetryValues = Float64Array | readonly string[];

export interface TelemetryBatch<Name extends TableName | RollupName = TableName | RollupName> {
  readonly table: Name;
  readonly count: number;
  /** By the table's columns, in their order; each `count` long. */
  readonly columns: readonly TelemetryValues[];
}

/** Where rows go. */
export interface RowSink {
  add<Table extends TableName>(table: Table, row: TelemetryRow<Table>): void;
}

const firstLength = 64;

export class RowBuffer<Table extends TableName> {
  readonly table: Table;
  count = 0;
  private readonly names: readonly string[];
  private readonly columns: (Float64Array | string[])[];
  private capacity = firstLength;

  constructor(table: Table) {
    this.table = table;
    const columns = columnsOf(table);
    this.names = columns.map(({ name }) => name);
    this.columns = columns.map(({ kind }) =>
      kind === 'symbol' || kind === 'text' ? [] : new Float64Array(firstLength),
    );
  }

  add(row: TelemetryRow<Table>): void {
    if (this.count === this.capacity) this.grow();
    const values = row as Readonly<Record<string, number | string | undefined>>;
    for (let index = 0; index < this.columns.length; index++) {
      const column = this.columns[index] as Float64Array | string[];
      const value = values[this.names[index] as string];
      if (column instanceof Float64Array) column[this.count] = (value as number | undefined) ?? Number.NaN;
      else column.push((value as string | undefined) ?? '');
    }
    this.count++;
  }

  /** The rows so far; the buffer is done with. */
  seal(): TelemetryBatch<Table> {
    const { table, count } = this;
    const columns = this.columns.map((column) => (column instanceof Float64Array ? column.slice(0, count) : column));
    return { table, count, columns };
  }

  private grow(): void {
    this.capacity *= 2;
    this.columns.forEach((column, index) => {
      if (!(column instanceof Float64Array)) return;
      const grown = new Float64Array(this.capacity);
      grown.set(column);
      this.columns[index] = grown;
    });
  }
}

/** A batch of these rows. */
export function batchOf<Table extends TableName>(
  table: Table,
  rows: readonly TelemetryRow<Table>[],
): TelemetryBatch<Table> {
  const buffer = new RowBuffer(table);
  for (const row of rows) buffer.add(row);
  return buffer.seal();
}

/** One column's numbers. */
export function numbersOf(batch: TelemetryBatch, name: string): Float64Array {
  const column = batch.columns[positionOf(batch, name)];
  assert(column instanceof Float64Array, 'the column holds numbers');
  return column;
}

/** One column's texts. */
export function textsOf(batch: TelemetryBatch, name: string): readonly string[] {
  const column = batch.columns[positionOf(batch, name)];
  assert(column !== undefined && !(column instanceof Float64Array), 'the column holds texts');
  return column;
}

/** Rows as objects, what is missing left out: for tests and for people. */
export function rowsOf(batch: TelemetryBatch): Record<string, number | string>[] {
  const names = columnsOf(batch.table).map(({ name }) => name);
  return Array.from({ length: batch.count }, (_, row) => {
    const entries = names.flatMap((name, index): [string, number | string][] => {
      const value = (batch.columns[index] as TelemetryValues)[row] as number | string;
      return value === '' || Number.isNaN(value) ? [] : [[name, value]];
    });
    return Object.fromEntries(entries);
  });
}

function positionOf(batch: TelemetryBatch, name: string): number {
  const position = columnsOf(batch.table).findIndex((column) => column.name === name);
  assert(position >= 0, 'the table has the column');
  return position;
}
