// Reads the rows of a CSV file with a header, one at a time, and knows for each the file, line and column that an error must
// name. The parsing itself is csv-parse's; which columns there are and what they mean is left to the readers.

import { type CsvError, parse } from 'csv-parse/sync';
import { type ErrorPlace, SiraError } from '../../core/base/errors.ts';
import { fieldInteger, fieldNumber } from './field-number.ts';
import { readTraceFile } from './trace-file.ts';

/** One row, valid during the call that got it. Columns are named as in the header. */
export class CsvRow {
  /** 1-based line of the file. */
  line = 0;
  private fields: readonly string[] = [];
  private readonly file: string;
  private readonly columns: ReadonlyMap<string, number>;

  constructor(file: string, columns: ReadonlyMap<string, number>) {
    this.file = file;
    this.columns = columns;
  }

  /** For {@link readCsvRows} alone. */
  move(line: number, fields: readonly string[]): void {
    this.line = line;
    this.fields = fields;
  }

  has(column: string): boolean {
    return this.columns.has(column);
  }

  /** The field's text without surrounding blanks; empty if the file has no such column. */
  text(column: string): string {
    const index = this.columns.get(column);
    return index === undefined ? '' : (this.fields[index] as string).trim();
  }

  number(column: string, minimum: number): number {
    return fieldNumber(this.text(column), minimum, this.place(column));
  }

  integer(column: string, minimum: number): number {
    return fieldInteger(this.text(column), minimum, this.place(column));
  }

  place(column: string): ErrorPlace {
    return { file: this.file, line: this.line, field: column };
  }
}

/**
 * Calls `each` for every row of the CSV `file` (comma, or tab if its name ends in .tsv or .tsv.gz; empty lines are passed over).
 * Throws `SIRA_FILE_MISSING`, and `SIRA_TRACE_MALFORMED` for a missing column of `required`, a row with too few or too many
 * fields, or broken quotes.
 */
export function readCsvRows(file: string, required: readonly string[], each: (row: CsvRow) => void): void {
  let row: CsvRow | undefined;
  let width = 0;
  const readRecord = (fields: string[], line: number): void => {
    if (row === undefined) {
      row = new CsvRow(file, headerColumns(file, line, fields, required));
      width = fields.length;
      return;
    }
    if (fields.length !== width) {
      throw new SiraError('SIRA_TRACE_MALFORMED', `the row has ${fields.length} fields, the header ${width}`, {
        file,
        line,
      });
    }
    row.move(line, fields);
    each(row);
  };
  try {
    parse(readTraceFile(file), {
      delimiter: /\.tsv(\.gz)?$/.test(file) ? '\t' : ',',
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (fields: string[], context) => {
        readRecord(fields, context.lines);
        return null;
      },
    });
  } catch (error) {
    if (error instanceof SiraError) throw error;
    const { message, lines } = error as CsvError & { lines?: number };
    throw new SiraError('SIRA_TRACE_MALFORMED', message, { file, line: lines });
  }
  if (row === undefined)
    throw new SiraError('SIRA_TRACE_MALFORMED', 'the file is empty, a header line is needed', { file, line: 1 });
}

function headerColumns(
  file: string,
  line: number,
  names: readonly string[],
  required: readonly string[],
): ReadonlyMap<string, number> {
  const columns = new Map<string, number>();
  for (const [index, name] of names.entries()) columns.set(name.trim(), index);
  for (const name of required) {
    if (!columns.has(name)) {
      const detail = `there is no column "${name}"; the header has ${[...columns.keys()].join(', ')}`;
      throw new SiraError('SIRA_TRACE_MALFORMED', detail, { file, line, field: name });
    }
  }
  return columns;
}
