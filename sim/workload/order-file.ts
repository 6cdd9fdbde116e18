// Reads a file of numbers, one a line, each of which names a machine or a task by the number at the end of its name
// (`openb-node-0260` is 260).

import { SiraError } from '../../core/base/errors.ts';
import { fieldInteger } from './field-number.ts';
import { readTraceFile } from './trace-file.ts';

/** A number and the 1-based line where it stands. */
export interface OrderEntry {
  readonly number: number;
  readonly line: number;
}

/** The numbers in order; `{seed}` in the name stands for the seed. Throws `SIRA_FILE_MISSING` and `SIRA_TRACE_MALFORMED`. */
export function readOrderFile(
  name: string,
  seed: number,
): { readonly file: string; readonly entries: readonly OrderEntry[] } {
  const file = name.replaceAll('{seed}', String(seed));
  const entries: OrderEntry[] = [];
  for (const [index, text] of readTraceFile(file).split('\n').entries()) {
    if (text.trim() === '') continue;
    entries.push({ number: fieldInteger(text, 0, { file, line: index + 1, field: 'number' }), line: index + 1 });
  }
  return { file, entries };
}

/** Index of each item by the number at the end of its name. Throws if a name has none or two share one. */
export function indexByNumber(names: readonly string[], file: string): ReadonlyMap<number, number> {
  const indices = new Map<number, number>();
  for (const [index, name] of names.entries()) {
    const digits = /(\d+)$/.exec(name);
    if (digits === null) {
      throw new SiraError('SIRA_TRACE_MALFORMED', `"${name}" does not end in a number, so the order cannot name it`, {
        file,
      });
    }
    const number = Number(digits[1]);
    if (indices.has(number)) {
      throw new SiraError(
        'SIRA_TRACE_MALFORMED',
        `two names end in the number ${number}, so the order cannot tell them apart`,
        { file },
      );
    }
    indices.set(number, index);
  }
  return indices;
}
