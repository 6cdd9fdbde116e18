// Table 1 in short: single seeds of the published orders, through the kernel and its messages, as the committed page has them.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openInputs } from '../../sim/experiment/build-world.ts';
import { readPackingArrivals } from './packing-arrivals.ts';
import { packingFigure } from './packing-figure.ts';
import { type PackingCurves, runPacking, runPackingCurves } from './packing-run.ts';
import { curveKey, type PackingWorkload, packingPolicies, readPackingCurves } from './published.ts';
import { packingScenario } from './table-job.ts';

const published = readPackingCurves();
const curvesOf = (workload: string, policy: string, seed: number): PackingCurves => {
  const curves = published.get(curveKey(workload, policy, seed));
  if (curves === undefined) throw new Error('not published');
  return curves;
};

describe('table 1 through the kernel', () => {
  test.each<[PackingWorkload, number, readonly string[]]>([
    ['default', 42, ['fgd', 'best-fit']],
    ['gpuspec10', 43, ['dot-product', 'gpu-clustering', 'gpu-packing', 'best-fit', 'fgd']],
  ])('%s, seed %i: %s within 0.01 points', (workload, seed, policies) => {
    const scenario = packingScenario(workload, 'published');
    const inputs = openInputs(scenario, seed);
    for (const policy of policies) {
      const { allocationPercent } = runPacking(scenario, inputs, policy, seed);
      const expected = curvesOf(workload, policy, seed).allocation.at(-1) as number;
      expect(expected).toBeGreaterThan(80);
      expect(Math.abs(allocationPercent - expected), policy).toBeLessThanOrEqual(0.01);
    }
  });

  test('gpuspec10, seed 42: the curves of FGD lie on the published ones, pods that fit no machine counted', () => {
    const scenario = packingScenario('gpuspec10', 'published');
    const inputs = openInputs(scenario, 42);
    const arrivals = readPackingArrivals(scenario, inputs.machines, 42);
    expect(arrivals.filter(({ fits }) => !fits)).toHaveLength(2);
    const { curves } = runPackingCurves(scenario, inputs, 'fgd', 42, arrivals);
    const expected = curvesOf('gpuspec10', 'fgd', 42);
    for (const key of ['allocation', 'fragmentation', 'fragmentedShare'] as const) {
      const differences = expected[key].map((value, point) => Math.abs(value - (curves?.[key][point] ?? Number.NaN)));
      expect(Math.max(...differences), key).toBeLessThanOrEqual(0.01);
    }
  });

  test('own orders: another arrival order, and another order of machines, for every seed', () => {
    const scenario = packingScenario('cpu050', 'own');
    const first = openInputs(scenario, 1);
    const second = openInputs(scenario, 2);
    expect(first.machines.map(({ name }) => name)).not.toEqual(second.machines.map(({ name }) => name));
    const { allocationPercent } = runPacking(scenario, first, 'best-fit', 1);
    expect(Math.abs(allocationPercent - 93.79)).toBeLessThan(0.7);
  });

  test('the committed page holds, with every seed on it', () => {
    const page = JSON.parse(readFileSync(new URL('./table-1-packing.json', import.meta.url), 'utf8'));
    expect(page.checks.map((check: { holds: boolean }) => check.holds)).toEqual([true, true, true, true]);
    expect(page.seeds).toHaveLength(6 * (10 + 4 * 3));
  });

  test('the figure is well-formed SVG with a band and a line for each policy', () => {
    const policies = Object.keys(packingPolicies);
    const curves = new Map(policies.map((policy) => [policy, curvesOf('default', policy, 42)]));
    const svg = packingFigure('default', policies, curves, curves);
    expect(svg).toMatch(/^<svg role="img" [^>]*xmlns=[^>]*>\n<title>/);
    // A quote inside an attribute is the one fault that the renderer lets through.
    for (const tag of svg.match(/<[a-z][^>]*>/g) ?? [])
      expect(tag).toMatch(/^<[a-zA-Z]+(\s+[\w:-]+="[^"<]*")*\s*\/?>$/);
    expect(svg.match(/stroke-width="7"/g)).toHaveLength(2 * policies.length);
  });
});
