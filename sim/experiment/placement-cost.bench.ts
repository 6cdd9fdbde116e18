// What one placement costs in the scheduler alone, without messages: found by the placement index, and by looking at every
// machine, which is what the index must agree with and beat. Tasks come from a stream; the oldest make room for the next.

import { assert } from '../../core/base/assert.ts';
import { RandomStream } from '../../core/base/random.ts';
import { findPlacement } from '../../core/scheduler/catalogue.ts';
import { ClusterState, reasonFits } from '../../core/scheduler/cluster-state.ts';
import type { Placement } from '../../core/scheduler/framework.ts';
import { PlacementIndex } from '../../core/scheduler/placement-index.ts';
import { type RequestKind, RequestKindTable } from '../../core/scheduler/request.ts';
import type { SeededInputs } from './build-world.ts';
import { startWatch } from './stopwatch.bench.ts';

export interface PlacementCost {
  /** Microseconds of this thread a placement, release of an older one included. */
  readonly indexMicros: number;
  readonly bruteForceMicros: number;
}

interface Held {
  readonly kind: RequestKind;
  readonly machine: number;
  readonly devices: number;
}

/** GPUs are filled to this share before anything is measured, and kept there. */
const fillShare = 0.9;
const indexPlacements = 20_000;

/** `bruteForcePlacements`: how many placements by looking at every machine are worth waiting for. */
export function measurePlacementCost(
  inputs: SeededInputs,
  policy: string,
  bruteForcePlacements: number,
): PlacementCost {
  const cluster = new ClusterState();
  const kinds = new RequestKindTable(cluster.models);
  const random = new RandomStream(1, 'bench');
  const placement = findPlacement(policy)({ cluster, random, typicalTasks: inputs.typicalTasks });
  const index = new PlacementIndex(cluster, placement, random);
  for (const machine of inputs.machines) cluster.setSchedulable(cluster.addMachine(machine), true);
  const tasks = inputs.workload.tasks();
  const held: Held[] = [];
  let oldest = 0;

  const change = ({ kind, machine, devices }: Held, sign: 1 | -1): void => {
    index.changed(kind, machine, sign);
    if (sign > 0) cluster.allocate(kind, machine, devices);
    else cluster.release(kind, machine, devices);
  };
  const place = (find: (kind: RequestKind) => number): void => {
    const next = tasks.next();
    assert(next.done !== true, 'the stream of the benchmark has no end');
    const kind = kinds.intern(next.value.request);
    while (cluster.gpuFreeTotalMilli < (1 - fillShare) * cluster.gpuCapacityTotalMilli)
      change(held[oldest++] as Held, -1);
    const machine = find(kind);
    if (machine < 0) return;
    const devices = kind.gpuCount > 0 ? placement.devices.choose(kind, machine) : 0;
    const taken = { kind, machine, devices };
    change(taken, 1);
    held.push(taken);
  };
  const measure = (count: number, find: (kind: RequestKind) => number): number => {
    const read = startWatch();
    for (let done = 0; done < count; done++) place(find);
    return (read().threadSeconds / count) * 1e6;
  };

  const byIndex = (kind: RequestKind): number => index.find(kind);
  while (oldest === 0) place(byIndex);
  measure(indexPlacements, byIndex);
  const indexMicros = measure(indexPlacements, byIndex);
  const bruteForceMicros = measure(bruteForcePlacements, (kind) => bruteForce(cluster, placement, kind));
  // Both find the same machine, or one of the two measures something else.
  for (let check = 0; check < 20; check++) {
    place((kind) => {
      const machine = index.find(kind);
      assert(machine === bruteForce(cluster, placement, kind), 'the index finds what looking at every machine finds');
      return machine;
    });
  }
  return { indexMicros, bruteForceMicros };
}

/** The first machine of the highest score among those that pass the filter, −1 if there is none. */
function bruteForce(cluster: ClusterState, placement: Placement, kind: RequestKind): number {
  for (const { plugin } of placement.scores) plugin.prepare?.(kind);
  let best = -1;
  let bestScore = -1;
  for (let machine = 0; machine < cluster.machineCount; machine++) {
    if (cluster.filter(kind, machine) !== reasonFits) continue;
    let score = 0;
    for (const { plugin, weight } of placement.scores) score += weight * plugin.score(kind, machine);
    if (score <= bestScore) continue;
    best = machine;
    bestScore = score;
  }
  return best;
}
