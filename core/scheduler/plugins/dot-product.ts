// Placement dot product: aligns what the task asks for with what the machine has left.

import type { PluginContext, ScorePlugin } from '../framework.ts';

/**
 * `trunc(100·(1 − ((cpuLeft·cpu)/cpuMax² + (gpuLeft·gpu)/gpuMax²)/2))`, 0 to 100, with what is left before the task and its
 * total GPU milli; the maxima are those of the largest machine of the cluster (128 cores and 8 GPUs on openb).
 * Source: Panigrahy et al., "Heuristics for vector bin packing", 2011; this form is the DotProd baseline of Weng et al.,
 * "Beware of Fragmentation", USENIX ATC 2023.
 */
export function dotProduct({ cluster }: PluginContext): ScorePlugin {
  return {
    name: 'dot-product',
    score(kind, machine) {
      const cpuMax = cluster.cpuCapacityMaxMilli;
      const gpuMax = cluster.gpuCapacityMaxMilli;
      const cpu = (cluster.cpuFreeMilli[machine] as number) * kind.cpuMilli;
      const gpu = (cluster.gpuFreeMilli[machine] as number) * kind.gpuTotalMilli;
      const product = (cpuMax > 0 ? cpu / (cpuMax * cpuMax) : 0) + (gpuMax > 0 ? gpu / (gpuMax * gpuMax) : 0);
      return Math.trunc(100 * (1 - product / 2));
    },
  };
}
