// One request kind's total score on every machine, with the filter's reason, kept current from the cluster's change log,
// and the best of every block of 64 machines, so that finding the best reads a 64th of the column.

import { assert } from '../base/assert.ts';
import type { ClusterState } from './cluster-state.ts';
import { filterReasons, reasonFits } from './cluster-state.ts';
import type { Placement } from './framework.ts';
import type { RequestKind } from './request.ts';

/** Machines in a block, as a shift. */
const blockShift = 6;
/** What `best`, bounds and `total` say where no machine fits. */
export const infeasible = -1;
/** Reason of a row that was never looked at. */
const unknown = 255;

export class ScoreColumn {
  /** Machines by filter reason. */
  readonly reasonCounts = new Int32Array(filterReasons.length);
  /** The highest total, −1 if no machine fits. Like `tieCount`, as of the last `findBest`. */
  best = infeasible;
  /** Machines with the highest total. */
  tieCount = 0;
  /** When the owner last used the column, in its own count. */
  lastUse = 0;
  /** Rows covered. */
  machineCount = 0;

  private readonly cluster: ClusterState;
  private readonly placement: Placement;
  private readonly kind: RequestKind;
  /** The filter's reason by machine. Most updates find a machine full before and after, and end here: one byte a machine
   *  stays in the processor's cache for all columns, where eight would not. */
  private reasons = new Uint8Array(0);
  /** The total score, {@link infeasible} where the reason is not `fits`. */
  private totals = new Float64Array(0);
  /** Upper bound of each block's totals; exact if the block's ties are above 0. */
  private blockBest = new Float64Array(0);
  /** Machines of the block at `blockBest`; 0 if that is out of date. */
  private blockTies = new Int32Array(0);
  /** Change count up to which the column is current. */
  private cursor = 0;

  constructor(cluster: ClusterState, placement: Placement, kind: RequestKind) {
    this.cluster = cluster;
    this.placement = placement;
    this.kind = kind;
  }

  get blockCount(): number {
    return (this.machineCount + (1 << blockShift) - 1) >> blockShift;
  }

  /** The machine's total, −1 if it does not pass the filter. */
  total(machine: number): number {
    return this.totals[machine] as number;
  }

  /** No machine of the block has a higher total. */
  blockBound(block: number): number {
    return this.blockBest[block] as number;
  }

  blockStart(block: number): number {
    return block << blockShift;
  }

  blockEnd(block: number): number {
    return Math.min((block + 1) << blockShift, this.machineCount);
  }

  /** Brings the column to the cluster's present state. */
  catchUp(): void {
    const cluster = this.cluster;
    const now = cluster.changeCount;
    if (this.cursor === now) return;
    if (this.machineCount < cluster.machineCount) this.extend();
    if (cluster.logLost(this.cursor)) {
      // Too far behind the log: each row's own version says whether it changed.
      for (let machine = 0; machine < this.machineCount; machine++) {
        if ((cluster.lastChange[machine] as number) > this.cursor) this.update(machine);
      }
    } else {
      for (let position = this.cursor; position < now; position++) {
        const machine = cluster.changeAt(position);
        // Of several changes of one row only the last counts.
        if (cluster.lastChange[machine] === position + 1) this.update(machine);
      }
    }
    this.cursor = now;
  }

  /** Sets `best` and `tieCount`. */
  findBest(): void {
    let best = infeasible;
    let ties = 0;
    for (let block = 0; block < this.blockCount; block++) {
      if ((this.blockBest[block] as number) < best || this.blockBest[block] === infeasible) continue;
      if (this.blockTies[block] === 0) this.rescan(block);
      const blockBest = this.blockBest[block] as number;
      if (blockBest > best) {
        best = blockBest;
        ties = this.blockTies[block] as number;
      } else if (blockBest === best && best !== infeasible) {
        ties += this.blockTies[block] as number;
      }
    }
    this.best = best;
    this.tieCount = ties;
  }

  /** The machine that is number `rank` (from 0, in machine order) among those at `best`; after `findBest`. */
  tied(rank: number): number {
    let left = rank;
    for (let block = 0; block < this.blockCount; block++) {
      if (this.blockBest[block] !== this.best || this.blockTies[block] === 0) continue;
      if (left >= (this.blockTies[block] as number)) {
        left -= this.blockTies[block] as number;
        continue;
      }
      const end = this.blockEnd(block);
      for (let machine = this.blockStart(block); machine < end; machine++) {
        if (this.totals[machine] === this.best && left-- === 0) return machine;
      }
    }
    assert(false, 'no tied machine of this rank');
  }

  private update(machine: number): void {
    const reason = this.cluster.filter(this.kind, machine);
    const reasonBefore = this.reasons[machine] as number;
    if (reason !== reasonBefore) {
      this.reasons[machine] = reason;
      if (reasonBefore !== unknown) this.reasonCounts[reasonBefore]!--;
      this.reasonCounts[reason]!++;
      if (reason !== reasonFits && reasonBefore !== reasonFits) return;
    } else if (reason !== reasonFits) {
      return;
    }
    const total = reason === reasonFits ? this.score(machine) : infeasible;
    const before = this.totals[machine] as number;
    if (before === total) return;
    this.totals[machine] = total;
    const block = machine >> blockShift;
    const blockBest = this.blockBest[block] as number;
    if (total > blockBest) {
      this.blockBest[block] = total;
      this.blockTies[block] = 1;
    } else if (total === blockBest) {
      this.blockTies[block]!++;
    } else if (before === blockBest) {
      // May reach 0: then `blockBest` stays as a bound, and is made exact only if the block might win.
      this.blockTies[block]!--;
    }
  }

  private score(machine: number): number {
    const { scores } = this.placement;
    let total = 0;
    for (let index = 0; index < scores.length; index++) {
      const { plugin, weight } = scores[index]!;
      total += weight * plugin.score(this.kind, machine);
    }
    assert(total >= 0 && total < Number.POSITIVE_INFINITY, 'a score is negative or not finite');
    return total;
  }

  private rescan(block: number): void {
    let best = infeasible;
    let ties = 0;
    const end = this.blockEnd(block);
    for (let machine = this.blockStart(block); machine < end; machine++) {
      const total = this.totals[machine] as number;
      if (total > best) {
        best = total;
        ties = 1;
      } else if (total === best) {
        ties++;
      }
    }
    this.blockBest[block] = best;
    this.blockTies[block] = ties;
  }

  /** Covers the machines that registered since; their rows are filled from the change log like any other. */
  private extend(): void {
    const rows = this.cluster.machineCount;
    if (rows > this.totals.length) {
      const capacity = this.totals.length === 0 ? rows : Math.max(rows, this.totals.length * 2);
      const reasons = new Uint8Array(capacity).fill(unknown);
      reasons.set(this.reasons);
      this.reasons = reasons;
      const totals = new Float64Array(capacity).fill(infeasible);
      totals.set(this.totals);
      this.totals = totals;
      const blocks = (capacity + (1 << blockShift) - 1) >> blockShift;
      const blockBest = new Float64Array(blocks).fill(infeasible);
      blockBest.set(this.blockBest);
      this.blockBest = blockBest;
      const blockTies = new Int32Array(blocks);
      blockTies.set(this.blockTies);
      this.blockTies = blockTies;
    }
    this.machineCount = rows;
  }
}
