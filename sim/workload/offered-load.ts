// Offered load: how much of a resource tasks ask for, times how long they hold it, over what the cluster has.

import { SiraError } from '../../core/base/errors.ts';
import type { ResourceRequest } from '../../core/scheduler/request.ts';
import type { MachineSpec } from './workload.ts';

export type LoadResource = 'cpu' | 'gpu';

/** Thousandths of the resource that a task holds on all its machines. */
export function demandMilli(request: ResourceRequest, resource: LoadResource): number {
  const each = resource === 'gpu' ? request.gpuCount * request.gpuMilli : request.cpuMilli;
  return each * request.machineCount;
}

/** Thousandths of the resource that the machines have. Throws `SIRA_SCENARIO_INVALID` if they have none. */
export function capacityMilli(machines: readonly MachineSpec[], resource: LoadResource): number {
  let capacity = 0;
  for (const machine of machines) capacity += resource === 'gpu' ? machine.gpuCount * 1000 : machine.cpuMilli;
  if (capacity === 0) {
    const detail = `the cluster has no ${resource.toUpperCase()}, so a load of it means nothing`;
    throw new SiraError(
      'SIRA_SCENARIO_INVALID',
      detail,
      { field: 'workload.arrivals.resource' },
      'Name the other resource.',
    );
  }
  return capacity;
}

/** Mean of demand × duration over the tasks, milli-microseconds a task. Throws `SIRA_SCENARIO_INVALID` if it is 0. */
export function meanWork(
  tasks: readonly { readonly request: ResourceRequest; readonly durationMicros: number }[],
  resource: LoadResource,
): number {
  let work = 0;
  for (const task of tasks) work += demandMilli(task.request, resource) * task.durationMicros;
  if (work === 0) {
    const detail = `no task that fits asks for ${resource.toUpperCase()} for any time, so no rate of arrival gives a load of it`;
    throw new SiraError(
      'SIRA_SCENARIO_INVALID',
      detail,
      { field: 'workload.arrivals.resource' },
      'Name the other resource, or a larger cluster.',
    );
  }
  return work / tasks.length;
}
