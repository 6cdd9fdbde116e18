// Placement worst fit: the machine that the task leaves with the most.

import type { PluginContext, ScorePlugin } from '../framework.ts';

/**
 * `trunc(100·(½·(cpuLeft − cpu)/cpuMax + ½·(gpuLeft − gpu)/gpuMax))`, 0 to 100: best fit turned round, so that large
 * machines with much left come first. Source: worst fit of Johnson, "Near-optimal bin packing algorithms", MIT 1973, with
 * the two resources weighed as by best fit.
 */
export function worstFit({ cluster }: PluginContext): ScorePlugin {
  return {
    name: 'worst-fit',
    score(kind, machine) {
      const cpuMax = cluster.cpuCapacityMaxMilli;
      const gpuMax = cluster.gpuCapacityMaxMilli;
      const cpuAfter = (cluster.cpuFreeMilli[machine] as number) - kind.cpuMilli;
      const gpuAfter = (cluster.gpuFreeMilli[machine] as number) - kind.gpuTotalMilli;
      const left = (cpuMax > 0 ? (0.5 * cpuAfter) / cpuMax : 0) + (gpuMax > 0 ? (0.5 * gpuAfter) / gpuMax : 0);
      return Math.trunc(100 * left);
    },
  };
}
