// Finds the best machine for a request kind, exactly as a scan of filter and scores over all machines would, but fast: each
// kind keeps a column of total scores that catches up from the cluster's change log, and the best of every 64 machines.
// Choosing devices, allocating and recording are the cycle's.

import { assert } from '../base/assert.ts';
import type { RandomStream } from '../base/random.ts';
import type { ClusterState } from './cluster-state.ts';
import { reasonFits } from './cluster-state.ts';
import type { GangMates, Placement, PlacementGuard } from './framework.ts';
import type { RequestKind } from './request.ts';
import { infeasible, ScoreColumn } from './score-column.ts';
import { takeBest } from './take-best.ts';

/** Machines among which exploration draws, at most. */
export const exploredTopMax = 16;

/** Limits on the memory that an index keeps. */
export interface PlacementIndexLimits {
  /** Columns kept, at most; the less recently used go first. */
  readonly columnCountMax: number;
  /** Machines times columns kept, at most (but always one column): 9 bytes each. */
  readonly cellCountMax: number;
}

const defaultLimits: PlacementIndexLimits = { columnCountMax: 4096, cellCountMax: 16_000_000 };

export class PlacementIndex {
  /** Total score of the machine last found; −1 if none fits. */
  score = infeasible;
  /** Machines that share that score. */
  tieCount = 0;
  /** Machines that pass the filter, as of the last find. */
  feasibleCount = 0;

  /** True if the last find drew its machine to learn from it. */
  explored = false;

  private readonly cluster: ClusterState;
  private readonly placement: Placement;
  private readonly random: RandomStream;
  private readonly limits: PlacementIndexLimits;
  private readonly columns = new Map<number, ScoreColumn>();
  private readonly fallback: PlacementIndex | undefined;
  /** Some score looks at where the other members of a gang stand. */
  readonly looksAtGangs: boolean;
  /** Of the last find, if it was for a member of a gang whose mates were looked at. */
  private mates: GangMates | undefined;
  private winner = -1;
  private exploredPropensity = -1;
  private readonly top: Int32Array = new Int32Array(exploredTopMax);
  private readonly isWinner = (machine: number): boolean => machine === this.winner;
  /** Counts uses of columns, so that the least recently used is known. */
  private useCount = 0;
  private capacityVersion = 0;

  /** `random` breaks ties if the placement says so: the kernel's own stream. */
  constructor(
    cluster: ClusterState,
    placement: Placement,
    random: RandomStream,
    limits: Partial<PlacementIndexLimits> = {},
  ) {
    for (const { weight } of placement.scores) assert(weight >= 0, 'a negative score weight');
    this.cluster = cluster;
    this.placement = placement;
    this.random = random;
    this.limits = { ...defaultLimits, ...limits };
    const { guard, scores } = placement;
    this.looksAtGangs = scores.some(({ plugin }) => plugin.scoreBeside !== undefined);
    if (guard !== undefined) this.fallback = new PlacementIndex(cluster, guard.fallback, random, limits);
  }

  /** Probability with which the last find chose its machine, given the state: 1/ties if ties are drawn, else 1; with
   *  exploration, that of either way to it. */
  get propensity(): number {
    const greedy = this.placement.ties === 'random' && this.tieCount > 0 ? 1 / this.tieCount : 1;
    return this.exploredPropensity < 0 ? greedy : this.exploredPropensity;
  }

  /** Columns held now. */
  get columnCount(): number {
    return this.columns.size;
  }

  /** Tells the plug-ins that keep columns of their own of an allocation (`sign` 1) or release (−1), of each machine that a
   *  task spans. Call it with every `ClusterState.allocate` and `release`, before the next find. */
  changed(kind: RequestKind, machine: number, sign: 1 | -1): void {
    for (const { plugin } of this.placement.scores) plugin.changed?.(kind, machine, sign);
  }

  /** The machine of the highest total score among those that pass the filter, or −1. Ties go as the placement says; only
   *  with ties `random` and more than one does it draw from the stream. Leaves `score`, `tieCount`, `feasibleCount`. */
  find(kind: RequestKind): number {
    this.mates = undefined;
    const column = this.column(kind);
    if (this.fallback !== undefined && !this.isTrusted(column)) return this.follow(this.fallback.find(kind));
    column.findBest();
    this.score = column.best;
    this.tieCount = column.tieCount;
    this.feasibleCount = column.reasonCounts[reasonFits] as number;
    if (column.tieCount === 0) this.winner = -1;
    else if (this.placement.ties === 'first' || column.tieCount === 1) this.winner = column.tied(0);
    else this.winner = column.tied(this.random.nextBelow(column.tieCount));
    this.explored = false;
    this.exploredPropensity = -1;
    return this.winner;
  }

