// Placement FGD: the machine, and for a task that shares a device also the device, whose fragmentation rises least.

import { fixedExp } from '../../base/fixed-math.ts';
import { deviceCountMax } from '../cluster-state.ts';
import type { DevicePlugin, PluginContext, ScorePlugin } from '../framework.ts';
import type { RequestKind } from '../request.ts';
import { leastLeftDevices } from './device-masks.ts';
import { FragmentationMeter } from './fragmentation.ts';

/**
 * Fragmentation gradient descent. Score: `trunc(100·sigmoid((F_before − F_after)/1000))`, 0 to 100, F in GPU milli by
 * {@link FragmentationMeter}. A task that shares a device tries each that fits: best score, then lowest index. Whole devices
 * are those with least left that fit. The context must name typical tasks.
 * Source: Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent",
 * USENIX ATC 2023, Algorithm 1, with the integer scores of its simulator.
 */
export function fgd({ cluster, typicalTasks }: PluginContext): { score: ScorePlugin; devices: DevicePlugin } {
  const meter = new FragmentationMeter(cluster, typicalTasks);

  const scoreOf = (kind: RequestKind, machine: number, deviceMask: number): number => {
    const rise = meter.after(machine, kind.cpuMilli, kind.gpuMilli, deviceMask) - meter.of(machine);
    return Math.trunc(100 * (1 / (1 + fixedExp(rise / 1000))));
  };

  const shares = (kind: RequestKind): boolean => kind.gpuCount === 1 && kind.gpuMilli < 1000;

  let lastKind: RequestKind | undefined;
  let lastMachine = -1;
  let lastVersion = -1;
  let lastPacked = -1;

  /** Score and device of a task that shares, packed as `score · deviceCountMax + (deviceCountMax − 1 − device)`. */
  const bestDevice = (kind: RequestKind, machine: number): number => {
    // Score and device of one decision are asked for one after the other.
    const version = cluster.lastChange[machine] as number;
    if (kind === lastKind && machine === lastMachine && version === lastVersion) return lastPacked;
    lastKind = kind;
    lastMachine = machine;
    lastVersion = version;
    lastPacked = tryDevices(kind, machine);
    return lastPacked;
  };

  const tryDevices = (kind: RequestKind, machine: number): number => {
    const first = machine * deviceCountMax;
    const count = cluster.gpuCount[machine] as number;
    let best = -1;
    for (let device = 0; device < count; device++) {
      const free = cluster.deviceFreeMilli[first + device] as number;
      if (free < kind.gpuMilli) continue;
      // Devices with equal left are equivalent, and the first of them has the lowest index.
      let repeated = false;
      for (let earlier = 0; earlier < device; earlier++) {
        if (cluster.deviceFreeMilli[first + earlier] === free) repeated = true;
      }
      if (repeated) continue;
      const packed = scoreOf(kind, machine, 1 << device) * deviceCountMax + (deviceCountMax - 1 - device);
      if (packed > best) best = packed;
    }
    return best;
  };

  return {
    score: {
      name: 'fgd',
      score(kind, machine) {
        if (kind.gpuCount === 0) return scoreOf(kind, machine, 0);
        if (shares(kind)) return Math.floor(bestDevice(kind, machine) / deviceCountMax);
        return scoreOf(kind, machine, leastLeftDevices(cluster, kind, machine));
      },
    },
    devices: {
      name: 'fgd',
      choose(kind, machine) {
        if (!shares(kind)) return leastLeftDevices(cluster, kind, machine);
        return 1 << (deviceCountMax - 1 - (bestDevice(kind, machine) % deviceCountMax));
      },
    },
  };
}
