// A Parquet file written one row group after another, so that a run of a million tasks never holds all its rows. What the
// columns mean is the caller's business. Until `finish` the file cannot be read.

import { rmSync } from 'node:fs';
import { type ColumnSource, fileWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import { guardWrites } from './guard-writes.ts';

export class ParquetStream {
  private readonly filename: string;
  private writer: ParquetWriter | undefined;

  /** The file is made, or emptied, with the first group. */
  constructor(filename: string) {
    this.filename = filename;
  }

  /** One group of rows, all columns equally long and of the same names and types each time. Throws SIRA_DISK_FULL and the like. */
  writeGroup(columnData: ColumnSource[]): void {
    guardWrites(this.filename, () => {
      this.writer ??= new ParquetWriter({
        writer: fileWriter(this.filename),
        schema: schemaFromColumnData({ columnData }),
      });
      const rowGroupSize = Math.max(1, columnData[0]?.data.length ?? 0);
      // The schema knows the types from here on.
      this.writer.write({ columnData: columnData.map(({ name, data }) => ({ name, data })), rowGroupSize });
    });
  }

  /** Writes what readers begin with. At least one group must have been written, if only an empty one. */
  finish(): void {
    guardWrites(this.filename, () => void this.writer?.finish());
  }

  /** Takes the unfinished file away. */
  discard(): void {
    if (this.writer !== undefined) rmSync(this.filename, { force: true });
  }
}
