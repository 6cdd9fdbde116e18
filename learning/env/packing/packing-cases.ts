// Where the episodes of packing come from. Training draws them: a part of the machines in an order of its own, and tasks drawn with
// replacement from a pod list whose kinds of task are weighted anew each time, so that neither the tests' orders nor their mixes are
// met. The tests are FGD's published orders of its five pod lists.

import { RandomStream } from '../../../core/base/random.ts';
import { typicalTasksOf } from '../../../core/scheduler/plugins/typical-tasks.ts';
import type { ResourceRequest } from '../../../core/scheduler/request.ts';
import { type PackingWorkload, packingWorkloads, publishedSeeds } from '../../../reports/tables/published.ts';
import { packingScenario } from '../../../reports/tables/table-job.ts';
import { openInputs } from '../../../sim/experiment/build-world.ts';
import { createFitTest } from '../../../sim/workload/fit.ts';
import { readOpenbNodes } from '../../../sim/workload/openb-nodes.ts';
import { readOpenbPods } from '../../../sim/workload/openb-pods.ts';
import type { MachineSpec } from '../../../sim/workload/workload.ts';
import type { PackingCase } from './packing-simulation.ts';

export interface PackingDraw {
  /** Share of the machines, 0…1. */
  readonly machineShare: number;
  /** Kinds of task are weighted by up to this factor, more or less often. */
  readonly mixFactor: number;
  /** GPUs asked for, over those of the machines. */
  readonly ratio: number;
}

export interface PackingCases {
  draw(seed: number): PackingCase;
}

/** `nodes`, `pods`: files of the openb trace. */
export function packingCases(nodes: string, pods: string, options: PackingDraw): PackingCases {
  const all = readOpenbNodes(nodes).filter((machine) => machine.gpuCount > 0);
  const requests = readOpenbPods(pods).tasks.map((task) => task.request);
  return {
    draw(seed) {
      const random = new RandomStream(seed, 'packing case');
      const machines = random.shuffle([...all]).slice(0, Math.max(1, Math.round(options.machineShare * all.length)));
      return { machines, ...drawTasks(requests, machines, random, options) };
    },
  };
}

function drawTasks(
  requests: readonly ResourceRequest[],
  machines: readonly MachineSpec[],
  random: RandomStream,
  { mixFactor, ratio }: PackingDraw,
): Pick<PackingCase, 'requests' | 'typicalTasks'> {
  const fits = createFitTest(machines);
  const fitting = requests.filter((request) => fits(request));
  const spread = Math.log(mixFactor);
  const factors = Array.from({ length: mixClasses * 2 }, () => Math.exp(spread * (2 * random.nextFloat() - 1)));
  const ends = new Float64Array(fitting.length);
  let weight = 0;
  for (const [index, request] of fitting.entries()) {
    weight += factors[mixClassOf(request)]!;
    ends[index] = weight;
  }
  const capacity = machines.reduce((sum, { gpuCount }) => sum + gpuCount * 1000, 0);
  const drawn: ResourceRequest[] = [];
  for (let asked = 0; ; ) {
    const request = fitting[indexAt(ends, random.nextFloat() * weight)]!;
    asked += request.gpuCount * request.gpuMilli;
    if (asked > ratio * capacity) break;
    drawn.push(request);
  }
  return { requests: drawn, typicalTasks: typicalTasksOf(drawn) };
}

const mixClasses = 4;

function mixClassOf({ gpuCount, gpuMilli, gpuModels }: ResourceRequest): number {
  const size = gpuCount === 0 ? 0 : gpuCount > 1 ? 3 : gpuMilli < 1000 ? 1 : 2;
  return size + (gpuModels.length > 0 ? mixClasses : 0);
}

/** The first index whose end is above `at`. */
function indexAt(ends: Float64Array, at: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

export interface PublishedCase {
  readonly workload: PackingWorkload;
  readonly seed: number;
  open(): PackingCase;
}

/** FGD's published orders. */
export function publishedCases(): PublishedCase[] {
  return packingWorkloads.flatMap((workload) =>
    publishedSeeds(workload).map((seed) => ({ workload, seed, open: () => openPublished(workload, seed) })),
  );
}

function openPublished(workload: PackingWorkload, seed: number): PackingCase {
  const { machines, workload: tasks, typicalTasks } = openInputs(packingScenario(workload, 'published'), seed);
  const requests: ResourceRequest[] = [];
  const arrivals = tasks.tasks();
  for (let next = arrivals.next(); next.done !== true; next = arrivals.next()) requests.push(next.value.request);
  return { machines, requests, typicalTasks };
}
