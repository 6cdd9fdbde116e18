// Discovery against the plain way: every agent looked at by name through the registry's public answers, all scores computed, all
// sorted. Same agents, same bits, same reasons.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AgentHello } from './agent-hello.ts';
import { AgentRegistry } from './agent-registry.ts';
import { agentRegistrySettings } from './agent-registry-settings.ts';
import { dotProduct } from './capability-query.ts';
import { type AttributeFilter, type DiscoveryQuery, discover } from './discovery.ts';
import { cautiousCost, costWithFailures } from './skill-estimate.ts';

const skills = ['resnet', 'bert', 'gpt', 'whisper', 'yolo', 'clip'];
const dimensions = 9;
const settings = {
  ...agentRegistrySettings(1_000_000),
  capabilitySpace: 'skills' as const,
  capabilityDimensions: dimensions,
};

function naive(registry: AgentRegistry, query: DiscoveryQuery) {
  const { capabilities, skills: table } = registry;
  const asked = query.capabilities as Readonly<Record<string, number>> | undefined;
  const vector = new Float32Array(dimensions);
  let unknown = 0;
  for (const [skill, strength] of Object.entries(asked ?? {})) {
    const dimension = capabilities.dimensionOf(skill);
    if (dimension < 0) unknown += Math.fround(strength) ** 2;
    else vector[dimension] = strength;
  }
  const norm = Math.sqrt(dotProduct(vector, 0, vector, 0, dimensions) + unknown);
  const { cpuMilli = 0, memoryMib = 0, gpuCount = 0, gpuModels } = query.resources ?? {};
  const { fastest, similarityMin = -1 } = query;
  const reasons = new Map<number, string>();
  const scored: { readonly row: number; readonly similarity: number; readonly score: number }[] = [];
  for (let row = 0; row < registry.size; row++) {
    const judge = (): string | { readonly similarity: number; readonly score: number } => {
      const state = registry.state(row);
      if (!(query.states ?? ['ready', 'busy']).includes(state)) return `is ${state}`;
      const has = registry.resourcesOf(row);
      if (has.cpuMilli < cpuMilli) return `has less than ${cpuMilli} milli of CPU`;
      if (has.memoryMib < memoryMib) return `has less than ${memoryMib} MiB of memory`;
      if (has.gpuCount < gpuCount) return `has fewer than ${gpuCount} GPUs`;
      if (gpuModels?.includes(has.gpuModel) === false) return `has no GPU of ${gpuModels.join(', ')}`;
      for (const filter of query.attributes ?? []) {
        const { attribute } = filter;
        const value = registry.attributes.get(row, attribute);
        if (value === undefined) return `has no attribute ${attribute}`;
        if ('equals' in filter && value !== filter.equals) return `${attribute} is not ${filter.equals}`;
        if ('atLeast' in filter && !(typeof value === 'number' && value >= filter.atLeast))
          return `${attribute} is not at least ${filter.atLeast}`;
        if ('oneOf' in filter && !filter.oneOf.includes(value))
          return `${attribute} is none of ${filter.oneOf.join(', ')}`;
      }
      let similarity = 0;
      if (asked !== undefined) {
        const product = norm * (capabilities.norms[row] as number);
        const cosine = dotProduct(capabilities.values, row * dimensions, vector, 0, dimensions) / product;
        similarity = product === 0 ? 0 : Math.min(1, Math.max(-1, cosine));
        if (similarity < similarityMin) return `similarity is below ${similarityMin}`;
      }
      if (fastest === undefined) return { similarity, score: similarity };
      const { taskClass, caution = 1, successMin = 0.1 } = fastest;
      const estimate = table.estimate(row, table.classOf(taskClass), capabilities.dimensionOf(taskClass));
      if (estimate === undefined) return `declares nothing of ${taskClass}, and nobody has shown anything`;
      if (estimate.success < successMin) return `fails at ${taskClass} more often than ${1 - successMin}`;
      return {
        similarity,
        score: -costWithFailures(cautiousCost(estimate.mean, estimate.variance, caution), estimate.success),
      };
    };
    const verdict = judge();
    if (typeof verdict === 'string') reasons.set(row, verdict);
    else scored.push({ row, ...verdict });
  }
  scored.sort((left, right) => right.score - left.score || left.row - right.row);
  for (const { row } of scored.slice(query.limit)) reasons.set(row, 'beyond the limit');
  return { matches: scored.slice(0, query.limit), reasons };
}

