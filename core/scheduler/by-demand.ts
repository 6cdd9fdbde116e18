// The order in which the members of a gang are tried: first-fit decreasing wants the most demanding first.

import type { Task } from './task.ts';

/** Most GPUs first, then CPU, memory and the lower number: a total order. */
export function byDemand({ kind: left, task: first }: Task, { kind: right, task: second }: Task): number {
  return (
    right.gpuTotalMilli * right.machineCount - left.gpuTotalMilli * left.machineCount ||
    right.cpuMilli * right.machineCount - left.cpuMilli * left.machineCount ||
    right.memoryMib * right.machineCount - left.memoryMib * left.machineCount ||
    first - second
  );
}
