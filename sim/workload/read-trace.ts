// Picks the reader of a recorded source's format.

import { readAzureLlmRequests } from './azure-llm-requests.ts';
import { readBatsimJobs } from './batsim-jobs.ts';
import { readCsvTasks } from './csv-tasks.ts';
import { readOpenbPods } from './openb-pods.ts';
import type { WorkloadSource } from './spec.ts';
import { readSwfJobs } from './swf-jobs.ts';
import type { Trace } from './trace.ts';

/** Sources that are files; `synthetic` is made, not read. */
export type RecordedSource = Exclude<WorkloadSource, { readonly format: 'synthetic' }>;

/** The trace as recorded, or the seed's window of it. Throws `SIRA_FILE_MISSING`, and `SIRA_TRACE_MALFORMED` with file, line and
 *  field. */
export function readTrace(source: RecordedSource, seed: number): Trace {
  switch (source.format) {
    case 'openb':
      return readOpenbPods(source.file);
    case 'swf':
      return readSwfJobs({ ...source, firstJob: source.firstJob === '{seed}' ? seed : source.firstJob });
    case 'azure-llm':
      return readAzureLlmRequests(source);
    case 'batsim':
      return readBatsimJobs(source.file);
    case 'csv':
      return readCsvTasks(source);
  }
}
