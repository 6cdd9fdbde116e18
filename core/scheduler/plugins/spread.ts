// Placement spread: as few tasks side by side as possible, for isolation and to limit what one failure takes along.

import type { PluginContext, ScorePlugin } from '../framework.ts';

/** From this many tasks on a machine the number of tasks no longer tells machines apart. */
const tasksMax = 1_000_000;

/**
 * Fewest running tasks first, and among those the least utilized: `(1,000,000 − tasks, at least 0) + free`, where free in
 * 0…1 is the mean free fraction of the machine's own CPU, memory and GPUs (of those it has) once the task runs there.
 * Source: NodeResourcesFit with LeastAllocated of the Kubernetes scheduler, after the number of pods.
 */
export function spread({ cluster }: PluginContext): ScorePlugin {
  return {
    name: 'spread',
    score(kind, machine) {
      const cpu = cluster.cpuCapacityMilli[machine] as number;
      const memory = cluster.memoryCapacityMib[machine] as number;
      const gpu = (cluster.gpuCount[machine] as number) * 1000;
      let free = 0;
      let resources = 0;
      if (cpu > 0) {
        free += ((cluster.cpuFreeMilli[machine] as number) - kind.cpuMilli) / cpu;
        resources++;
      }
      if (memory > 0) {
        free += ((cluster.memoryFreeMib[machine] as number) - kind.memoryMib) / memory;
        resources++;
      }
      if (gpu > 0) {
        free += ((cluster.gpuFreeMilli[machine] as number) - kind.gpuTotalMilli) / gpu;
        resources++;
      }
      const tasks = cluster.allocationCount[machine] as number;
      return Math.max(0, tasksMax - tasks) + (resources > 0 ? free / resources : 0);
    },
  };
}
