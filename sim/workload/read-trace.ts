// Picks the reader of a recorded source's format.

import { readOpenbPods } from './openb-pods.ts';
import type { WorkloadSource } from './spec.ts';
import type { Trace } from './trace.ts';

/** Sources that are files; `synthetic` is made, not read. */
export type RecordedSource = Exclude<WorkloadSource, { readonly format: 'synthetic' }>;

/** The trace as recorded. Throws `SIRA_FILE_MISSING`, and `SIRA_TRACE_MALFORMED` with file, line and field. */
export function readTrace(source: RecordedSource): Trace {
  switch (source.format) {
    case 'openb':
      return readOpenbPods(source.file);
    default:
      throw new RangeError(`no reader for ${source.format}`);
  }
}
