// Joins moments with what was known before them (ASOF JOIN) and with what came of them, whatever store the rows lie in: they are read
// into a DuckDB in memory first, so that one dialect and one order of summation make the same bits everywhere. The split is by
// time, and what a part learns from was known before the next one begins; the version is a hash of the content.

import { createHash } from 'node:crypto';
import type { DuckDBConnection } from '@duckdb/node-api';
import { SiraError } from '../../core/base/errors.ts';
import { DuckDbStore } from '../../core/stores/duckdb-store.ts';
import type { TelemetryStore } from '../../core/telemetry/telemetry-store.ts';
import type { DatasetSpec } from './dataset-spec.ts';

export const splitNames = ['train', 'validation', 'test'] as const;
export type SplitName = (typeof splitNames)[number];

export interface DatasetOptions {
  /** Only of these runs; all if left out. */
  readonly runs?: readonly string[] | undefined;
  /** Shares of the examples, by time, at which validation and test begin. */
  readonly shares?: readonly [validation: number, test: number] | undefined;
}

export interface DatasetManifest {
  readonly name: string;
  /** Hex; the same rows under the same specification give the same. */
  readonly hash: string;
  readonly meaning: string;
  readonly columns: readonly string[];
  readonly features: readonly string[];
  readonly labels: readonly string[];
  readonly runs: readonly string[];
  /** When validation and test begin. */
  readonly boundariesMicros: readonly [number, number];
  readonly counts: Readonly<Record<SplitName, number>>;
  /** Without an outcome yet, and those whose outcome was not known when the next part began. */
  readonly unlabelled: number;
  readonly purged: number;
  readonly specification: DatasetSpec;
}

/** Telemetry in memory, as datasets are made from it. */
export class DatasetSource {
  private readonly store: DuckDbStore;

  private constructor(store: DuckDbStore) {
    this.store = store;
  }

  /** Reads what the dataset needs. */
  static async read(from: TelemetryStore, spec: DatasetSpec, runs?: readonly string[]): Promise<DatasetSource> {
    const store = new DuckDbStore({ file: ':memory:' });
    await store.open();
    for (const table of spec.tables)
      for (const run of runs ?? [undefined])
        for await (const batch of from.read({ table, run })) await store.write({ ...batch, table });
    return new DatasetSource(store);
  }

  get connection(): DuckDBConnection {
    return this.store.connection;
  }

  /** Takes away all that was not known before `micros`. */
  async forgetFrom(spec: DatasetSpec, micros: number): Promise<void> {
    for (const table of spec.tables)
      await this.connection.run(`DELETE FROM ${table} WHERE time >= make_timestamp(${micros})`);
  }

  close(): Promise<void> {
    return this.store.close();
  }
}

/** Makes the table `dataset`: a row a moment, features and labels beside it; `label_time` is null where nothing is known yet. */
export async function joinDataset({ connection }: DatasetSource, spec: DatasetSpec): Promise<void> {
  const key = ['time', 'run', ...spec.identity];
  await connection.run(
    `CREATE OR REPLACE TABLE examples AS SELECT row_number() OVER (ORDER BY ${key.join(', ')}) AS example, * FROM (${spec.examples})`,
  );
  const columns = ['examples.example', ...key, ...spec.context].map((column) => column);
  const joins: string[] = [];
  for (const [index, { sql, by, columns: values, atSameInstant = false }] of spec.features.entries()) {
    const name = `feature_${index}`;
    const own = ['run', ...by];
    // Of facts of one instant, one: which, must not hang on the order in which they were read.
    const one = `QUALIFY row_number() OVER (PARTITION BY ${[...own, 'time'].join(', ')} ORDER BY ${values.map((value) => `${value} DESC NULLS LAST`).join(', ')}) = 1`;
    await connection.run(
      `CREATE OR REPLACE TABLE ${name} AS SELECT ${[...own, 'time', ...values].join(', ')} FROM (${sql}) ${one}`,
    );
    const same = own.map((column) => `examples.${column} IS NOT DISTINCT FROM ${name}.${column}`);
    const before = `examples.time ${atSameInstant ? '>=' : '>'} ${name}.time`;
    await connection.run(
      `CREATE OR REPLACE TABLE joined_${index} AS SELECT examples.example, ${values.map((value) => `${name}.${value}`).join(', ')}
       FROM examples ASOF LEFT JOIN ${name} ON ${[...same, before].join(' AND ')}`,
    );
    columns.push(...values.map((value) => `joined_${index}.${value}`));
    joins.push(`LEFT JOIN joined_${index} ON joined_${index}.example = examples.example`);
  }
  const { sql, by, columns: values } = spec.labels;
  await connection.run(`CREATE OR REPLACE TABLE labels AS SELECT * FROM (${sql})`);
  const of = ['run', ...by].map(
    (column) => `labels.${column} IS NOT DISTINCT FROM examples.${column === 'of_time' ? 'time' : column}`,
  );
  columns.push('labels.time AS label_time', ...values.map((value) => `labels.${value} AS label_${value}`));
  const qualified = columns.map((column) => (/[.]/.test(column) ? column : `examples.${column}`));
  await connection.run(
    `CREATE OR REPLACE TABLE dataset AS SELECT ${qualified.join(', ')} FROM examples ${joins.join(' ')}
     LEFT JOIN labels ON ${of.join(' AND ')} ORDER BY examples.example`,
  );
}

