// The cluster as columns: one typed array a resource, one row a machine, in the order in which machines first registered
// (which is the order that breaks ties). The only writers are `addMachine`, `setHold`, `allocate` and `release`;
// each notes the row in the change log, so that whoever caches something per machine catches up from its own cursor.

import { assert } from '../base/assert.ts';
import type { RequestKind } from './request.ts';
import { ModelTable } from './request.ts';

/** Devices of one machine, at most. */
export const deviceCountMax = 16;

/** Why a machine cannot take a request; `fits` is 0 so that the test is cheap. */
export const filterReasons = [
  'fits',
  'not schedulable',
  'GPU model',
  'too few GPUs free',
  'CPU',
  'memory',
  'held for another task',
  'flapping',
  'outlier',
  'skill',
] as const;
export const reasonFits = 0;
export const reasonNotSchedulable = 1;
export const reasonGpuModel = 2;
export const reasonGpu = 3;
export const reasonCpu = 4;
export const reasonMemory = 5;
export const reasonHeldForTask = 6;
export const reasonFlapping = 7;
export const reasonOutlier = 8;
export const reasonSkill = 9;

// What keeps a machine from new tasks, as bits: it takes some when none is set.
/** Its agent takes no work: not ready, draining, suspect or dead. */
export const holdAgent = 1;
/** A task that evicted others waits for the room that they leave. */
export const holdForTask = 2;
export const holdFlapping = 4;
export const holdOutlier = 8;
/** It was released: it sleeps, or is to, or is not awake yet. */
export const holdReleased = 16;

export interface MachineResources {
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly gpuCount: number;
  /** Name of the GPU model, empty if there is no GPU. */
  readonly gpuModel: string;
}

export class ClusterState {
  /** Rows in use. */
  machineCount = 0;
  readonly models = new ModelTable();
  cpuCapacityMilli = new Float64Array(0);
  cpuFreeMilli = new Float64Array(0);
  memoryCapacityMib = new Float64Array(0);
  memoryFreeMib = new Float64Array(0);
  gpuCount = new Int32Array(0);
  /** Index into `models.names`, −1 for none. */
  gpuModel = new Int32Array(0);
  /** Sum of the free milli over the machine's devices. */
  gpuFreeMilli = new Int32Array(0);
  /** Number of devices entirely free. */
  gpuWholeFree = new Int32Array(0);
  /** Free milli by device, `deviceCountMax` a row. */
  deviceFreeMilli = new Int32Array(0);
  /** 1 if new tasks may be placed here: nothing holds the machine. */
  schedulable = new Uint8Array(0);
  /** What keeps the machine from new tasks, a bit each; a new machine waits for its agent. */
  holds = new Uint8Array(0);
  /** Running allocations on the machine. */
  allocationCount = new Int32Array(0);
  /** Free milli of the machine's emptiest device. */
  deviceFreeMaxMilli = new Int32Array(0);
  /** `changeCount` right after the machine's latest change: its version, never 0 for a row in use. */
  lastChange = new Float64Array(0);

  /** Rows changed, in order; position p of the log is `changes[p % changes.length]`. */
  private changes = new Int32Array(64);
  /** Number of changes ever; a reader's cursor counts in the same numbers. */
  changeCount = 0;

  /** Sums over schedulable and unschedulable machines alike. */
  gpuCapacityTotalMilli = 0;
  gpuFreeTotalMilli = 0;
  cpuCapacityTotalMilli = 0;
  cpuFreeTotalMilli = 0;
  memoryCapacityTotalMib = 0;
  memoryFreeTotalMib = 0;

  /** The largest machine by each resource, of all that ever registered: what scores normalize by. */
  cpuCapacityMaxMilli = 0;
  memoryCapacityMaxMib = 0;
  gpuCapacityMaxMilli = 0;
  /** Counts the growths of those maxima: a score that used an older one is stale on every machine. */
  capacityVersion = 0;

  /** Whether the agent of a machine declares a skill. When that changes, {@link touch} the machine. */
  hasSkill: (skill: string, machine: number) => boolean = () => true;

