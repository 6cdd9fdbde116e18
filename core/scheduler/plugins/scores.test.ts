import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../base/random.ts';
import { findPlacement } from '../catalogue.ts';
import { ClusterState } from '../cluster-state.ts';
import type { PluginContext } from '../framework.ts';
import type { RequestKind, ResourceRequest } from '../request.ts';
import { RequestKindTable } from '../request.ts';

interface Bench {
  readonly context: PluginContext;
  kind(change: Partial<ResourceRequest>): RequestKind;
}

/** Machine 0 has 128 cores and 8 GPUs, machine 1 has 64 cores and 4 GPUs. */
function bench(): Bench {
  const cluster = new ClusterState();
  const table = new RequestKindTable(cluster.models);
  cluster.setSchedulable(cluster.addMachine({ cpuMilli: 128_000, memoryMib: 1000, gpuCount: 8, gpuModel: 'G3' }), true);
  cluster.setSchedulable(cluster.addMachine({ cpuMilli: 64_000, memoryMib: 1000, gpuCount: 4, gpuModel: 'G3' }), true);
  const none = { cpuMilli: 0, memoryMib: 0, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 };
  const context = { cluster, random: new RandomStream(5, 'kernel'), typicalTasks: [] };
  return { context, kind: (change) => table.intern({ ...none, ...change }) };
}

function score(
  name: string,
  { context }: Bench,
  kind: RequestKind,
  machine: number,
  running: RequestKind[] = [],
): number {
  const [entry] = findPlacement(name)(context).scores;
  for (const other of running) entry!.plugin.changed?.(other, machine, 1);
  return entry!.plugin.score(kind, machine);
}

describe('scores, by hand', () => {
  it('best fit and worst fit look at what would be left', () => {
    const desk = bench();
    const kind = desk.kind({ cpuMilli: 32_000, gpuCount: 2, gpuMilli: 1000 });
    // Left of 128 cores and 8 GPUs: 96/128 and 6/8 on machine 0, 32/128 and 2/8 on machine 1.
    expect([score('best-fit', desk, kind, 0), score('best-fit', desk, kind, 1)]).toEqual([25, 75]);
    expect([score('worst-fit', desk, kind, 0), score('worst-fit', desk, kind, 1)]).toEqual([75, 25]);
  });

  it('dot product multiplies what is left by what is asked', () => {
    const desk = bench();
    const kind = desk.kind({ cpuMilli: 32_000, gpuCount: 2, gpuMilli: 1000 });
    expect(score('dot-product', desk, kind, 0)).toBe(Math.trunc(100 * (1 - (1 / 4 + 1 / 4) / 2)));
    expect(score('dot-product', desk, kind, 1)).toBe(Math.trunc(100 * (1 - (1 / 8 + 1 / 8) / 2)));
  });

  it('GPU packing prefers shared devices, then used machines, then unused ones', () => {
    const desk = bench();
    const { cluster } = desk.context;
    const shared = desk.kind({ gpuCount: 1, gpuMilli: 300 });
    expect([score('gpu-packing', desk, shared, 0), score('gpu-packing', desk, shared, 1)]).toEqual([25, 29]);
    cluster.allocate(shared, 0, 0b100);
    // 700 of device 2 are left: 100 − ⌊70/10⌋.
    expect(score('gpu-packing', desk, shared, 0)).toBe(93);
    expect(score('gpu-packing', desk, desk.kind({ gpuCount: 1, gpuMilli: 1000 }), 0)).toBe(49);
    expect(score('gpu-packing', desk, desk.kind({ gpuCount: 7, gpuMilli: 1000 }), 0)).toBe(43);
    expect(score('gpu-packing', desk, desk.kind({ cpuMilli: 1000 }), 0)).toBe(0);
  });

  it('GPU clustering prefers machines of one class, the task’s own', () => {
    const desk = bench();
    const shared = desk.kind({ gpuCount: 1, gpuMilli: 300 });
    const whole = desk.kind({ gpuCount: 1, gpuMilli: 1000 });
    const cpuOnly = desk.kind({ cpuMilli: 1000 });
    expect(score('gpu-clustering', desk, shared, 0, [cpuOnly])).toBe(25);
    desk.context.cluster.allocate(whole, 0, 1);
    // ⌊25·1000/8000⌋ = 3.
    expect(score('gpu-clustering', desk, whole, 0, [whole])).toBe(3 + 75);
    expect(score('gpu-clustering', desk, shared, 0, [whole])).toBe(3);
    expect(score('gpu-clustering', desk, shared, 0, [whole, shared])).toBe(3 + 50);
    expect(score('gpu-clustering', desk, cpuOnly, 0, [whole])).toBe(0);
    // Half of the largest machine's GPUs are not here at all: ⌊25·4000/8000⌋ = 12.
    expect(score('gpu-clustering', desk, shared, 1)).toBe(12 + 25);
  });

  it('spread counts tasks before it looks at what is free', () => {
    const desk = bench();
    const kind = desk.kind({ cpuMilli: 32_000 });
    expect(score('spread', desk, kind, 0)).toBeGreaterThan(score('spread', desk, kind, 1));
    desk.context.cluster.allocate(desk.kind({ cpuMilli: 1 }), 0, 0);
    expect(score('spread', desk, kind, 0)).toBeLessThan(score('spread', desk, kind, 1));
  });

  it('first fit and random tell no machines apart', () => {
    const desk = bench();
    expect(score('first-fit', desk, desk.kind({ cpuMilli: 1000 }), 0)).toBe(score('first-fit', desk, desk.kind({}), 1));
    expect(findPlacement('random')(desk.context).ties).toBe('random');
  });
});

describe('device choices', () => {
  it('least left shares the fullest device and takes the first free ones', () => {
    const desk = bench();
    const { cluster } = desk.context;
    const { devices } = findPlacement('best-fit')(desk.context);
    cluster.allocate(desk.kind({ gpuCount: 1, gpuMilli: 200 }), 0, 0b0001);
    cluster.allocate(desk.kind({ gpuCount: 1, gpuMilli: 600 }), 0, 0b0100);
    expect(devices.choose(desk.kind({ gpuCount: 1, gpuMilli: 400 }), 0)).toBe(0b0100);
    expect(devices.choose(desk.kind({ gpuCount: 1, gpuMilli: 500 }), 0)).toBe(0b0001);
    expect(devices.choose(desk.kind({ gpuCount: 3, gpuMilli: 1000 }), 0)).toBe(0b11010);
  });

  it('random draws every fitting set alike, and none but those', () => {
    const desk = bench();
    const { cluster } = desk.context;
    const { devices } = findPlacement('random')(desk.context);
    cluster.allocate(desk.kind({ gpuCount: 1, gpuMilli: 600 }), 1, 0b0010);
    const kind = desk.kind({ gpuCount: 2, gpuMilli: 1000 });
    const hits = new Map<number, number>();
    for (let draw = 0; draw < 3000; draw++) {
      const mask = devices.choose(kind, 1);
      hits.set(mask, (hits.get(mask) ?? 0) + 1);
    }
    expect([...hits.keys()].sort((left, right) => left - right)).toEqual([0b0101, 0b1001, 0b1100]);
    for (const count of hits.values()) expect(Math.abs(count - 1000)).toBeLessThan(130);
  });
});