/** Joins, splits and names a dataset; the table `dataset` has the column `split`, null for what no part may use. */
export async function buildDataset(
  source: DatasetSource,
  spec: DatasetSpec,
  { shares = [0.7, 0.85] }: DatasetOptions = {},
): Promise<DatasetManifest> {
  const [first, second] = shares;
  if (!(first > 0 && first < second && second < 1))
    throw new SiraError('SIRA_USAGE', `the shares ${first} and ${second} are not two growing numbers between 0 and 1`);
  const { connection } = source;
  await joinDataset(source, spec);
  const [[total, begin, end] = []] = await numbers(
    connection,
    `SELECT count(*), epoch_us(quantile_disc(time, ${first})), epoch_us(quantile_disc(time, ${second})) FROM dataset`,
  );
  if (total === undefined || total === 0 || begin === undefined || end === undefined)
    throw new SiraError('SIRA_RUN_NOT_FOUND', `telemetry holds nothing for the dataset ${spec.name}`);
  // An outcome that came when the next part had begun is its future.
  const [validation, test] = [`make_timestamp(${begin})`, `make_timestamp(${end})`];
  await connection.run(`ALTER TABLE dataset ADD COLUMN split VARCHAR`);
  await connection.run(`UPDATE dataset SET split = CASE
    WHEN label_time IS NULL THEN NULL
    WHEN time < ${validation} THEN CASE WHEN label_time < ${validation} THEN 'train' END
    WHEN time < ${test} THEN CASE WHEN label_time < ${test} THEN 'validation' END
    ELSE 'test' END`);
  const counts: Record<SplitName, number> = { train: 0, validation: 0, test: 0 };
  for (const name of splitNames)
    counts[name] = (await numbers(connection, `SELECT count(*) FROM dataset WHERE split = '${name}'`))[0]?.[0] ?? 0;
  const [[unlabelled = 0] = []] = await numbers(
    connection,
    'SELECT count(*) FROM dataset WHERE label_time IS NULL AND split IS NULL',
  );
  const columns = (await connection.runAndReadAll('SELECT * FROM dataset LIMIT 0')).columnNames();
  const runs = (await connection.runAndReadAll('SELECT DISTINCT run FROM dataset ORDER BY run')).getRows();
  return {
    name: spec.name,
    hash: await contentHash(connection, spec, [begin, end]),
    meaning: spec.meaning,
    columns,
    features: [...spec.context, ...spec.features.flatMap((feature) => feature.columns)],
    labels: spec.labels.columns.map((column) => `label_${column}`),
    runs: runs.map(([run]) => String(run)),
    boundariesMicros: [begin, end],
    counts,
    unlabelled,
    purged: total - unlabelled - counts.train - counts.validation - counts.test,
    specification: spec,
  };
}

/** SHA-256 over the specification, the split and every row in order, numbers as the shortest text that reads back the same. */
async function contentHash(
  connection: DuckDBConnection,
  spec: DatasetSpec,
  boundaries: readonly number[],
): Promise<string> {
  const hash = createHash('sha256');
  hash.update(`${JSON.stringify(spec)}\n${JSON.stringify(boundaries)}\n`);
  const result = await connection.stream('SELECT * FROM dataset ORDER BY example');
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    for (const row of chunk.getRows()) hash.update(`${JSON.stringify(row.map(plain))}\n`);
  }
  return hash.digest('hex');
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'object' && value !== null && 'micros' in value) return String(value.micros);
  return typeof value === 'object' && value !== null ? String(value) : value;
}

async function numbers(connection: DuckDBConnection, sql: string): Promise<(number | undefined)[][]> {
  const reader = await connection.runAndReadAll(sql);
  return reader.getRows().map((row) => row.map((value) => (value === null ? undefined : Number(value))));
}
