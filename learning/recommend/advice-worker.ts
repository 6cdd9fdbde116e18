// The body of the thread that simulates: one job after the other, so that neither kernel nor server wait for any.

import { parentPort } from 'node:worker_threads';
import type { AdviceJob } from './advice-job.ts';
import { doJob } from './analyse.ts';

const port = parentPort;
if (port !== null) port.on('message', (job: AdviceJob) => void doJob(job, (answer) => port.postMessage(answer)));
