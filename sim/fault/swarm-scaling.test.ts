// The swarm on a fleet that the kernel puts to sleep and wakes up: under crashes, hangs, lost messages and snapshots every promise holds
// as ever, tasks that only sleeping machines could run among them.

import { expect, it } from 'vitest';
import { microsPerSecond } from '../../core/base/time.ts';
import type { ScalingRule } from '../../core/scheduler/framework.ts';
import { accelerators, type PowerModel } from '../world/power/power-model.ts';
import { drawSwarmCase, runSwarmCase } from './swarm.ts';

const power: PowerModel = {
  baseWatts: 100,
  processor: { idleWatts: 20, busyWatts: 270, threads: 64 },
  accelerators,
  sleep: { afterMicros: Number.POSITIVE_INFINITY, watts: 15, wakeMicros: 20 * microsPerSecond, wakeWatts: 200 },
};

it('keeps every promise, and wakes whom it needs', () => {
  let wakeUps = 0;
  for (let seed = 1; seed <= 24; seed++) {
    const drawn = drawSwarmCase(seed);
    const scaling: ScalingRule = {
      ...{ intervalMicros: 5 * microsPerSecond, resource: seed % 2 === 0 ? 'gpu' : 'cpu', spareShare: 0.1 },
      ...{ keepMicros: 5 * microsPerSecond, machinesMin: seed % 3 },
    };
    const restartsMicros = seed % 4 === 0 ? [60, 200, 400].map((seconds) => seconds * microsPerSecond) : [];
    const { world } = runSwarmCase({ ...drawn, power, profile: { ...drawn.profile, scaling } }, { restartsMicros });
    wakeUps += world.plant?.readAll().wakeUps ?? 0;
  }
  expect(wakeUps).toBeGreaterThan(100);
});
