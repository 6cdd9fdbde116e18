import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../base/random.ts';
import { findPlacement, placements } from './catalogue.ts';
import { ClusterState, filterReasons, reasonFits } from './cluster-state.ts';
import type { Placement, TypicalTask } from './framework.ts';
import { PlacementIndex } from './placement-index.ts';
import type { RequestKind, ResourceRequest } from './request.ts';
import { RequestKindTable } from './request.ts';

const models = ['V100', 'T4', 'A10'];
const typicalTasks: TypicalTask[] = [
  { cpuMilli: 4000, gpuCount: 1, gpuMilli: 1000, gpuModels: [], count: 40 },
  { cpuMilli: 2000, gpuCount: 1, gpuMilli: 460, gpuModels: [], count: 25 },
  { cpuMilli: 8000, gpuCount: 0, gpuMilli: 0, gpuModels: [], count: 20 },
  { cpuMilli: 6000, gpuCount: 1, gpuMilli: 300, gpuModels: ['T4', 'A10'], count: 9 },
  { cpuMilli: 12000, gpuCount: 4, gpuMilli: 1000, gpuModels: [], count: 6 },
];

const request: fc.Arbitrary<ResourceRequest> = fc
  .record({
    cpuMilli: fc.constantFrom(0, 500, 2000, 4000, 9000),
    memoryMib: fc.constantFrom(0, 1024, 8192),
    gpu: fc.constantFrom([0, 0], [1, 300], [1, 460], [1, 600], [1, 1000], [2, 1000], [4, 1000], [2, 500]),
    gpuModels: fc.subarray(models),
  })
  .map(({ cpuMilli, memoryMib, gpu, gpuModels }) => {
    const [gpuCount = 0, gpuMilli = 0] = gpu;
    return { cpuMilli, memoryMib, gpuCount, gpuMilli, gpuModels, machineCount: 1 };
  });

const machine = fc.record({
  cpuMilli: fc.constantFrom(8000, 16000, 32000),
  memoryMib: fc.constantFrom(16384, 65536),
  gpuCount: fc.constantFrom(0, 1, 2, 4, 8),
  gpuModel: fc.constantFrom(...models),
});

const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ type: fc.constant('place' as const), kind: fc.nat(7), query: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('release' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('toggle' as const), which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('register' as const),
      // Now and then larger than any before, which changes what scores normalize by.
      machine: fc.oneof(
        machine,
        machine.map((resources) => ({ ...resources, cpuMilli: 96000, gpuCount: 10 })),
      ),
    }),
  },
);

/** The definition: filter and scores of all machines, asked afresh. */
function bruteForce(cluster: ClusterState, placement: Placement, kind: RequestKind) {
  const reasonCounts = new Array<number>(filterReasons.length).fill(0);
  const feasible: { machine: number; total: number }[] = [];
  for (let row = 0; row < cluster.machineCount; row++) {
    const reason = cluster.filter(kind, row);
    reasonCounts[reason]!++;
    if (reason !== reasonFits) continue;
    let total = 0;
    for (const { plugin, weight } of placement.scores) total += weight * plugin.score(kind, row);
    feasible.push({ machine: row, total });
  }
  feasible.sort((left, right) => right.total - left.total || left.machine - right.machine);
  const best = feasible[0]?.total ?? -1;
  return {
    reasonCounts,
    feasible,
    best,
    ties: feasible.filter(({ total }) => total === best).map(({ machine }) => machine),
  };
}