const positive = fc.double({ min: 0.01, max: 100, noNaN: true });
const strengths = fc.dictionary(fc.constantFrom(...skills), fc.oneof(fc.constant(1), positive), { maxKeys: 3 });
const label = fc.oneof(fc.constantFrom('eu', 'us'), fc.integer({ min: -1, max: 3 }));
const attributes = fc.dictionary(fc.constantFrom('zone', 'tier'), label);
const resources = fc.record({
  cpuMilli: fc.constantFrom(1000, 4000),
  memoryMib: fc.constantFrom(512, 2048),
  gpuCount: fc.nat(2),
  gpuModel: fc.constantFrom('', 'T4', 'A100'),
});
const hello = fc.record({ agent: fc.nat(40), ready: fc.boolean(), resources, capabilities: strengths, attributes });
const outcome = fc.record({
  row: fc.nat(40),
  skill: fc.constantFrom('resnet', 'bert', 'gpt'),
  completed: fc.boolean(),
  serviceMicros: fc.integer({ min: 1, max: 10_000_000 }),
});
const filter: fc.Arbitrary<AttributeFilter> = fc.oneof(
  fc.record({ attribute: fc.constantFrom('zone', 'tier', 'colour'), equals: label }),
  fc.record({ attribute: fc.constantFrom('zone', 'tier'), atLeast: fc.integer({ min: -1, max: 3 }) }),
  fc.record({ attribute: fc.constantFrom('zone', 'tier'), oneOf: fc.array(label, { maxLength: 2 }) }),
);
const query: fc.Arbitrary<DiscoveryQuery> = fc.record(
  {
    limit: fc.nat(12),
    explain: fc.constant(true),
    capabilities: fc.dictionary(fc.constantFrom(...skills, 'unheard'), positive, { maxKeys: 5 }),
    similarityMin: fc.double({ min: -1, max: 1, noNaN: true }),
    fastest: fc.record(
      {
        taskClass: fc.constantFrom(...skills, 'unheard'),
        caution: fc.constantFrom(0, 1, 3),
        successMin: fc.constantFrom(0, 0.4),
      },
      { requiredKeys: ['taskClass'] },
    ),
    resources: fc.record(
      {
        cpuMilli: fc.constantFrom(0, 2000),
        memoryMib: fc.constant(1024),
        gpuCount: fc.nat(2),
        gpuModels: fc.subarray(['', 'T4', 'A100']),
      },
      { requiredKeys: [] },
    ),
    attributes: fc.array(filter, { maxLength: 2 }),
    states: fc.subarray(['ready', 'starting', 'busy'] as const),
  },
  { requiredKeys: ['limit', 'explain'] },
);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ hello }) },
  { weight: 4, arbitrary: fc.record({ outcome }) },
  { weight: 3, arbitrary: fc.record({ query }) },
  { weight: 1, arbitrary: fc.record({ restart: fc.constant(true) }) },
);

test('the same agents with the same scores, and the same reasons, whatever has happened before', () => {
  let asked = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
      let registry = new AgentRegistry(settings, () => {});
      registry.skills.wantOffers();
      steps.forEach((each, time) => {
        if ('hello' in each) {
          const { agent, ...rest } = each.hello;
          const told: AgentHello = { name: `agent ${agent}`, incarnation: time + 1, ...rest };
          registry.register(told, time);
        } else if ('outcome' in each) {
          const { row, skill, ...rest } = each.outcome;
          if (row >= registry.size) return;
          registry.skills.record(row, registry.skills.internClass(skill), { size: 1, ...rest }, time * 1_000_000_000);
        } else if ('restart' in each) {
          const saved = registry.save();
          registry = new AgentRegistry(settings, () => {});
          registry.skills.wantOffers();
          registry.restore(JSON.parse(JSON.stringify(saved)));
          expect(registry.save()).toEqual(saved);
        } else {
          asked++;
          const expected = naive(registry, each.query);
          const { matches, explanations, excluded } = discover(registry, each.query);
          expect(matches.map(({ row, similarity }) => ({ row, similarity }))).toEqual(
            expected.matches.map(({ row, similarity }) => ({ row, similarity })),
          );
          expect(new Map(explanations.map(({ row, reason }) => [row, reason]))).toEqual(expected.reasons);
          for (const { reason, count } of excluded)
            expect(count).toBe([...expected.reasons.values()].filter((other) => other === reason).length);
          expect(discover(registry, { ...each.query, explain: false })).toEqual({
            matches,
            agentCount: registry.size,
            excluded,
            explanations: [],
          });
        }
      });
    }),
    { numRuns: 150 },
  );
  expect(asked).toBeGreaterThan(500);
});
