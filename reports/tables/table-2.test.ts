// Table 2 in short: two windows of each trace, through the kernel and its messages, equal to the golden files.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openInputs } from '../../sim/experiment/build-world.ts';
import { type BatchJob, boundedSlowdownMean, runBatch } from './batch-run.ts';
import { type BatchTrace, batchPolicies, batchTraces, readGoldenSlowdowns } from './published.ts';
import { equalsGolden, windowsOf } from './table-2.ts';
import { scenarioOf } from './table-job.ts';

const traces = Object.keys(batchTraces) as BatchTrace[];

describe('table 2 through the kernel', () => {
  test.each(traces.flatMap((trace) => [0, 6].map((window) => [trace, window] as const)))(
    '%s, window %i: all orders with and without backfilling',
    (trace, window) => {
      const scenario = scenarioOf(trace);
      const golden = readGoldenSlowdowns(trace);
      const seed = windowsOf(trace)[window] as number;
      const inputs = openInputs(scenario, seed);
      for (const { name, golden: key } of batchPolicies) {
        if (key === undefined) continue;
        const value = boundedSlowdownMean(runBatch(scenario, inputs, name, seed));
        const expected = golden.policies[key]?.windows[window] as number;
        expect(equalsGolden(value, expected), `${name}: ${value}, golden ${expected}`).toBe(true);
      }
    },
  );

  test('the scenarios are the protocol: the same windows, policies and bound', () => {
    for (const trace of traces) {
      const { seeds, policies } = scenarioOf(trace);
      expect(seeds).toEqual(windowsOf(trace));
      expect(policies.map(({ name }) => name)).toEqual(batchPolicies.map(({ name }) => name));
    }
    const job = (waitSeconds: number, runSeconds: number): BatchJob => ({
      name: '',
      arrivalMicros: 0,
      startMicros: waitSeconds * 1e6,
      durationMicros: runSeconds * 1e6,
      machines: [],
    });
    // max(1, 1/10) = 1, (95 + 5)/10 = 10, (40 + 20)/20 = 3.
    expect(boundedSlowdownMean([job(0, 1), job(95, 5), job(40, 20)])).toBeCloseTo(14 / 3, 12);
  });

  test('the committed page holds, with every window on it', () => {
    const page = JSON.parse(readFileSync(new URL('./table-2-batch.json', import.meta.url), 'utf8'));
    expect(page.checks.map((check: { holds: boolean }) => check.holds)).toEqual([true, true, true, true]);
    expect(page.rows).toHaveLength(2 * batchPolicies.length);
  });
});
