// Packing as whole runs: how much of the GPUs is allocated once tasks have asked for 130% of them.

import { placementFeatureCount } from '../../../core/policy/placement-features.ts';
import { findPlacement, learnedPlacementName } from '../../../core/scheduler/catalogue.ts';
import { PlacementObserver } from '../../../core/scheduler/plugins/placement-observer.ts';
import type { RunMetrics, TakeRow, WholeRuns } from '../whole-runs.ts';
import { type PackingDraw, packingCases, publishedCases } from './packing-cases.ts';
import { type PackingCase, PackingSimulation, playPacking } from './packing-simulation.ts';

export interface PackingSpec extends PackingDraw {
  readonly kind: 'packing';
  /** Files of the openb trace. */
  readonly nodes: string;
  readonly pods: string;
  /** Placement that the network corrects. */
  readonly fallback: string;
}

/** Of a run, every so many tasks are looked at, on so many machines each. */
const measured = { everyTask: 7, machines: 24 };

export function packingRuns(spec: PackingSpec, nodes: string, pods: string): WholeRuns {
  const cases = packingCases(nodes, pods, spec);
  // The members of a generation play the same runs.
  let last: { readonly seed: number; readonly drawn: PackingCase } | undefined;
  const caseOf = (seed: number): PackingCase => {
    if (last?.seed !== seed) last = { seed, drawn: cases.draw(seed) };
    return last.drawn;
  };
  const play = (drawn: PackingCase, artifact: string | undefined): RunMetrics => {
    const place = artifact === undefined ? spec.fallback : learnedPlacementName;
    const { allocationPercent, placed } = playPacking(drawn, findPlacement(place), artifact);
    return { allocationPercent, placed };
  };
  return {
    fallback: spec.fallback,
    isMoreBetter: true,
    play: (seed, artifact) => play(caseOf(seed), artifact),
    measure: (seed, take) => measure(cases.draw(seed), spec.fallback, take),
    tests: publishedCases().map(({ workload, seed, open }) => ({
      name: `${workload} ${seed}`,
      play: (artifact) => play(open(), artifact),
    })),
    files: [nodes, pods],
  };
}

function measure(drawn: PackingCase, fallback: string, take: TakeRow): void {
  const simulation = new PackingSimulation(drawn, findPlacement(fallback));
  const { cluster, placement } = simulation;
  const observer = new PlacementObserver(simulation.context, placement.devices);
  const row = new Float64Array(placementFeatureCount);
  for (const [arrival, request] of drawn.requests.entries()) {
    const kind = simulation.kindOf(request);
    if (arrival % measured.everyTask === 0) {
      const stride = Math.max(1, Math.floor(cluster.machineCount / measured.machines));
      for (let machine = arrival % stride; machine < cluster.machineCount; machine += stride) {
        if (cluster.filter(kind, machine) !== 0) continue;
        observer.observe(kind, machine, undefined, row, 0);
        take(row);
      }
    }
    simulation.arrive(kind);
  }
}
