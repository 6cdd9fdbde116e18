// Columns of telemetry to DuckDB's vectors and back. Numbers go in whole, not one by one through the client's checks: that is
// what makes half a million rows a second. 64-bit integers are written as two halves, since BigInts would cost more than all else.

import type { DuckDBDataChunk, DuckDBVector } from '@duckdb/node-api';
import type { TelemetryValues } from '../telemetry/rows.ts';
import type { ColumnKind } from '../telemetry/tables.ts';

/** The client's own copy of a vector's memory, which `flush` hands to DuckDB. */
interface RawVector {
  readonly items: Float64Array | BigInt64Array;
}

const halfRange = 2 ** 32;

/** Puts `values[from … from + count)` into a column of a chunk of `count` rows. */
export function fillVector(
  chunk: DuckDBDataChunk,
  column: number,
  kind: ColumnKind,
  values: TelemetryValues,
  from: number,
  count: number,
): void {
  const vector = chunk.getColumnVector(column) as DuckDBVector & { setItem(row: number, value: unknown): void };
  if (!(values instanceof Float64Array)) {
    for (let row = 0; row < count; row++) {
      const text = values[from + row] as string;
      vector.setItem(row, text === '' ? null : text);
    }
  } else {
    const { items } = vector as unknown as RawVector;
    if (kind === 'real') (items as Float64Array).set(values.subarray(from, from + count));
    else fillIntegers(items as BigInt64Array, values, from, count);
    for (let row = 0; row < count; row++) if (Number.isNaN(values[from + row])) vector.setItem(row, null);
  }
  vector.flush();
}

function fillIntegers(items: BigInt64Array, values: Float64Array, from: number, count: number): void {
  const halves = new Uint32Array(items.buffer, items.byteOffset, count * 2);
  for (let row = 0; row < count; row++) {
    const value = values[from + row] as number;
    const high = Math.floor(value / halfRange);
    // Conversion to 32 bits wraps, which is two's complement for what is negative.
    halves[2 * row] = value - high * halfRange;
    halves[2 * row + 1] = high;
  }
}

/** A column of a chunk that was read. */
export function readVector(chunk: DuckDBDataChunk, column: number, kind: ColumnKind): TelemetryValues {
  const values = chunk.getColumnValues(column);
  if (kind === 'symbol' || kind === 'text') return values.map((value) => (value === null ? '' : String(value)));
  return Float64Array.from(values, (value) => {
    if (value === null) return Number.NaN;
    if (kind === 'time') return Number((value as { readonly micros: bigint }).micros);
    return Number(value);
  });
}
