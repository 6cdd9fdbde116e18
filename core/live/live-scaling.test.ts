// A live kernel that looks ahead: agents that sleep between two pulses of load are asked to wake up before the next pulse comes, by a
// forecaster that a start document names; and so after a restart, since the snapshot holds it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeDurations } from '../policy/forecast/duration-model.ts';
import { writeForecasterArtifact } from '../policy/forecast/forecaster-artifact.ts';
import { type ForecasterModel, forecasterFormat } from '../policy/forecast/forecaster-model.ts';
import { LiveFixture, until } from './live-fixture.contract.ts';
import { readStart } from './start-document.ts';

const stepMillis = 300;
const pulseSteps = 8;
const folder = mkdtempSync(join(tmpdir(), 'sira-scaling-'));
const document = join(folder, 'start.yaml');
let fixture: LiveFixture;
/** When each agent was told what, milliseconds. */
const told: { readonly agent: number; readonly awake: boolean; readonly at: number }[] = [];

beforeAll(async () => {
  const input = { mean: 0, deviation: 1, minimum: 0, maximum: 3000 };
  const model: ForecasterModel = {
    manifest: {
      ...{ format: forecasterFormat, name: 'pulses', target: 'demand', unit: 'cpuMilli', horizon: 6, lowerBound: 0 },
      ...{ intervalMicros: stepMillis * 1000, input, levels: [0.5] },
      lineage: { command: 'by hand', dataSha256: {}, evaluation: {} },
    },
    members: [{ kind: 'season', weight: 1, season: new Float64Array(pulseSteps) }],
    offsets: new Float64Array(6),
  };
  writeFileSync(join(folder, 'pulses.safetensors'), writeForecasterArtifact(model));
  const durations = { name: 'echoes', medianSeconds: new Map([['', 0.2]]), lineage: {} };
  writeFileSync(join(folder, 'durations.safetensors'), writeDurations(durations));
  writeFileSync(
    document,
    'policy:\n  place: predictive\n  durations: durations.safetensors\n  scaling: { forecaster: pulses.safetensors, level: 0.5, keep: 300ms, wake: 900ms, machinesMin: 1 }\n',
  );
  const { fields, problems } = readStart(document);
  expect(problems).toEqual([]);
  fixture = await LiveFixture.start({ ...fields });
  fixture.agents(
    ...[0, 1, 2].map((agent) => ({
      name: `agent-${agent}`,
      functions: { echo: () => new Promise<Record<string, never>>((resolve) => setTimeout(() => resolve({}), 200)) },
      labels: { idleWatts: 100, sleepWatts: 5, wakeSeconds: 0.9 },
      power: async (awake: boolean) => {
        told.push({ agent, awake, at: performance.now() });
      },
    })),
  );
});
afterAll(async () => {
  await fixture.end();
  rmSync(folder, { recursive: true, force: true });
});

test('agents are asked to wake up before the load comes', async () => {
  const submitter = await fixture.submitter();
  await until(() => fixture.running.live.kernel.control.registry.size === 3);
  const pulses: number[] = [];
  const begin = performance.now();
  for (let pulse = 0; pulse < 7; pulse++) {
    await pause(begin + pulse * pulseSteps * stepMillis - performance.now());
    pulses.push(performance.now());
    const tasks = await Promise.all(
      [0, 1, 2].map(() => submitter.submit({ function: 'echo', request: { cpuMilli: 1000 } })),
    );
    for (const end of await Promise.all(tasks.map((task) => task.ended))) expect(end.outcome).toBe('completed');
    if (pulse === 1) await fixture.restart();
  }
  // The first ones after the restart are learned from.
  const early = pulses.slice(4).filter((pulse) => {
    const before = told.filter(({ at }) => at < pulse && at > pulse - 0.8 * pulseSteps * stepMillis);
    const woken = new Set(before.filter(({ awake }) => awake).map(({ agent }) => agent));
    return woken.size === 2;
  });
  expect(told.some(({ awake }) => !awake)).toBe(true);
  expect(early.length, JSON.stringify({ pulses, told })).toBeGreaterThanOrEqual(2);
  const policies = await fixture.ask('/v1/policies');
  expect(policies.serves.policy).toMatchObject({ durationsSha256: expect.any(String) });
  expect(policies.serves.policy.scaling.forecast).not.toHaveProperty('artifact');
}, 60_000);

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, millis)));
}
