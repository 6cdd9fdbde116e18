// Jobs of Microsoft's Philly trace as timed tasks: the class is the virtual cluster.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { TimedTask } from '../durations.ts';

/** When the week of scenarios/data/philly begins, seconds of Unix time: Monday, 23 October 2017. */
export const weekSeconds = Date.parse('2017-10-23T00:00:00Z') / 1000;

/** The trace beside the project; undefined where it is absent. */
export function phillyFile(projectRoot: string): string | undefined {
  const file = join(projectRoot, '..', 'shared', 'data', 'philly', 'philly.csv');
  return existsSync(file) ? file : undefined;
}

/** Every job that ran, in seconds of Unix time. */
export function phillyTasks(file: string): TimedTask[] {
  const rows = parse(readFileSync(file), {
    columns: true,
    relax_column_count: true,
    skip_records_with_error: true,
  }) as Record<string, string>[];
  return rows
    .filter((row) => row.cluster !== undefined && row.timestamp !== undefined)
    .map((row) => ({
      submittedSeconds: Date.parse(`${row.timestamp!.replace(' ', 'T')}Z`) / 1000,
      seconds: Number(row.duration),
      taskClass: row.cluster!,
      gpuCount: Math.min(8, Math.round(Number(row.num_gpus))),
    }))
    .filter(({ seconds, submittedSeconds }) => seconds > 0 && Number.isFinite(submittedSeconds));
}
