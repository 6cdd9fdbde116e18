// Computes the features of core/policy/placement-features.ts from the cluster's columns: what a learned placement sees of a machine.
// Without a gang they follow from the machine's columns and the kind alone, so that scores made of them can be kept.

import { fixedLog } from '../../base/fixed-math.ts';
import { placementColumnCount, placementFeatureCount } from '../../policy/placement-features.ts';
import { deviceCountMax } from '../cluster-state.ts';
import type { DevicePlugin, GangMates, PluginContext } from '../framework.ts';
import type { RequestKind } from '../request.ts';
import { FragmentationMeter } from './fragmentation.ts';
import { GangRoom } from './gang-room.ts';

/** GPU milli of a GPU. */
const milli = 1000;

export class PlacementObserver {
  private readonly context: PluginContext;
  private readonly devices: DevicePlugin;
  private readonly meter: FragmentationMeter | undefined;
  /** CPU milli that a GPU milli of the typical workload comes with. */
  private readonly cpuPerGpu: number;
  private readonly room: GangRoom;
  /** Share of the typical tasks that name a GPU model, by the model. */
  private readonly wanted: number[] = [];

  /** `devices`: how the devices would be chosen. */
  constructor(context: PluginContext, devices: DevicePlugin) {
    const { cluster, typicalTasks } = context;
    this.context = context;
    this.devices = devices;
    this.room = new GangRoom(context);
    this.meter = typicalTasks.length === 0 ? undefined : new FragmentationMeter(cluster, typicalTasks);
    let cpu = 0;
    let gpu = 0;
    for (const { cpuMilli, gpuCount, gpuMilli, count } of typicalTasks) {
      if (gpuCount === 0) continue;
      cpu += count * cpuMilli;
      gpu += count * gpuCount * gpuMilli;
    }
    this.cpuPerGpu = gpu > 0 ? cpu / gpu : 0;
    context.skills?.wantOffers();
  }

  /** Writes one row at `at`. The machine must pass the filter. */
  observe(kind: RequestKind, machine: number, mates: GangMates | undefined, out: Float64Array, at: number): void {
    out.fill(0, at, at + placementFeatureCount);
    const first = at + classOf(kind) * placementColumnCount;
    this.writeResources(kind, machine, out, first);
    const speed = this.speedLog(kind, machine);
    out[first + 15] = speed;
    out[first + 16] = 1;
    out[first + 17] = 1;
    if (mates !== undefined) this.writeGang(kind, machine, mates, speed, out, first);
  }

