// Placement GPU clustering: keeps tasks of one GPU class together, so that a machine's devices come free in equal portions.

import { deviceCountMax } from '../cluster-state.ts';
import type { PluginContext, ScorePlugin } from '../framework.ts';
import type { RequestKind } from '../request.ts';

/** Classes: 0 shares a device, n asks for n whole devices. */
const classCount = deviceCountMax + 1;

/**
 * `⌊25·(gpuMax − gpuLeft)/gpuMax⌋` in integers, plus 75 if the machine runs only the task's class, 50 if this class among
 * others, 25 if no GPU task at all, 0 if only other classes; 0 for tasks without GPUs. The maximum is the largest machine's
 * (8 GPUs on openb); class is "shares a device" or the number of devices.
 * Source: the GpuClustering baseline (after Gandiva, OSDI 2018) of Weng et al., "Beware of Fragmentation", USENIX ATC 2023.
 */
export function gpuClustering({ cluster }: PluginContext): ScorePlugin {
  /** Running tasks by machine and class. */
  let running = new Int32Array(0);
  const classOf = (kind: RequestKind): number => (kind.gpuMilli < 1000 ? 0 : kind.gpuCount);
  return {
    name: 'gpu-clustering',
    changed(kind, machine, sign) {
      if (kind.gpuCount === 0) return;
      if (running.length < cluster.schedulable.length * classCount) {
        const grown = new Int32Array(cluster.schedulable.length * classCount);
        grown.set(running);
        running = grown;
      }
      const cell = machine * classCount + classOf(kind);
      running[cell] = (running[cell] as number) + sign;
    },
    score(kind, machine) {
      if (kind.gpuCount === 0) return 0;
      const first = machine * classCount;
      const own = classOf(kind);
      let same = false;
      let others = false;
      for (let index = 0; index < classCount; index++) {
        if ((running[first + index] ?? 0) === 0) continue;
        if (index === own) same = true;
        else others = true;
      }
      const max = cluster.gpuCapacityMaxMilli;
      const used = Math.trunc((25 * (max - (cluster.gpuFreeMilli[machine] as number))) / max);
      if (same) return used + (others ? 50 : 75);
      return used + (others ? 0 : 25);
    },
  };
}
