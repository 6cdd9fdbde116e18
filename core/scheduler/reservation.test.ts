import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClusterState } from './cluster-state.ts';
import { type RequestKind, RequestKindTable, type ResourceRequest } from './request.ts';
import { reserve } from './reservation.ts';
import type { Attempt, Task } from './task.ts';

const second = 1_000_000;

function clusterOf(machines: readonly { readonly cpuCores: number; readonly gpuCount?: number }[]): ClusterState {
  const cluster = new ClusterState();
  for (const { cpuCores, gpuCount = 0 } of machines) {
    const resources = { cpuMilli: 1000 * cpuCores, memoryMib: 1000, gpuCount, gpuModel: gpuCount > 0 ? 'T4' : '' };
    cluster.setSchedulable(cluster.addMachine(resources), true);
  }
  return cluster;
}

class Cluster {
  readonly cluster: ClusterState;
  readonly kinds: RequestKindTable;
  readonly attempts: Attempt[] = [];

  constructor(machines: Parameters<typeof clusterOf>[0]) {
    this.cluster = clusterOf(machines);
    this.kinds = new RequestKindTable(this.cluster.models);
  }

  kind(request: Partial<ResourceRequest>): RequestKind {
    return this.kinds.intern({
      cpuMilli: 1000,
      memoryMib: 0,
      gpuCount: 0,
      gpuMilli: 0,
      gpuModels: [],
      machineCount: 1,
      ...request,
    });
  }

  run(kind: RequestKind, machines: readonly number[], endSeconds: number, deviceMask = 0): void {
    const attempt: Attempt = {
      attempt: this.attempts.length + 1,
      task: { task: this.attempts.length + 1, estimateMicros: endSeconds * second } as Task,
      kind,
      machines,
      deviceMasks: machines.map(() => deviceMask),
      order: 0,
      placedMicros: 0,
      resumeMicros: 0,
      startedMicros: -1,
      state: 'dispatched',
    };
    this.attempts.push(attempt);
    for (const machine of machines) this.cluster.allocate(kind, machine, deviceMask);
  }

  reserve(head: RequestKind): { shadowSeconds: number; machines: number[] } {
    const { shadowMicros, machines } = reserve(head, this.attempts, this.cluster);
    return { shadowSeconds: shadowMicros / second, machines: [...machines] };
  }
}

