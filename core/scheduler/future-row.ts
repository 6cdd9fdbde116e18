// One machine's free resources as they would be if some of what runs there were gone: a copy of its row that is changed by
// releases and takes, for whoever looks ahead. The cluster's own columns stay as they are.

import { type ClusterState, deviceCountMax } from './cluster-state.ts';
import type { RequestKind } from './request.ts';

export class FutureRow {
  private readonly cluster: ClusterState;
  private readonly machine: number;
  private cpuFreeMilli: number;
  private memoryFreeMib: number;
  private readonly deviceFreeMilli: Int32Array;

  constructor(cluster: ClusterState, machine: number) {
    this.cluster = cluster;
    this.machine = machine;
    this.cpuFreeMilli = cluster.cpuFreeMilli[machine] as number;
    this.memoryFreeMib = cluster.memoryFreeMib[machine] as number;
    const first = machine * deviceCountMax;
    this.deviceFreeMilli = cluster.deviceFreeMilli.slice(first, first + (cluster.gpuCount[machine] as number));
  }

  release(kind: RequestKind, deviceMask: number): void {
    this.apply(kind, deviceMask, 1);
  }

  /** Takes back what {@link release} gave. */
  take(kind: RequestKind, deviceMask: number): void {
    this.apply(kind, deviceMask, -1);
  }

  /** Whether the machine, as it would be, can take `kind`. One that takes no new tasks now cannot. */
  fits(kind: RequestKind): boolean {
    const { cluster, machine } = this;
    if (cluster.schedulable[machine] === 0) return false;
    if (kind.skill !== undefined && !cluster.hasSkill(kind.skill, machine)) return false;
    if (this.cpuFreeMilli < kind.cpuMilli || this.memoryFreeMib < kind.memoryMib) return false;
    if (kind.gpuCount === 0) return true;
    const model = cluster.gpuModel[machine] as number;
    if (kind.gpuModelMask !== 0 && (model < 0 || (kind.gpuModelMask & (1 << model)) === 0)) return false;
    let fitting = 0;
    for (const free of this.deviceFreeMilli) if (free >= kind.gpuMilli) fitting++;
    return fitting >= kind.gpuCount;
  }

  /** Devices for a request that fits: those with the least left, then the first. */
  choose(kind: RequestKind): number {
    let mask = 0;
    for (let count = 0; count < kind.gpuCount; count++) {
      let best = -1;
      for (let device = 0; device < this.deviceFreeMilli.length; device++) {
        const free = this.deviceFreeMilli[device] as number;
        if ((mask & (1 << device)) !== 0 || free < kind.gpuMilli) continue;
        if (best < 0 || free < (this.deviceFreeMilli[best] as number)) best = device;
      }
      mask |= 1 << best;
    }
    return mask;
  }

  private apply(kind: RequestKind, deviceMask: number, sign: 1 | -1): void {
    this.cpuFreeMilli += sign * kind.cpuMilli;
    this.memoryFreeMib += sign * kind.memoryMib;
    for (let device = 0; device < this.deviceFreeMilli.length; device++) {
      if ((deviceMask & (1 << device)) === 0) continue;
      this.deviceFreeMilli[device] = (this.deviceFreeMilli[device] as number) + sign * kind.gpuMilli;
    }
  }
}
