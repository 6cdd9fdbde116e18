// What a task asks for, as a share of the cluster: the feature `demandShare` of core/policy/queue-features.ts.

import type { ClusterState } from './cluster-state.ts';
import type { RequestKind } from './request.ts';

/** The largest share that the kind asks for of what all machines have, over the resources; 0 of what there is none of. */
export function demandShareOf(
  { cpuMilli, memoryMib, gpuTotalMilli, machineCount }: RequestKind,
  cluster: ClusterState,
): number {
  return Math.max(
    share(cpuMilli * machineCount, cluster.cpuCapacityTotalMilli),
    share(memoryMib * machineCount, cluster.memoryCapacityTotalMib),
    share(gpuTotalMilli * machineCount, cluster.gpuCapacityTotalMilli),
  );
}

function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
