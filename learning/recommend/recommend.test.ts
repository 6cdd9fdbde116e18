// Advice on a live kernel with real agents and telemetry in DuckDB: a fault of the settings is found, simulated, mended and measured.
// The simulations run on their thread, from compiled code (`npm run build`).

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { LiveFixture, until } from '../../core/live/live-fixture.contract.ts';
import { recommendationSettings } from '../../core/live/start-settings.ts';
import type { Recommendation } from './recommendation.ts';
import { recommendationPlugin } from './recommendation-plugin.ts';

const workMillis = 40;
const scratch: string[] = [];
let fixture: LiveFixture;

afterEach(async () => {
  await fixture.end();
  for (const folder of scratch.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function start(fields: object, advice: Parameters<typeof recommendationSettings>[0], agents = ['one', 'two']) {
  const folder = mkdtempSync(join(tmpdir(), 'sira-recommend-'));
  scratch.push(folder);
  const telemetry = { store: join(folder, 'telemetry.duckdb'), sample: '200ms' };
  const settings = recommendationSettings({ every: 'never', ...advice });
  fixture = await LiveFixture.start({ ...fields, telemetry }, [recommendationPlugin(settings)]);
  const work = () => new Promise<Record<string, never>>((resolve) => setTimeout(() => resolve({}), workMillis));
  fixture.agents(
    ...agents.map((name) => ({ name, functions: { work }, resources: { cpuMilli: 2000, memoryMib: 2048 } })),
  );
  await until(() => fixture.running.live.kernel.control.registry.size === agents.length);
}

/** Bursts of tasks, one after the other, each begun when the time has come whatever became of the one before. */
async function load(bursts: number, size: number, gapMillis: number): Promise<void> {
  const submitter = await fixture.submitter(`load-${bursts}-${Math.random()}`);
  const ends: Promise<unknown>[] = [];
  for (let burst = 0; burst < bursts; burst++) {
    for (let task = 0; task < size; task++)
      ends.push(submitter.run({ function: 'work', request: { cpuMilli: 1000 }, estimateMicros: workMillis * 1000 }));
    await new Promise((resolve) => setTimeout(resolve, gapMillis));
  }
  await Promise.all(ends);
}

interface Listed {
  readonly recommendations: readonly Recommendation[];
  readonly analysis: { readonly state: string; readonly sentence: string };
}

async function analysed(): Promise<Listed> {
  await fixture.ask('/v1/recommendations', 'POST');
  let listed: Listed = await fixture.ask('/v1/recommendations');
  await until(async () => {
    listed = await fixture.ask('/v1/recommendations');
    return listed.analysis.state !== 'running';
  }, 90_000);
  return listed;
}

const said = { who: 'ann', why: 'test' };

describe('advice on a live kernel', () => {
  test('a wait that is too long is found, shortened, and the gain is measured', { timeout: 180_000 }, async () => {
    const policy = { unplaced: 'backoff' };
    const settings = { 'scheduler.backoffFirstMicros': 1_000_000, 'scheduler.backoffMaxMicros': 1_000_000 };
    await start({ policy, settings }, { tasksMin: 60, seeds: 5, measure: '4s' });
    await load(14, 8, 500);
    const { recommendations } = await analysed();
    const advised = recommendations.find(({ kind, state }) => kind === 'limits' && state === 'recommended');
    expect(advised).toBeDefined();
    const applied = await fixture.ask(`/v1/recommendations/${advised?.id}:apply`, 'POST', said);
    expect(applied).toMatchObject({ state: 'measuring' });
    await load(12, 8, 500);
    let one = applied as Recommendation;
    await until(async () => {
      one = await fixture.ask(`/v1/recommendations/${advised?.id}`);
      return one.state !== 'measuring';
    }, 60_000);
    expect(one.state).toBe('confirmed');
  });
});
