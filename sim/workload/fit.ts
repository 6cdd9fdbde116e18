// Whether a cluster could hold a request at all, were it empty: a task that fits nowhere would wait for ever, so it is left
// out of the stream and reported. What fits at a moment is the scheduler's business.

import type { ResourceRequest } from '../../core/scheduler/request.ts';
import type { MachineSpec } from './workload.ts';

/** Tells for a request whether the machines, all free, could hold it: `machineCount` different ones, each large enough. */
export function createFitTest(machines: readonly MachineSpec[]): (request: ResourceRequest) => boolean {
  const shapes = new Map<string, { readonly machine: MachineSpec; count: number }>();
  for (const machine of machines) {
    const key = `${machine.cpuMilli} ${machine.memoryMib} ${machine.gpuCount} ${machine.gpuModel}`;
    const shape = shapes.get(key);
    if (shape === undefined) shapes.set(key, { machine, count: 1 });
    else shape.count++;
  }
  // Requests are shared between equal tasks, so their identity serves as the key.
  const answers = new Map<ResourceRequest, boolean>();
  return (request) => {
    const known = answers.get(request);
    if (known !== undefined) return known;
    let holding = 0;
    for (const { machine, count } of shapes.values()) if (holds(machine, request)) holding += count;
    const answer = holding >= request.machineCount;
    answers.set(request, answer);
    return answer;
  };
}

function holds(machine: MachineSpec, request: ResourceRequest): boolean {
  if (machine.cpuMilli < request.cpuMilli || machine.memoryMib < request.memoryMib) return false;
  if (request.gpuCount === 0) return true;
  if (machine.gpuCount < request.gpuCount) return false;
  return request.gpuModels.length === 0 || request.gpuModels.includes(machine.gpuModel);
}