  addMachine(resources: MachineResources): number {
    assert(resources.gpuCount <= deviceCountMax, 'a machine has at most 16 devices');
    const row = this.machineCount;
    if (row === this.schedulable.length) this.grow(Math.max(64, row * 2));
    this.machineCount = row + 1;
    this.holds[row] = holdAgent;
    this.cpuCapacityMilli[row] = resources.cpuMilli;
    this.cpuFreeMilli[row] = resources.cpuMilli;
    this.memoryCapacityMib[row] = resources.memoryMib;
    this.memoryFreeMib[row] = resources.memoryMib;
    this.gpuCount[row] = resources.gpuCount;
    this.gpuModel[row] = resources.gpuCount > 0 ? this.models.intern(resources.gpuModel) : -1;
    this.gpuFreeMilli[row] = resources.gpuCount * 1000;
    this.gpuWholeFree[row] = resources.gpuCount;
    for (let device = 0; device < resources.gpuCount; device++)
      this.deviceFreeMilli[row * deviceCountMax + device] = 1000;
    this.gpuCapacityTotalMilli += resources.gpuCount * 1000;
    this.gpuFreeTotalMilli += resources.gpuCount * 1000;
    this.cpuCapacityTotalMilli += resources.cpuMilli;
    this.cpuFreeTotalMilli += resources.cpuMilli;
    this.memoryCapacityTotalMib += resources.memoryMib;
    this.memoryFreeTotalMib += resources.memoryMib;
    this.deviceFreeMaxMilli[row] = resources.gpuCount > 0 ? 1000 : 0;
    if (
      resources.cpuMilli > this.cpuCapacityMaxMilli ||
      resources.memoryMib > this.memoryCapacityMaxMib ||
      resources.gpuCount * 1000 > this.gpuCapacityMaxMilli
    ) {
      this.cpuCapacityMaxMilli = Math.max(this.cpuCapacityMaxMilli, resources.cpuMilli);
      this.memoryCapacityMaxMib = Math.max(this.memoryCapacityMaxMib, resources.memoryMib);
      this.gpuCapacityMaxMilli = Math.max(this.gpuCapacityMaxMilli, resources.gpuCount * 1000);
      this.capacityVersion++;
    }
    this.noteChange(row);
    return row;
  }

  setSchedulable(machine: number, schedulable: boolean): void {
    this.setHold(machine, holdAgent, !schedulable);
  }

  /** `hold`: one of the bits. */
  setHold(machine: number, hold: number, held: boolean): void {
    const before = this.holds[machine] as number;
    const after = held ? before | hold : before & ~hold;
    if (after === before) return;
    this.holds[machine] = after;
    this.schedulable[machine] = after === 0 ? 1 : 0;
    this.noteChange(machine);
  }

  /** Why `machine` cannot take `kind` now, or {@link reasonFits}. Looks at this machine's columns alone. */
  filter(kind: RequestKind, machine: number): number {
    if (this.schedulable[machine] === 0) return reasonOfHolds(this.holds[machine] as number);
    if (kind.skill !== undefined && !this.hasSkill(kind.skill, machine)) return reasonSkill;
    if (kind.gpuCount > 0) {
      const model = this.gpuModel[machine] as number;
      if (kind.gpuModelMask !== 0 && (model < 0 || (kind.gpuModelMask & (1 << model)) === 0)) return reasonGpuModel;
      if ((this.gpuFreeMilli[machine] as number) < kind.gpuTotalMilli) return reasonGpu;
      if (kind.gpuMilli === 1000) {
        if ((this.gpuWholeFree[machine] as number) < kind.gpuCount) return reasonGpu;
      } else if (kind.gpuCount === 1) {
        if ((this.deviceFreeMaxMilli[machine] as number) < kind.gpuMilli) return reasonGpu;
      } else {
        let fitting = 0;
        const first = machine * deviceCountMax;
        const end = first + (this.gpuCount[machine] as number);
        for (let device = first; device < end; device++) {
          if ((this.deviceFreeMilli[device] as number) >= kind.gpuMilli) fitting++;
        }
        if (fitting < kind.gpuCount) return reasonGpu;
      }
    }
    if ((this.cpuFreeMilli[machine] as number) < kind.cpuMilli) return reasonCpu;
    if ((this.memoryFreeMib[machine] as number) < kind.memoryMib) return reasonMemory;
    return reasonFits;
  }

  /** Takes `kind`'s resources from `machine`, on the devices whose bits are set in `deviceMask`. */
  allocate(kind: RequestKind, machine: number, deviceMask: number): void {
    this.apply(kind, machine, deviceMask, -1);
  }

  /** Gives back what {@link allocate} took. */
  release(kind: RequestKind, machine: number, deviceMask: number): void {
    this.apply(kind, machine, deviceMask, 1);
  }

  /** The row of change number `position`; valid while `position ≥ changeCount − capacity of the log`. */
  changeAt(position: number): number {
    return this.changes[position & (this.changes.length - 1)] as number;
  }

  /** True if a reader at `cursor` is too far behind the log and must look at every machine. */
  logLost(cursor: number): boolean {
    return this.changeCount - cursor > Math.min(this.changes.length, this.machineCount);
  }

