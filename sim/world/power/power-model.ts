// What a machine draws: a base while it is on, its processors and accelerators between idle and busy, and less when it sleeps.
// Every figure that is known by a name has its source here; a scenario may give others. It assumes that what a task was given
// it keeps busy, which is an upper bound, and leaves out cooling and the losses of power supplies.

import { assert } from '../../../core/base/assert.ts';
import type { MachineSpec } from '../../workload/workload.ts';

/** Watts of one device, idle and wholly busy. */
export interface DevicePower {
  readonly idleWatts: number;
  readonly busyWatts: number;
}

/** One processor package; a machine has as many as its threads need. */
export interface ProcessorPower extends DevicePower {
  /** Hardware threads (what a cluster calls a core). */
  readonly threads: number;
}

export interface SleepModel {
  /** A machine without work sleeps after this long; `Infinity`: only when the kernel asks it to. */
  readonly afterMicros: number;
  readonly watts: number;
  /** From the call until it works again, at least 1. */
  readonly wakeMicros: number;
  /** Drawn while it wakes. */
  readonly wakeWatts: number;
}

export interface PowerModel {
  /** Fans, memory, disks, network: whenever the machine is on. */
  readonly baseWatts: number;
  readonly processor: ProcessorPower;
  /** By accelerator model. */
  readonly accelerators: Readonly<Record<string, DevicePower>>;
  /** Without it machines never sleep. */
  readonly sleep: SleepModel | undefined;
}

/** What one machine draws, watts. */
export interface PowerRating {
  /** Switched on, without work. */
  readonly idleWatts: number;
  /** More than idle, with all its processors busy. */
  readonly processorWatts: number;
  /** More than idle, for each accelerator that is wholly busy. */
  readonly acceleratorWatts: number;
}

/**
 * Processors by name, a package each.
 * Source: Lettich et al., "Power- and Fragmentation-aware Online Scheduling for GPU Datacenters", CCGrid 2025 (arXiv 2412.17484),
 * and the tables of its public simulator: thermal design power from the vendor, idle as measured or taken there. Two threads a core.
 */
export const processors: Readonly<Record<string, ProcessorPower>> = {
  'xeon-e5-2682-v4': { idleWatts: 15, busyWatts: 120, threads: 32 },
  'xeon-6326': { idleWatts: 20, busyWatts: 185, threads: 32 },
  'xeon-8369b': { idleWatts: 20, busyWatts: 270, threads: 64 },
};

/**
 * Accelerators by the name of their model.
 * Source: as {@link processors}; thermal design power from NVIDIA's data sheets, idle as that paper has it (P100 and V100 after a
 * poster of SC20).
 */
export const accelerators: Readonly<Record<string, DevicePower>> = {
  T4: { idleWatts: 10, busyWatts: 70 },
  A10: { idleWatts: 30, busyWatts: 150 },
  P100: { idleWatts: 25, busyWatts: 250 },
  V100: { idleWatts: 30, busyWatts: 300 },
  V100M16: { idleWatts: 30, busyWatts: 300 },
  V100M32: { idleWatts: 30, busyWatts: 300 },
  A100: { idleWatts: 50, busyWatts: 400 },
};

/**
 * Share of a processor's span between idle and busy at 0, 10, …, 100% of load: `2u − u^1.4`, to four digits.
 * Source: Fan, Weber & Barroso, "Power Provisioning for a Warehouse-sized Computer", ISCA 2007, section 3 (fitted to whole
 * servers, within 1% in groups of them).
 */
const loadCurve: readonly number[] = [0, 0.1602, 0.2949, 0.4147, 0.5228, 0.6211, 0.7109, 0.7931, 0.8683, 0.9372, 1];

/** The curve at a load of 0 to 1, straight between its points. */
export function processorShare(load: number): number {
  assert(load >= 0 && load <= 1, 'a load is a share');
  const at = Math.min(loadCurve.length - 2, Math.floor(load * (loadCurve.length - 1)));
  const from = loadCurve[at] as number;
  return from + (load * (loadCurve.length - 1) - at) * ((loadCurve[at + 1] as number) - from);
}

/** The machine's rating. Its accelerator's model must be known to the power model. */
export function ratingOf(spec: MachineSpec, model: PowerModel): PowerRating {
  const { processor } = model;
  const packages = Math.ceil(spec.cpuMilli / (processor.threads * 1000));
  const accelerator = spec.gpuCount > 0 ? model.accelerators[spec.gpuModel] : undefined;
  assert(spec.gpuCount === 0 || accelerator !== undefined, 'the power of every accelerator is known');
  return {
    idleWatts: model.baseWatts + packages * processor.idleWatts + spec.gpuCount * (accelerator?.idleWatts ?? 0),
    processorWatts: packages * (processor.busyWatts - processor.idleWatts),
    acceleratorWatts: (accelerator?.busyWatts ?? 0) - (accelerator?.idleWatts ?? 0),
  };
}

/** The machine whose agent tells the kernel of its power, as attributes that placements read; watts and seconds. */
export function withAttributes(spec: MachineSpec, model: PowerModel | undefined): MachineSpec {
  if (model === undefined) return spec;
  const { sleep } = model;
  const sleeping = sleep === undefined ? {} : { sleepWatts: sleep.watts, wakeSeconds: sleep.wakeMicros / 1e6 };
  return { ...spec, attributes: { ...spec.attributes, ...ratingOf(spec, model), ...sleeping } };
}
