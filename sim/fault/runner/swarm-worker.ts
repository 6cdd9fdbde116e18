// The body of a worker thread of the swarm: checks the seeds that it is sent, one job after the other.

import { parentPort } from 'node:worker_threads';
import { runSwarmJob, type SwarmJob } from './swarm-job.ts';

const port = parentPort;
port?.on('message', (job: SwarmJob) => port.postMessage(runSwarmJob(job)));
