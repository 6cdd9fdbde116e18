// EASY backfilling's reservation (Lifka, "The ANL/IBM SP scheduling system", JSSPP 1995): when, by the estimates of the running tasks, will the
// blocked head fit, and on which machines. Releases are replayed on copies of the columns of the machines concerned.

import { type ClusterState, deviceCountMax } from './cluster-state.ts';
import type { RequestKind } from './request.ts';
import type { Attempt } from './task.ts';

export interface Reservation {
  /** Shadow time: the earliest time at which the head fits by the estimates; `Infinity` if it never does. */
  readonly shadowMicros: number;
  /** Machines set aside for the head: those of lowest number that are free enough at the shadow time. */
  readonly machines: ReadonlySet<number>;
}

/** Computes the reservation for `head`. `running` are the attempts that hold resources. Cost: O(running · log running + machines). */
export function reserve(head: RequestKind, running: Iterable<Attempt>, cluster: ClusterState): Reservation {
  const releases = [...running].sort((left, right) => expectedEnd(left) - expectedEnd(right) || left.attempt - right.attempt);
  const future = new FutureColumns(cluster);
  const fitting = new Set<number>();
  for (let machine = 0; machine < cluster.machineCount; machine++) if (future.fits(head, machine)) fitting.add(machine);
  let shadowMicros = fitting.size >= head.machineCount ? 0 : Number.POSITIVE_INFINITY;
  for (let index = 0; shadowMicros === Number.POSITIVE_INFINITY && index < releases.length; index++) {
    const attempt = releases[index] as Attempt;
    for (let position = 0; position < attempt.machines.length; position++) {
      const machine = attempt.machines[position] as number;
      future.release(attempt.kind, machine, attempt.deviceMasks[position] as number);
      if (future.fits(head, machine)) fitting.add(machine);
    }
    if (fitting.size >= head.machineCount) {
      shadowMicros = expectedEnd(attempt);
      // What is expected to end at the same time is free then as well.
      for (index++; index < releases.length && expectedEnd(releases[index] as Attempt) === shadowMicros; index++) {
        const twin = releases[index] as Attempt;
        for (let position = 0; position < twin.machines.length; position++) {
          const machine = twin.machines[position] as number;
          future.release(twin.kind, machine, twin.deviceMasks[position] as number);
          if (future.fits(head, machine)) fitting.add(machine);
        }
      }
    }
  }
  const machines = [...fitting].sort((left, right) => left - right).slice(0, head.machineCount);
  return { shadowMicros, machines: new Set(machines) };
}

/** When the attempt ends by its estimate; it may lie in the past. */
function expectedEnd(attempt: Attempt): number {
  return (attempt.startedMicros >= 0 ? attempt.startedMicros : attempt.placedMicros) + attempt.task.estimateMicros;
}

/** The free columns as they will be, changed only by releases. */
class FutureColumns {
  private readonly cluster: ClusterState;
  private readonly cpu: Float64Array;
  private readonly memory: Float64Array;
  private readonly devices: Int32Array;

  constructor(cluster: ClusterState) {
    this.cluster = cluster;
    this.cpu = cluster.cpuFreeMilli.slice(0, cluster.machineCount);
    this.memory = cluster.memoryFreeMib.slice(0, cluster.machineCount);
    this.devices = cluster.deviceFreeMilli.slice(0, cluster.machineCount * deviceCountMax);
  }

  release(kind: RequestKind, machine: number, deviceMask: number): void {
    this.cpu[machine] = (this.cpu[machine] as number) + kind.cpuMilli;
    this.memory[machine] = (this.memory[machine] as number) + kind.memoryMib;
    for (let device = 0; device < deviceCountMax; device++) {
      if ((deviceMask & (1 << device)) !== 0) {
        const index = machine * deviceCountMax + device;
        this.devices[index] = (this.devices[index] as number) + kind.gpuMilli;
      }
    }
  }

  fits(kind: RequestKind, machine: number): boolean {
    const cluster = this.cluster;
    if (cluster.schedulable[machine] === 0) return false;
    if ((this.cpu[machine] as number) < kind.cpuMilli || (this.memory[machine] as number) < kind.memoryMib) return false;
    if (kind.gpuCount === 0) return true;
    const model = cluster.gpuModel[machine] as number;
    if (kind.gpuModelMask !== 0 && (model < 0 || (kind.gpuModelMask & (1 << model)) === 0)) return false;
    let fitting = 0;
    const first = machine * deviceCountMax;
    for (let device = 0; device < (cluster.gpuCount[machine] as number); device++) {
      if ((this.devices[first + device] as number) >= kind.gpuMilli) fitting++;
    }
    return fitting >= kind.gpuCount;
  }
}
