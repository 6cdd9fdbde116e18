// The body of a worker thread: does the jobs that it is sent and answers each with its record, reporting progress meanwhile.

import { parentPort, workerData } from 'node:worker_threads';
import type { TelemetryBatch } from '../../core/telemetry/rows.ts';
import type { TableName } from '../../core/telemetry/tables.ts';
import { type ErrorParts, partsOf } from './error-parts.ts';
import { type Job, JobRunner } from './run-job.ts';
import type { RunRecord } from './run-record.ts';
import type { Scenario } from './scenario.ts';

/** What a worker says. */
export type WorkerMessage =
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'rows'; readonly batch: TelemetryBatch<TableName> }
  | { readonly kind: 'done'; readonly record: RunRecord }
  | { readonly kind: 'failed'; readonly error: ErrorParts };

const port = parentPort;
if (port !== null) {
  const runner = new JobRunner(workerData as Scenario);
  const post = (message: WorkerMessage): void => port.postMessage(message);
  port.on('message', (job: Job) => {
    try {
      let reported = 0;
      const record = runner.run(
        job,
        (share) => {
          if (share < reported + 0.02) return;
          reported = share;
          post({ kind: 'progress', share });
        },
        (batch) => post({ kind: 'rows', batch }),
      );
      post({ kind: 'done', record });
    } catch (error) {
      post({ kind: 'failed', error: partsOf(error) });
    }
  });
}
