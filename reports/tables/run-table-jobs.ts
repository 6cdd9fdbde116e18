// Runs jobs of the tables on worker threads; the results come in the order of the jobs, whichever ends first.

import { Worker } from 'node:worker_threads';
import { runTableJob, type TableJob, type TableJobResult } from './table-job.ts';

/** `workers` threads; 0 runs everything in this one, which is also what sources do, since threads need the build. `ended` is told
 *  of each job that has ended. Throws the first job's error. */
export function runTableJobs(
  jobs: readonly TableJob[],
  workers: number,
  ended: (job: TableJob) => void,
): Promise<TableJobResult[]> {
  const count = Math.min(workers, jobs.length);
  if (count === 0 || import.meta.url.endsWith('.ts')) {
    const results = jobs.map((job) => {
      const result = runTableJob(job);
      ended(job);
      return result;
    });
    return Promise.resolve(results);
  }
  return new Promise((resolve, reject) => {
    const results: TableJobResult[] = [];
    let next = 0;
    let missing = jobs.length;
    const threads = Array.from({ length: count }, () => new Worker(new URL('./table-worker.js', import.meta.url)));
    const fail = (error: Error): void => {
      for (const thread of threads) void thread.terminate();
      reject(error);
    };
    for (const thread of threads) {
      let position = -1;
      const give = (): void => {
        if (next === jobs.length) {
          void thread.terminate();
          return;
        }
        position = next++;
        thread.postMessage(jobs[position]);
      };
      thread.on('message', (result: TableJobResult) => {
        results[position] = result;
        ended(jobs[position] as TableJob);
        if (--missing === 0) resolve(results);
        give();
      });
      thread.on('error', fail);
      give();
    }
  });
}
