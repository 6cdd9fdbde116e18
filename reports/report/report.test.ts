// The built report in a real browser: it renders, fits, obeys the colour scheme and fetches nothing. Needs Debian's chromium;
// without it the suite says so and is skipped, except in continuous integration, where its absence is a failure.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, launchChromium, noChromium } from '../../core/live/console/chromium.contract.ts';
import type { ResultDocument } from '../../sim/experiment/results.ts';
import { buildReport } from './build-report.ts';
import { sampleDocument } from './sample-document.ts';

const missing = noChromium('the report was not opened in a browser');
if (!chromiumPath && !process.env.CI) console.warn(`skipped: ${missing}`);

it.runIf(process.env.CI)('has a browser to test with', () => {
  expect(chromiumPath, missing).toBeDefined();
});

describe.runIf(chromiumPath)('the report in chromium', () => {
  let browser: Browser;
  let folder: string;
  const problems: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sira-report-'));
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(document: ResultDocument, width: number, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
    const file = join(folder, 'report.html');
    writeFileSync(file, buildReport(document));
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    problems.length = 0;
    page.on('console', (message) => {
      // Reading canvases back, as this test does, earns a warning about speed.
      const ours = message.text().startsWith('Canvas2D:');
      if ((message.type() === 'error' || message.type() === 'warning') && !ours) problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(String(error.stack)));
    page.on('dialog', (dialog) => {
      problems.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!/^(file|data):/.test(request.url())) problems.push(`request: ${request.url()}`);
    });
    await page.goto(pathToFileURL(file).href);
    await page.waitForFunction('document.documentElement.dataset.charts !== undefined');
    return page;
  }

  /** Everything about the layout that can be wrong, as text. Runs in the page. */
  const layoutFaults = `(() => {
    const faults = [];
    const root = document.documentElement;
    if (root.scrollWidth > innerWidth) faults.push('the page is ' + root.scrollWidth + ' px wide');
    for (const chart of document.querySelectorAll('.chart')) {
      const drawing = chart.querySelector('svg, canvas');
      if (!drawing) { faults.push(chart.id + ' is empty'); continue; }
      const box = drawing.getBoundingClientRect();
      if (box.width < 200 || box.height < 100) faults.push(chart.id + ' is ' + box.width + ' by ' + box.height);
      if (drawing.tagName === 'CANVAS') {
        const pixels = drawing.getContext('2d').getImageData(0, 0, drawing.width, drawing.height).data;
        if (!pixels.some((value) => value !== 0)) faults.push(chart.id + ' is blank');
        continue;
      }
      if (drawing.querySelectorAll('path').length < 3) faults.push(chart.id + ' has no marks');
      const texts = [...drawing.querySelectorAll('text')].map((text) => ({ content: text.textContent, box: text.getBoundingClientRect() })).filter((text) => text.content.trim() !== '');
      for (const text of texts) {
        if (text.box.left < box.left - 1 || text.box.right > box.right + 1 || text.box.top < box.top - 1 || text.box.bottom > box.bottom + 2) faults.push(chart.id + ' cuts off ' + text.content);
      }
      for (let i = 0; i < texts.length; i++) for (let j = 0; j < i; j++) {
        const [a, b] = [texts[i].box, texts[j].box];
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (across > 1 && down > 4) faults.push(chart.id + ' prints ' + texts[i].content + ' over ' + texts[j].content);
      }
    }
    for (const table of document.querySelectorAll('table')) if (!table.caption || !table.caption.textContent.trim()) faults.push('a table has no caption');
    for (const chart of document.querySelectorAll('.chart')) if (!chart.getAttribute('aria-label')) faults.push(chart.id + ' has no label');
    for (const select of document.querySelectorAll('select')) if (!select.labels.length) faults.push(select.id + ' has no label');
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
    if (new Set(ids).size !== ids.length) faults.push('an id is used twice');
    return faults;
  })()`;

  describe('of seven policies', () => {
    let page: Page;
    beforeAll(async () => {
      page = await open(sampleDocument(), 1280);
    });
    afterAll(() => page.close());

    // Two frames: one to lay out, one for the charts that saw their boxes change.
    const settled = () =>
      page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    const axisColor = () => page.evaluate("document.querySelector('#utilization-chart text').getAttribute('fill')");

    it.each([
      [1280, 'light'],
      [768, 'dark'],
      [400, 'light'],
      [400, 'dark'],
      [1280, 'dark'],
    ] as const)('draws everything at %i px, %s', async (width, colorScheme) => {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await settled();
      expect(await page.evaluate('document.documentElement.dataset.charts')).toBe('9');
      expect(await page.evaluate(layoutFaults)).toEqual([]);
      const brightness = (color: unknown) =>
        (String(color).startsWith('#')
          ? String(color)
              .match(/[0-9a-f]{2}/gi)!
              .map((digits) => Number.parseInt(digits, 16))
          : String(color).match(/\d+/g)!.map(Number)
        )
          .slice(0, 3)
          .reduce((sum, value) => sum + value, 0) / 3;
      expect(brightness(await page.evaluate('getComputedStyle(document.body).backgroundColor')) > 128).toBe(
        colorScheme === 'light',
      );
      expect(brightness(await axisColor()) > 128).toBe(colorScheme === 'dark');
      expect(problems).toEqual([]);
    });

    it('draws in light for printing', async () => {
      await page.emulateMedia({ colorScheme: 'light' });
      await settled();
      const light = await axisColor();
      await page.emulateMedia({ colorScheme: 'dark' });
      await settled();
      expect(await axisColor()).not.toBe(light);
      await page.evaluate("dispatchEvent(new Event('beforeprint'))");
      expect(await axisColor()).toBe(light);
      await page.evaluate("dispatchEvent(new Event('afterprint'))");
      expect(await axisColor()).not.toBe(light);
    });

    it('draws every choice of every chart', async () => {
      for (const select of await page.locator('select').all()) {
        const count = await select.locator('option').count();
        for (let index = count - 1; index >= 0; index--) {
          await select.selectOption({ index });
          expect(await page.evaluate(layoutFaults), `${await select.getAttribute('id')} ${index}`).toEqual([]);
        }
      }
      expect(problems).toEqual([]);
    });

    it('hides a policy in every line chart and shows it again', async () => {
      const chart = page.locator('#queue-chart');
      const button = page.locator('button[data-policy="gpu-packing"]');
      expect(await chart.textContent()).toContain('gpu-packing');
      await button.first().click();
      expect(await chart.textContent()).not.toContain('gpu-packing');
      expect(await chart.textContent()).toContain('best-fit');
      expect(await button.evaluateAll((buttons) => buttons.map((one) => one.getAttribute('aria-pressed')))).toEqual([
        'false',
        'false',
      ]);
      await button.last().click();
      expect(await chart.textContent()).toContain('gpu-packing');
    });

    it.each([
      ['utilization', /best-fit\d+\.\d%/],
      ['packing', /free, fragmented\d+\.\d%/],
      ['differences', /after correction/],
      ['distribution-slowdown', /best-fit\d+\.\d%/],
      ['schedule', /openb-pod-\d+machine/],
    ])('shows values at the pointer: %s', async (id, text) => {
      const chart = page.locator(`#${id}-chart`);
      await chart.evaluate((element) => element.scrollIntoView({ block: 'center', behavior: 'instant' }));
      const box = (await chart.boundingBox())!;
      const top = Math.max(box.y, 80);
      const bottom = Math.min(box.y + box.height, 880);
      // Many places, because not every point of a Gantt chart has a bar.
      for (let step = 0; step < 24 && !text.test((await chart.textContent())!); step++) {
        await page.mouse.move(box.x + box.width * (0.15 + step * 0.03), top + (bottom - top) * (0.1 + step * 0.03));
        await page.waitForTimeout(30);
      }
      expect(await chart.textContent()).toMatch(text);
      expect(problems).toEqual([]);
    });
  });

  it('shows hostile names as text', async () => {
    const hostile = '</script><script>alert(1)</script><img src=x onerror=alert(2)>';
    const sample = sampleDocument({ name: hostile, policies: 3 });
    const document: ResultDocument = {
      ...sample,
      notes: [hostile],
      policies: sample.policies.map((policy, index) => (index === 2 ? { ...policy, name: hostile } : policy)),
      comparisons: sample.comparisons.map((entry) =>
        entry.policy === sample.policies[2].name ? { ...entry, policy: hostile } : entry,
      ),
    };
    const page = await open(document, 1280);
    expect(await page.locator('h1').textContent()).toBe(hostile);
    expect(await page.locator('img').count()).toBe(0);
    const box = (await page.locator('#utilization-chart').boundingBox())!;
    await page.evaluate(`scrollTo(0, ${box.y - 100})`);
    await page.mouse.move(box.x + box.width / 2, 200);
    await page.waitForTimeout(100);
    expect(await page.locator('#utilization-chart').textContent()).toContain(hostile);
    expect(await page.locator('img').count()).toBe(0);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('stands one seed and one policy', async () => {
    const page = await open(sampleDocument({ seeds: [4], policies: 1 }), 1280);
    expect(await page.evaluate(layoutFaults)).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });
});
