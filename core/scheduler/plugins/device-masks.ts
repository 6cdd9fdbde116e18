// Bit masks of the devices of one machine, bit i for device i, as device choices hand them to the cluster state.

import type { ClusterState } from '../cluster-state.ts';
import { deviceCountMax } from '../cluster-state.ts';
import type { RequestKind } from '../request.ts';

/** Devices of `machine` that each have at least `kind.gpuMilli` left. */
export function fittingDevices(cluster: ClusterState, kind: RequestKind, machine: number): number {
  const first = machine * deviceCountMax;
  const count = cluster.gpuCount[machine] as number;
  let mask = 0;
  for (let device = 0; device < count; device++) {
    if ((cluster.deviceFreeMilli[first + device] as number) >= kind.gpuMilli) mask |= 1 << device;
  }
  return mask;
}

/** The `kind.gpuCount` fitting devices with least left, ties by lowest index. The machine must pass the filter. */
export function leastLeftDevices(cluster: ClusterState, kind: RequestKind, machine: number): number {
  const first = machine * deviceCountMax;
  const count = cluster.gpuCount[machine] as number;
  const free = cluster.deviceFreeMilli;
  let mask = 0;
  for (let taken = 0; taken < kind.gpuCount; taken++) {
    let best = -1;
    let bestFree = 1001;
    for (let device = 0; device < count; device++) {
      if ((mask & (1 << device)) !== 0) continue;
      const left = free[first + device] as number;
      if (left >= kind.gpuMilli && left < bestFree) {
        best = device;
        bestFree = left;
      }
    }
    mask |= 1 << best;
  }
  return mask;
}
