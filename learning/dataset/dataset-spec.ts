// What a dataset is made of, as data: moments at which somebody had to know something, what was known before each of them, and what
// came of it. How the parts are joined, so that no feature knows its own future, is build-dataset.ts's business.

import type { TableName } from '../../core/telemetry/tables.ts';

/** Facts with the time at which they became known; the latest before a moment is its feature. */
export interface FeatureSource {
  readonly name: string;
  /** SQL (DuckDB) that gives `run`, the columns of `by`, `time`, and those of `columns`. */
  readonly sql: string;
  /** Columns, beside `run`, in which a moment and its facts agree. */
  readonly by: readonly string[];
  readonly columns: readonly string[];
  /** Facts of the moment's own instant count: for sums over intervals that end there. By default they do not, since what is seen at
   *  the instant of a decision may be its effect. */
  readonly atSameInstant?: boolean | undefined;
}

export interface DatasetSpec {
  readonly name: string;
  readonly meaning: string;
  /** Tables of telemetry that the SQL reads. */
  readonly tables: readonly TableName[];
  /** SQL that gives `run`, `time` and the columns of `identity` and `context`: what is known at the moment itself. */
  readonly examples: string;
  /** Columns that, with `run` and `time`, tell one moment from another. */
  readonly identity: readonly string[];
  /** Moments of a clock: only how far they reach hangs on what comes later. */
  readonly isClock?: boolean | undefined;
  readonly context: readonly string[];
  readonly features: readonly FeatureSource[];
  /** SQL that gives `run`, the columns of `by`, `time` (when it became known) and those of `columns`. */
  readonly labels: { readonly sql: string; readonly by: readonly string[]; readonly columns: readonly string[] };
}
