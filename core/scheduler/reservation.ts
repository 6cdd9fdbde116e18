// EASY backfilling's reservation (Lifka, "The ANL/IBM SP scheduling system", JSSPP 1995): when, by the estimates of the
// running tasks, will the blocked head fit, and on which machines. Releases are replayed on copies of the rows that they
// touch; the cluster's own columns stay as they are.

import { KeyedHeap } from '../base/binary-heap.ts';
import { type ClusterState, deviceCountMax, reasonFits } from './cluster-state.ts';
import type { RequestKind } from './request.ts';
import type { Attempt } from './task.ts';

export interface Reservation {
  /** Shadow time: the earliest time at which the head fits by the estimates; `Infinity` if it never does, 0 if it does now. */
  readonly shadowMicros: number;
  /** Machines set aside for the head: those of lowest number that are free enough at the shadow time. */
  readonly machines: ReadonlySet<number>;
}

/** Computes the reservation for `head`. `running` are the attempts that hold resources. Cost: O(machines + running), and
 *  O(log running) for each release until the head fits. */
export function reserve(head: RequestKind, running: Iterable<Attempt>, cluster: ClusterState): Reservation {
  const fitting = new Set<number>();
  for (let machine = 0; machine < cluster.machineCount; machine++) {
    if (cluster.filter(head, machine) === reasonFits) fitting.add(machine);
  }
  let shadowMicros = 0;
  if (fitting.size < head.machineCount) {
    const releases = releasesOf(running);
    const rows = new Map<number, FutureRow>();
    shadowMicros = Number.POSITIVE_INFINITY;
    while (releases.heap.length > 0) {
      const endMicros = releases.heap.peekKey();
      // What is expected to end at the shadow time is free then as well.
      if (endMicros > shadowMicros) break;
      const attempt = releases.attempts[releases.heap.pop()] as Attempt;
      for (let position = 0; position < attempt.machines.length; position++) {
        const machine = attempt.machines[position] as number;
        let row = rows.get(machine);
        if (row === undefined) {
          row = new FutureRow(cluster, machine);
          rows.set(machine, row);
        }
        row.release(attempt.kind, attempt.deviceMasks[position] as number);
        if (row.fits(head)) fitting.add(machine);
      }
      if (fitting.size >= head.machineCount) shadowMicros = endMicros;
    }
  }
  const machines = [...fitting].sort((left, right) => left - right).slice(0, head.machineCount);
  return { shadowMicros, machines: new Set(machines) };
}

/** The attempts by expected end, ties in order of placement. */
function releasesOf(running: Iterable<Attempt>): { readonly attempts: readonly Attempt[]; readonly heap: KeyedHeap } {
  const attempts = [...running];
  const heap = new KeyedHeap(Math.max(1, attempts.length));
  for (let position = 0; position < attempts.length; position++) {
    heap.push(expectedEnd(attempts[position] as Attempt), position);
  }
  return { attempts, heap };
}

/** When the attempt ends by its estimate; it may lie in the past. */
function expectedEnd(attempt: Attempt): number {
  return (attempt.startedMicros >= 0 ? attempt.startedMicros : attempt.placedMicros) + attempt.task.estimateMicros;
}

/** One machine's free resources as they will be, changed only by releases. */
class FutureRow {
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
    this.cpuFreeMilli += kind.cpuMilli;
    this.memoryFreeMib += kind.memoryMib;
    for (let device = 0; device < this.deviceFreeMilli.length; device++) {
      if ((deviceMask & (1 << device)) === 0) continue;
      this.deviceFreeMilli[device] = (this.deviceFreeMilli[device] as number) + kind.gpuMilli;
    }
  }

  fits(kind: RequestKind): boolean {
    const { cluster, machine } = this;
    if (cluster.schedulable[machine] === 0) return false;
    if (this.cpuFreeMilli < kind.cpuMilli || this.memoryFreeMib < kind.memoryMib) return false;
    if (kind.gpuCount === 0) return true;
    const model = cluster.gpuModel[machine] as number;
    if (kind.gpuModelMask !== 0 && (model < 0 || (kind.gpuModelMask & (1 << model)) === 0)) return false;
    let fitting = 0;
    for (const free of this.deviceFreeMilli) if (free >= kind.gpuMilli) fitting++;
    return fitting >= kind.gpuCount;
  }
}
