// The body of a worker thread of the tables: does the jobs that it is sent, one after the other.

import { parentPort } from 'node:worker_threads';
import { runTableJob, type TableJob } from './table-job.ts';

const port = parentPort;
port?.on('message', (job: TableJob) => port.postMessage(runTableJob(job)));