describe('the placement index', () => {
  it.each(Object.keys(placements))('equals brute force through any history of the cluster: %s', (name) => {
    fc.assert(
      fc.property(
        fc.array(machine, { minLength: 1, maxLength: 150 }),
        fc.array(request, { minLength: 8, maxLength: 8 }),
        fc.array(step, { minLength: 1, maxLength: 120 }),
        fc.constantFrom(2, 4096),
        (machines, requests, steps, columnCountMax) => {
          const cluster = new ClusterState();
          for (const resources of machines) cluster.setSchedulable(cluster.addMachine(resources), true);
          const table = new RequestKindTable(cluster.models);
          const kinds = requests.map((asked) => table.intern(asked));
          const context = { cluster, random: new RandomStream(7, 'kernel'), typicalTasks };
          const placement = findPlacement(name)(context);
          const index = new PlacementIndex(cluster, placement, context.random, { columnCountMax });
          const running: { kind: RequestKind; machine: number; mask: number }[] = [];
          for (const action of steps) {
            if (action.type === 'register') {
              cluster.setSchedulable(cluster.addMachine(action.machine), true);
            } else if (action.type === 'toggle') {
              const row = action.which % cluster.machineCount;
              cluster.setSchedulable(row, cluster.schedulable[row] === 0);
            } else if (action.type === 'release') {
              const [gone] = running.splice(action.which % Math.max(1, running.length), 1);
              if (gone === undefined) continue;
              index.changed(gone.kind, gone.machine, -1);
              cluster.release(gone.kind, gone.machine, gone.mask);
            } else {
              const kind = kinds[action.kind] as RequestKind;
              // A fresh placement knows only the columns and the allocations replayed to it.
              const fresh = findPlacement(name)(context);
              for (const { plugin } of fresh.scores) {
                for (const held of running) plugin.changed?.(held.kind, held.machine, 1);
              }
              const expected = bruteForce(cluster, fresh, kind);
              const found = index.find(kind);
              expect(index.score).toBe(expected.best);
              expect(index.tieCount).toBe(expected.ties.length);
              expect(index.feasibleCount).toBe(expected.feasible.length);
              expect(index.anyFits(kind)).toBe(expected.feasible.length > 0);
              expect(Array.from(index.reasonCounts(kind))).toEqual(expected.reasonCounts);
              if (expected.feasible.length === 0) {
                expect(found).toBe(-1);
                continue;
              }
              if (placement.ties === 'first') expect(found).toBe(expected.ties[0]);
              else expect(expected.ties).toContain(found);
              expect(index.propensity).toBe(placement.ties === 'first' ? 1 : 1 / expected.ties.length);
              const next = new Int32Array(3);
              const others = expected.feasible.map((entry) => entry.machine).filter((row) => row !== found);
              expect(Array.from(next.subarray(0, index.runnersUp(kind, 3, next)))).toEqual(others.slice(0, 3));
              const scores = new Float64Array(placement.scores.length);
              index.scoresByPlugin(kind, found, scores);
              const total = placement.scores.reduce(
                (sum, { weight }, rank) => sum + weight * (scores[rank] as number),
                0,
              );
              expect(total).toBe(expected.best);
              if (action.query) {
                const even = (row: number): boolean => row % 2 === 0;
                const odd = expected.feasible.map((entry) => entry.machine).filter((row) => !even(row));
                const span: number[] = [];
                expect(index.findMany(kind, 5, even, span)).toBe(odd.length >= 5);
                expect(span).toEqual(odd.length >= 5 ? odd.slice(0, 5) : []);
              }
              expect(index.columnCount).toBeLessThanOrEqual(columnCountMax);
              const mask = kind.gpuCount > 0 ? placement.devices.choose(kind, found) : 0;
              index.changed(kind, found, 1);
              cluster.allocate(kind, found, mask);
              running.push({ kind, machine: found, mask });
            }
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('draws ties of a random placement evenly', () => {
    const cluster = new ClusterState();
    const resources = { cpuMilli: 1000, memoryMib: 0, gpuCount: 0, gpuModel: '' };
    for (let row = 0; row < 200; row++) cluster.setSchedulable(cluster.addMachine(resources), true);
    const random = new RandomStream(3, 'kernel');
    const placement = findPlacement('random')({ cluster, random, typicalTasks: [] });
    const index = new PlacementIndex(cluster, placement, random);
    const kind = new RequestKindTable(cluster.models).intern({
      ...resources,
      gpuMilli: 0,
      gpuModels: [],
      machineCount: 1,
    });
    const hits = new Array<number>(200).fill(0);
    for (let draw = 0; draw < 20_000; draw++) hits[index.find(kind)]!++;
    const chiSquare = hits.reduce((sum, hit) => sum + (hit - 100) ** 2 / 100, 0);
    // 199 degrees of freedom: outside 130…290 about once in ten thousand.
    expect(chiSquare).toBeGreaterThan(130);
    expect(chiSquare).toBeLessThan(290);
    expect(index.propensity).toBe(1 / 200);
  });

  it('keeps recently used columns and drops the others', () => {
    const cluster = new ClusterState();
    cluster.setSchedulable(cluster.addMachine({ cpuMilli: 9000, memoryMib: 0, gpuCount: 0, gpuModel: '' }), true);
    const random = new RandomStream(3, 'kernel');
    let prepared = 0;
    const plugin = { name: 'counting', score: () => 1, prepare: () => void prepared++ };
    const index = new PlacementIndex(
      cluster,
      { name: 'test', scores: [{ plugin, weight: 2 }], devices: { name: 'none', choose: () => 0 }, ties: 'first' },
      random,
      { columnCountMax: 4 },
    );
    const table = new RequestKindTable(cluster.models);
    const kinds = Array.from({ length: 5 }, (_, cpuMilli) =>
      table.intern({ cpuMilli, memoryMib: 0, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 }),
    );
    for (const position of [0, 1, 2, 3, 0, 1, 4, 0, 1, 4]) expect(index.find(kinds[position] as RequestKind)).toBe(0);
    expect(index.score).toBe(2);
    expect(prepared).toBe(5);
    expect(index.columnCount).toBe(3);
    index.find(kinds[2] as RequestKind);
    expect(prepared).toBe(6);
  });
});
