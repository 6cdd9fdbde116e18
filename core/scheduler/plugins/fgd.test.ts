import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixedExp } from '../../base/fixed-math.ts';
import { RandomStream } from '../../base/random.ts';
import { ClusterState, deviceCountMax, reasonFits } from '../cluster-state.ts';
import type { TypicalTask } from '../framework.ts';
import { RequestKindTable } from '../request.ts';
import { fgd } from './fgd.ts';
import { FragmentationMeter } from './fragmentation.ts';

interface Node {
  cpuFree: number;
  model: string;
  devices: number[];
}

/** The definition, term by term: six sums in typical-task order, added in the published order. */
function fragmentationOf({ cpuFree, model, devices }: Node, typical: readonly TypicalTask[]): number {
  const sums = [0, 0, 0, 0, 0, 0];
  const left = devices.reduce((sum, milli) => sum + milli, 0);
  for (const { cpuMilli, gpuCount, gpuMilli, gpuModels, count: weight } of typical) {
    const cpuOk = cpuFree >= cpuMilli;
    const gpuOk = devices.filter((milli) => milli >= gpuMilli).length >= gpuCount;
    if (gpuCount === 0) sums[cpuOk ? 3 : 4]! += left * weight;
    else if (gpuModels.length > 0 && !gpuModels.includes(model)) sums[5]! += left * weight;
    else if (!gpuOk) sums[cpuOk ? 1 : 0]! += left * weight;
    else if (!cpuOk) sums[2]! += left * weight;
    else sums[1]! += devices.filter((milli) => milli < gpuMilli).reduce((sum, milli) => sum + milli, 0) * weight;
  }
  return sums.reduce((total, sum) => total + sum, 0);
}

const scoreOf = (before: number, after: number): number =>
  Math.trunc(100 * (1 / (1 + fixedExp(-((before - after) / 1000)))));

const typicalArbitrary = fc
  .array(
    fc.record({
      cpuMilli: fc.constantFrom(0, 2000, 4000, 7000, 12000),
      gpu: fc.constantFrom([0, 0], [1, 250], [1, 460], [1, 800], [1, 1000], [2, 1000], [8, 1000]),
      gpuModels: fc.constantFrom<string[]>([], ['T4'], ['V100', 'T4']),
      count: fc.integer({ min: 1, max: 900 }),
    }),
    { minLength: 1, maxLength: 20 },
  )
  .map((tasks) => {
    const sum = tasks.reduce((total, { count }) => total + count, 0);
    return tasks.map(({ cpuMilli, gpu, gpuModels, count }): TypicalTask => {
      const [gpuCount = 0, gpuMilli = 0] = gpu;
      return {
        cpuMilli,
        gpuCount,
        gpuMilli,
        gpuModels: gpuCount > 0 ? gpuModels : [],
        count: count / 1000 / (sum / 1000),
      };
    });
  });

const nodeArbitrary = fc.record({
  cpuFree: fc.constantFrom(0, 2000, 6000, 9000, 16000),
  model: fc.constantFrom('T4', 'V100', 'A10'),
  devices: fc.array(fc.constantFrom(0, 40, 200, 250, 460, 540, 800, 1000), { maxLength: 8 }),
});

/** A cluster of one machine in the state of `node`. */
function clusterOf(node: Node): { cluster: ClusterState; table: RequestKindTable } {
  const cluster = new ClusterState();
  const table = new RequestKindTable(cluster.models);
  const row = cluster.addMachine({
    cpuMilli: 16000,
    memoryMib: 0,
    gpuCount: node.devices.length,
    gpuModel: node.model,
  });
  cluster.setSchedulable(row, true);
  const blank = { memoryMib: 0, gpuModels: [], machineCount: 1 };
  cluster.allocate(table.intern({ ...blank, cpuMilli: 16000 - node.cpuFree, gpuCount: 0, gpuMilli: 0 }), row, 0);
  node.devices.forEach((free, device) => {
    if (free === 1000) return;
    cluster.allocate(table.intern({ ...blank, cpuMilli: 0, gpuCount: 1, gpuMilli: 1000 - free }), row, 1 << device);
  });
  return { cluster, table };
}

