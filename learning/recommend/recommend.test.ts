// Advice on a live kernel with real agents and telemetry in DuckDB: what is wrong is found and simulated, what a person applies is
// measured, and what turns out worse than predicted is taken back. The simulations run on their thread, from compiled code
// (`npm run build`).

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { LiveFixture, until } from '../../core/live/live-fixture.contract.ts';
import { recommendationSettings } from '../../core/live/start-settings.ts';
import { processTerminal } from '../../core/live/terminal.ts';
import { recommendCommand } from './recommend-command.ts';
import type { Effect, Ledger, Recommendation } from './recommendation.ts';
import { recommendationPlugin } from './recommendation-plugin.ts';

const shortMillis = 30;
const longMillis = 200;
const said = { who: 'ann', why: 'test' };
let fixture: LiveFixture;
let folder: string;
/** Does something between the stop of a kernel and its next start. */
let meanwhile: () => void = () => {};

afterEach(async () => {
  await fixture.end();
  rmSync(folder, { recursive: true, force: true });
  meanwhile = () => {};
});

async function start(fields: object, advice: Parameters<typeof recommendationSettings>[0], agents: readonly string[]) {
  folder = mkdtempSync(join(tmpdir(), 'sira-recommend-'));
  const telemetry = { store: join(folder, 'telemetry.duckdb'), sample: '200ms' };
  const plugin = recommendationPlugin(
    recommendationSettings({ every: 'never', tasksMin: 40, seeds: 5, errorMax: 5, ...advice }),
  );
  fixture = await LiveFixture.start({ ...fields, telemetry }, [
    (server, sources) => {
      meanwhile();
      plugin(server, sources);
    },
  ]);
  const lasting = (millis: number) => () =>
    new Promise<Record<string, never>>((resolve) => setTimeout(() => resolve({}), millis));
  const functions = { short: lasting(shortMillis), long: lasting(longMillis) };
  fixture.agents(...agents.map((name) => ({ name, functions, resources: { cpuMilli: 1000, memoryMib: 2048 } })));
  await until(() => fixture.running.live.kernel.control.registry.size === agents.length);
}

let loads = 0;

/** Bursts of tasks, each begun when its time has come, whatever became of the one before. */
async function load(bursts: number, burst: readonly ('short' | 'long')[], gapMillis: number): Promise<void> {
  const submitter = await fixture.submitter(`load-${loads++}`);
  const ends: Promise<unknown>[] = [];
  for (let index = 0; index < bursts; index++) {
    for (const name of burst) {
      const estimateMicros = 1000 * (name === 'short' ? shortMillis : longMillis);
      ends.push(submitter.run({ function: name, request: { cpuMilli: 1000 }, estimateMicros }));
    }
    await new Promise((resolve) => setTimeout(resolve, gapMillis));
  }
  await Promise.all(ends);
}

interface Listed {
  readonly recommendations: readonly Recommendation[];
  readonly next: number | null;
  readonly analysis: { readonly state: string; readonly sentence: string };
}

async function analysed(): Promise<Listed> {
  expect((await fixture.fetch('/v1/recommendations', 'POST')).status).toBe(202);
  let listed: Listed = await fixture.ask('/v1/recommendations');
  await until(async () => {
    listed = await fixture.ask('/v1/recommendations');
    return listed.analysis.state !== 'running';
  }, 120_000);
  return listed;
}

/** As it is when it has left a state. */
async function left(id: number, state: string): Promise<Recommendation> {
  let one: Recommendation = await fixture.ask(`/v1/recommendations/${id}`);
  await until(async () => {
    one = await fixture.ask(`/v1/recommendations/${id}`);
    return one.state !== state;
  }, 120_000);
  return one;
}

function codeOf(problem: unknown): string {
  return (problem as { readonly code: string }).code;
}

function settingsNow(): Record<string, unknown> {
  return fixture.running.live.kernel.settings.values() as Record<string, unknown>;
}

function tellAll(recommendations: readonly Recommendation[]): string {
  return recommendations
    .map(({ kind, title, finding, reasons }) => [kind, title, finding, ...reasons].join('; '))
    .join('\n');
}

/** What `sira recommend` prints. */
async function sira(...words: string[]): Promise<string> {
  let text = '';
  const write = (part: string): void => {
    text += part;
  };
  const terminal = { ...processTerminal(), colour: false, write };
  const options = { url: fixture.running.http.url, who: 'bob' };
  const context = { terminal, projectRoot: '', version: '1.2.3', line: '', printError: () => {} };
  expect(await recommendCommand.run({ arguments: words, options }, context)).toBe(0);
  return text;
}

const backoff = 'scheduler.backoffFirstMicros';
const six = new Array<'short'>(6).fill('short');

