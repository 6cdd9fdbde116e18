// Rollouts in the console, in a real browser over a kernel with certificates and real agents at work: an operator moves one on, and
// who may only read is told so. Needs Debian's chromium, as console.test.ts does.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentConnection, clientCredentials, Submitter } from '../client.ts';
import { LiveFixture } from '../live-fixture.contract.ts';
import { DevelopmentAuthority } from '../security/authority.ts';
import { makeToken, writeTokens } from '../security/tokens.ts';
import { chromiumPath, launchChromium, noChromium } from './chromium.contract.ts';
import { layoutFaults, openConsole } from './console-page.contract.ts';

if (!chromiumPath && !process.env.CI)
  console.warn(`skipped: ${noChromium('the rollouts were not opened in a browser')}`);

describe.runIf(chromiumPath)('rollouts in chromium', () => {
  const certificates = mkdtempSync(join(tmpdir(), 'sira-console-certificates-'));
  const problems: string[] = [];
  const boss = makeToken('boss', ['administer'], Date.now() + 1e6);
  const reader = makeToken('reader', ['subscribe'], Date.now() + 1e6);
  let fixture: LiveFixture;
  let browser: Browser;
  let page: Page;
  let working = true;
  let feeding: Promise<void>;

  const open = (token: string, width?: number): Promise<Page> =>
    openConsole(browser, fixture.running.http.url, {
      ...{ token, problems, view: '#policies' },
      ...(width === undefined ? {} : { width }),
    });

  beforeAll(async () => {
    const authority = await DevelopmentAuthority.open(certificates);
    await authority.issueServer(['localhost', '127.0.0.1'], 2);
    await authority.issueClient('worker', ['register'], 2);
    await authority.issueClient('alice', ['submit'], 2);
    writeTokens(join(certificates, 'tokens.json'), [boss.stored, reader.stored]);
    fixture = await LiveFixture.start({ security: { folder: certificates } });
    const { address } = fixture.running.grpc;
    const agents = AgentConnection.start({
      address,
      credentials: clientCredentials(certificates, 'worker'),
      agents: [{ name: 'worker', functions: { echo: (inputs) => inputs } }],
    });
    const submitter = await Submitter.connect({
      ...{ address, name: 'alice', credentials: clientCredentials(certificates, 'alice') },
    });
    feeding = (async () => {
      while (working) {
        await submitter.submit({ function: 'echo' });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    fixture.atEnd(async () => {
      working = false;
      await feeding;
      submitter.abandon();
      await agents.stop();
    });
    browser = await launchChromium();
    page = await open(boss.token);
  });
  afterAll(async () => {
    await browser?.close();
    await fixture?.end();
    rmSync(certificates, { recursive: true, force: true });
  });

  const rollout = () => page.textContent('#rollout-1');
  const command = async (button: string, why: string): Promise<void> => {
    await page.click(`#rollout-1 >> text=${button}`);
    await page.fill('.why-form input[name=why]', why);
    await page.click('.why-form button');
    await page.waitForSelector('#drawer', { state: 'hidden' });
  };

  it('moves a candidate on from gate to canary, with its guards, and takes it back', async () => {
    expect(await page.textContent('#policy-serving')).toMatch(/version 1.*orderpriority/);
    expect(await page.textContent('#policy-rollouts')).toContain('No candidate was ever proposed.');
    const plan = { shadowDecisions: 5, guards: [{ metric: 'queueLength', atMost: 100_000 }] };
    const proposal = { name: 'short-first', policy: { order: 'sjf' }, plan, who: 'ann', why: 'short tasks wait' };
    await page.evaluate(
      `fetch('/v1/policies/rollouts', { method: 'POST', headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(JSON.stringify(proposal))} })`,
    );
    await expect.poll(rollout, { timeout: 10_000 }).toContain('It waits for what the simulation gate finds.');
    expect(await rollout()).toMatch(/orderpriority → sjf/);
    await command('Approve: replay gate', 'seen in the simulator');
    await expect.poll(rollout).toContain('It waits for what the replay gate finds.');
    await command('Approve: shadow', 'seen in a replay');
    await expect.poll(rollout, { timeout: 10_000 }).toMatch(/It serves in turns with the incumbent: \d+ tasks/);
    await expect.poll(rollout, { timeout: 10_000 }).toMatch(/waiting tasks\d+100000good/);
    await page.waitForSelector('#rollout-1 .intervals .track', { timeout: 20_000 });
    expect(await page.evaluate(layoutFaults)).toEqual([]);
    await command('Hold', 'lunch');
    await expect.poll(rollout).toContain('It stands still: lunch. The last good policy serves.');
    await command('Go on', 'lunch is over');
    await command('Roll back', 'enough seen');
    await expect.poll(rollout).toMatch(/rolled back.*It was rolled back by boss \(console\): enough seen\./);
    expect(await page.textContent('#policy-history')).toMatch(/canary → rolled back.*boss \(console\).*enough seen/);
    expect(fixture.running.live.kernel.control.scheduler.profile.order).toBe('priority');
    expect(problems.splice(0)).toEqual([]);
  });

  it('says who may do what they ask for, and who may not', async () => {
    const machine = fixture.running.live.kernel.control.rollouts.machine;
    const proposal = { name: 'again', policy: { order: 'sjf' }, who: 'ann', why: 'once more' };
    await page.evaluate(
      `fetch('/v1/policies/rollouts', { method: 'POST', headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(JSON.stringify(proposal))} })`,
    );
    const readers = await open(reader.token, 400);
    await readers.click('#policy-rollouts .rollout >> nth=0 >> text=Reject');
    await readers.fill('.why-form input[name=why]', 'I do not like it');
    await readers.click('.why-form button');
    await readers.waitForSelector('.why-form .problem');
    expect(await readers.textContent('.why-form .problem')).toMatch(
      /reader has not the role administer.*SIRA_FORBIDDEN/,
    );
    expect(await readers.evaluate(layoutFaults)).toEqual([]);
    expect(machine.active?.stage).toBe('simulation');
    expect(problems.splice(0).filter((problem) => !problem.includes('403 (Forbidden)'))).toEqual([]);
    await readers.context().close();
  });
});
