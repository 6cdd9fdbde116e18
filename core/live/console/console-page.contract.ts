// The console opened in a browser by tests, which hear of whatever goes wrong in the page. Not a test itself.

import type { Browser, Page } from 'playwright-core';

export interface OpenedConsole {
  readonly width?: number;
  readonly colorScheme?: 'light' | 'dark';
  /** Of the reader, where the kernel asks for one. */
  readonly token?: string;
  /** `#policies`. */
  readonly view?: string;
  /** Gathers errors and warnings of the page, and requests to anybody but the kernel. */
  readonly problems: string[];
}

/** Resolves when the page has drawn what the kernel told first. */
export async function openConsole(browser: Browser, url: string, options: OpenedConsole): Promise<Page> {
  const { width = 1280, colorScheme = 'light', token, view = '', problems } = options;
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme,
    ...(token === undefined ? {} : { ignoreHTTPSErrors: true, httpCredentials: { username: 'any', password: token } }),
  });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error.stack)));
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:'))
      problems.push(`request: ${request.url()}`);
  });
  await page.goto(`${url}/${view}`);
  await page.waitForSelector('html[data-ready]', { timeout: 10_000 }).catch((error) => {
    throw new Error(`the console is not ready: ${problems.join('; ')}`, { cause: error });
  });
  return page;
}

/** What is wrong with the layout, as text. Runs in the page. */
export const layoutFaults = `(() => {
  const faults = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) faults.push('the page is ' + root.scrollWidth + ' px wide');
  for (const chart of document.querySelectorAll('.chart')) {
    if (chart.offsetParent === null) continue;
    const drawing = chart.querySelector('svg');
    if (!drawing || drawing.querySelectorAll('path').length < 3) faults.push(chart.id + ' is empty');
  }
  for (const field of document.querySelectorAll('input, select, textarea'))
    if (!field.labels.length && !field.getAttribute('aria-label')) faults.push(field.outerHTML + ' has no label');
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  if (new Set(ids).size !== ids.length) faults.push('an id is used twice');
  return faults;
})()`;
