// A scenario as a validated value: what the YAML says, with every default filled in, durations in microseconds and paths
// absolute. The published schema is scenarios/scenario.schema.json.

import type { KernelSettingName } from '../../core/config/kernel-setting-table.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { ClusterSpec, WorkloadSpec } from '../workload/spec.ts';
import type { Calibration } from '../world/calibration.ts';
import type { JournalSpec } from '../world/journaled-kernel-host.ts';
import type { LatencySpec } from '../world/latency.ts';
import type { PowerModel } from '../world/power/power-model.ts';

export interface NetworkSpec {
  readonly latency: LatencySpec;
  /** Bytes per second of each machine's link; 0 means unlimited. */
  readonly bandwidthBytesPerSecond: number;
  /** Probabilities a message, [0, 1). */
  readonly loss: number;
  readonly duplication: number;
  readonly reordering: number;
}

/** What can befall machines. `clog`: the link delivers nothing, and at the end everything at once; `clockJump`, `clockDrift`: the
 *  agent's clock jumps ahead, or runs fast or slow; `drain`: the agent takes no new work, and restarts at the end; `resize`: it
 *  comes back with half its resources, and at the end with all. */
export const machineFaultKinds = [
  'crash',
  'hang',
  'slow',
  'partition',
  'lossy',
  'clog',
  'clockJump',
  'clockDrift',
  'drain',
  'resize',
  'reconnect',
] as const;
export type MachineFaultKind = (typeof machineFaultKinds)[number];

/** What can befall those between the machines, the submitter and the kernel: their processes die and come back, or their
 *  links are clogged. */
export const serviceFaultKinds = [
  'gatewayCrash',
  'submitterCrash',
  'submitterClog',
  'gatewayClog',
  'submitterReconnect',
] as const;
export type ServiceFaultKind = (typeof serviceFaultKinds)[number];

/** What can befall a kernel with a journal: its power fails, its disk is slow, has no room, or flips bits when the fault
 *  begins, or the wall clock of its machine is wrong, which a process notices when it begins. Rot is not always survived: what is
 *  damaged and needed is named, and the kernel does not come back. */
export const kernelFaultKinds = ['kernelCrash', 'diskSlow', 'diskFull', 'diskRot', 'kernelClock'] as const;
export type KernelFaultKind = (typeof kernelFaultKinds)[number];

/** Faults as data. `machines` names machines, or a share of them drawn by seed. */
export interface FaultSpec {
  readonly kind: MachineFaultKind | ServiceFaultKind | KernelFaultKind;
  readonly atMicros: number;
  /** How long it lasts; a crashed machine restarts after it. */
  readonly forMicros: number;
  /** Empty for faults of the kernel and of services. */
  readonly machines: readonly string[] | { readonly share: number };
  /** `slow`: service times × factor; `lossy`: probability of loss; `diskSlow`: delays × factor; `diskRot`: bits flipped;
   *  `clockJump`: seconds; `clockDrift`: share of time, at most 0.01 either way; `kernelClock`: seconds ahead, negative for behind. */
  readonly factor: number;
}

export interface Scenario {
  readonly name: string;
  readonly description: string;
  /** Absolute path, and the text as read. */
  readonly file: string;
  readonly source: string;
  readonly cluster: ClusterSpec;
  readonly workload: WorkloadSpec;
  /** `typicalTasks` is filled from the workload when the world is built. */
  readonly policies: readonly Omit<Profile, 'typicalTasks'>[];
  /** Artifacts of learned policies, absolute. */
  readonly artifactFiles: readonly string[];
  readonly seeds: readonly number[];
  readonly warmUpMicros: number;
  /** Length of the measured window; 0 runs until every task has ended. */
  readonly measureMicros: number;
  readonly network: NetworkSpec;
  /** Undefined: the kernel never dies, and effects leave at once. */
  readonly journal: JournalSpec | undefined;
  /** What was measured of live agents; undefined: the network alone takes time. */
  readonly calibration?: Calibration | undefined;
  /** Undefined: nobody measures energy, and no machine sleeps. */
  readonly power: PowerModel | undefined;
  readonly heartbeat: { readonly intervalMicros: number; readonly leaseMicros: number };
  readonly limits: {
    /** Events at one timestamp, and length of a causal chain at one timestamp. */
    readonly eventsPerInstantMax: number;
    readonly causalDepthMax: number;
    /** Tasks waiting in the kernel; one more is refused with SIRA_QUEUE_FULL. */
    readonly queueLengthMax: number;
  };
  readonly faults: readonly FaultSpec[];
  /** Kernel settings that differ from their defaults, by name. */
  readonly settings: Partial<Readonly<Record<KernelSettingName, number>>>;
  /** Metric that ranks policies; the baseline is the policy that the others are compared with (the first, if not named). */
  readonly objective: string;
  readonly baseline: string;
  /** Bounds that a policy must keep, checked on the mean over seeds; broken ones are named in the report. */
  readonly guards: readonly {
    readonly metric: string;
    readonly atMost?: number | undefined;
    readonly atLeast?: number | undefined;
  }[];
}
