// Where telemetry is kept, in one text: the path of a DuckDB file, or `http://HOST:PORT` of a QuestDB server. Their libraries are
// loaded only here, when one is asked for: most commands need none.

import type { TelemetryStore } from '../telemetry/telemetry-store.ts';

/** The store; it is reached by {@link TelemetryStore.open}. */
export async function telemetryStoreAt(
  address: string,
  { isReadOnly = false }: { readonly isReadOnly?: boolean } = {},
): Promise<TelemetryStore> {
  if (/^https?:\/\//.test(address)) {
    const { QuestDbStore } = await import('./questdb-store.ts');
    return new QuestDbStore({ url: address });
  }
  const { DuckDbStore } = await import('./duckdb-store.ts');
  return new DuckDbStore({ file: address, isReadOnly });
}
