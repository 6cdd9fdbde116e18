// The body of a worker thread of the availability study: does the jobs that it is sent, one after the other.

import { parentPort } from 'node:worker_threads';
import type { LifeJob } from './life.ts';
import { LifeJobRunner } from './life-job.ts';

const port = parentPort;
const runner = new LifeJobRunner();
port?.on('message', (job: LifeJob) => port.postMessage(runner.run(job)));
