// Recommendations in the console, in a real browser: advice from the telemetry of real agents is looked at, applied, measured, taken
// back and rejected; a change of one's own is simulated; who may not is told so. Needs Debian's chromium, as the console's tests do.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, launchChromium, noChromium } from '../../core/live/console/chromium.contract.ts';
import { layoutFaults, openConsole } from '../../core/live/console/console-page.contract.ts';
import { LiveFixture } from '../../core/live/live-fixture.contract.ts';
import { DevelopmentAuthority } from '../../core/live/security/authority.ts';
import { makeToken, writeTokens } from '../../core/live/security/tokens.ts';
import { recommendationSettings } from '../../core/live/start-settings.ts';
import { recommendationPlugin } from './recommendation-plugin.ts';

if (!chromiumPath && !process.env.CI) console.warn(`skipped: ${noChromium('advice was not looked at in a browser')}`);

const workMillis = 30;
// However busy the machine is that the simulator is held against.
const settings = recommendationSettings({ every: 'never', tasksMin: 40, seeds: 4, measure: '8s', errorMax: 5 });
const folder = mkdtempSync(join(tmpdir(), 'sira-advice-page-'));
const problems: string[] = [];
let browser: Browser;

beforeAll(async () => {
  if (chromiumPath) browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.runIf(chromiumPath)('advice in chromium', () => {
  let fixture: LiveFixture;
  let page: Page;

  beforeAll(async () => {
    const telemetry = { store: join(folder, 'telemetry.duckdb'), sample: '200ms' };
    // Tasks that find no room wait far too long: one setting is the cure.
    const slow = { 'scheduler.backoffFirstMicros': 200_000, 'scheduler.backoffMaxMicros': 200_000 };
    fixture = await LiveFixture.start({ telemetry, policy: { unplaced: 'backoff' }, settings: slow }, [
      recommendationPlugin(settings),
    ]);
    const work = () => new Promise<Record<string, never>>((resolve) => setTimeout(() => resolve({}), workMillis));
    fixture.agents(
      ...['one', 'two'].map((name) => ({ name, functions: { work }, resources: { cpuMilli: 1000, memoryMib: 2048 } })),
    );
    page = await openConsole(browser, fixture.running.http.url, { view: '#recommendations', problems });
  });
  afterAll(async () => {
    await page?.context().close();
    await fixture?.end();
    problems.splice(0);
  });

  /** Bursts of tasks, of which two find room at once. */
  async function load(): Promise<void> {
    const submitter = await fixture.submitter();
    const task = { function: 'work', request: { cpuMilli: 1000 }, estimateMicros: workMillis * 1000 };
    const ends: Promise<unknown>[] = [];
    for (let burst = 0; burst < 14; burst++) {
      for (let each = 0; each < 6; each++) ends.push(submitter.run(task));
      await new Promise((resolve) => setTimeout(resolve, 600));
    }
    await Promise.all(ends);
    submitter.abandon();
  }

  const detail = () => page.textContent('#recommendation-detail');
  const decide = async (button: string, why: string): Promise<void> => {
    await page.click(`#recommendation-detail .actions >> text=${button}`);
    await page.fill('.why-form input[name=why]', why);
    await page.click('#drawer .why-form button');
    await page.waitForSelector('#drawer', { state: 'hidden' });
  };

  it('says that there is none, looks when asked, and shows what was found', { timeout: 180_000 }, async () => {
    expect(await page.textContent('#advice-list')).toBe('There is none yet.');
    await load();
    await page.click('#advice-look');
    await expect.poll(() => page.textContent('#advice-analysis')).toMatch(/^Looking since/);
    await expect
      .poll(() => page.textContent('#advice-analysis'), { timeout: 120_000, interval: 500 })
      .toMatch(/^Looked at .*waiting/);
    await page.selectOption('#advice-state', 'recommended');
    await page.click('#advice-list .advice-item:has-text("limits") >> nth=0');
    await expect.poll(detail).toMatch(/scheduler\.backoffMaxMicros/);
    await page.waitForSelector('#recommendation-detail .intervals .is-better');
    expect(await detail()).toMatch(/mean completion falls by/);
    expect(await page.textContent('#recommendation-detail .command')).toMatch(/^npx sira run .*\.yaml/);
    expect(await page.textContent('#recommendation-detail .head')).toMatch(/(low|medium|high) risk/);
    expect(await page.evaluate(layoutFaults)).toEqual([]);
  });

  it('applies it with a reason, and holds what it did against what was predicted', { timeout: 90_000 }, async () => {
    const before = fixture.running.live.kernel.settings.get('scheduler.backoffMaxMicros');
    await decide('Apply', 'waits are <b>long</b>');
    await expect.poll(detail).toMatch(/Applied by console at/);
    expect(fixture.running.live.kernel.settings.get('scheduler.backoffMaxMicros')).toBeLessThan(before);
    await load();
    await expect
      .poll(detail, { timeout: 60_000, interval: 500 })
      .toMatch(/Realized against predicted(as|better than|worse than) predicted/);
    expect(await detail()).toContain('waits are <b>long</b>');
    await page.waitForSelector('#recommendation-detail .point.is-measured');
    await expect.poll(() => page.textContent('#advice-ledger'), { timeout: 10_000 }).toMatch(/limits1\d+%/);
    await page.selectOption('#advice-state', '');
  });

  it('simulates a change of one’s own, and rejects it', { timeout: 90_000 }, async () => {
    await page.selectOption('#what-if-what', 'setting');
    await page.fill('#what-if-setting', 'scheduler.nothing');
    await page.fill('#what-if-value', '5s');
    await page.click('#what-if-ask');
    expect(await page.textContent('#what-if-message .problem')).toContain('scheduler.nothing');
    await page.fill('#what-if-setting', 'scheduler.backoffMaxMicros');
    await page.click('#what-if-ask');
    await expect.poll(detail).toMatch(/asked for by console/);
    await expect.poll(detail, { timeout: 60_000, interval: 500 }).toMatch(/Evidence/);
    await decide('Reject', 'I only wondered');
    await expect.poll(() => page.textContent('#recommendation-detail .head')).toMatch(/dismissed/);
    expect(problems.splice(0).filter((problem) => !/\((Bad Request|Conflict)\)/.test(problem))).toEqual([]);
  });

  it.each([
    [768, 'light'],
    [400, 'dark'],
  ] as const)('fits at %i px, %s', async (width, colorScheme) => {
    const url = fixture.running.http.url;
    const opened = await openConsole(browser, url, { width, colorScheme, view: '#recommendations', problems });
    await opened.waitForSelector('#recommendation-detail .intervals');
    expect(await opened.evaluate(layoutFaults)).toEqual([]);
    await opened.context().close();
    expect(problems.splice(0)).toEqual([]);
  });
});

it.runIf(chromiumPath)('who may only read is told so', async () => {
  const certificates = join(folder, 'certificates');
  const authority = await DevelopmentAuthority.open(certificates);
  await authority.issueServer(['localhost', '127.0.0.1'], 2);
  const reader = makeToken('reader', ['subscribe'], Date.now() + 1e6);
  writeTokens(join(certificates, 'tokens.json'), [reader.stored]);
  const telemetry = { store: join(folder, 'secured.duckdb') };
  const secured = await LiveFixture.start({ telemetry, security: { folder: certificates } }, [
    recommendationPlugin(settings),
  ]);
  try {
    const { url } = secured.running.http;
    const page = await openConsole(browser, url, { token: reader.token, view: '#recommendations', problems });
    await page.click('#advice-look');
    await page.waitForSelector('#advice-message .problem');
    expect(await page.textContent('#advice-message')).toMatch(/reader has not the role administer.*SIRA_FORBIDDEN/);
    await page.fill('#what-if-value', 'sjf');
    await page.click('#what-if-ask');
    await page.waitForSelector('#what-if-message .problem');
    expect(await page.textContent('#what-if-message')).toMatch(/reader has not the role administer.*SIRA_FORBIDDEN/);
    await page.context().close();
    expect(problems.splice(0).filter((problem) => !problem.includes('(Forbidden)'))).toEqual([]);
  } finally {
    await secured.end();
  }
});
