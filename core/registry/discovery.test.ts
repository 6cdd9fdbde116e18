import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SiraError } from '../base/errors.ts';
import type { AgentHello } from './agent-hello.ts';
import { AgentRegistry } from './agent-registry.ts';
import { agentRegistrySettings } from './agent-registry-settings.ts';
import type { AgentState } from './agent-state.ts';
import { agentStates } from './agent-state.ts';
import { dotProduct } from './capability-query.ts';
import type { DiscoveryQuery } from './discovery.ts';
import { discover } from './discovery.ts';

const resources = { cpuMilli: 1_000, memoryMib: 512, gpuCount: 0, gpuModel: '' };

function registryOf(
  hellos: readonly Partial<AgentHello>[],
  dimensions = 2,
  space: 'vector' | 'skills' = 'vector',
): AgentRegistry {
  const registry = new AgentRegistry(
    { ...agentRegistrySettings(1_000_000), capabilityDimensions: dimensions, capabilitySpace: space },
    () => undefined,
  );
  hellos.forEach((hello, index) => {
    const { kind } = registry.register({ name: `agent ${index}`, incarnation: 1, ready: true, resources, ...hello }, 0);
    expect(kind).toBe('new');
  });
  return registry;
}

describe('similarity', () => {
  test('by hand: the angle decides, not the length; ties go by row', () => {
    const registry = registryOf([
      { capabilities: [0, 1] },
      { capabilities: [1, 1] },
      { capabilities: [6, 8] },
      { capabilities: [3, 4] },
      {},
    ]);
    const { matches, excluded, agentCount } = discover(registry, {
      capabilities: [3, 4],
      similarityMin: 0.5,
      limit: 9,
    });
    expect(matches.map(({ row, name }) => [row, name])).toEqual([
      [2, 'agent 2'],
      [3, 'agent 3'],
      [1, 'agent 1'],
      [0, 'agent 0'],
    ]);
    const expected = [1, 1, 7 / (5 * Math.SQRT2), 0.8];
    expected.forEach((similarity, index) => {
      expect(matches[index]?.similarity).toBeCloseTo(similarity, 14);
    });
    expect(excluded).toEqual([{ reason: 'similarity is below 0.5', count: 1 }]);
    expect(agentCount).toBe(5);
  });

  test('opposites are −1, and no rounding leaves [−1, 1]', () => {
    const registry = registryOf([{ capabilities: [0.1, 0.7] }, { capabilities: [-0.1, -0.7] }]);
    const { matches } = discover(registry, { capabilities: [0.3, 2.1], limit: 2 });
    expect(matches[0]?.similarity).toBeLessThanOrEqual(1);
    expect(matches[1]?.similarity).toBeGreaterThanOrEqual(-1);
    expect(matches[1]?.similarity).toBeCloseTo(-1, 6);
  });

  test('skills that nobody has make everybody less alike', () => {
    const registry = registryOf([{ capabilities: { vision: 3 } }], 4, 'skills');
    expect(discover(registry, { capabilities: { vision: 1 }, limit: 1 }).matches[0]?.similarity).toBe(1);
    expect(discover(registry, { capabilities: { vision: 3, speech: 4 }, limit: 1 }).matches[0]?.similarity).toBeCloseTo(
      0.6,
      14,
    );
  });

  test('a query that does not fit is the asker’s mistake', () => {
    const registry = registryOf([{ capabilities: [1, 0] }]);
    expect(() => discover(registry, { capabilities: [1, 2, 3], limit: 1 })).toThrow(SiraError);
    expect(() => discover(registry, { capabilities: { vision: 1 }, limit: 1 })).toThrow(SiraError);
  });

  test('the order of summation is the documented one', () => {
    const values = Float32Array.from([1e8, 1, -1e8, 3, 0.5, 7, 1e8, 1e-3, 11]);
    const ones = new Float32Array(9).fill(1);
    expect(dotProduct(values, 0, ones, 0, 9)).toBe(1e8 + 0.5 + 11 + (1 + 7) + (-1e8 + 1e8 + (3 + Math.fround(1e-3))));
    expect(dotProduct(values, 1, ones, 4, 3)).toBe(1 - 1e8 + 3);
  });
});

