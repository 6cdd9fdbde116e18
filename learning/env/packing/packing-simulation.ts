// FGD's experiment without messages: tasks arrive one by one, each is placed as the kernel would, none ends, and what does not fit is
// dropped. The placement, the index that finds its machine and the cluster's columns are the kernel's own, so a run allocates what
// the same run through the kernel does, in a fraction of the time; a test holds the two together.

import { RandomStream } from '../../../core/base/random.ts';
import { ClusterState } from '../../../core/scheduler/cluster-state.ts';
import type { Placement, PluginContext, TypicalTask } from '../../../core/scheduler/framework.ts';
import { PlacementIndex } from '../../../core/scheduler/placement-index.ts';
import { type RequestKind, RequestKindTable, type ResourceRequest } from '../../../core/scheduler/request.ts';
import type { MachineSpec } from '../../../sim/workload/workload.ts';

/** What an episode is made of. */
export interface PackingCase {
  /** In the order that breaks ties. */
  readonly machines: readonly MachineSpec[];
  /** In order of arrival. */
  readonly requests: readonly ResourceRequest[];
  readonly typicalTasks: readonly TypicalTask[];
}

export interface PackingOutcome {
  /** GPU milli allocated once all have arrived, percent of all. */
  readonly allocationPercent: number;
  readonly placed: number;
}

export class PackingSimulation {
  readonly cluster = new ClusterState();
  readonly index: PlacementIndex;
  readonly placement: Placement;
  readonly context: PluginContext;
  private readonly kinds = new RequestKindTable(this.cluster.models);
  private placed = 0;

  constructor(
    { machines, typicalTasks }: Omit<PackingCase, 'requests'>,
    create: (context: PluginContext) => Placement,
    artifact?: string,
  ) {
    const { cluster } = this;
    // A machine that is ready, as the kernel sees one whose agent has said hello.
    for (const machine of machines) cluster.setSchedulable(cluster.addMachine(machine), true);
    const random = new RandomStream(1, 'packing');
    this.context = { cluster, random, typicalTasks, artifact };
    this.placement = create(this.context);
    this.index = new PlacementIndex(cluster, this.placement, random);
  }

  kindOf(request: ResourceRequest): RequestKind {
    return this.kinds.intern(request);
  }

  /** Places the task where the placement says; false if it fits nowhere. */
  arrive(kind: RequestKind): boolean {
    const machine = this.index.find(kind);
    if (machine < 0) return false;
    this.place(kind, machine);
    return true;
  }

  /** Places the task on this machine, which has room for it. */
  place(kind: RequestKind, machine: number): void {
    const mask = kind.gpuCount > 0 ? this.placement.devices.choose(kind, machine) : 0;
    this.index.changed(kind, machine, 1);
    this.cluster.allocate(kind, machine, mask);
    this.placed++;
  }

  get outcome(): PackingOutcome {
    const { gpuFreeTotalMilli, gpuCapacityTotalMilli } = this.cluster;
    return { allocationPercent: 100 * (1 - gpuFreeTotalMilli / gpuCapacityTotalMilli), placed: this.placed };
  }
}

export function playPacking(
  packing: PackingCase,
  create: (context: PluginContext) => Placement,
  artifact?: string,
): PackingOutcome {
  const simulation = new PackingSimulation(packing, create, artifact);
  for (const request of packing.requests) simulation.arrive(simulation.kindOf(request));
  return simulation.outcome;
}
