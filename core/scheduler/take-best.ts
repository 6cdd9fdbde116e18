// The best few machines of a column in exact order, without sorting the column: blocks whose bound cannot enter are skipped.

import type { ScoreColumn } from './score-column.ts';
import { infeasible } from './score-column.ts';

/** Up to `count` machines that pass the filter and that `excluded` does not name, by total descending, then machine
 *  ascending. The column's `findBest` must be current. */
export function takeBest(
  column: ScoreColumn,
  count: number,
  excluded: ((machine: number) => boolean) | undefined,
): number[] {
  if (count <= 0) return [];
  // A binary heap with the worst of the taken ones at the root.
  const heap: number[] = [];
  for (let block = 0; block < column.blockCount; block++) {
    const bound = column.blockBound(block);
    if (bound === infeasible) continue;
    const end = column.blockEnd(block);
    for (let machine = column.blockStart(block); machine < end; machine++) {
      if (heap.length === count) {
        // Machines come in ascending order, so that an equal total cannot displace one already taken.
        const worst = column.total(heap[0] as number);
        if (worst === column.best) return heap.sort((left, right) => left - right);
        if (bound <= worst) break;
        if (column.total(machine) <= worst) continue;
      }
      if (column.total(machine) === infeasible || excluded?.(machine) === true) continue;
      if (heap.length < count) {
        heap.push(machine);
        siftUp(column, heap);
      } else {
        heap[0] = machine;
        siftDown(column, heap);
      }
    }
  }
  return heap.sort((left, right) => column.total(right) - column.total(left) || left - right);
}

function isWorse(column: ScoreColumn, left: number, right: number): boolean {
  const leftTotal = column.total(left);
  const rightTotal = column.total(right);
  return leftTotal < rightTotal || (leftTotal === rightTotal && left > right);
}

function siftUp(column: ScoreColumn, heap: number[]): void {
  let index = heap.length - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!isWorse(column, heap[index] as number, heap[parent] as number)) return;
    swap(heap, index, parent);
    index = parent;
  }
}

function siftDown(column: ScoreColumn, heap: number[]): void {
  let index = 0;
  while (true) {
    let worst = index;
    for (let child = 2 * index + 1; child <= 2 * index + 2 && child < heap.length; child++) {
      if (isWorse(column, heap[child] as number, heap[worst] as number)) worst = child;
    }
    if (worst === index) return;
    swap(heap, index, worst);
    index = worst;
  }
}

function swap(heap: number[], left: number, right: number): void {
  const held = heap[left] as number;
  heap[left] = heap[right] as number;
  heap[right] = held;
}
