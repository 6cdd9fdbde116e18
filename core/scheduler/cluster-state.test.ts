import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssertionError } from '../base/assert.ts';
import {
  ClusterState,
  deviceCountMax,
  reasonCpu,
  reasonFits,
  reasonGpu,
  reasonGpuModel,
  reasonMemory,
  reasonNotSchedulable,
} from './cluster-state.ts';
import type { RequestKind, ResourceRequest } from './request.ts';
import { RequestKindTable } from './request.ts';

const asked = (change: Partial<ResourceRequest>): ResourceRequest => ({
  cpuMilli: 0,
  memoryMib: 0,
  gpuCount: 0,
  gpuMilli: 0,
  gpuModels: [],
  machineCount: 1,
  ...change,
});

describe('the cluster state', () => {
  it('says why a machine cannot take a request', () => {
    const cluster = new ClusterState();
    const table = new RequestKindTable(cluster.models);
    const row = cluster.addMachine({ cpuMilli: 8000, memoryMib: 1024, gpuCount: 2, gpuModel: 'T4' });
    const reason = (change: Partial<ResourceRequest>): number => cluster.filter(table.intern(asked(change)), row);
    expect(reason({})).toBe(reasonNotSchedulable);
    cluster.setSchedulable(row, true);
    expect(reason({ cpuMilli: 8000, memoryMib: 1024, gpuCount: 2, gpuMilli: 1000, gpuModels: ['V100', 'T4'] })).toBe(
      reasonFits,
    );
    expect(reason({ gpuCount: 1, gpuMilli: 1000, gpuModels: ['V100'] })).toBe(reasonGpuModel);
    expect(reason({ gpuCount: 3, gpuMilli: 1000 })).toBe(reasonGpu);
    expect(reason({ cpuMilli: 8001 })).toBe(reasonCpu);
    expect(reason({ memoryMib: 1025 })).toBe(reasonMemory);
    // 400 left on each of two devices: 800 in all, but no device has 500.
    cluster.allocate(table.intern(asked({ gpuCount: 2, gpuMilli: 600 })), row, 0b11);
    expect(reason({ gpuCount: 1, gpuMilli: 400 })).toBe(reasonFits);
    expect(reason({ gpuCount: 1, gpuMilli: 500 })).toBe(reasonGpu);
    expect(reason({ gpuCount: 2, gpuMilli: 400 })).toBe(reasonFits);
    expect(reason({ gpuCount: 1, gpuMilli: 1000 })).toBe(reasonGpu);
  });

  it('refuses what would oversubscribe', () => {
    const cluster = new ClusterState();
    const table = new RequestKindTable(cluster.models);
    const row = cluster.addMachine({ cpuMilli: 8000, memoryMib: 1024, gpuCount: 2, gpuModel: 'T4' });
    const shared = table.intern(asked({ gpuCount: 1, gpuMilli: 600 }));
    cluster.allocate(shared, row, 0b01);
    expect(() => cluster.allocate(shared, row, 0b01)).toThrow(AssertionError);
    expect(() => cluster.allocate(shared, row, 0b11)).toThrow(AssertionError);
    expect(() => cluster.allocate(shared, row, 0b100)).toThrow(AssertionError);
    expect(() => cluster.release(shared, row, 0b10)).toThrow(AssertionError);
    expect(() => cluster.allocate(table.intern(asked({ cpuMilli: 8001 })), row, 0)).toThrow(AssertionError);
  });

  it('keeps its derived columns equal to sums over what runs', () => {
    const step = fc.record({ kind: fc.nat(5), machine: fc.nat(99), release: fc.boolean(), which: fc.nat() });
    fc.assert(
      fc.property(
        fc.array(fc.record({ gpuCount: fc.nat(8), cpuMilli: fc.constantFrom(4000, 16000) }), {
          minLength: 1,
          maxLength: 80,
        }),
        fc.array(step, { maxLength: 200 }),
        (machines, steps) => {
          const cluster = new ClusterState();
          const table = new RequestKindTable(cluster.models);
          for (const { gpuCount, cpuMilli } of machines) {
            cluster.setSchedulable(cluster.addMachine({ cpuMilli, memoryMib: 4096, gpuCount, gpuModel: 'T4' }), true);
          }
          const kinds = [
            asked({ cpuMilli: 1000, memoryMib: 100 }),
            asked({ cpuMilli: 500, gpuCount: 1, gpuMilli: 300 }),
            asked({ cpuMilli: 500, gpuCount: 1, gpuMilli: 700 }),
            asked({ cpuMilli: 500, gpuCount: 1, gpuMilli: 1000 }),
            asked({ cpuMilli: 500, gpuCount: 3, gpuMilli: 1000 }),
            asked({ cpuMilli: 500, gpuCount: 2, gpuMilli: 250 }),
          ].map((request) => table.intern(request));
          const running: { kind: RequestKind; row: number; mask: number }[] = [];
          for (const { kind: number, machine, release, which } of steps) {
            if (release && running.length > 0) {
              const [gone] = running.splice(which % running.length, 1);
              cluster.release(gone!.kind, gone!.row, gone!.mask);
              continue;
            }
            const kind = kinds[number]!;
            const row = machine % machines.length;
            const fitting: number[] = [];
            for (let device = 0; device < machines[row]!.gpuCount; device++) {
              if (cluster.deviceFreeMilli[row * deviceCountMax + device]! >= kind.gpuMilli) fitting.push(device);
            }
            const fits =
              cluster.cpuFreeMilli[row]! >= kind.cpuMilli &&
              cluster.memoryFreeMib[row]! >= kind.memoryMib &&
              fitting.length >= kind.gpuCount;
            expect(cluster.filter(kind, row) === reasonFits).toBe(fits);
            if (!fits) continue;
            const mask = fitting.slice(0, kind.gpuCount).reduce((bits, device) => bits | (1 << device), 0);
            cluster.allocate(kind, row, mask);
            running.push({ kind, row, mask });
            expect(cluster.changeAt(cluster.changeCount - 1)).toBe(row);
            expect(cluster.lastChange[row]).toBe(cluster.changeCount);
          }
          let gpuFree = 0;
          for (let row = 0; row < machines.length; row++) {
            const held = running.filter((allocation) => allocation.row === row);
            const free = Array.from({ length: machines[row]!.gpuCount }, (_, device) =>
              held.reduce((left, { kind, mask }) => left - ((mask >> device) & 1) * kind.gpuMilli, 1000),
            );
            const first = row * deviceCountMax;
            expect(Array.from(cluster.deviceFreeMilli.subarray(first, first + free.length))).toEqual(free);
            expect(cluster.deviceFreeMaxMilli[row]).toBe(Math.max(0, ...free));
            expect(cluster.gpuWholeFree[row]).toBe(free.filter((milli) => milli === 1000).length);
            expect(cluster.gpuFreeMilli[row]).toBe(free.reduce((sum, milli) => sum + milli, 0));
            expect(cluster.allocationCount[row]).toBe(held.length);
            gpuFree += cluster.gpuFreeMilli[row]!;
          }
          expect(cluster.gpuFreeTotalMilli).toBe(gpuFree);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('counts growths of the largest machine', () => {
    const cluster = new ClusterState();
    cluster.addMachine({ cpuMilli: 8000, memoryMib: 1024, gpuCount: 2, gpuModel: 'T4' });
    cluster.addMachine({ cpuMilli: 4000, memoryMib: 512, gpuCount: 0, gpuModel: '' });
    expect(cluster.capacityVersion).toBe(1);
    cluster.addMachine({ cpuMilli: 4000, memoryMib: 512, gpuCount: 4, gpuModel: 'T4' });
    expect([cluster.capacityVersion, cluster.cpuCapacityMaxMilli, cluster.gpuCapacityMaxMilli]).toEqual([
      2, 8000, 4000,
    ]);
  });
});
