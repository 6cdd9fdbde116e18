// How many tasks of a kind a machine, and its whole rack, could take now: where a gang fits as a whole.

import { deviceCountMax, reasonFits } from '../cluster-state.ts';
import type { GangMates, PluginContext } from '../framework.ts';
import type { RequestKind } from '../request.ts';

export class GangRoom {
  private readonly context: Pick<PluginContext, 'cluster' | 'links'>;
  /** By rack, of the decision under way: that for `mates`. */
  private readonly racks = new Map<string, number>();
  private mates: GangMates | undefined;

  constructor(context: Pick<PluginContext, 'cluster' | 'links'>) {
    this.context = context;
  }

  ofMachine(kind: RequestKind, machine: number): number {
    const { cluster } = this.context;
    if (cluster.filter(kind, machine) !== reasonFits) return 0;
    let room = Number.MAX_SAFE_INTEGER;
    if (kind.cpuMilli > 0) room = Math.floor((cluster.cpuFreeMilli[machine] as number) / kind.cpuMilli);
    if (kind.memoryMib > 0)
      room = Math.min(room, Math.floor((cluster.memoryFreeMib[machine] as number) / kind.memoryMib));
    if (kind.gpuCount === 0) return room;
    let devices = 0;
    const start = machine * deviceCountMax;
    const end = start + (cluster.gpuCount[machine] as number);
    for (let device = start; device < end; device++)
      devices += Math.floor((cluster.deviceFreeMilli[device] as number) / kind.gpuMilli);
    return Math.min(room, Math.floor(devices / kind.gpuCount));
  }

  /** Computed once a decision: `mates` is another object for each. */
  ofRack(kind: RequestKind, machine: number, mates: GangMates): number {
    const { cluster, links } = this.context;
    if (links === undefined) return this.ofMachine(kind, machine);
    if (this.mates !== mates) {
      this.mates = mates;
      this.racks.clear();
      for (let other = 0; other < cluster.machineCount; other++) {
        const rack = links.rackOf(other);
        this.racks.set(rack, (this.racks.get(rack) ?? 0) + this.ofMachine(kind, other));
      }
    }
    return this.racks.get(links.rackOf(machine)) ?? 0;
  }
}
