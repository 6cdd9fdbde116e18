// The best few machines of a column in exact order, without sorting the column: blocks are looked at from the highest bound
// down, so that the few looked at first nearly always hold all the best, whatever the number of machines.

import type { ScoreColumn } from './score-column.ts';
import { infeasible } from './score-column.ts';

/** Writes up to `count` machines that pass the filter and that `excluded` does not name into `out`, from its start, by total
 *  descending, then machine ascending, and returns how many. The column's `findBest` must be current. */
export function takeBest(
  column: ScoreColumn,
  count: number,
  excluded: ((machine: number) => boolean) | undefined,
  out: { [rank: number]: number },
): number {
  if (count <= 0) return 0;
  let taken = 0;
  let worst = infeasible;
  let bound = Number.POSITIVE_INFINITY;
  let block = -1;
  for (;;) {
    block = blockAfter(column, bound, block);
    if (block < 0) return taken;
    bound = column.blockBound(block);
    const start = column.blockStart(block);
    // What comes after this block is no better and, if as good, stands later.
    if (taken === count && (bound < worst || (bound === worst && start > (out[count - 1] as number)))) return taken;
    const end = column.blockEnd(block);
    for (let machine = start; machine < end; machine++) {
      const total = column.total(machine);
      if (total === infeasible || total < worst || excluded?.(machine) === true) continue;
      const rank = rankOf(column, total, machine, out, taken);
      if (rank === count) continue;
      for (let moved = Math.min(taken, count - 1); moved > rank; moved--) out[moved] = out[moved - 1] as number;
      out[rank] = machine;
      if (taken < count) taken++;
      if (taken === count) worst = column.total(out[count - 1] as number);
    }
  }
}

/** The block that follows in the order of bound descending, then block ascending; −1 at the end. */
function blockAfter(column: ScoreColumn, bound: number, block: number): number {
  let next = -1;
  let nextBound: number = infeasible;
  const count = column.blockCount;
  for (let candidate = 0; candidate < count; candidate++) {
    const candidateBound = column.blockBound(candidate);
    if (candidateBound <= nextBound) continue;
    if (candidateBound > bound || (candidateBound === bound && candidate <= block)) continue;
    next = candidate;
    nextBound = candidateBound;
  }
  return next;
}

/** How many of the taken are better than `machine`. */
function rankOf(
  column: ScoreColumn,
  total: number,
  machine: number,
  out: { [rank: number]: number },
  taken: number,
): number {
  let low = 0;
  let high = taken;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = out[middle] as number;
    const otherTotal = column.total(other);
    if (otherTotal > total || (otherTotal === total && other < machine)) low = middle + 1;
    else high = middle;
  }
  return low;
}
