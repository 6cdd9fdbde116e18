// The journaled kernel of a world that has a journal. The world begins when its kernel takes inputs: its first journal is made at no
// cost.

import { assert } from '../../core/base/assert.ts';
import type { FaultPoints } from '../../core/base/fault-points.ts';
import { RandomStream } from '../../core/base/random.ts';
import type { Effect } from '../../core/kernel/effects.ts';
import type { SubmissionDeferred } from '../../core/kernel/journaled-kernel.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import type { Simulation } from '../engine/simulation.ts';
import { JournaledKernelHost } from './journaled-kernel-host.ts';
import type { WorldOptions } from './world-options.ts';

/** Undefined if the world has none. */
export function openJournal(
  { journal: spec, seed, profile, observers }: WorldOptions,
  simulation: Simulation,
  kernel: Kernel,
  faultPoints: FaultPoints,
  carryOut: (effect: Effect | SubmissionDeferred) => void,
): JournaledKernelHost | undefined {
  if (spec === undefined) return undefined;
  const host = new JournaledKernelHost({
    simulation,
    spec,
    random: new RandomStream(seed, 'disk'),
    observers,
    first: () => ({ kernel, profile }),
    carryOut,
    faultPoints,
  });
  host.disk.slowness = 0;
  host.start();
  while (!host.isUp) assert(simulation.step(), 'a new journal can be made');
  host.disk.slowness = 1;
  return host;
}