  /** Something that scores look at, but that is no column of the cluster, has changed for `machine`. */
  touch(machine: number): void {
    this.noteChange(machine);
  }

  private noteChange(machine: number): void {
    this.changes[this.changeCount & (this.changes.length - 1)] = machine;
    this.changeCount++;
    this.lastChange[machine] = this.changeCount;
  }

  private apply(kind: RequestKind, machine: number, deviceMask: number, sign: 1 | -1): void {
    this.cpuFreeMilli[machine] = (this.cpuFreeMilli[machine] as number) + sign * kind.cpuMilli;
    this.memoryFreeMib[machine] = (this.memoryFreeMib[machine] as number) + sign * kind.memoryMib;
    this.cpuFreeTotalMilli += sign * kind.cpuMilli;
    this.memoryFreeTotalMib += sign * kind.memoryMib;
    assert((this.cpuFreeMilli[machine] as number) >= 0, 'CPU oversubscribed');
    assert((this.memoryFreeMib[machine] as number) >= 0, 'memory oversubscribed');
    if (kind.gpuCount > 0) {
      const first = machine * deviceCountMax;
      const count = this.gpuCount[machine] as number;
      assert(deviceMask >>> count === 0, 'a device that the machine lacks');
      let taken = 0;
      let freeMax = 0;
      for (let device = 0; device < count; device++) {
        const before = this.deviceFreeMilli[first + device] as number;
        if ((deviceMask & (1 << device)) === 0) {
          if (before > freeMax) freeMax = before;
          continue;
        }
        const after = before + sign * kind.gpuMilli;
        assert(after >= 0 && after <= 1000, 'device oversubscribed or released twice');
        this.deviceFreeMilli[first + device] = after;
        if (after > freeMax) freeMax = after;
        if (before === 1000) this.gpuWholeFree[machine] = (this.gpuWholeFree[machine] as number) - 1;
        if (after === 1000) this.gpuWholeFree[machine] = (this.gpuWholeFree[machine] as number) + 1;
        taken++;
      }
      assert(taken === kind.gpuCount, 'wrong number of devices');
      this.deviceFreeMaxMilli[machine] = freeMax;
      this.gpuFreeMilli[machine] = (this.gpuFreeMilli[machine] as number) + sign * kind.gpuTotalMilli;
      this.gpuFreeTotalMilli += sign * kind.gpuTotalMilli;
    }
    this.allocationCount[machine] = (this.allocationCount[machine] as number) - sign;
    this.noteChange(machine);
  }

  private grow(rows: number): void {
    const float = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(rows);
      grown.set(old);
      return grown;
    };
    const int = (old: Int32Array, perRow = 1, fill = 0): Int32Array<ArrayBuffer> => {
      const grown = new Int32Array(rows * perRow).fill(fill);
      grown.set(old);
      return grown;
    };
    this.cpuCapacityMilli = float(this.cpuCapacityMilli);
    this.cpuFreeMilli = float(this.cpuFreeMilli);
    this.memoryCapacityMib = float(this.memoryCapacityMib);
    this.memoryFreeMib = float(this.memoryFreeMib);
    this.gpuCount = int(this.gpuCount);
    this.gpuModel = int(this.gpuModel);
    this.gpuFreeMilli = int(this.gpuFreeMilli);
    this.gpuWholeFree = int(this.gpuWholeFree);
    this.deviceFreeMilli = int(this.deviceFreeMilli, deviceCountMax);
    this.allocationCount = int(this.allocationCount);
    this.deviceFreeMaxMilli = int(this.deviceFreeMaxMilli);
    this.lastChange = float(this.lastChange);
    const schedulable = new Uint8Array(rows);
    schedulable.set(this.schedulable);
    this.schedulable = schedulable;
    const holds = new Uint8Array(rows);
    holds.set(this.holds);
    this.holds = holds;
    let logLength = 64;
    while (logLength < rows) logLength *= 2;
    const log = new Int32Array(logLength);
    const kept = Math.min(this.changeCount, this.changes.length);
    for (let position = this.changeCount - kept; position < this.changeCount; position++) {
      log[position & (logLength - 1)] = this.changeAt(position);
    }
    this.changes = log;
  }
}

function reasonOfHolds(holds: number): number {
  if ((holds & (holdAgent | holdReleased)) !== 0) return reasonNotSchedulable;
  if ((holds & holdFlapping) !== 0) return reasonFlapping;
  return (holds & holdOutlier) !== 0 ? reasonOutlier : reasonHeldForTask;
}
