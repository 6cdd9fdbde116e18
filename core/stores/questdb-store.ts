// Telemetry in QuestDB, over HTTP. Tables are made with keys (DEDUP UPSERT KEYS), so that a batch that is sent again, because
// nobody knows whether it arrived, is there once; the server acknowledges what its write-ahead log has. Reads wait until that log
// is applied, so that they show all that was acknowledged. Where the client's library flushes what it cannot keep, the batcher
// before this keeps its own copy; each request has a deadline of its own.

import { createTransport, SenderOptions, type SenderTransport } from '@questdb/nodejs-client';
import { parse } from 'csv-parse';
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
import { LineWriter } from './line-protocol.ts';
import { columnList, microsPerDay, minutesToRollUp, orderOf, rollupSelect, storedNames, whereOf } from './store-sql.ts';

const types: Readonly<Record<ColumnKind, string>> = {
  time: 'TIMESTAMP',
  symbol: 'SYMBOL',
  text: 'VARCHAR',
  integer: 'LONG',
  real: 'DOUBLE',
};

const rowsPerPage = 8192;

export interface QuestDbOptions {
  /** `http://HOST:PORT`. */
  readonly url: string;
  /** Of one request. */
  readonly timeoutMillis?: number | undefined;
}

export class QuestDbStore implements TelemetryStore {
  readonly kind = 'questdb';
  private readonly url: URL;
  private readonly timeoutMillis: number;
  private readonly lines = new LineWriter();
  private transport: SenderTransport | undefined;
  /** The earliest time written since the last roll-up, by table. */
  private readonly changedMicros = new Map<TableName, number>();

  constructor({ url, timeoutMillis = 10_000 }: QuestDbOptions) {
    this.url = new URL(url);
    this.timeoutMillis = timeoutMillis;
  }

  async open(): Promise<void> {
    for (const name of storedNames) {
      const columns = columnList(columnsOf(name), (column) => `${column.name} ${types[column.kind]}`);
      const keys = `DEDUP UPSERT KEYS(${keyOf(name).join(', ')})`;
      await this.execute(
        `CREATE TABLE IF NOT EXISTS ${name} (${columns}) TIMESTAMP(time) PARTITION BY DAY WAL ${keys}`,
      );
    }
    // Tables of an older version lack what came later.
    const there = new Set(
      (await this.rows('SELECT table_name, column_name FROM information_schema.columns()')).map(
        ([table, column]) => `${table}.${column}`,
      ),
    );
    for (const name of storedNames)
      for (const column of columnsOf(name).filter((one) => !there.has(`${name}.${one.name}`)))
        await this.execute(`ALTER TABLE ${name} ADD COLUMN IF NOT EXISTS ${column.name} ${types[column.kind]}`);
    // A table that a sender made by itself has no keys.
    for (const [name, hasKeys] of await this.rows('SELECT table_name, dedup FROM tables()')) {
      const table = storedNames.find((one) => one === name);
      if (table === undefined || hasKeys === true) continue;
      await this.execute(`ALTER TABLE ${table} DEDUP ENABLE UPSERT KEYS(${keyOf(table).join(', ')})`);
    }
    this.transport ??= createTransport(await this.senderOptions());
  }

  async write(batch: TelemetryBatch<TableName>): Promise<void> {
    if (this.transport === undefined) await this.open();
    if (!tableNames.includes(batch.table))
      throw new SiraError('SIRA_TELEMETRY_REFUSED', `there is no table ${batch.table}`);
    try {
      await this.transport?.send(this.lines.write(batch));
    } catch (error) {
      throw refusal(error, this.url.href);
    }
    let earliest = this.changedMicros.get(batch.table) ?? Number.POSITIVE_INFINITY;
    for (const micros of batch.columns[0] as Float64Array) earliest = Math.min(earliest, micros);
    this.changedMicros.set(batch.table, earliest);
  }