describe('filters', () => {
  const registry = registryOf([
    { attributes: { zone: 'eu', tier: 3 } },
    { attributes: { zone: 'us', tier: 5 } },
    { attributes: { tier: 9 }, resources: { cpuMilli: 8_000, memoryMib: 512, gpuCount: 2, gpuModel: 'A10' } },
    { attributes: { zone: 'eu', tier: 'gold' } },
    { attributes: { zone: 'eu' }, ready: false },
    { attributes: { zone: 'asia', tier: 4 } },
  ]);
  registry.setBusy(5, true);

  const found = (query: Partial<DiscoveryQuery>): number[] =>
    discover(registry, { limit: 9, ...query }).matches.map(({ row }) => row);

  test('states: ready and busy unless told otherwise', () => {
    expect(found({})).toEqual([0, 1, 2, 3, 5]);
    expect(found({ states: ['starting'] })).toEqual([4]);
    expect(found({ states: ['ready'] })).toEqual([0, 1, 2, 3]);
  });

  test('attributes: equals, at least, one of; without the attribute none is met', () => {
    expect(found({ attributes: [{ attribute: 'zone', equals: 'eu' }] })).toEqual([0, 3]);
    expect(found({ attributes: [{ attribute: 'tier', atLeast: 4 }] })).toEqual([1, 2, 5]);
    expect(found({ attributes: [{ attribute: 'zone', oneOf: ['us', 'asia'] }] })).toEqual([1, 5]);
    expect(found({ attributes: [{ attribute: 'colour', equals: 'red' }] })).toEqual([]);
  });

  test('resources: at least, and of a model', () => {
    expect(found({ resources: { cpuMilli: 1_001 } })).toEqual([2]);
    expect(found({ resources: { gpuCount: 2, gpuModels: ['T4', 'A10'] } })).toEqual([2]);
    expect(found({ resources: { gpuModels: ['T4'] } })).toEqual([]);
    expect(found({ resources: { memoryMib: 513 } })).toEqual([]);
  });

  test('the first reason in the order of the conditions counts, and is told of each agent when asked', () => {
    const { excluded, explanations } = discover(registry, {
      resources: { gpuCount: 0, cpuMilli: 1_000 },
      attributes: [
        { attribute: 'zone', oneOf: ['eu', 'us', 'asia'] },
        { attribute: 'tier', atLeast: 4 },
      ],
      limit: 1,
      explain: true,
    });
    expect(excluded).toEqual([
      { reason: 'is starting', count: 1 },
      { reason: 'has no attribute zone', count: 1 },
      { reason: 'tier is not at least 4', count: 2 },
      { reason: 'beyond the limit', count: 1 },
    ]);
    expect(explanations).toEqual([
      { row: 0, name: 'agent 0', reason: 'tier is not at least 4' },
      { row: 2, name: 'agent 2', reason: 'has no attribute zone' },
      { row: 3, name: 'agent 3', reason: 'tier is not at least 4' },
      { row: 4, name: 'agent 4', reason: 'is starting' },
      { row: 5, name: 'agent 5', reason: 'beyond the limit' },
    ]);
  });
});

test('agrees with a naive search', () => {
  const value = fc.integer({ min: -2, max: 2 });
  const vector = fc.array(value, { minLength: 5, maxLength: 5 });
  const arbitraryAgent = fc.record({
    capabilities: vector,
    tier: fc.option(fc.integer({ min: 0, max: 3 })),
    state: fc.constantFrom(...agentStates),
  });
  fc.assert(
    fc.property(
      fc.array(arbitraryAgent, { maxLength: 70 }),
      vector,
      fc.double({ min: -1, max: 1, noNaN: true }),
      fc.subarray<AgentState>([...agentStates]),
      fc.nat(3),
      fc.nat(20),
      (agents, query, similarityMin, states, tier, limit) => {
        const registry = registryOf(
          agents.map(({ capabilities, tier: own }) => ({
            capabilities,
            attributes: own === null ? undefined : { tier: own },
          })),
          5,
        );
        agents.forEach(({ state }, row) => {
          registry.stateNumber[row] = agentStates.indexOf(state);
        });
        const result = discover(registry, {
          capabilities: query,
          similarityMin,
          states,
          attributes: [{ attribute: 'tier', atLeast: tier }],
          limit,
          explain: true,
        });
        const dot = (left: readonly number[], right: readonly number[]): number =>
          left.reduce((sum, own, index) => sum + own * (right[index] as number), 0);
        const cosine = (own: readonly number[]): number => {
          const product = Math.sqrt(dot(own, own)) * Math.sqrt(dot(query, query));
          return product === 0 ? 0 : Math.max(-1, Math.min(1, dot(own, query) / product));
        };
        // Small integers: sums are exact in any order, so that the naive cosine has the same bits.
        const expected = agents
          .map(({ capabilities, tier: own, state }, row) => ({ row, similarity: cosine(capabilities), own, state }))
          .filter(
            ({ similarity, own, state }) =>
              states.includes(state) && own !== null && own >= tier && similarity >= similarityMin,
          )
          .sort((left, right) => right.similarity - left.similarity || left.row - right.row);
        expect(result.matches).toEqual(
          expected.slice(0, limit).map(({ row, similarity }) => ({ row, name: `agent ${row}`, similarity })),
        );
        const counted = result.excluded.reduce((sum, { count }) => sum + count, 0);
        expect(counted + result.matches.length).toBe(agents.length);
        expect(result.explanations.length).toBe(counted);
        for (const { reason, count } of result.excluded) {
          expect(result.explanations.filter((explanation) => explanation.reason === reason).length).toBe(count);
        }
      },
    ),
    { numRuns: 150 },
  );
});
