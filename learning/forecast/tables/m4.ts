// The hourly series of the M4 competition, read from where they lie beside the project: their licence keeps them out of it.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The file, or undefined where it is absent. */
export function m4File(projectRoot: string): string | undefined {
  const file = join(projectRoot, '..', 'shared', 'data', 'm4', 'Hourly-train.csv');
  return existsSync(file) ? file : undefined;
}

export interface NamedSeries {
  readonly name: string;
  readonly values: Float64Array;
}

/** All series of the file, in its order. A row is a name and then values, quoted, empty after the last. */
export function readM4(file: string): NamedSeries[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', ...cells] = line.split(',').map((cell) => cell.replaceAll('"', '').trim());
      return { name, values: Float64Array.from(cells.filter((cell) => cell !== '' && cell !== 'NA').map(Number)) };
    });
}
