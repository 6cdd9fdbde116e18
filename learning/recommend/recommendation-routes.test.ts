// The routes of recommendations as their description says that they are, on a kernel that has them.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasSchemathesis, requireSchemathesis, tryApi } from '../../core/live/http/schemathesis.contract.ts';
import { LiveFixture } from '../../core/live/live-fixture.contract.ts';
import { recommendationSettings } from '../../core/live/start-settings.ts';
import { recommendationPlugin } from './recommendation-plugin.ts';

requireSchemathesis();

test.runIf(hasSchemathesis)('every route of recommendations keeps what it promises', { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sira-advice-routes-'));
  const settings = recommendationSettings({ every: 'never', tasksMin: 20, seeds: 2 });
  const telemetry = { store: join(folder, 'telemetry.duckdb') };
  const fixture = await LiveFixture.start({ telemetry }, [recommendationPlugin(settings)]);
  fixture.atEnd(() => rmSync(folder, { recursive: true, force: true }));
  fixture.agents({ name: 'worker', functions: { echo: (inputs) => inputs } });
  try {
    // Something to ask for: numbers below ten are drawn often.
    for (let asked = 0; asked < 3; asked++)
      await fixture.ask('/v1/what-if', 'POST', { change: { policy: { order: 'sjf' } }, who: 'ann', why: 'test' });
    const output = await tryApi(fixture.running.http.url, ['--include-path-regex', '^/v1/(recommendations|what-if)']);
    expect(output).toContain('Tested: 9');
    expect(fixture.running.live.refusal).toBeUndefined();
  } finally {
    await fixture.end();
  }
});
