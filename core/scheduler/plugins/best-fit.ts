// Placement best fit: the machine that the task leaves with the least.

import type { PluginContext, ScorePlugin } from '../framework.ts';

/**
 * `trunc(100·(1 − (½·(cpuLeft − cpu)/cpuMax + ½·(gpuLeft − gpu)/gpuMax)))`, 0 to 100, where the maxima are those of the
 * largest machine of the cluster (128 cores and 8 GPUs on openb).
 * Source: the BestFit baseline of Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation
 * Gradient Descent", USENIX ATC 2023.
 */
export function bestFit({ cluster }: PluginContext): ScorePlugin {
  return {
    name: 'best-fit',
    score(kind, machine) {
      const cpuMax = cluster.cpuCapacityMaxMilli;
      const gpuMax = cluster.gpuCapacityMaxMilli;
      const cpuAfter = (cluster.cpuFreeMilli[machine] as number) - kind.cpuMilli;
      const gpuAfter = (cluster.gpuFreeMilli[machine] as number) - kind.gpuTotalMilli;
      const left = (cpuMax > 0 ? (0.5 * cpuAfter) / cpuMax : 0) + (gpuMax > 0 ? (0.5 * gpuAfter) / gpuMax : 0);
      return Math.trunc(100 * (1 - left));
    },
  };
}