describe('reservation', () => {
  test('the head gets the lowest-numbered machines that are free at the shadow time', () => {
    const cluster = new Cluster([{ cpuCores: 1 }, { cpuCores: 1 }, { cpuCores: 1 }, { cpuCores: 1 }]);
    const one = cluster.kind({});
    cluster.run(one, [0], 30);
    cluster.run(one, [1], 20);
    cluster.run(one, [2], 10);
    expect(cluster.reserve(cluster.kind({ machineCount: 2 }))).toEqual({ shadowSeconds: 10, machines: [2, 3] });
    expect(cluster.reserve(cluster.kind({ machineCount: 3 }))).toEqual({ shadowSeconds: 20, machines: [1, 2, 3] });
  });

  test('what ends at the shadow time as well is free then', () => {
    const cluster = new Cluster([{ cpuCores: 1 }, { cpuCores: 1 }, { cpuCores: 1 }]);
    const one = cluster.kind({});
    for (const machine of [2, 1, 0]) cluster.run(one, [machine], 10);
    expect(cluster.reserve(cluster.kind({ machineCount: 2 }))).toEqual({ shadowSeconds: 10, machines: [0, 1] });
  });

  test('several tasks of one machine must end before it has room', () => {
    const cluster = new Cluster([{ cpuCores: 4 }]);
    const one = cluster.kind({});
    for (const end of [5, 7, 9, 11]) cluster.run(one, [0], end);
    expect(cluster.reserve(cluster.kind({ cpuMilli: 3000 }))).toEqual({ shadowSeconds: 9, machines: [0] });
  });

  test('a GPU share needs one device with enough left, not their sum', () => {
    const cluster = new Cluster([{ cpuCores: 8, gpuCount: 2 }]);
    const half = cluster.kind({ gpuCount: 1, gpuMilli: 500 });
    cluster.run(half, [0], 5, 0b01);
    cluster.run(half, [0], 6, 0b10);
    cluster.run(half, [0], 7, 0b01);
    cluster.run(half, [0], 8, 0b10);
    // At 5 and 6 each device has half left; device 0 is whole again at 7.
    expect(cluster.reserve(cluster.kind({ gpuCount: 1, gpuMilli: 1000 }))).toEqual({ shadowSeconds: 7, machines: [0] });
  });

  test('an attempt counts from when its agent began, once that is known', () => {
    const cluster = new Cluster([{ cpuCores: 1 }]);
    cluster.run(cluster.kind({}), [0], 10);
    (cluster.attempts[0] as Attempt).startedMicros = 3 * second;
    expect(cluster.reserve(cluster.kind({})).shadowSeconds).toBe(13);
  });

  test('now, if it fits now; never, if no release makes room', () => {
    const cluster = new Cluster([{ cpuCores: 1 }, { cpuCores: 2 }]);
    expect(cluster.reserve(cluster.kind({ cpuMilli: 2000 }))).toEqual({ shadowSeconds: 0, machines: [1] });
    cluster.run(cluster.kind({}), [0], 10);
    expect(cluster.reserve(cluster.kind({ cpuMilli: 3000 }))).toEqual({
      shadowSeconds: Number.POSITIVE_INFINITY,
      machines: [],
    });
    cluster.cluster.setSchedulable(1, false);
    expect(cluster.reserve(cluster.kind({ cpuMilli: 2000 })).shadowSeconds).toBe(Number.POSITIVE_INFINITY);
  });

  test('property: the first end at which the head fits, and the lowest machines then, found by releasing one end at a time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 }),
        fc.array(
          fc.record({ machine: fc.nat(), cores: fc.integer({ min: 1, max: 3 }), end: fc.integer({ min: 1, max: 9 }) }),
          {
            maxLength: 15,
          },
        ),
        fc.record({ cores: fc.integer({ min: 1, max: 4 }), machineCount: fc.integer({ min: 1, max: 4 }) }),
        (machines, running, asked) => {
          const cluster = new Cluster(machines.map((cpuCores) => ({ cpuCores })));
          const free = [...machines];
          const ends = new Map<number, { machine: number; cores: number }[]>();
          for (const { machine, cores, end } of running) {
            const row = machine % machines.length;
            if ((free[row] as number) < cores) continue;
            free[row] = (free[row] as number) - cores;
            cluster.run(cluster.kind({ cpuMilli: 1000 * cores }), [row], end);
            ends.set(end, [...(ends.get(end) ?? []), { machine: row, cores }]);
          }
          const before = cluster.cluster.cpuFreeMilli.slice();
          const found = cluster.reserve(
            cluster.kind({ cpuMilli: 1000 * asked.cores, machineCount: asked.machineCount }),
          );

          const fitting = (): number[] => [...free.keys()].filter((row) => (free[row] as number) >= asked.cores);
          let expected = fitting().length >= asked.machineCount ? 0 : Number.POSITIVE_INFINITY;
          for (let end = 1; end <= 9 && expected === Number.POSITIVE_INFINITY; end++) {
            for (const { machine, cores } of ends.get(end) ?? []) free[machine] = (free[machine] as number) + cores;
            if (fitting().length >= asked.machineCount) expected = end;
          }
          expect(found.shadowSeconds).toBe(expected);
          expect(found.machines).toEqual(fitting().slice(0, asked.machineCount));
          expect(cluster.cluster.cpuFreeMilli).toEqual(before);
        },
      ),
      { numRuns: 300 },
    );
  });
});
