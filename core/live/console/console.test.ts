// The console in a real browser, over a kernel with real agents at work. Needs Debian's chromium; without it the suite says so
// and is skipped, except in continuous integration, where its absence is a failure.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentConnection, Submitter, Topics } from '../client.ts';
import { silentLogger } from '../logger.ts';
import { type RunningKernel, runKernel } from '../run-kernel.ts';
import { startSettings } from '../start-settings.ts';
import { chromiumPath, launchChromium, noChromium } from './chromium.contract.ts';
import { layoutFaults, openConsole } from './console-page.contract.ts';

const missing = noChromium('the console was not opened in a browser');
if (!chromiumPath && !process.env.CI) console.warn(`skipped: ${missing}`);

it.runIf(process.env.CI)('has a browser to test with', () => {
  expect(chromiumPath, missing).toBeDefined();
});

describe.runIf(chromiumPath)('the console in chromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sira-console-'));
  const problems: string[] = [];
  let browser: Browser;
  let running: RunningKernel;
  let agents: AgentConnection;
  let submitter: Submitter;
  let page: Page;
  let working = true;
  let feeding: Promise<void>;

  beforeAll(async () => {
    const addresses = { grpc: { address: '127.0.0.1:0', heartbeatBatch: '20ms' }, http: { address: '127.0.0.1:0' } };
    const fields = { data: join(folder, 'data'), durability: 'processCrash', ...addresses } as const;
    running = await runKernel(startSettings(fields), '1.2.3', silentLogger);
    agents = AgentConnection.start({
      address: running.grpc.address,
      agents: Array.from({ length: 5 }, (_, index) => ({
        name: `worker-${index}`,
        functions: { think: () => new Promise<object>((done) => setTimeout(() => done({}), 200)) as Promise<never> },
        resources: { cpuMilli: 1000, memoryMib: 1024 },
      })),
    });
    submitter = await Submitter.connect({ address: running.grpc.address, name: 'tester' });
    feeding = (async () => {
      for (let number = 0; working; number++) {
        await submitter.submit({ function: 'think', request: { cpuMilli: [100, 400, 1000][number % 3]! } });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    browser = await launchChromium();
    page = await open(1280);
  });
  afterAll(async () => {
    working = false;
    await browser?.close();
    await feeding;
    submitter.abandon();
    await agents.stop();
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (width: number, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> =>
    openConsole(browser, running.http.url, { width, colorScheme, problems });

  it('shows the fleet, the queue and live decisions', async () => {
    await page.waitForSelector('.light.on');
    await page.waitForSelector('#decisions .decision');
    const first = await page.textContent('#decisions li:first-child');
    await expect.poll(() => page.textContent('#decisions li:first-child'), { timeout: 5000 }).not.toBe(first);
    expect(await page.textContent('#figures')).toMatch(/Agents alive5/);
    await expect.poll(() => page.textContent('#figures'), { timeout: 10_000 }).toMatch(/Completed[\d.]*[1-9][\d.]*\/s/);
    expect(await page.textContent('#fleet-legend')).toContain('ready 5');
    await page.hover('#fleet-map', { position: { x: 20, y: 20 } });
    expect(await page.textContent('#fleet-hint')).toMatch(/^worker-\d: ready, \d+ tasks?, \d+% in use$/);
    const blank = `(() => { const map = document.querySelector('#fleet-map');
      return !map.getContext('2d').getImageData(0, 0, map.width, map.height).data.some((value) => value !== 0); })()`;
    expect(await page.evaluate(blank)).toBe(false);
  });

  it('says why a task went where it went, and what an agent can do', async () => {
    await page.check('#decision-pause');
    await page.selectOption('#decision-outcome', 'placed');
    await page.click('#decisions .decision >> nth=0');
    await page.waitForSelector('#drawer-body .winner');
    expect(await page.textContent('#drawer-body .why')).toMatch(/^placed On worker-\d: best of \d that fit/);
    expect(await page.textContent('#drawer-body')).toContain('Scored by best-fit');
    await page.click('#drawer-body .facts .link');
    await expect.poll(() => page.textContent('#drawer-title')).toMatch(/^Task \d+$/);
    await page.waitForSelector('#drawer-body .feed .decision');
    await page.keyboard.press('Escape');
    expect(await page.isVisible('#drawer')).toBe(false);
    await page.focus('#fleet-map');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.textContent('#drawer-body')).toMatch(/think/);
    expect(await page.textContent('#drawer-title')).toMatch(/^worker-\d$/);
    await page.click('#drawer-close');
    await page.uncheck('#decision-pause');
  });

  it('lists tasks by state', async () => {
    await page.click('nav >> text=Tasks');
    await page.selectOption('#task-state', 'ended');
    await page.waitForSelector('#tasks-table .is-completed');
    expect(await page.isVisible('#view-overview')).toBe(false);
    await page.click('#tasks-table tbody tr:first-child .link >> nth=0');
    await expect.poll(() => page.textContent('#drawer-body')).toMatch(/It ended on worker-\d/);
    await page.keyboard.press('Escape');
  });

  it('shows the topics and who is behind', async () => {
    const topics = await Topics.connect({ address: running.grpc.address, name: 'reader' });
    await topics.create('news');
    let resolve: () => void = () => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    topics.subscribe({ topic: 'news', group: 'readers', mode: 'exclusive', handle: () => promise });
    for (let count = 0; count < 3; count++) await topics.publish('news', Uint8Array.of(count));
    await page.click('nav >> text=Topics');
    await expect
      .poll(() => page.textContent('#topics-table tbody'), { timeout: 10_000 })
      .toMatch(/^news33readersexclusive103$/);
    resolve();
    await expect
      .poll(() => page.textContent('#topics-table tbody'), { timeout: 10_000 })
      .toMatch(/^news33readersexclusive130$/);
    await topics.close();
  });

  it('shows the links, and what is unusual about them', async () => {
    await page.click('nav >> text=Links');
    await expect
      .poll(() => page.textContent('#links-table tbody tr:nth-child(1)'), { timeout: 15_000 })
      .toMatch(/^worker-0 and 4 moreagentgood[\d.]+ (µs|ms)[\d.]+ (µs|ms)[\d.]+ (µs|ms)0%/);
    expect(await page.textContent('#links-table tbody tr:nth-child(2)')).toMatch(/^testersubmitter/);
    expect(await page.textContent('#links-note')).toMatch(/^\d links, none unusual$/);
    await page.selectOption('#link-kind', 'submitter');
    await expect.poll(() => page.textContent('#links-table tbody')).not.toContain('worker');
    await page.selectOption('#link-kind', '');
  });

  it('changes a setting with a reason, refuses what is wrong in words, and rolls back', async () => {
    await page.click('nav >> text=Configuration');
    await page.fill('#setting-who', 'ada');
    await page.fill('#setting-search', 'attemptsMax');
    const change = async (value: string, why: string): Promise<void> => {
      await page.click('.setting button.value');
      await page.fill('.change input[name=value]', value);
      await page.fill('.change input[name=why]', why);
      await page.click('.change button');
    };
    await change('0', 'wrong');
    await page.waitForSelector('#setting-message .problem');
    expect(await page.textContent('#setting-message')).toContain('scheduler.attemptsMax is at least 1 attempts');
    await page.click('.setting button.value');
    await change('9', 'shorter <b>queues</b>');
    await page.waitForSelector('#setting-message .done');
    expect(running.live.kernel.settings.get('scheduler.attemptsMax')).toBe(9);
    expect(await page.textContent('#setting-history li:first-child')).toMatch(
      /version 2ada.*shorter <b>queues<\/b>.*16 → 9/,
    );
    await page.click('text=Back to version 1');
    await page.waitForSelector('.preview');
    expect(await page.textContent('.preview')).toContain('9 → 16');
    await page.click('#setting-history >> text=Sure?');
    await expect.poll(() => page.textContent('#setting-version')).toBe('version 3');
    expect(running.live.kernel.settings.get('scheduler.attemptsMax')).toBe(16);
    expect(problems.splice(0).filter((problem) => !problem.includes('400 (Bad Request)'))).toEqual([]);
  });

  it.each([
    [1280, 'dark'],
    [768, 'light'],
    [400, 'dark'],
  ] as const)('fits at %i px, %s', async (width, colorScheme) => {
    const opened = await open(width, colorScheme);
    await opened.waitForSelector('#decisions .decision');
    for (const view of ['Overview', 'Tasks', 'Topics', 'Links', 'Policies', 'Configuration']) {
      await opened.click(`nav >> text=${view}`);
      await opened.waitForTimeout(150);
      expect(await opened.evaluate(layoutFaults), view).toEqual([]);
    }
    const dark = `getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).every((part) => part < 128)`;
    expect(await opened.evaluate(dark)).toBe(colorScheme === 'dark');
    await opened.close();
    expect(problems.splice(0)).toEqual([]);
  });

  it('says when the kernel is gone, and finds it again', async () => {
    await page.click('nav >> text=Overview');
    const { grpc, http } = running;
    await running.stop();
    await page.waitForSelector('.light:not(.on)', { timeout: 10_000 });
    const addresses = { grpc: { address: grpc.address }, http: { address: new URL(http.url).host } };
    const fields = { data: join(folder, 'data'), durability: 'processCrash', ...addresses } as const;
    running = await runKernel(startSettings(fields), '1.2.3', silentLogger);
    await page.waitForSelector('.light.on', { timeout: 15_000 });
    await page.waitForSelector('#problem:empty', { timeout: 10_000, state: 'attached' });
    await expect.poll(() => page.textContent('#figures'), { timeout: 15_000 }).toMatch(/Decisions[\d.]*[1-9][\d.]*\/s/);
  });
});
