// The packing of training is the kernel's: same placements, messages left out.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findPlacement } from '../../../core/scheduler/catalogue.ts';
import { runPacking } from '../../../reports/tables/packing-run.ts';
import { packingScenario } from '../../../reports/tables/table-job.ts';
import { openInputs } from '../../../sim/experiment/build-world.ts';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import { packingCases, publishedCases } from './packing-cases.ts';
import { playPacking } from './packing-simulation.ts';

const folder = join(projectRoot(), 'scenarios', 'data', 'openb-fgd');
const cases = packingCases(join(folder, 'openb_node_list_gpu_node.csv'), join(folder, 'openb_pod_list_default.csv'), {
  machineShare: 0.1,
  mixFactor: 2,
  ratio: 1.3,
});

test('a published order: as many pods and as much GPU as through the kernel', () => {
  const scenario = packingScenario('multigpu20', 'published');
  const kernel = runPacking(scenario, openInputs(scenario, 43), 'fgd', 43);
  const published = publishedCases().find(({ workload, seed }) => workload === 'multigpu20' && seed === 43)!;
  const { allocationPercent, placed } = playPacking(published.open(), findPlacement('fgd'));
  expect(placed).toBe(kernel.placed);
  expect(allocationPercent).toBeCloseTo(kernel.allocationPercent, 9);
});

test('a drawn case: the same from the same seed, another from another, and never more than is there', () => {
  const first = cases.draw(4);
  const again = cases.draw(4);
  const other = cases.draw(5);
  expect(again).toEqual(first);
  expect(other.machines.map(({ name }) => name)).not.toEqual(first.machines.map(({ name }) => name));
  expect(first.machines).toHaveLength(121);
  const asked = first.requests.reduce((sum, { gpuCount, gpuMilli }) => sum + gpuCount * gpuMilli, 0);
  const capacity = first.machines.reduce((sum, { gpuCount }) => sum + gpuCount * 1000, 0);
  expect(asked / capacity).toBeGreaterThan(1.25);
  expect(asked / capacity).toBeLessThanOrEqual(1.3);
  const { allocationPercent } = playPacking(first, findPlacement('fgd'));
  expect(allocationPercent).toBeGreaterThan(80);
  expect(allocationPercent).toBeLessThanOrEqual(100);
  expect(playPacking(first, findPlacement('best-fit')).allocationPercent).toBeLessThan(allocationPercent);
});
