// The browser that tests open pages in: Debian's chromium, or Chrome. Not a test itself.

import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** `undefined` if there is none. */
export const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

/** What to say then: `what` was not done. */
export function noChromium(what: string): string {
  return `chromium is not installed (Debian: apt-get install chromium); ${what}`;
}

/** It asks nobody anything by itself. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath as string,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
      '--disable-sync',
    ],
  });
}
