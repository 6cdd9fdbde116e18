// The body of a worker thread of the soak of the durable topics: checks the seeds that it is sent.

import { parentPort } from 'node:worker_threads';
import type { SwarmJob } from './swarm-job.ts';
import { runSoakJob } from './topic-job.ts';

const port = parentPort;
port?.on('message', (job: SwarmJob) => port.postMessage(runSoakJob(job)));
