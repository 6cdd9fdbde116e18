// The body of the thread that simulates: one job after the other, so that neither kernel nor server wait for any.

import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { AdviceJob } from './advice-job.ts';
import { doJob } from './analyse.ts';

const port = parentPort;
const niceness = 10;

// On Linux this is of the thread alone: the kernel goes first. Where it is not allowed, they are equals.
if (port !== null && process.platform === 'linux')
  try {
    setPriority(0, niceness);
  } catch {}
if (port !== null) port.on('message', (job: AdviceJob) => void doJob(job, (answer) => port.postMessage(answer)));
