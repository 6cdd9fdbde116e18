// What each arrival of table 1 asks for, in order: the published curves are drawn over the GPUs that all pods have asked for, also
// those that no machine of the cluster could ever hold, which this project's workload leaves out and the authors' drops.

import { assert } from '../../core/base/assert.ts';
import type { Scenario } from '../../sim/experiment/scenario.ts';
import { createFitTest } from '../../sim/workload/fit.ts';
import { readOpenbPods } from '../../sim/workload/openb-pods.ts';
import { indexByNumber, readOrderFile } from '../../sim/workload/order-file.ts';
import type { TraceTask } from '../../sim/workload/trace.ts';
import type { MachineSpec } from '../../sim/workload/workload.ts';

export interface PackingArrival {
  /** GPU milli asked for. */
  readonly gpuMilli: number;
  /** False if the workload leaves it out: no machine could hold it. */
  readonly fits: boolean;
}

/** The arrivals in the order that the scenario's order file gives. */
export function readPackingArrivals(
  scenario: Scenario,
  machines: readonly MachineSpec[],
  seed: number,
): readonly PackingArrival[] {
  const { source, arrivals } = scenario.workload;
  assert(source.format === 'openb' && arrivals.kind === 'inflated', 'the scenario packs openb pods');
  assert(arrivals.order !== undefined, 'the order is given');
  const { tasks } = readOpenbPods(source.file);
  const { file, entries } = readOrderFile(arrivals.order, seed);
  const indices = indexByNumber(
    tasks.map((task) => task.name),
    file,
  );
  const fits = createFitTest(machines);
  return entries.map(({ number }) => {
    const { request } = tasks[indices.get(number) as number] as TraceTask;
    return { gpuMilli: request.gpuCount * request.gpuMilli, fits: fits(request) };
  });
}
