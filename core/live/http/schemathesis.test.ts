// Every route of the kernel's own as its description says that it is.

import { expect, test } from 'vitest';
import { LiveFixture, until } from '../live-fixture.contract.ts';
import { hasSchemathesis, requireSchemathesis, tryApi } from './schemathesis.contract.ts';

requireSchemathesis();

test.runIf(hasSchemathesis)('every route keeps what it promises', { timeout: 300_000 }, async () => {
  const fixture = await LiveFixture.start();
  fixture.agents({ name: 'worker', functions: { echo: (inputs) => inputs } });
  try {
    // Streams of events do not end, and metrics are no JSON; models are tried below, where nobody drains their agents.
    const output = await tryApi(fixture.running.http.url, ['--exclude-path-regex', '/v1/events|/metrics|/v2/models']);
    expect(output).toMatch(/Tested: [2-9]\d/);
    expect(fixture.running.live.refusal).toBeUndefined();
  } finally {
    await fixture.end();
  }
});

test.runIf(hasSchemathesis)('so does the Open Inference Protocol', { timeout: 300_000 }, async () => {
  // The agent is believed to live, however busy the machine is.
  const settings = { 'registry.leaseMicros': '10min', 'registry.heartbeatIntervalMicros': '2min' };
  const fixture = await LiveFixture.start({ settings });
  // What the examples of the description speak of.
  const rows = [{ name: 'rows', dataType: 'float32', shape: [-1, 3] }] as const;
  const models = [{ function: 'echo', name: 'linear', version: '1', inputs: rows, outputs: rows }];
  fixture.agents({ name: 'worker', functions: { echo: (inputs) => inputs }, models });
  try {
    await until(async () => (await fixture.fetch('/v2/models/linear/ready')).ok);
    const output = await tryApi(fixture.running.http.url, ['--include-path-regex', '^/v2']);
    expect(output).toContain('Tested: 9');
  } finally {
    await fixture.end();
  }
});
