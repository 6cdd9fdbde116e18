// What the schema `queue-order/1` tells a network about one waiting task, in numbers that any kernel can compute: the same lines
// serve the scheduler and the environments that policies are trained in, so that both see the same bits. A feature looks at
// this task and at the cluster, never at the other candidates.

import { fixedLog } from '../base/fixed-math.ts';

export const queueOrderSchema = 'queue-order/1';

/** In the order of the columns. */
export const queueFeatureNames = [
  /** ln(1 + estimate in seconds). */
  'estimateLog',
  /** The largest share that the task asks for of what all machines have, over the resources. */
  'demandShare',
  /** ln(1 + share × estimate in seconds). */
  'areaLog',
  /** ln(1 + seconds waited). */
  'waitLog',
  /** ln(slowdown so far): (wait + e)/e, with e the estimate but at least 10 s. */
  'slowdownLog',
  /** 1 if what is free in total is enough for it now, else 0. */
  'fits',
  /** ln(1 + seconds until enough is free in total, by the estimates of what runs); seconds count up to 10⁹. */
  'delayLog',
  /** Share that is free, of the resource of which least is. */
  'freeShare',
  /** ln(tasks that wait). */
  'queueLog',
] as const;

export const queueFeatureCount = queueFeatureNames.length;

/** ln(1 + value), for values from 0. */
export function logOfOnePlus(value: number): number {
  return fixedLog(1 + value);
}

/** Writes one row at `at`. `estimateLog` and `areaLog` come computed: they do not change while a task waits. */
export function writeQueueFeatures(
  out: Float64Array,
  at: number,
  estimateSeconds: number,
  estimateLog: number,
  demandShare: number,
  areaLog: number,
  waitSeconds: number,
  delaySeconds: number,
  freeShare: number,
  queueLog: number,
): void {
  const bounded = estimateSeconds > 10 ? estimateSeconds : 10;
  out[at] = estimateLog;
  out[at + 1] = demandShare;
  out[at + 2] = areaLog;
  out[at + 3] = waitSeconds > 0 ? fixedLog(1 + waitSeconds) : 0;
  out[at + 4] = waitSeconds > 0 ? fixedLog((waitSeconds + bounded) / bounded) : 0;
  out[at + 5] = delaySeconds > 0 ? 0 : 1;
  out[at + 6] = delaySeconds > 0 ? fixedLog(1 + (delaySeconds < 1e9 ? delaySeconds : 1e9)) : 0;
  out[at + 7] = freeShare;
  out[at + 8] = queueLog;
}
