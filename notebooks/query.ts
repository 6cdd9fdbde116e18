// What notebooks ask of a telemetry store, as columns that a data frame is made of.

import { DuckDbStore } from '../core/stores/duckdb-store.ts';

/** Runs `sql` on the DuckDB file, which nobody else may have open. A column is numbers, NaN where one is missing, or texts, empty where
 *  one is missing: data frames know neither big integers nor nulls. Throws SIRA_TELEMETRY_AWAY. */
export async function queryColumns(file: string, sql: string): Promise<Record<string, (string | number)[]>> {
  const store = new DuckDbStore({ file, threads: 2, isReadOnly: true });
  await store.open();
  try {
    const reader = await store.connection.runAndReadAll(sql);
    const columns = reader.getColumnsJS() as unknown[][];
    return Object.fromEntries(reader.columnNames().map((name, index) => [name, plain(columns[index] as unknown[])]));
  } finally {
    await store.close();
  }
}

function plain(values: readonly unknown[]): (string | number)[] {
  const isText = values.some((value) => typeof value === 'string');
  return values.map((value) => {
    if (isText) return value === null ? '' : String(value);
    return value === null ? Number.NaN : Number(value);
  });
}