  async *read(query: TelemetryQuery): AsyncGenerator<TelemetryBatch> {
    await this.applied();
    const columns = columnsOf(query.table);
    const names = columnList(columns, ({ name, kind }) => (kind === 'time' ? `cast(${name} AS LONG) ${name}` : name));
    const sql = `SELECT ${names} FROM ${query.table}${whereOf(query, instant)} ORDER BY ${orderOf(query.table)}`;
    const deadline = new Deadline(this.timeoutMillis);
    const { body } = await this.get('/exp', sql, deadline);
    if (body === null) return;
    let page = newPage(columns.map(({ kind }) => kind));
    const records = parse({ from_line: 2, relax_column_count: false });
    const feeding = feed(body, records, deadline);
    try {
      for await (const record of records as AsyncIterable<readonly string[]>) {
        page.add(record);
        if (page.count < rowsPerPage) continue;
        yield { table: query.table, count: page.count, columns: page.columns() };
        page = newPage(columns.map(({ kind }) => kind));
      }
      await feeding;
    } finally {
      // Whoever reads no further wants no more.
      deadline.end();
    }
    if (page.count > 0) yield { table: query.table, count: page.count, columns: page.columns() };
  }

  async rollUp(): Promise<void> {
    await this.applied();
    const changed = new Map(this.changedMicros);
    this.changedMicros.clear();
    for (const name of rollupNames) await this.rollUpOne(name, changed.get(telemetryRollups[name].from));
  }

  async expire(nowMicros: number, { rawMicros, rollupMicros }: Retention): Promise<void> {
    await this.applied();
    const drop = async (table: string, ageMicros: number): Promise<void> => {
      const day = Math.floor((nowMicros - ageMicros) / microsPerDay) * microsPerDay;
      const [[first] = []] = await this.rows(`SELECT cast(min(time) AS LONG) FROM ${table}`);
      // It is an error to drop none.
      if (typeof first !== 'number' || first >= day) return;
      await this.execute(`ALTER TABLE ${table} DROP PARTITION WHERE time < ${instant(day)}`);
    };
    for (const table of tableNames) await drop(table, rawMicros);
    for (const name of rollupNames) await drop(name, rollupMicros);
  }

  async close(): Promise<void> {
    await this.transport?.close();
    this.transport = undefined;
  }

  /** Rows of a statement, at most a few. */
  async rows(sql: string): Promise<readonly (readonly unknown[])[]> {
    const { dataset = [] } = (await (await this.get('/exec', sql)).json()) as { dataset?: readonly unknown[][] };
    return dataset;
  }

  private async execute(sql: string): Promise<void> {
    await (await this.get('/exec', sql)).arrayBuffer();
  }

