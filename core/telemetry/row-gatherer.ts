// Gathers rows into batches of one size and hands each on as soon as it is full: for whoever reads a whole run from beginning to
// end, and needs neither deadlines nor a copy.

import { RowBuffer, type RowSink, type TelemetryBatch } from './rows.ts';
import type { TableName, TelemetryRow } from './tables.ts';

export class RowGatherer implements RowSink {
  private readonly batchRows: number;
  private readonly take: (batch: TelemetryBatch<TableName>) => void;
  private readonly buffers = new Map<TableName, RowBuffer<TableName>>();

  constructor(batchRows: number, take: (batch: TelemetryBatch<TableName>) => void) {
    this.batchRows = batchRows;
    this.take = take;
  }

  add<Table extends TableName>(table: Table, row: TelemetryRow<Table>): void {
    let buffer = this.buffers.get(table);
    if (buffer === undefined) {
      buffer = new RowBuffer<TableName>(table);
      this.buffers.set(table, buffer);
    }
    buffer.add(row as TelemetryRow<TableName>);
    if (buffer.count < this.batchRows) return;
    this.buffers.delete(table);
    this.take(buffer.seal());
  }

  /** Hands on what is left. */
  flush(): void {
    for (const buffer of this.buffers.values()) this.take(buffer.seal());
    this.buffers.clear();
  }
}
