// When how much will be free, by the estimates of what runs: one row a running attempt, by rising expected end, with what is then
// free of each resource in total. Totals over the cluster, not by machine: a task for which enough is free in total may still
// fit on no machine.

import type { ClusterState } from './cluster-state.ts';
import type { RequestKind } from './request.ts';
import { expectedEnd } from './reservation.ts';
import type { Attempt } from './task.ts';

export class ReleaseColumns {
  private count = 0;
  private ends = new Float64Array(64);
  private cpuMilli = new Float64Array(64);
  private memoryMib = new Float64Array(64);
  private gpuMilli = new Float64Array(64);
  private cpuFree = 0;
  private memoryFree = 0;
  private gpuFree = 0;

  /** Takes the present state. */
  update(cluster: ClusterState, running: Iterable<Attempt>): void {
    this.count = 0;
    for (const attempt of running) this.insert(attempt);
    this.cpuFree = cluster.cpuFreeTotalMilli;
    this.memoryFree = cluster.memoryFreeTotalMib;
    this.gpuFree = cluster.gpuFreeTotalMilli;
  }

  /** Microseconds until enough is free for `kind`; 0 if it is now, `Infinity` if that is not known. */
  delayMicros(kind: RequestKind, nowMicros: number): number {
    const cpuNeeded = kind.cpuMilli * kind.machineCount - this.cpuFree;
    const memoryNeeded = kind.memoryMib * kind.machineCount - this.memoryFree;
    const gpuNeeded = kind.gpuTotalMilli * kind.machineCount - this.gpuFree;
    if (cpuNeeded <= 0 && memoryNeeded <= 0 && gpuNeeded <= 0) return 0;
    let cpu = 0;
    let memory = 0;
    let gpu = 0;
    for (let row = 0; row < this.count; row++) {
      cpu += this.cpuMilli[row] as number;
      memory += this.memoryMib[row] as number;
      gpu += this.gpuMilli[row] as number;
      if (cpu < cpuNeeded || memory < memoryNeeded || gpu < gpuNeeded) continue;
      const delay = (this.ends[row] as number) - nowMicros;
      return delay > 0 ? delay : 0;
    }
    return Number.POSITIVE_INFINITY;
  }

  private insert(attempt: Attempt): void {
    if (this.count === this.ends.length) this.grow();
    const { kind } = attempt;
    const end = expectedEnd(attempt);
    let row = this.count++;
    while (row > 0 && (this.ends[row - 1] as number) > end) {
      this.ends[row] = this.ends[row - 1] as number;
      this.cpuMilli[row] = this.cpuMilli[row - 1] as number;
      this.memoryMib[row] = this.memoryMib[row - 1] as number;
      this.gpuMilli[row] = this.gpuMilli[row - 1] as number;
      row--;
    }
    this.ends[row] = end;
    this.cpuMilli[row] = kind.cpuMilli * kind.machineCount;
    this.memoryMib[row] = kind.memoryMib * kind.machineCount;
    this.gpuMilli[row] = kind.gpuTotalMilli * kind.machineCount;
  }

  private grow(): void {
    const twice = (column: Float64Array): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(2 * column.length);
      grown.set(column);
      return grown;
    };
    this.ends = twice(this.ends);
    this.cpuMilli = twice(this.cpuMilli);
    this.memoryMib = twice(this.memoryMib);
    this.gpuMilli = twice(this.gpuMilli);
  }
}
