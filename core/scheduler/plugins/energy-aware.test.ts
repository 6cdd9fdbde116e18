import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../base/random.ts';
import { ClusterState } from '../cluster-state.ts';
import type { MachinePower } from '../framework.ts';
import { RequestKindTable } from '../request.ts';
import { energyAware } from './energy-aware.ts';

const ratings: readonly (MachinePower | undefined)[] = [
  { idleWatts: 500, processorWatts: 300, acceleratorWatts: 350, sleepWatts: 20, wakeSeconds: 90 },
  { idleWatts: 200, processorWatts: 200, acceleratorWatts: 60, sleepWatts: 20, wakeSeconds: 90 },
  { idleWatts: 200, processorWatts: 200, acceleratorWatts: 60 },
  undefined,
];

/** Four machines alike but for their power: hungry, frugal, one like it that never sleeps, one of which nothing is known. */
function desk() {
  const cluster = new ClusterState();
  const kinds = new RequestKindTable(cluster.models);
  for (let machine = 0; machine < 4; machine++)
    cluster.setSchedulable(cluster.addMachine({ cpuMilli: 10_000, memoryMib: 1000, gpuCount: 2, gpuModel: 'A' }), true);
  const none = { cpuMilli: 0, memoryMib: 0, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 };
  const context = { cluster, random: new RandomStream(1, 'kernel'), typicalTasks: [] };
  const plugin = energyAware({ ...context, power: { of: (machine) => ratings[machine] } });
  return { cluster, plugin, context, kind: (change: object) => kinds.intern({ ...none, ...change }) };
}

/** The rise that a score stands for, milliwatts. */
const riseOf = (score: number): number => 1e8 - Math.floor(score);

describe('energy-aware', () => {
  it('scores by the rise of the power, by hand', () => {
    const { cluster, plugin, kind } = desk();
    const task = kind({ cpuMilli: 2500, gpuCount: 1, gpuMilli: 500 });
    expect(riseOf(plugin.score(task, 0))).toBe(1000 * (300 / 4 + 350 / 2 + 480));
    expect(riseOf(plugin.score(task, 1))).toBe(1000 * (200 / 4 + 60 / 2 + 180));
    expect(riseOf(plugin.score(task, 2))).toBe(1000 * (200 / 4 + 60 / 2 + 200));
    expect(riseOf(plugin.score(task, 3))).toBe(0);
    cluster.allocate(task, 0, 1);
    // A machine that is on anyway: only what the task itself takes.
    expect(riseOf(plugin.score(task, 0))).toBe(1000 * (300 / 4 + 350 / 2));
  });

  it('of equal rises the fullest machine, and never before a smaller rise', () => {
    const { cluster, plugin, kind } = desk();
    const task = kind({ cpuMilli: 1000, memoryMib: 100 });
    cluster.allocate(task, 1, 0);
    cluster.allocate(task, 2, 0);
    expect(plugin.score(task, 1)).toBe(plugin.score(task, 2));
    cluster.allocate(task, 2, 0);
    expect(plugin.score(task, 2)).toBeGreaterThan(plugin.score(task, 1));
    const large = kind({ cpuMilli: 8000, memoryMib: 1000 });
    expect(Math.floor(plugin.score(large, 1))).toBe(Math.floor(plugin.score(large, 2)));
  });

  it('without any word of power it packs, and is never negative', () => {
    const { cluster, context, kind } = desk();
    const plugin = energyAware(context);
    const task = kind({ cpuMilli: 1000 });
    cluster.allocate(task, 3, 0);
    expect(plugin.score(task, 3)).toBeGreaterThan(plugin.score(task, 0));
    const hungry = energyAware({
      ...context,
      power: { of: () => ({ idleWatts: 1e9, processorWatts: 0, acceleratorWatts: 0 }) },
    });
    expect(hungry.score(task, 0)).toBeGreaterThanOrEqual(0);
  });
});
