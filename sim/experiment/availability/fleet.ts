// The fleet whose availability is studied, and what is asked of it: machines in racks on power feeds, the kernel on the first
// feed with its standby on the second, and a steady stream of short requests. Data: what befalls it is fault-model.ts's business.

import { microsPerMilli, microsPerSecond } from '../../../core/base/time.ts';
import type { KernelSettingName } from '../../../core/config/kernel-setting-table.ts';
import type { Profile } from '../../../core/scheduler/framework.ts';
import type { ResourceRequest } from '../../../core/scheduler/request.ts';
import type { MachineSpec } from '../../workload/workload.ts';
import { type DiskSpec, soundDisk } from '../../world/disk-spec.ts';
import type { NetworkSpec } from '../scenario.ts';

export interface FleetSpec {
  readonly racks: number;
  readonly machinesPerRack: number;
  /** Racks are spread over the feeds in blocks. */
  readonly feeds: number;
  /** Standbys of kernel and gateway take so many times as long as the fault model says. */
  readonly takeoverFactor: number;
}

export interface RequestSpec {
  /** Poisson arrivals. */
  readonly ratePerSecond: number;
  /** Lognormal service, cut off at `serviceMaxMicros`. */
  readonly serviceMedianMicros: number;
  readonly serviceSigma: number;
  readonly serviceMaxMicros: number;
  /** A request is served if its submitter has the result within this time of asking. */
  readonly promiseMicros: number;
}

export interface StudySettings {
  readonly fleet: FleetSpec;
  readonly requests: RequestSpec;
  readonly heartbeat: { readonly intervalMicros: number; readonly leaseMicros: number };
  readonly settings: Partial<Readonly<Record<KernelSettingName, number>>>;
  readonly network: NetworkSpec;
  readonly disk: DiskSpec;
}

export const defaultStudy: StudySettings = {
  fleet: { racks: 6, machinesPerRack: 4, feeds: 2, takeoverFactor: 1 },
  requests: {
    ratePerSecond: 2,
    serviceMedianMicros: 4.5 * microsPerSecond,
    serviceSigma: 0.4,
    serviceMaxMicros: 15 * microsPerSecond,
    promiseMicros: 60 * microsPerSecond,
  },
  heartbeat: { intervalMicros: microsPerSecond, leaseMicros: 12 * microsPerSecond },
  settings: {
    'dispatch.retryMicros': microsPerSecond,
    'health.slowFactor': 3,
    'registry.clockErrorMicros': 10 * microsPerMilli,
  },
  network: {
    latency: { distribution: 'lognormal', meanMicros: 0.25 * microsPerMilli, sigma: 0.5 },
    bandwidthBytesPerSecond: 0,
    loss: 0,
    duplication: 0,
    reordering: 0,
  },
  disk: { ...soundDisk, capacityBytes: 2 ** 40 },
};

/** One request needs a whole machine's accelerator. */
export const requestResources: ResourceRequest = {
  cpuMilli: 1000,
  memoryMib: 4096,
  gpuCount: 1,
  gpuMilli: 1000,
  gpuModels: [],
  machineCount: 1,
};

export const studyProfile: Profile = {
  name: 'availability',
  order: 'fcfs',
  place: 'worst-fit',
  unplaced: 'skip',
  backfill: 'none',
  overtakeMax: 0,
  typicalTasks: [],
};

export function machinesOf({ racks, machinesPerRack }: FleetSpec): MachineSpec[] {
  return Array.from({ length: racks * machinesPerRack }, (_, index) => ({
    name: `rack${1 + Math.floor(index / machinesPerRack)}-${1 + (index % machinesPerRack)}`,
    cpuMilli: 8000,
    memoryMib: 65_536,
    gpuCount: 1,
    gpuModel: 'A10',
  }));
}

/** Indices of the machines of a rack, from 0. */
export function rackMachines({ machinesPerRack }: FleetSpec, rack: number): number[] {
  return Array.from({ length: machinesPerRack }, (_, index) => rack * machinesPerRack + index);
}

/** Indices of the machines on a feed, from 0. */
export function feedMachines(fleet: FleetSpec, feed: number): number[] {
  const racksPerFeed = Math.ceil(fleet.racks / fleet.feeds);
  const racks = Array.from({ length: fleet.racks }, (_, rack) => rack);
  return racks.filter((rack) => Math.floor(rack / racksPerFeed) === feed).flatMap((rack) => rackMachines(fleet, rack));
}
