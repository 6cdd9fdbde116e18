import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { microsPerMinute, microsPerSecond } from '../../core/base/time.ts';
import type { FaultSpec } from '../experiment/scenario.ts';
import type { MachineSpec, Workload } from '../workload/workload.ts';
import { kernelNode } from './network.ts';
import { soundNetwork } from './sound-network.ts';
import { World } from './world.ts';

const machines: MachineSpec[] = Array.from({ length: 6 }, (_, index) => ({
  name: `m${index}`,
  cpuMilli: 4000,
  memoryMib: 8192,
  gpuCount: 0,
  gpuModel: '',
}));

const workload: Workload = {
  *tasks() {
    for (let number = 0; number < 120; number++) {
      yield {
        name: `t${number}`,
        arrivalMicros: number * 4 * microsPerSecond,
        request: { cpuMilli: 1000, memoryMib: 1024, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 },
        durationMicros: ((number % 7) + 1) * 20 * microsPerSecond,
        estimateMicros: 60 * microsPerSecond,
        priority: 0,
        tenant: 'default',
      };
    }
  },
  typicalTasks: () => [],
  notes: [],
};

/** What the kernel did, and how many events the world had. `asked`: the gateway is kept from concluding without asking. */
function outcome(faults: readonly FaultSpec[], asked: boolean): readonly unknown[] {
  const world = new World({
    seed: 1,
    machines,
    workload,
    profile: {
      name: 'first-fit',
      order: 'fcfs',
      place: 'first-fit',
      unplaced: 'skip',
      backfill: 'none',
      overtakeMax: 0,
      typicalTasks: [],
    },
    network: soundNetwork(500),
    heartbeat: { intervalMicros: 10 * microsPerSecond, leaseMicros: 40 * microsPerSecond },
    limits: { eventsPerInstantMax: 100_000, causalDepthMax: 1000, queueLengthMax: 1000 },
    faults,
    observers: [],
  });
  // Nothing is ever sent from the kernel to itself: the cut disturbs the calm and nothing else.
  if (asked) world.network.cut(kernelNode, true);
  const trail: unknown[] = [];
  for (let minute = 1; minute <= 15; minute++) {
    world.runUntil(minute * microsPerMinute);
    trail.push([world.host.kernel.digest, world.simulation.eventCount, world.endedCount]);
  }
  return trail;
}

const fault: fc.Arbitrary<FaultSpec> = fc.record({
  kind: fc.constantFrom('crash', 'hang', 'partition', 'lossy'),
  atMicros: fc.integer({ min: 1, max: 500 * microsPerSecond }),
  forMicros: fc.integer({ min: 1, max: 90 * microsPerSecond }),
  machines: fc.subarray(
    machines.map(({ name }) => name),
    { minLength: 1 },
  ),
  factor: fc.constant(0.5),
});

describe('heartbeat gateway', () => {
  it('concludes without asking what it would have been told', () => {
    fc.assert(
      fc.property(fc.array(fault, { maxLength: 4 }), (faults) => {
        expect(outcome(faults, false)).toEqual(outcome(faults, true));
      }),
      { numRuns: 40 },
    );
  });
});
