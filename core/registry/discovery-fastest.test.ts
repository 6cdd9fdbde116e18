import { expect, test } from 'vitest';
import type { AgentHello } from './agent-hello.ts';
import { AgentRegistry } from './agent-registry.ts';
import { agentRegistrySettings } from './agent-registry-settings.ts';
import { discover } from './discovery.ts';

const resources = { cpuMilli: 1000, memoryMib: 512, gpuCount: 0, gpuModel: '' };
const done = (seconds: number) => ({ completed: true, serviceMicros: seconds * 1_000_000, size: 1 });

function registryOf(hellos: readonly Partial<AgentHello>[]): AgentRegistry {
  const registry = new AgentRegistry({ ...agentRegistrySettings(1_000_000), capabilitySpace: 'skills' }, () => {});
  hellos.forEach((hello, index) => {
    registry.register({ name: `agent ${index}`, incarnation: 1, ready: true, resources, ...hello }, 0);
  });
  return registry;
}

const rowsOf = (registry: AgentRegistry, query: Parameters<typeof discover>[1]): number[] =>
  discover(registry, query).matches.map(({ row }) => row);

test('by what is declared: fastest first, equals in order of registration, filters first, the rest counted by reason', () => {
  const registry = registryOf([
    { capabilities: { resnet: 2 } },
    { capabilities: { resnet: 5 } },
    { capabilities: { bert: 9 } },
    { capabilities: { resnet: 5 } },
    { capabilities: { resnet: 8 }, resources: { ...resources, memoryMib: 100 } },
  ]);
  const query = { fastest: { taskClass: 'resnet' }, resources: { memoryMib: 256 }, limit: 2, explain: true };
  const { matches, excluded, explanations } = discover(registry, query);
  expect(matches.map(({ row, skill }) => [row, skill?.declaredSeconds])).toEqual([
    [1, 0.2],
    [3, 0.2],
  ]);
  expect(excluded).toEqual([
    { reason: 'has less than 256 MiB of memory', count: 1 },
    { reason: 'declares nothing of resnet, and nobody has shown anything', count: 1 },
    { reason: 'beyond the limit', count: 1 },
  ]);
  expect(explanations.map(({ row }) => row)).toEqual([0, 2, 4]);
  expect(rowsOf(registry, { fastest: { taskClass: 'nothing' }, limit: 5 })).toEqual([]);
});

test('by what is measured: who was slow, who fails and who is unproven stand back', () => {
  const declared = { capabilities: { resnet: 1 } };
  const registry = registryOf([declared, declared, declared, { capabilities: { resnet: 1.02 } }]);
  const { skills } = registry;
  const resnet = skills.internClass('resnet');
  for (let count = 0; count < 10; count++) {
    skills.record(0, resnet, done(2), count);
    skills.record(1, resnet, done(1), count);
    skills.record(2, resnet, { ...done(1), completed: false }, count);
  }
  const fastest = { taskClass: 'resnet' };
  // The last promises 2% more than the others did, has shown nothing, and a third of its like's tasks fail.
  expect(rowsOf(registry, { fastest, limit: 4 })).toEqual([1, 0, 3]);
  expect(rowsOf(registry, { fastest: { ...fastest, caution: 0 }, limit: 4 })).toEqual([1, 3, 0]);
  expect(rowsOf(registry, { fastest: { ...fastest, successMin: 0 }, limit: 4 })).toEqual([1, 0, 3, 2]);
  const { excluded } = discover(registry, { fastest, limit: 4 });
  expect(excluded).toEqual([{ reason: 'fails at resnet more often than 0.9', count: 1 }]);
});

test('similarity only filters where time ranks', () => {
  const registry = registryOf([{ capabilities: { resnet: 1, bert: 9 } }, { capabilities: { resnet: 0.5 } }]);
  const query = { fastest: { taskClass: 'resnet' }, limit: 2 };
  expect(rowsOf(registry, query)).toEqual([0, 1]);
  expect(rowsOf(registry, { ...query, capabilities: { resnet: 1 }, similarityMin: 0.9 })).toEqual([1]);
});
