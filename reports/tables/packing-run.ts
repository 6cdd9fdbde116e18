// One run of table 1: all pods of a seed arrive at a cluster through the kernel's own messages, and how much of the GPUs is
// allocated, and how much of the rest is fragmented, is read off the kernel's columns. Reading the inputs is build-world.ts's.

import { assert } from '../../core/base/assert.ts';
import { FragmentationMeter } from '../../core/scheduler/plugins/fragmentation.ts';
import { buildWorld, type SeededInputs } from '../../sim/experiment/build-world.ts';
import type { Scenario } from '../../sim/experiment/scenario.ts';
import type { Workload } from '../../sim/workload/workload.ts';
import type { World } from '../../sim/world/world.ts';
import type { PackingArrival } from './packing-arrivals.ts';

/** One value for each percent of the GPUs that the arrivals have asked for, 0 to 130, as the published curves have them. */
export interface PackingCurves {
  /** GPU milli allocated, percent of all. */
  readonly allocation: readonly number[];
  /** Fragmented GPU milli, percent of all. */
  readonly fragmentation: readonly number[];
  /** Fragmented GPU milli, percent of those not allocated. */
  readonly fragmentedShare: readonly number[];
}

export interface PackingRun {
  readonly policy: string;
  readonly seed: number;
  readonly arrived: number;
  readonly placed: number;
  /** GPU milli allocated once all have arrived, percent of all. */
  readonly allocationPercent: number;
  readonly curves?: PackingCurves | undefined;
}

export const curvePoints = 131;

/** All pods at time 0, as the scenario says. `look` sees the world at the end. */
export function runPacking(
  scenario: Scenario,
  inputs: SeededInputs,
  policy: string,
  seed: number,
  look: (world: World) => void = () => {},
): PackingRun {
  const world = buildWorld(scenario, inputs, policy, seed, []);
  world.runUntil(scenario.measureMicros);
  look(world);
  const { cluster } = world.host.kernel.control.scheduler;
  return {
    policy,
    seed,
    arrived: world.arrivedCount,
    placed: world.host.kernel.counts.placements,
    allocationPercent: allocationPercent(cluster.gpuFreeTotalMilli, cluster.gpuCapacityTotalMilli),
  };
}

/**
 * The same run with pods one microsecond apart, so that each arrival is an instant of its own and the columns can be read
 * after it. Nothing departs, so nothing else changes. A point of a curve is the mean over the arrivals at which the GPUs
 * asked for round to that percent (halves to even), as published. `arrivals` are those of the same seed.
 */
export function runPackingCurves(
  scenario: Scenario,
  inputs: SeededInputs,
  policy: string,
  seed: number,
  arrivals: readonly PackingArrival[],
): PackingRun {
  const world = buildWorld(scenario, { ...inputs, workload: spaced(inputs.workload) }, policy, seed, []);
  world.runUntil(0);
  const { cluster } = world.host.kernel.control.scheduler;
  const meter = new FragmentationMeter(cluster, inputs.typicalTasks);
  const capacity = cluster.gpuCapacityTotalMilli;
  const points = Array.from({ length: curvePoints }, () => ({
    count: 0,
    allocation: 0,
    fragmentation: 0,
    fragmentedShare: 0,
  }));
  let asked = 0;
  let now = 0;
  for (const { gpuMilli, fits } of arrivals) {
    asked += gpuMilli;
    if (fits) world.runUntil(++now);
    const free = cluster.gpuFreeTotalMilli;
    const fragmented = meter.total();
    const point = points[roundHalfToEven((100 * asked) / capacity)];
    assert(point !== undefined, 'arrivals ask for 130% at most');
    point.count++;
    point.allocation += allocationPercent(free, capacity);
    point.fragmentation += (100 * fragmented) / capacity;
    // The published shares were rounded to two digits before their mean was taken.
    point.fragmentedShare += free === 0 ? 0 : Math.round((10_000 * fragmented) / free) / 100;
  }
  assert(world.arrivalsDone && world.arrivedCount === now, 'the arrivals are those of the workload');
  const mean = (key: 'allocation' | 'fragmentation' | 'fragmentedShare'): number[] =>
    points.map((point) => (point.count === 0 ? Number.NaN : point[key] / point.count));
  return {
    policy,
    seed,
    arrived: world.arrivedCount,
    placed: world.host.kernel.counts.placements,
    allocationPercent: allocationPercent(cluster.gpuFreeTotalMilli, capacity),
    curves: {
      allocation: mean('allocation'),
      fragmentation: mean('fragmentation'),
      fragmentedShare: mean('fragmentedShare'),
    },
  };
}

function allocationPercent(freeMilli: number, capacityMilli: number): number {
  return 100 * (1 - freeMilli / capacityMilli);
}

function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

function spaced(workload: Workload): Workload {
  return {
    *tasks() {
      const tasks = workload.tasks();
      let arrivalMicros = 0;
      for (let next = tasks.next(); next.done !== true; next = tasks.next()) {
        yield { ...next.value, arrivalMicros: ++arrivalMicros };
      }
    },
    typicalTasks: (coverage) => workload.typicalTasks(coverage),
    notes: workload.notes,
  };
}
