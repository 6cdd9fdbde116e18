// Fragmentation written a second time, as plainly as its source says it (Weng et al., "Beware of Fragmentation", USENIX ATC 2023,
// section 3.2 and algorithm 1), without the kernel's caches and without its order of summation: equal but for the last bits.

import { fixedExp } from '../../core/base/fixed-math.ts';
import type { TypicalTask } from '../../core/scheduler/framework.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import type { ModelMachine } from './cluster-model.ts';
import { leastLeft } from './least-left.ts';

/** GPU milli of the machine that the typical workload could not use. */
function fragmentation({ spec, cpuMilli, devices }: ModelMachine, typicalTasks: readonly TypicalTask[]): number {
  const left = devices.reduce((sum, free) => sum + free, 0);
  let weighed = 0;
  let weights = 0;
  for (const typical of typicalTasks) {
    weights += typical.count;
    const { gpuCount, gpuMilli, gpuModels } = typical;
    const isExcluded = gpuModels.length > 0 && !gpuModels.includes(spec.gpuModel);
    const fitting = devices.filter((free) => free >= gpuMilli);
    const canUse = gpuCount > 0 && !isExcluded && cpuMilli >= typical.cpuMilli && fitting.length >= gpuCount;
    weighed += typical.count * (canUse ? left - fitting.reduce((sum, free) => sum + free, 0) : left);
  }
  return weighed / weights;
}

/** From 0 to 100, not cut to a whole number: the best that the devices of the machine allow. */
export function fragmentationScore(
  request: WorkloadTask['request'],
  machine: ModelMachine,
  typicalTasks: readonly TypicalTask[],
): number {
  const before = fragmentation(machine, typicalTasks);
  const shares = request.gpuCount === 1 && request.gpuMilli < 1000;
  const choices = shares
    ? machine.devices.flatMap((free, device) => (free >= request.gpuMilli ? [[device]] : []))
    : [leastLeft(request, machine)];
  const scores = choices.map((devices) => {
    const after = machine.copy();
    const mask = devices.reduce((bits, device) => bits | (1 << device), 0);
    after.apply(request, mask, -1);
    return 100 / (1 + fixedExp((fragmentation(after, typicalTasks) - before) / 1000));
  });
  return Math.max(...scores);
}
