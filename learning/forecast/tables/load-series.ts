// The load series of the page: GPU demand of four virtual clusters of Helios, minute by minute, and requests to an Azure LLM service,
// counted in stretches of ten seconds.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import type { NamedSeries } from './m4.ts';

/** GPUs that run or pending jobs ask for, each minute of a month; empty where the files are absent. */
export function heliosDemand(projectRoot: string): NamedSeries[] {
  return heliosSeries(projectRoot, (row) => Number(row.running_gpu_num) + Number(row.pending_gpu_num));
}

/** Jobs that wait, each minute of a month. */
export function heliosQueue(projectRoot: string): NamedSeries[] {
  return heliosSeries(projectRoot, (row) => Number(row.pending_job_num));
}

function heliosSeries(projectRoot: string, valueIn: (row: Record<string, string>) => number): NamedSeries[] {
  const folder = join(projectRoot, '..', 'shared', 'data', 'helios-earth');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('_cluster_sequence_vc.csv'))
    .toSorted((left, right) => (left < right ? -1 : 1))
    .map((name) => {
      const rows = parse(readFileSync(join(folder, name)), { columns: true }) as Record<string, string>[];
      return {
        name: name.replace('_cluster_sequence_vc.csv', ''),
        values: Float64Array.from(rows, valueIn),
      };
    });
}

/** Requests in each whole stretch of `seconds`, from the first request on. */
export function azureRequests(projectRoot: string, seconds: number): NamedSeries {
  const file = join(projectRoot, 'scenarios', 'data', 'azure-llm-2023', 'AzureLLMInferenceTrace_code.csv.gz');
  const rows = parse(gunzipSync(readFileSync(file)), { columns: true }) as { TIMESTAMP: string }[];
  // All on one day: the time of day will do.
  const times = rows.map(({ TIMESTAMP }) => {
    const [hours, minutes, rest] = TIMESTAMP.slice(11).split(':').map(Number) as [number, number, number];
    return hours * 3600 + minutes * 60 + rest;
  });
  const start = times[0]!;
  const values = new Float64Array(Math.floor((times.at(-1)! - start) / seconds));
  for (const time of times) {
    const at = Math.floor((time - start) / seconds);
    if (at < values.length) values[at] = values[at]! + 1;
  }
  return { name: `azure-requests-${seconds}s`, values };
}