  /** As {@link find} for a member of a gang: every machine that passes the filter and that `excluded` does not name is scored anew
   *  by where its mates stand. Of equal ones the first, whatever the placement says of ties. */
  findBeside(kind: RequestKind, mates: GangMates, excluded: ((machine: number) => boolean) | undefined): number {
    const { scores, guard } = this.placement;
    const column = this.column(kind);
    this.explored = false;
    this.exploredPropensity = -1;
    this.mates = mates;
    this.feasibleCount = column.reasonCounts[reasonFits] as number;
    this.score = infeasible;
    this.tieCount = 0;
    this.winner = -1;
    let outside = 0;
    for (let machine = 0; machine < column.machineCount; machine++) {
      if (column.total(machine) === infeasible) continue;
      let total = 0;
      for (let index = 0; index < scores.length; index++) {
        const { plugin, weight } = scores[index] as Placement['scores'][number];
        total += weight * (plugin.scoreBeside?.(kind, machine, mates) ?? plugin.score(kind, machine));
      }
      if (guard !== undefined && total < guard.trustedFrom) outside++;
      if (total <= this.score || excluded?.(machine) === true) continue;
      this.score = total;
      this.winner = machine;
      this.tieCount = 1;
    }
    if (guard !== undefined && this.feasibleCount > 0 && !guard.admits(this.feasibleCount, outside)) {
      const { fallback } = this;
      this.mates = undefined;
      return this.follow((fallback as PlacementIndex).findBeside(kind, mates, excluded));
    }
    return this.winner;
  }

  /** As {@link find}, but in `share` of the cases one of the best `topMax` machines, all alike: so that what others would have
   *  chosen is seen now and then. A machine that is chosen either way has the sum of both probabilities. */
  findOrExplore(kind: RequestKind, share: number, topMax: number): number {
    const greedy = this.find(kind);
    if (greedy < 0) return greedy;
    const column = this.column(kind);
    const count = takeBest(column, Math.min(topMax, exploredTopMax), undefined, this.top);
    const { best } = column;
    this.explored = this.random.nextFloat() < share;
    if (this.explored) this.winner = this.top[this.random.nextBelow(count)] as number;
    const { winner } = this;
    this.score = column.total(winner);
    let isTop = false;
    for (let position = 0; position < count; position++) if (this.top[position] === winner) isTop = true;
    const isGreedy = this.placement.ties === 'random' ? this.score === best : winner === column.tied(0);
    const byGreed = isGreedy ? (1 - share) / (this.placement.ties === 'random' ? column.tieCount : 1) : 0;
    this.exploredPropensity = byGreed + (isTop ? share / count : 0);
    return winner;
  }

  /** Machines by filter reason (the index is the reason's code). Valid until the next call with this kind: copy to keep. */
  reasonCounts(kind: RequestKind): Int32Array {
    return this.column(kind).reasonCounts;
  }

  /** The filter's reason for one machine. */
  reasonOf(kind: RequestKind, machine: number): number {
    return this.cluster.filter(kind, machine);
  }

  /** Writes up to `count` of the next best machines after the last find's winner into `out`, by score descending, then
   *  machine ascending, and returns how many; none after `findBeside`. Call it after `find(kind)` and before the allocation. */
  runnersUp(kind: RequestKind, count: number, out: Int32Array): number {
    // The column does not know what was seen of the mates.
    return this.mates === undefined ? takeBest(this.column(kind), count, this.isWinner, out) : 0;
  }

  /** Fills `out` with `count` distinct machines for a task that spans them, by score descending, then machine ascending,
   *  none of which `excluded` names; never draws. False, with `out` empty, if there are fewer. Leaves `score` of the first
   *  machine, `tieCount` 1 (the choice is certain) and `feasibleCount`. */
  findMany(
    kind: RequestKind,
    count: number,
    excluded: ((machine: number) => boolean) | undefined,
    out: number[],
  ): boolean {
    this.explored = false;
    this.exploredPropensity = -1;
    this.mates = undefined;
    out.length = 0;
    const column = this.column(kind);
    column.findBest();
    this.feasibleCount = column.reasonCounts[reasonFits] as number;
    this.score = infeasible;
    this.tieCount = 0;
    this.winner = -1;
    if (this.feasibleCount < count) return false;
    if (takeBest(column, count, excluded, out) < count) {
      out.length = 0;
      return false;
    }
    this.winner = out[0] as number;
    this.score = column.total(this.winner);
    this.tieCount = 1;
    return true;
  }

