import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ResourceRequest } from './request.ts';
import { SchedulerDriver } from './scheduler-driver.ts';
import type { Task } from './task.ts';

function asks(cpuCores: number, memoryGib: number, gpus = 0): ResourceRequest {
  return {
    cpuMilli: 1000 * cpuCores,
    memoryMib: 1024 * memoryGib,
    gpuCount: gpus,
    gpuMilli: gpus > 0 ? 1000 : 0,
    gpuModels: [],
    machineCount: 1,
  };
}

/** Nine cores and 18 GiB: section 4.1 of the paper. */
const paperMachine = { cpuMilli: 9000, memoryMib: 18 * 1024 };

/** Tasks that each tenant runs, after each submitted `count` of its kind, one after the other. */
function shares(
  demands: Readonly<Record<string, ResourceRequest>>,
  machine: { cpuMilli: number; memoryMib: number; gpuCount?: number },
  unplaced: 'skip' | 'block',
  weights: Readonly<Record<string, number>> = {},
  count = 20,
): Record<string, number> {
  const driver = new SchedulerDriver({ order: 'drf', unplaced, tenantWeights: weights }, [machine]);
  for (const [tenant, request] of Object.entries(demands))
    for (let number = 0; number < count; number++) driver.submit(request, { tenant });
  driver.cycle();
  const running: Record<string, number> = Object.fromEntries(Object.keys(demands).map((tenant) => [tenant, 0]));
  for (const { task } of driver.scheduler.attempts.values()) running[task.tenant]!++;
  return running;
}

describe('dominant resource fairness', () => {
  test.each(['skip', 'block'] as const)('the example of the paper, %s', (unplaced) => {
    // A's dominant resource is memory, B's the cores: 3 · 4/18 = 2 · 3/9.
    expect(shares({ A: asks(1, 4), B: asks(3, 1) }, paperMachine, unplaced)).toEqual({ A: 3, B: 2 });
  });

  test('the order in which the shares grow', () => {
    const driver = new SchedulerDriver({ order: 'drf', unplaced: 'skip' }, [paperMachine]);
    for (let number = 0; number < 4; number++) driver.submit(asks(1, 4), { tenant: 'A' });
    for (let number = 0; number < 4; number++) driver.submit(asks(3, 1), { tenant: 'B' });
    // Shares: A 2/9, B 3/9, A 4/9, B 6/9, A 6/9; then nobody fits.
    expect(driver.cycle()).toEqual(['1 on 0', '5 on 0', '2 on 0', '6 on 0', '3 on 0']);
    // Who gives something back is served next.
    driver.finish(driver.tasks.get(5) as Task);
    expect(driver.cycle(1)).toEqual(['7 on 0']);
  });

  test('a GPU is a resource like the others', () => {
    const machine = { cpuMilli: 16_000, memoryMib: 16 * 1024, gpuCount: 4 };
    // G takes a quarter of the GPUs a task, C a quarter of the cores.
    expect(shares({ G: asks(1, 1, 1), C: asks(4, 1) }, machine, 'skip')).toEqual({ G: 4, C: 3 });
  });

  test('a weight of two is worth twice the share', () => {
    const machine = { cpuMilli: 12_000, memoryMib: 1000 * 1024 };
    expect(shares({ A: asks(1, 1), B: asks(1, 1) }, machine, 'block')).toEqual({ A: 6, B: 6 });
    expect(shares({ A: asks(1, 1), B: asks(1, 1) }, machine, 'block', { A: 2 })).toEqual({ A: 8, B: 4 });
  });

  test('a restored scheduler knows who holds what', () => {
    const driver = new SchedulerDriver({ order: 'drf', unplaced: 'block' }, [paperMachine]);
    for (let number = 0; number < 3; number++) driver.submit(asks(1, 1), { tenant: 'A' });
    driver.cycle();
    for (const tenant of ['A', 'B', 'B', 'B', 'B', 'A']) driver.submit(asks(1, 1), { tenant });
    driver.restart();
    expect(driver.cycle(1)).toEqual(['5 on 0', '6 on 0', '7 on 0', '4 on 0', '8 on 0', '9 on 0']);
  });

  const demand = fc.record({ cpu: fc.integer({ min: 1, max: 4 }), memory: fc.integer({ min: 1, max: 4 }) });

  test('property: no tenant is more than one task ahead of a waiting one (sharing incentive up to a task)', () => {
    fc.assert(
      fc.property(fc.array(demand, { minLength: 2, maxLength: 4 }), (demands) => {
        const machine = { cpuMilli: 40_000, memoryMib: 40 * 1024 };
        const names = demands.map((_, index) => `t${index}`);
        const asked = Object.fromEntries(
          demands.map(({ cpu, memory }, index) => [names[index] as string, asks(cpu, memory)]),
        );
        const running = shares(asked, machine, 'block', {}, 60);
        const step = demands.map(({ cpu, memory }) => Math.max(cpu, memory) / 40);
        const share = names.map((name, index) => (running[name] as number) * (step[index] as number));
        for (const [index, own] of share.entries())
          for (const other of share) expect(own - (step[index] as number)).toBeLessThanOrEqual(other + 1e-9);
      }),
    );
  });

  test('property: who asks for more than it needs gets no more useful tasks (strategy-proof, up to a task)', () => {
    fc.assert(
      fc.property(demand, demand, fc.nat({ max: 3 }), fc.nat({ max: 3 }), (own, other, moreCpu, moreMemory) => {
        const machine = { cpuMilli: 48_000, memoryMib: 48 * 1024 };
        const honest = shares(
          { liar: asks(own.cpu, own.memory), other: asks(other.cpu, other.memory) },
          machine,
          'block',
          {},
          60,
        );
        const lying = shares(
          { liar: asks(own.cpu + moreCpu, own.memory + moreMemory), other: asks(other.cpu, other.memory) },
          machine,
          'block',
          {},
          60,
        );
        // Tasks are indivisible: the bound of the divisible case holds within one.
        expect(lying.liar as number).toBeLessThanOrEqual((honest.liar as number) + 1);
      }),
    );
  });
});