describe('fragmentation', () => {
  it('of a case small enough to check by hand', () => {
    const typical: TypicalTask[] = [
      { cpuMilli: 1000, gpuCount: 1, gpuMilli: 500, gpuModels: [], count: 0.5 },
      { cpuMilli: 1000, gpuCount: 0, gpuMilli: 0, gpuModels: [], count: 0.25 },
      { cpuMilli: 1000, gpuCount: 1, gpuMilli: 1000, gpuModels: ['V100'], count: 0.25 },
    ];
    // Left: 200 + 600 = 800. The first can use 600 but not 200; the second and third none of it.
    const { cluster } = clusterOf({ cpuFree: 2000, model: 'T4', devices: [200, 600] });
    expect(new FragmentationMeter(cluster, typical).of(0)).toBe(0.5 * 200 + 0.25 * 800 + 0.25 * 800);
    // Counts that are no shares are made shares.
    expect(
      new FragmentationMeter(
        cluster,
        typical.map((task) => ({ ...task, count: task.count * 8 })),
      ).of(0),
    ).toBe(500);
    // Once the sharing task sits on the second device nothing is left for its kind.
    expect(new FragmentationMeter(cluster, typical).after(0, 1000, 500, 0b10)).toBe(300);
  });

  it('equals the definition in every bit, before and after an allocation, and as the machine changes', () => {
    fc.assert(
      fc.property(
        typicalArbitrary,
        nodeArbitrary,
        fc.nat(),
        fc.constantFrom(0, 2000, 6000),
        (typical, node, pick, cpuMilli) => {
          const { cluster, table } = clusterOf(node);
          const meter = new FragmentationMeter(cluster, typical);
          expect(meter.of(0)).toBe(fragmentationOf(node, typical));
          const device = pick % Math.max(1, node.devices.length);
          const free = node.devices[device] ?? 0;
          if (free === 0 || cpuMilli > node.cpuFree) return;
          const gpuMilli = 1 + (pick % free);
          const devices = node.devices.map((milli, index) => (index === device ? milli - gpuMilli : milli));
          const after = fragmentationOf({ ...node, cpuFree: node.cpuFree - cpuMilli, devices }, typical);
          expect(meter.after(0, cpuMilli, gpuMilli, 1 << device)).toBe(after);
          const kind = table.intern({ cpuMilli, memoryMib: 0, gpuCount: 1, gpuMilli, gpuModels: [], machineCount: 1 });
          cluster.allocate(kind, 0, 1 << device);
          expect(meter.of(0)).toBe(after);
          expect(meter.total()).toBe(after);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('FGD', () => {
  it('scores and chooses devices as the definition does', () => {
    const requestArbitrary = fc.record({
      cpuMilli: fc.constantFrom(0, 2000, 6000),
      gpu: fc.constantFrom([0, 0], [1, 200], [1, 460], [1, 1000], [2, 1000]),
    });
    fc.assert(
      fc.property(typicalArbitrary, nodeArbitrary, requestArbitrary, (typical, node, { cpuMilli, gpu }) => {
        const [gpuCount = 0, gpuMilli = 0] = gpu;
        const { cluster, table } = clusterOf(node);
        const kind = table.intern({ cpuMilli, memoryMib: 0, gpuCount, gpuMilli, gpuModels: [], machineCount: 1 });
        if (cluster.filter(kind, 0) !== reasonFits) return;
        const { score, devices } = fgd({ cluster, random: new RandomStream(1, 'kernel'), typicalTasks: typical });
        const before = fragmentationOf(node, typical);
        const taking = (mask: number): number => {
          const left = node.devices.map((milli, device) => milli - ((mask >> device) & 1) * gpuMilli);
          return scoreOf(
            before,
            fragmentationOf({ ...node, cpuFree: node.cpuFree - cpuMilli, devices: left }, typical),
          );
        };
        let mask = 0;
        if (gpuCount === 1 && gpuMilli < 1000) {
          node.devices.forEach((free, device) => {
            if (free >= gpuMilli && (mask === 0 || taking(1 << device) > taking(mask))) mask = 1 << device;
          });
        } else {
          let needed = gpuCount;
          node.devices.forEach((free, device) => {
            if (free === 1000 && needed-- > 0) mask |= 1 << device;
          });
        }
        expect(score.score(kind, 0)).toBe(taking(mask));
        if (gpuCount > 0) expect(devices.choose(kind, 0)).toBe(mask);
      }),
      { numRuns: 2000 },
    );
  });

  it('prefers the device that a common task leaves without a remainder', () => {
    const { cluster, table } = clusterOf({ cpuFree: 16000, model: 'T4', devices: [1000, 500, 600] });
    const typicalTasks: TypicalTask[] = [{ cpuMilli: 0, gpuCount: 1, gpuMilli: 500, gpuModels: [], count: 1 }];
    const { devices } = fgd({ cluster, random: new RandomStream(1, 'kernel'), typicalTasks });
    const kind = table.intern({
      cpuMilli: 0,
      memoryMib: 0,
      gpuCount: 1,
      gpuMilli: 500,
      gpuModels: [],
      machineCount: 1,
    });
    // Device 0 leaves 500 (usable), device 1 leaves 0, device 2 leaves 100 (useless): 0 and 1 tie, the lower index wins.
    expect(devices.choose(kind, 0)).toBe(0b001);
    cluster.allocate(kind, 0, 0b001);
    expect(cluster.deviceFreeMilli.subarray(0, deviceCountMax).slice(0, 3)).toEqual(Int32Array.of(500, 500, 600));
  });
});