  /** Sets what a find leaves as if it had chosen `machine`, which passes the filter. Nothing else was an alternative. */
  choose(kind: RequestKind, machine: number): void {
    const column = this.column(kind);
    this.explored = false;
    this.exploredPropensity = -1;
    this.mates = undefined;
    this.winner = machine;
    this.score = column.total(machine);
    this.tieCount = 1;
    this.feasibleCount = column.reasonCounts[reasonFits] as number;
  }

  /** Sets what a find leaves that found nothing: no winner, but which machines are ruled out. */
  consider(kind: RequestKind): void {
    this.mates = undefined;
    this.explored = false;
    this.exploredPropensity = -1;
    this.winner = -1;
    this.score = infeasible;
    this.tieCount = 0;
    this.feasibleCount = this.column(kind).reasonCounts[reasonFits] as number;
  }

  /** True if `machine` passes the filter now. Looks at this machine alone. */
  canFit(kind: RequestKind, machine: number): boolean {
    return this.cluster.filter(kind, machine) === reasonFits;
  }

  /** True if some machine passes the filter now. */
  anyFits(kind: RequestKind): boolean {
    return (this.column(kind).reasonCounts[reasonFits] as number) > 0;
  }

  /** The total score of a machine, −1 if it does not pass the filter. */
  totalOf(kind: RequestKind, machine: number): number {
    return this.column(kind).total(machine);
  }

  /** Whether the column's scores may decide. */
  private isTrusted(column: ScoreColumn): boolean {
    const guard = this.placement.guard as PlacementGuard;
    const count = column.reasonCounts[reasonFits] as number;
    if (count === 0) return true;
    let outside = 0;
    for (let machine = 0; machine < column.machineCount; machine++) {
      const total = column.total(machine);
      if (total !== infeasible && total < guard.trustedFrom) outside++;
    }
    return guard.admits(count, outside);
  }

  /** Takes over what the fallback has just found. */
  private follow(winner: number): number {
    const { score, tieCount, feasibleCount } = this.fallback as PlacementIndex;
    this.score = score;
    this.tieCount = tieCount;
    this.feasibleCount = feasibleCount;
    this.explored = false;
    this.exploredPropensity = -1;
    this.winner = winner;
    return winner;
  }

  /** Writes each plug-in's own unweighted score of a machine that passes the filter into `out`, in the placement's order.
   *  It describes the state of now, so call it before the allocation. */
  scoresByPlugin(kind: RequestKind, machine: number, out: Float64Array): void {
    const { scores } = this.placement;
    const { mates } = this;
    if (mates !== undefined) {
      for (let index = 0; index < scores.length; index++) {
        const { plugin } = scores[index] as Placement['scores'][number];
        out[index] = plugin.scoreBeside?.(kind, machine, mates) ?? plugin.score(kind, machine);
      }
      return;
    }
    const column = this.column(kind);
    if (scores.length === 1 && scores[0]!.weight === 1) {
      // The total is that score: asking the plug-in again for every ranked machine would cost a tenth of a placement.
      out[0] = column.total(machine);
      return;
    }
    for (let index = 0; index < scores.length; index++) out[index] = scores[index]!.plugin.score(kind, machine);
  }

  /** Drops all columns; each is computed anew when it is needed. */
  forget(): void {
    this.columns.clear();
  }

  /** The kind's column, caught up. */
  private column(kind: RequestKind): ScoreColumn {
    if (this.capacityVersion !== this.cluster.capacityVersion) {
      this.columns.clear();
      this.capacityVersion = this.cluster.capacityVersion;
    }
    let column = this.columns.get(kind.id);
    if (column === undefined) {
      this.makeRoom();
      for (const { plugin } of this.placement.scores) plugin.prepare?.(kind);
      column = new ScoreColumn(this.cluster, this.placement, kind);
      this.columns.set(kind.id, column);
    }
    column.lastUse = ++this.useCount;
    column.catchUp();
    return column;
  }

  /** Once the limits leave no room for one more column, drops the less recently used half. */
  private makeRoom(): void {
    const byCells = Math.floor(this.limits.cellCountMax / Math.max(1, this.cluster.machineCount));
    const columnCountMax = Math.max(1, Math.min(this.limits.columnCountMax, byCells));
    if (this.columns.size < columnCountMax) return;
    const uses = Float64Array.from(this.columns.values(), ({ lastUse }) => lastUse);
    uses.sort((left, right) => left - right);
    const kept = columnCountMax >> 1;
    const keptFrom = uses[uses.length - kept] ?? Number.POSITIVE_INFINITY;
    for (const [id, { lastUse }] of this.columns) if (lastUse < keptFrom) this.columns.delete(id);
  }
}
