// Batches as lines of InfluxDB's protocol, QuestDB's dialect of it (version 1, text; precision nanoseconds): a batch is columns, so
// that it is written column by column name, several times as fast as the client's own row by row.

import type { TelemetryBatch } from '../telemetry/rows.ts';
import { columnsOf, type TableName } from '../telemetry/tables.ts';

const symbolsKeptMax = 100_000;

interface Field {
  readonly values: Float64Array | readonly string[];
  /** `,name=`; the first field of a row begins with a space instead. */
  readonly name: string;
  readonly suffix: string;
}

export class LineWriter {
  /** Symbols as they stand in a line: the same few come again and again. */
  private readonly escaped = new Map<string, string>();

  write(batch: TelemetryBatch<TableName>): Buffer {
    const columns = columnsOf(batch.table);
    const symbols: Field[] = [];
    const fields: Field[] = [];
    columns.forEach(({ name, kind }, index) => {
      const values = batch.columns[index];
      if (values === undefined || kind === 'time') return;
      const field = { values, name: `${name}=`, suffix: kind === 'integer' ? 'i' : '' };
      (kind === 'symbol' ? symbols : fields).push(field);
    });
    const times = batch.columns[0] as Float64Array;
    let lines = '';
    for (let row = 0; row < batch.count; row++) {
      lines += batch.table;
      for (const { values, name } of symbols) {
        const value = (values as readonly string[])[row] as string;
        if (value !== '') lines += `,${name}${this.symbol(value)}`;
      }
      let separator = ' ';
      for (const { values, name, suffix } of fields) {
        if (values instanceof Float64Array) {
          const value = values[row] as number;
          if (Number.isNaN(value)) continue;
          // JavaScript writes the shortest text that reads back as the same double.
          lines += `${separator}${name}${value}${suffix}`;
        } else {
          const value = values[row] as string;
          if (value === '') continue;
          lines += `${separator}${name}"${value.replace(/["\\\n\r]/g, '\\$&')}"`;
        }
        separator = ',';
      }
      lines += ` ${times[row]}000\n`;
    }
    return Buffer.from(lines);
  }

  private symbol(value: string): string {
    const known = this.escaped.get(value);
    if (known !== undefined) return known;
    if (this.escaped.size >= symbolsKeptMax) this.escaped.clear();
    const text = value.replace(/[ ,=\n\r\\]/g, '\\$&');
    this.escaped.set(value, text);
    return text;
  }
}
