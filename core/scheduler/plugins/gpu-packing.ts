// Placement GPU packing: keeps whole GPUs and whole machines free for the tasks that need them.

import { deviceCountMax } from '../cluster-state.ts';
import type { PluginContext, ScorePlugin } from '../framework.ts';
import { leastLeftDevices } from './device-masks.ts';

/**
 * Prefers devices already shared (score 50 to 100), then free devices of a machine in use (33 to 50), then an unused machine
 * (at most 33), in integers; 0 for tasks without GPUs:
 * - all n GPUs of the machine free: `max(33 − n, n)`;
 * - else, devices taken least-left first, k > 0 of them entirely free: `max(50 − k, 33)`;
 * - else `max(100 − ⌊Σ⌊left·100/1000⌋/10⌋, 50)` over the devices taken.
 * Source: the GpuPacking baseline (after MLaaS in the wild, NSDI 2022) of Weng et al., "Beware of Fragmentation",
 * USENIX ATC 2023.
 */
export function gpuPacking({ cluster }: PluginContext): ScorePlugin {
  return {
    name: 'gpu-packing',
    score(kind, machine) {
      if (kind.gpuCount === 0) return 0;
      const count = cluster.gpuCount[machine] as number;
      if ((cluster.gpuWholeFree[machine] as number) === count) return Math.max(33 - count, count);
      const taken = leastLeftDevices(cluster, kind, machine);
      const first = machine * deviceCountMax;
      let whole = 0;
      let left = 0;
      for (let device = 0; device < count; device++) {
        if ((taken & (1 << device)) === 0) continue;
        const free = cluster.deviceFreeMilli[first + device] as number;
        if (free === 1000) whole++;
        left += Math.trunc((free * 100) / 1000);
      }
      return whole > 0 ? Math.max(50 - whole, 33) : Math.max(100 - Math.trunc(left / 10), 50);
    },
  };
}
