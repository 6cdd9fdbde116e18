// Which devices of a machine a placement takes that packs: written a second time, for oracles to compare with.

import type { WorkloadTask } from '../workload/workload.ts';
import type { ModelMachine } from './cluster-model.ts';

/** The devices of a machine that fit and have least left, the first among equals, by number. */
export function leastLeft({ gpuCount, gpuMilli }: WorkloadTask['request'], { devices }: ModelMachine): number[] {
  return devices
    .map((free, device) => ({ free, device }))
    .filter(({ free }) => free >= gpuMilli)
    .sort((left, right) => left.free - right.free || left.device - right.device)
    .slice(0, gpuCount)
    .map(({ device }) => device);
}