  /** The write-ahead log of every table is in its table: after a restart that takes a moment. */
  private async applied(): Promise<void> {
    const giveUp = performance.now() + 6 * this.timeoutMillis;
    for (;;) {
      const behind = await this.rows(
        'SELECT name, suspended, errorMessage FROM wal_tables() WHERE writerTxn < sequencerTxn OR suspended',
      );
      if (behind.length === 0) return;
      const suspended = behind.find(([, isSuspended]) => isSuspended === true);
      if (suspended !== undefined)
        throw new SiraError('SIRA_TELEMETRY_AWAY', `QuestDB has suspended ${suspended[0]}: ${suspended[2]}`);
      if (performance.now() > giveUp)
        throw new SiraError('SIRA_TELEMETRY_AWAY', `QuestDB does not catch up with its own log of ${behind[0]?.[0]}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  private async rollUpOne(name: RollupName, changedMicros: number | undefined): Promise<void> {
    const { from } = telemetryRollups[name];
    const [[rolled] = []] = await this.rows(`SELECT cast(max(time) AS LONG) FROM ${name}`);
    const [[first, latest] = []] = await this.rows(
      `SELECT cast(min(time) AS LONG), cast(max(time) AS LONG) FROM ${from}`,
    );
    const known = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
    const times = { firstMicros: known(first), latestMicros: known(latest), rolledMicros: known(rolled) };
    const minutes = minutesToRollUp(times, changedMicros);
    if (minutes === undefined) return;
    const columns = columnsOf(name).map((column) => column.name);
    const select = rollupSelect(name, "timestamp_floor('m', time)", instant, minutes.fromMicros, minutes.toMicros);
    await this.execute(`INSERT INTO ${name} (${columns.join(', ')}) ${select}`);
  }

  /** The answer's head; its body comes under the same deadline, which is put off with {@link Deadline.more}. */
  private async get(path: string, sql: string, deadline = new Deadline(this.timeoutMillis)): Promise<Response> {
    const url = new URL(path, this.url);
    url.searchParams.set('query', sql);
    let response: Response;
    try {
      response = await fetch(url, { signal: deadline.signal });
    } catch (error) {
      throw new SiraError('SIRA_TELEMETRY_AWAY', `${this.url.href} does not answer: ${causeOf(error)}`);
    }
    if (response.ok) return response;
    const text = await response.text().catch(() => '');
    const code = response.status === 400 ? 'SIRA_TELEMETRY_REFUSED' : 'SIRA_TELEMETRY_AWAY';
    throw new SiraError(code, `QuestDB answers ${response.status}: ${text.slice(0, 500)} (${sql.slice(0, 200)})`);
  }

  private senderOptions(): Promise<SenderOptions> {
    const { protocol, host } = this.url;
    // `retry_timeout` is the deadline of the whole; repeating within it is harmless, since rows have keys.
    const deadline = `request_timeout=${this.timeoutMillis};retry_timeout=${this.timeoutMillis}`;
    return SenderOptions.fromConfig(
      `${protocol === 'https:' ? 'https' : 'http'}::addr=${host};protocol_version=1;${deadline}`,
    );
  }
}

/** Ends a request on which nothing comes for so long; a long answer may take longer. */
class Deadline {
  private readonly millis: number;
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(millis: number) {
    this.millis = millis;
    this.more();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Something has come, or the reader takes its time. */
  more(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.controller.abort(new Error('no answer in time')), this.millis);
    this.timer.unref();
  }

  pause(): void {
    clearTimeout(this.timer);
  }

  end(): void {
    clearTimeout(this.timer);
    this.controller.abort(new Error('done'));
  }
}

interface Page {
  readonly count: number;
  add(record: readonly string[]): void;
  columns(): (Float64Array | string[])[];
}

function newPage(kinds: readonly ColumnKind[]): Page {
  const texts = kinds.map((): string[] => []);
  const numbers = kinds.map((kind) => new Float64Array(kind === 'symbol' || kind === 'text' ? 0 : rowsPerPage));
  let count = 0;
  return {
    get count() {
      return count;
    },
    add(record) {
      kinds.forEach((kind, index) => {
        const field = record[index] as string;
        if (kind === 'symbol' || kind === 'text') texts[index]?.push(field.includes('\\') ? unescaped(field) : field);
        else (numbers[index] as Float64Array)[count] = field === '' ? Number.NaN : Number(field);
      });
      count++;
    },
    columns: () =>
      kinds.map((kind, index) =>
        kind === 'symbol' || kind === 'text'
          ? (texts[index] as string[])
          : (numbers[index] as Float64Array).slice(0, count),
      ),
  };
}

/** QuestDB writes texts into CSV as JSON has them, but for the quotes. */
function unescaped(field: string): string {
  return field.replace(/\\(u[\da-f]{4}|.)/gi, (whole, code: string) => {
    if (code.length > 1) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }[code] ?? whole.slice(1);
  });
}

async function feed(
  body: ReadableStream<Uint8Array>,
  records: ReturnType<typeof parse>,
  deadline: Deadline,
): Promise<void> {
  try {
    for await (const part of body) {
      deadline.pause();
      if (!records.write(part)) await new Promise((resolve) => records.once('drain', resolve));
      deadline.more();
    }
    records.end();
  } catch (error) {
    records.destroy(new SiraError('SIRA_TELEMETRY_AWAY', `QuestDB broke off: ${causeOf(error)}`));
  }
}

function instant(micros: number): string {
  return `cast(${Math.round(micros)} AS TIMESTAMP)`;
}

/** What a failed request says of its rows: refused for good, or nobody knows. */
function refusal(error: unknown, url: string): SiraError {
  if (error instanceof SiraError) return error;
  const reason = causeOf(error);
  if (/statusCode=400/.test(reason)) return new SiraError('SIRA_TELEMETRY_REFUSED', reason);
  return new SiraError('SIRA_TELEMETRY_AWAY', `${url} does not answer: ${reason}`);
}

function causeOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