describe('advice on a live kernel', () => {
  test('a wait that is too long is found, shortened, measured, and brought back', { timeout: 240_000 }, async () => {
    const policy = { unplaced: 'backoff' };
    const settings = { [backoff]: 200_000, 'scheduler.backoffMaxMicros': 200_000 };
    await start({ policy, settings }, { measure: '8s' }, ['one', 'two']);
    await load(14, six, 600);
    const { recommendations } = await analysed();
    const told = tellAll(recommendations);
    const advised = recommendations.find(({ title }) => title === 'Try waiting tasks again 10 times as soon');
    expect(advised, told).toMatchObject({
      ...{ kind: 'limits', state: 'recommended', means: 'settings', progress: 1, isWhatIf: false },
      change: { settings: { [backoff]: 20_000, 'scheduler.backoffMaxMicros': 20_000 } },
    });
    const { id, effects, evidence } = advised as Recommendation;
    const [objective] = effects as [Effect];
    expect(objective).toMatchObject({ metric: 'completionMeanSeconds', role: 'objective' });
    expect(objective.change.high).toBeLessThan(-0.1);
    expect(evidence).toMatchObject({ run: 'live', tasks: 84, seeds: [0, 1, 2, 3, 4] });

    // Read as people and programs read it.
    const path = `/v1/recommendations/${id}`;
    const tag = (await fixture.fetch(path)).headers.get('etag') as string;
    expect((await fixture.fetch(path, 'GET', undefined, { 'if-none-match': tag })).status).toBe(304);
    const listTag = (await fixture.fetch('/v1/recommendations')).headers.get('etag') as string;
    const unchanged: Response = await fixture.fetch('/v1/recommendations', 'GET', undefined, {
      'if-none-match': listTag,
    });
    expect(unchanged.status).toBe(304);
    const first: Listed = await fixture.ask('/v1/recommendations?limit=1');
    const second: Listed = await fixture.ask(`/v1/recommendations?limit=1&after=${first.next}`);
    expect([...first.recommendations, ...second.recommendations]).toEqual(recommendations.slice(0, 2));
    const filtered: Listed = await fixture.ask('/v1/recommendations?state=recommended&kind=limits');
    expect(filtered.recommendations.map((one) => one.state)).not.toContain('notRecommended');
    expect(await sira('show', `${id}`)).toMatch(/mean completion: [\s\S]*npx sira run .*present\.yaml/);
    expect((await fixture.fetch(`${path}:apply`)).status).toBe(405);
    expect((await fixture.fetch('/v1/recommendations/999')).status).toBe(404);

    // Who decided by another version is told.
    const late = await fixture.fetch(`${path}:apply`, 'POST', said, { 'if-match': '"1-999"' });
    expect([late.status, codeOf(await late.json())]).toEqual([412, 'SIRA_VERSION_CONFLICT']);
    const taken = await fixture.fetch(`${path}:apply`, 'POST', said, { 'if-match': tag });
    expect(await taken.json()).toMatchObject({ state: 'measuring', applied: { who: 'ann', previous: settings } });
    expect(settingsNow()[backoff]).toBe(20_000);
    const twice = await fixture.fetch(`${path}:apply`, 'POST', said);
    expect([twice.status, codeOf(await twice.json())]).toEqual([409, 'SIRA_ADVICE_REFUSED']);

    await load(16, six, 600);
    const confirmed = await left(id, 'measuring');
    expect(confirmed).toMatchObject({
      state: 'confirmed',
      realized: { verdict: expect.stringMatching(/inside|better/) },
    });
    expect(confirmed.realized?.change).toBeLessThan(-0.3);
    const ledger: Ledger = await fixture.ask('/v1/recommendations/ledger');
    expect(ledger.entries).toMatchObject([{ id, kind: 'limits', realized: confirmed.realized?.change }]);
    expect(await sira('ledger')).toMatch(/limits +1 followed/);
    expect(await sira('rollback', `${id}`)).toMatch(/rolledBack/);
    expect(settingsNow()).toMatchObject(settings);

    // A prediction that was far too good: what is measured is worse, and the kernel takes it back, a restart between.
    const asked: Recommendation = await fixture.ask('/v1/what-if', 'POST', {
      ...{ change: { settings: { [backoff]: 190_000 } }, ...said },
    });
    expect(asked).toMatchObject({ state: 'simulating', isWhatIf: true, kind: 'limits' });
    await left(asked.id, 'simulating');
    const again = await fixture.ask(`/v1/recommendations/${id}`);
    expect(again.state).toBe('rolledBack');
    const file = join(fixture.folder, 'data', 'recommendations', 'recommendations.json');
    meanwhile = () => {
      const kept = JSON.parse(readFileSync(file, 'utf8'));
      const one = kept.recommendations.find((each: Recommendation) => each.id === asked.id);
      const expected = { mean: -0.99, low: -0.995, high: -0.985 };
      Object.assign(one, { state: 'recommended', effects: [{ ...objective, expected }] });
      writeFileSync(file, JSON.stringify(kept));
    };
    await fixture.restart();
    await until(() => fixture.running.live.kernel.control.registry.takesWork(1), 30_000);
    // Who changes something else meanwhile has another present.
    const attempts = 'scheduler.attemptsMax';
    await fixture.ask(`/v1/config/${attempts}`, 'PUT', { value: 9, ...said });
    const stale = await fixture.fetch(`/v1/recommendations/${asked.id}:apply`, 'POST', said);
    expect([stale.status, codeOf(await stale.json())]).toEqual([409, 'SIRA_ADVICE_REFUSED']);
    await fixture.ask(`/v1/config/${attempts}`, 'PUT', { value: 16, ...said });
    expect(await sira('apply', `${asked.id}`)).toMatch(/measuring/);
    expect(settingsNow()[backoff]).toBe(190_000);
    await load(16, six, 600);
    const reverted = await left(asked.id, 'measuring');
    expect(reverted).toMatchObject({ state: 'reverted', realized: { verdict: 'worse' } });
    expect(settingsNow()).toMatchObject(settings);
  });

  test('another queue order goes through its rollout, and is measured when it serves', {
    timeout: 240_000,
  }, async () => {
    await start({}, { measure: '10s', harmShare: 0.3 }, ['one']);
    const burst = ['long', 'long', ...six] as const;
    await load(12, burst, 1000);
    const { recommendations } = await analysed();
    const told = tellAll(recommendations);
    const advised = recommendations.find(({ title }) => title === 'Short tasks first') as Recommendation;
    expect(advised, told).toMatchObject({ kind: 'policy', state: 'recommended', means: 'rollout' });
    expect(await fixture.ask(`/v1/recommendations/${advised.id}:apply`, 'POST', said)).toMatchObject({
      ...{ state: 'applying', applied: { rollout: 1 } },
    });
    const { rollouts, serves } = await fixture.ask('/v1/policies');
    expect(rollouts).toMatchObject([{ stage: 'simulation', candidate: { name: `advice-${advised.id}` } }]);
    expect(serves.name).toBe('live');
    // The gates take their time; a person may let it pass them.
    for (let stage = 0; stage < 4; stage++) await fixture.ask('/v1/policies/rollouts/1/approve', 'POST', said);
    await left(advised.id, 'applying');
    await load(12, burst, 1000);
    const confirmed = await left(advised.id, 'measuring');
    expect(confirmed, JSON.stringify(confirmed.realized)).toMatchObject({ state: 'confirmed' });
    expect(confirmed.realized?.low).toBeLessThan(-0.1);
    await fixture.ask(`/v1/recommendations/${advised.id}:rollback`, 'POST', said);
    expect((await fixture.ask('/v1/policies')).serves.name).toBe('live');
  });

  test('nobody can tell of too few tasks; where nothing waits, nothing is to do', { timeout: 120_000 }, async () => {
    await start({}, {}, ['one']);
    await load(3, ['short'], 100);
    const few = await analysed();
    expect(few.recommendations).toMatchObject([
      { kind: 'cannotTell', state: 'answered', finding: expect.stringMatching(/^3 tasks completed/), means: 'nothing' },
    ]);
    await load(45, ['short'], 250);
    const calm = await analysed();
    expect(calm.recommendations[0]).toMatchObject({ kind: 'doNothing', state: 'answered' });
    expect(calm.recommendations[0]?.evidence?.commands).toHaveLength(1);
    expect(calm.recommendations.at(-1)).toMatchObject({ kind: 'cannotTell', state: 'expired' });
    const { id } = calm.recommendations[0] as Recommendation;
    expect(await fixture.ask(`/v1/recommendations/${id}:dismiss`, 'POST', said)).toMatchObject({ state: 'dismissed' });
    // What a person must do by hand is said, and waits for the person.
    const more: Recommendation = await fixture.ask('/v1/what-if', 'POST', {
      change: { machines: { add: 1 } },
      ...said,
    });
    const simulated = await left(more.id, 'simulating');
    expect(simulated).toMatchObject({
      ...{ kind: 'machines', state: 'notRecommended', means: 'byHand' },
      steps: ['Start 1 more agent with 1 cores and 2048 MiB.'],
    });
    const nowhere = await fixture.fetch('/v1/what-if', 'POST', { change: { settings: { nothing: 1 } }, ...said });
    expect([nowhere.status, codeOf(await nowhere.json())]).toEqual([409, 'SIRA_ADVICE_REFUSED']);
  });
});