  private writeResources(kind: RequestKind, machine: number, out: Float64Array, first: number): void {
    const { cluster } = this.context;
    const mask = kind.gpuCount > 0 ? this.devices.choose(kind, machine) : 0;
    const cpuCapacity = cluster.cpuCapacityMilli[machine] as number;
    const gpuCapacity = (cluster.gpuCount[machine] as number) * milli;
    const memoryCapacity = cluster.memoryCapacityMib[machine] as number;
    const cpuFree = cluster.cpuFreeMilli[machine] as number;
    const gpuFree = cluster.gpuFreeMilli[machine] as number;
    const cpuAfter = cpuFree - kind.cpuMilli;
    const gpuAfter = gpuFree - kind.gpuTotalMilli;
    const cpuLeft = cpuCapacity > 0 ? cpuAfter / cpuCapacity : 0;
    const gpuLeft = gpuCapacity > 0 ? gpuAfter / gpuCapacity : 0;
    const memoryFree = cluster.memoryFreeMib[machine] as number;
    const memoryLeft = memoryCapacity > 0 ? (memoryFree - kind.memoryMib) / memoryCapacity : 0;
    if (this.meter !== undefined)
      out[first] = (this.meter.after(machine, kind.cpuMilli, kind.gpuMilli, mask) - this.meter.of(machine)) / milli;
    out[first + 1] = (this.stranded(gpuAfter, cpuAfter) - this.stranded(gpuFree, cpuFree)) / milli;
    out[first + 2] = cpuLeft;
    out[first + 3] = gpuLeft;
    out[first + 4] = memoryLeft;
    out[first + 5] = cpuLeft - gpuLeft;
    out[first + 6] = Math.abs(cpuLeft - gpuLeft);
    out[first + 7] = memoryLeft - gpuLeft;
    out[first + 8] = cluster.cpuCapacityMaxMilli > 0 ? cpuAfter / cluster.cpuCapacityMaxMilli : 0;
    const gpuMax = cluster.gpuCapacityMaxMilli;
    out[first + 9] = gpuMax > 0 ? gpuAfter / gpuMax : 0;
    let opened = 0;
    let left = 0;
    for (let rest = mask; rest !== 0; rest &= rest - 1) {
      const free = cluster.deviceFreeMilli[machine * deviceCountMax + 31 - Math.clz32(rest & -rest)] as number;
      if (free === milli) opened++;
      left += free - kind.gpuMilli;
    }
    if (kind.gpuCount > 0) {
      out[first + 10] = left / (kind.gpuCount * milli);
      out[first + 11] = opened / kind.gpuCount;
    }
    out[first + 12] = cluster.allocationCount[machine] === 0 ? 1 : 0;
    out[first + 13] = gpuMax > 0 ? (((cluster.gpuWholeFree[machine] as number) - opened) * milli) / gpuMax : 0;
    out[first + 14] = this.modelWanted(cluster.gpuModel[machine] as number);
  }

  private writeGang(
    kind: RequestKind,
    machine: number,
    mates: GangMates,
    speed: number,
    out: Float64Array,
    first: number,
  ): void {
    const { links } = this.context;
    out[first + 16] = Math.min(mates.left, this.room.ofMachine(kind, machine)) / mates.left;
    out[first + 17] = Math.min(mates.left, this.room.ofRack(kind, machine, mates)) / mates.left;
    const { length } = mates.machines;
    if (length === 0) return;
    let here = 0;
    let delay = 0;
    let slowest = Number.POSITIVE_INFINITY;
    for (let index = 0; index < length; index++) {
      const mate = mates.machines[index] as number;
      if (mate === machine) here++;
      else if (links !== undefined) delay += 1 / links.gigabitsBetween(mate, machine);
      slowest = Math.min(slowest, this.speedLog(kind, mate));
    }
    out[first + 18] = here / length;
    out[first + 19] = delay / length;
    out[first + 20] = Math.max(0, slowest - speed);
    out[first + 21] = Math.max(0, speed - slowest);
  }

  /** Free GPU milli beyond what the free CPU would typically come with. */
  private stranded(gpuFree: number, cpuFree: number): number {
    if (this.cpuPerGpu === 0) return 0;
    return Math.max(0, gpuFree - cpuFree / this.cpuPerGpu);
  }

  private modelWanted(model: number): number {
    if (model < 0) return 0;
    const known = this.wanted[model];
    if (known !== undefined) return known;
    const { cluster, typicalTasks } = this.context;
    const name = cluster.models.names[model] as string;
    let share = 0;
    let total = 0;
    for (const { gpuModels, count } of typicalTasks) {
      total += count;
      if (gpuModels.includes(name)) share += count;
    }
    this.wanted[model] = total > 0 ? share / total : 0;
    return this.wanted[model] as number;
  }

  private speedLog(kind: RequestKind, machine: number): number {
    const offer = this.context.skills?.offer(kind.taskClass ?? 0, machine) ?? 1;
    return offer > 0 ? fixedLog(offer) : -20;
  }
}

/** Index into `placementClasses`. */
export function classOf({ gpuCount, gpuMilli }: RequestKind): number {
  if (gpuCount === 0) return 0;
  if (gpuCount > 1) return 3;
  return gpuMilli < milli ? 1 : 2;
}
