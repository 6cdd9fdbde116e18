// What a simulated world is made of: data, and whoever watches.

import type { KernelSettingName } from '../../core/config/kernel-setting-table.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { FaultSpec, NetworkSpec } from '../experiment/scenario.ts';
import type { MachineSpec, Workload } from '../workload/workload.ts';
import type { Calibration } from './calibration.ts';
import type { JournalSpec } from './journaled-kernel-host.ts';
import type { WorldObserver } from './observer.ts';
import type { PowerModel } from './power/power-model.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly machines: readonly MachineSpec[];
  readonly workload: Workload;
  readonly profile: Profile;
  readonly network: NetworkSpec;
  readonly heartbeat: { readonly intervalMicros: number; readonly leaseMicros: number };
  readonly limits: {
    readonly eventsPerInstantMax: number;
    readonly causalDepthMax: number;
    readonly queueLengthMax: number;
  };
  readonly faults: readonly FaultSpec[];
  /** Kernel settings that differ from their defaults, by name. */
  readonly settings?: Partial<Readonly<Record<KernelSettingName, number>>> | undefined;
  /** Without one the kernel never dies, and its effects leave at once. */
  readonly journal?: JournalSpec | undefined;
  /** Without one nobody measures energy, and no machine sleeps. */
  readonly power?: PowerModel | undefined;
  /** From it follow the fault points of the process, its log and the clients that are armed; none if left out. Those inside the
   *  kernel are armed by the setting `faults.seed`. */
  readonly faultPointSeed?: number | undefined;
  /** How long agents and messages take beyond the network, and work beside other work, as was measured; nothing if left out. */
  readonly calibration?: Calibration | undefined;
  readonly observers: readonly WorldObserver[];
}
