// How full a machine would be with a task, in one number, for placements that pack among machines that they cannot tell apart.

import type { PluginContext } from '../framework.ts';
import type { RequestKind } from '../request.ts';

/** Mean share of the machine's CPU, memory and GPUs (of those that it has) that is in use with the task, 0 to 1. */
export function meanUseWith(cluster: PluginContext['cluster'], kind: RequestKind, machine: number): number {
  const cpu = cluster.cpuCapacityMilli[machine] as number;
  const memory = cluster.memoryCapacityMib[machine] as number;
  const gpu = (cluster.gpuCount[machine] as number) * 1000;
  let used = 0;
  let resources = 0;
  if (cpu > 0) {
    used += 1 - ((cluster.cpuFreeMilli[machine] as number) - kind.cpuMilli) / cpu;
    resources++;
  }
  if (memory > 0) {
    used += 1 - ((cluster.memoryFreeMib[machine] as number) - kind.memoryMib) / memory;
    resources++;
  }
  if (gpu > 0) {
    used += 1 - ((cluster.gpuFreeMilli[machine] as number) - kind.gpuTotalMilli) / gpu;
    resources++;
  }
  return resources > 0 ? used / resources : 0;
}
