// Agents that registered with the kernel are found by what they can do.

import { expect, test } from 'vitest';
import { createKernelSettings } from '../config/kernel-setting-table.ts';
import { Kernel } from './kernel.ts';
import { helloFrom, plainProfile } from './kernel-driver.ts';

test('discovery ranks registered agents by similarity and says why others are left out', () => {
  const kernel = new Kernel(plainProfile, createKernelSettings(), 1);
  const gpu = { cpuMilli: 8000, memoryMib: 65_536, gpuCount: 2, gpuModel: 'T4' };
  const agents = [
    helloFrom('vision', { capabilities: { vision: 1, text: 0.2 }, resources: gpu }),
    helloFrom('writer', { capabilities: { text: 1 } }),
    helloFrom('both', { capabilities: { vision: 1, text: 1 }, resources: gpu }),
  ];
  agents.forEach((body, index) => {
    kernel.handle({ sequence: index + 1, timeMicros: 0, body }, []);
  });
  const before = kernel.digest;
  const found = kernel.discover({ capabilities: { vision: 1 }, resources: { gpuCount: 1 }, limit: 5, explain: true });
  expect(found.matches.map(({ name }) => name)).toEqual(['vision', 'both']);
  expect(found.matches[1]?.similarity).toBeCloseTo(Math.SQRT1_2, 6);
  expect(found.explanations.map(({ name }) => name)).toEqual(['writer']);
  expect(kernel.digest, 'a read changes nothing').toBe(before);
});
