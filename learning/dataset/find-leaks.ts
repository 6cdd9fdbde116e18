// Whether a dataset's features know the future, by trial: they are made once from everything, and once from what was known before a
// moment; for every example before that moment both must give the same. Whatever leaks (a join that looks ahead, a mean over all
// time, a label among the features) changes when the future is taken away, so that no rule of SQL needs to be trusted.

import { type DatasetSource, joinDataset } from './build-dataset.ts';
import type { DatasetSpec } from './dataset-spec.ts';

export interface Leak {
  /** Column. */
  readonly feature: string;
  /** Examples before the moment whose feature changed without what came after. */
  readonly examples: number;
}

const moments = '(the moments themselves)';

/** Features of `whole` that differ from those that `past`, the same rows again, gives without all that came from `micros` on. Both
 *  sources are left with the joined tables, `past` without its future. */
export async function findLeaks(
  whole: DatasetSource,
  past: DatasetSource,
  spec: DatasetSpec,
  micros: number,
): Promise<Leak[]> {
  await past.forgetFrom(spec, micros);
  await joinDataset(whole, spec);
  await joinDataset(past, spec);
  const columns = [...spec.context, ...spec.features.flatMap((feature) => feature.columns)];
  const key = ['time', 'run', ...spec.identity];
  const select = `SELECT ${[...key, ...columns].join(', ')} FROM dataset WHERE time < make_timestamp(${micros}) ORDER BY ${key.join(', ')}`;
  const [known, then] = await Promise.all([
    whole.connection.runAndReadAll(select),
    past.connection.runAndReadAll(select),
  ]);
  const nameOf = (row: readonly unknown[]): string => row.slice(0, key.length).map(String).join(' ');
  const thenRows = new Map(then.getRows().map((row) => [nameOf(row), row]));
  const knownRows = known.getRows();
  const counts = new Map<string, number>();
  const note = (feature: string): void => void counts.set(feature, (counts.get(feature) ?? 0) + 1);
  for (const row of knownRows) {
    const before = thenRows.get(nameOf(row));
    if (before === undefined) {
      if (spec.isClock !== true) note(moments);
      continue;
    }
    columns.forEach((feature, index) => {
      if (row[key.length + index] !== before[key.length + index]) note(feature);
    });
  }
  // Moments that exist only without their future.
  for (let more = knownRows.length; more < thenRows.size; more++) note(moments);
  return [...counts].map(([feature, examples]) => ({ feature, examples }));
}
