// The body of a worker thread of a swarm over the durable topics, or (`?soak`) of its soak: checks the seeds that it is sent.

import { parentPort } from 'node:worker_threads';
import type { SwarmJob } from './swarm-job.ts';
import { runSoakJob, runTopicJob } from './topic-job.ts';

const port = parentPort;
const runJob = import.meta.url.endsWith('?soak') ? runSoakJob : runTopicJob;
port?.on('message', (job: SwarmJob) => port.postMessage(runJob(job)));
