// The one size that the batch-queue orders know of a job: its number of processors.

import type { RequestKind } from '../request.ts';

/** Processors over all machines of the task: CPU cores if it asks for any, else GPUs, else machines. May be a fraction. */
export function processorsOf(kind: RequestKind): number {
  if (kind.cpuMilli > 0) return (kind.machineCount * kind.cpuMilli) / 1000;
  if (kind.gpuTotalMilli > 0) return (kind.machineCount * kind.gpuTotalMilli) / 1000;
  return kind.machineCount;
}
