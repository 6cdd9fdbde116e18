import { describe, expect, it } from 'vitest';
import type { FaultSpec } from '../experiment/scenario.ts';
import type { WorldObserver } from '../world/observer.ts';
import { soundNetwork } from '../world/sound-network.ts';
import { World } from '../world/world.ts';
import { drawFaultMachines, faultsEndMicros } from './fault-plan.ts';
import { drawSwarmCase } from './swarm.ts';

const { machines, profile } = drawSwarmCase(1);
const second = 1_000_000;

function worldOf(faults: readonly FaultSpec[], observers: readonly WorldObserver[] = []): World {
  return new World({
    seed: 7,
    machines,
    workload: { tasks: () => [][Symbol.iterator](), typicalTasks: () => [], notes: [] },
    profile,
    network: soundNetwork(200),
    heartbeat: { intervalMicros: 10 * second, leaseMicros: 40 * second },
    limits: { eventsPerInstantMax: 100_000, causalDepthMax: 1000, queueLengthMax: 1000 },
    faults,
    observers,
  });
}

const strike = (kind: FaultSpec['kind'], at: number, length: number, factor = 1): FaultSpec => ({
  kind,
  atMicros: at * second,
  forMicros: length * second,
  machines: ['t4-0'],
  factor,
});

/** What `look` sees of the machine struck, second by second. */
function watch<T>(
  faults: readonly FaultSpec[],
  seconds: readonly number[],
  look: (world: World, machine: number) => T,
): T[] {
  const world = worldOf(faults);
  const machine = machines.findIndex(({ name }) => name === 't4-0');
  return seconds.map((at) => {
    world.runUntil(at * second);
    return look(world, machine);
  });
}

const responsive = (world: World, machine: number): boolean | undefined => world.machines[machine]?.responsive;

describe('overlapping faults', () => {
  it('a crashed machine restarts when the last crash has ended', () => {
    const faults = [strike('crash', 10, 20), strike('crash', 20, 40)];
    expect(watch(faults, [9, 11, 31, 59, 61], responsive)).toEqual([true, false, false, false, true]);
  });

  it('a machine goes on when the last hang has ended; a restart cures a hang', () => {
    expect(watch([strike('hang', 10, 20), strike('hang', 20, 5)], [11, 26, 31], responsive)).toEqual([
      false,
      false,
      true,
    ]);
    expect(watch([strike('hang', 10, 50), strike('crash', 20, 5)], [11, 21, 26], responsive)).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('the worst slowness counts', () => {
    const faults = [strike('slow', 10, 20, 3), strike('slow', 20, 20, 2)];
    const slowness = (world: World, machine: number): number | undefined => world.machines[machine]?.slowness;
    expect(watch(faults, [9, 11, 21, 31, 41], slowness)).toEqual([1, 3, 3, 2, 1]);
  });

  it('a machine is cut off until the last partition has ended', () => {
    const faults = [strike('partition', 10, 20), strike('partition', 20, 40)];
    const passes = (world: World, machine: number): boolean => world.network.passes(3 + machine);
    expect(watch(faults, [9, 11, 31, 61], passes)).toEqual([true, false, false, true]);
  });
});

describe('a plan', () => {
  it('strikes the same machines for everybody with one seed', () => {
    const share: FaultSpec = { ...strike('crash', 0, 1), machines: { share: 0.5 } };
    const drawn = drawFaultMachines([share, share], machines, 3);
    expect(drawn).toEqual(drawFaultMachines([share, share], machines, 3));
    expect(drawn.map((struck) => struck.length)).toEqual([3, 3]);
    const others = Array.from({ length: 10 }, (_, seed) => String(drawFaultMachines([share], machines, seed)));
    expect(new Set(others).size).toBeGreaterThan(1);
    expect(
      drawFaultMachines([{ ...share, machines: { share: 0.001 } }, strike('hang', 0, 1)], machines, 3).map(
        (struck) => struck.length,
      ),
    ).toEqual([1, 1]);
  });

  it('tells observers and says when it is over', () => {
    const told: string[] = [];
    const faults = [strike('hang', 10, 20), { ...strike('slow', 5, 1), machines: { share: 1 } }];
    const observer: WorldObserver = {
      faultChanged: (fault, active, nowMicros) => told.push(`${nowMicros / second} ${fault} ${active}`),
    };
    worldOf(faults, [observer]).runUntil(100 * second);
    expect(told).toEqual([
      '5 slow of 6 machines true',
      '6 slow of 6 machines false',
      '10 hang of 1 machine true',
      '30 hang of 1 machine false',
    ]);
    expect(faultsEndMicros(faults)).toBe(30 * second);
    expect(faultsEndMicros([{ ...strike('crash', 1, 1), forMicros: Number.POSITIVE_INFINITY }])).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(faultsEndMicros([])).toBe(0);
  });
});
