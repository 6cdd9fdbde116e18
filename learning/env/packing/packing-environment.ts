// Packing step by step: at each step a task has come, the candidates are the machines that could take it, the first so many in the order
// of a heuristic, as rows of `placement/1`. Choosing one places the task there. For trainers that want steps; evolution plays whole
// runs, see packing-runs.ts.

import {
  placementFeatureCount,
  placementFeatureNames,
  placementSchema,
} from '../../../core/policy/placement-features.ts';
import { findPlacement } from '../../../core/scheduler/catalogue.ts';
import type { Placement } from '../../../core/scheduler/framework.ts';
import { PlacementObserver } from '../../../core/scheduler/plugins/placement-observer.ts';
import type { RequestKind } from '../../../core/scheduler/request.ts';
import type { Environment } from '../environment.ts';
import type { PackingCases } from './packing-cases.ts';
import { type PackingCase, PackingSimulation } from './packing-simulation.ts';

/** Heuristics that score from the present columns alone. */
const teachers = ['best-fit', 'worst-fit', 'dot-product', 'gpu-packing', 'first-fit'] as const;

export class PackingEnvironment implements Environment {
  readonly name = 'packing';
  readonly schema = placementSchema;
  readonly featureNames = placementFeatureNames;
  readonly candidatesMax = 64;
  readonly teachers: readonly string[];
  readonly truncated = false;
  done = true;
  private readonly cases: PackingCases;
  private readonly order: string;
  private readonly candidates = new Int32Array(this.candidatesMax);
  private count = 0;
  private drawn!: PackingCase;
  private simulation!: PackingSimulation;
  private observer!: PlacementObserver;
  private scorers!: ReadonlyMap<string, Placement>;
  private next = 0;
  private kind!: RequestKind;

  /** `order`: the placement that orders the candidates. */
  constructor(cases: PackingCases, order: string) {
    this.cases = cases;
    this.order = order;
    this.teachers = [order, ...teachers.filter((name) => name !== order)];
  }

  get candidateCount(): number {
    return this.count;
  }

  reset(seed: number): void {
    this.drawn = this.cases.draw(seed);
    this.simulation = new PackingSimulation(this.drawn, findPlacement(this.order));
    const { context, placement } = this.simulation;
    this.observer = new PlacementObserver(context, placement.devices);
    this.scorers = new Map(this.teachers.slice(1).map((name) => [name, findPlacement(name)(context)]));
    this.next = 0;
    this.done = false;
    this.advance();
  }

  observe(out: Float64Array, at: number): void {
    for (let place = 0; place < this.count; place++)
      this.observer.observe(this.kind, this.candidates[place]!, undefined, out, at + place * placementFeatureCount);
  }

  choiceOf(teacher: string): number {
    const placement = this.scorers.get(teacher);
    if (placement === undefined) return 0;
    let best = 0;
    let bestScore = -1;
    for (let place = 0; place < this.count; place++) {
      let score = 0;
      for (const { plugin, weight } of placement.scores)
        score += weight * plugin.score(this.kind, this.candidates[place]!);
      if (score <= bestScore) continue;
      best = place;
      bestScore = score;
    }
    return best;
  }

  /** The reward is what the task allocates, percent of all GPUs. */
  step(choice: number): number {
    this.simulation.place(this.kind, this.candidates[choice]!);
    const reward = (100 * this.kind.gpuTotalMilli) / this.simulation.cluster.gpuCapacityTotalMilli;
    this.advance();
    return reward;
  }

  metrics(): Readonly<Record<string, number>> {
    const { allocationPercent, placed } = this.simulation.outcome;
    return { allocationPercent, placed };
  }

  /** To the next task that fits somewhere; others are dropped. */
  private advance(): void {
    const { index } = this.simulation;
    while (this.next < this.drawn.requests.length) {
      this.kind = this.simulation.kindOf(this.drawn.requests[this.next++]!);
      const winner = index.find(this.kind);
      if (winner < 0) continue;
      this.candidates[0] = winner;
      this.count = 1 + index.runnersUp(this.kind, this.candidatesMax - 1, this.candidates.subarray(1));
      return;
    }
    this.count = 0;
    this.done = true;
  }
}
