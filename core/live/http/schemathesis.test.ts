// The HTTP API as its own description says that it is: schemathesis (PyPI) makes requests from /openapi.json, right and wrong ones, and
// holds the answers to it. Needs `npm run provision:schemathesis`; without it the suite says so and is skipped, except in continuous
// integration, where its absence is a failure.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LiveFixture } from '../live-fixture.contract.ts';

const folder = join(import.meta.dirname, '..', '..', '..', '.services', 'schemathesis');
const isThere = existsSync(join(folder, 'schemathesis'));
const missing = 'schemathesis is not installed (npm run provision:schemathesis); the HTTP API was not tried';
if (!isThere && !process.env.CI) console.warn(`skipped: ${missing}`);

test.runIf(process.env.CI)('has a schemathesis to test with', () => {
  expect(isThere, missing).toBe(true);
});

/** Whether every request that fits its schema is taken is not asked: settings have bounds, and tensors sizes, that no schema says. */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
];

test.runIf(isThere)('every route keeps what it promises', { timeout: 300_000 }, async () => {
  const fixture = await LiveFixture.start();
  fixture.agents({ name: 'worker', functions: { echo: (inputs) => inputs } });
  const scratch = mkdtempSync(join(tmpdir(), 'sira-schemathesis-'));
  fixture.atEnd(() => rmSync(scratch, { recursive: true, force: true }));
  try {
    const words = ['-m', 'schemathesis.cli', 'run', `${fixture.running.http.url}/openapi.json`, '--no-color'];
    words.push('--max-examples', '8', '--seed', '1', '--phases', 'examples,fuzzing', '--checks', checks.join(','));
    // Streams of events do not end, and metrics are no JSON.
    words.push('--exclude-path-regex', '/v1/events|/metrics');
    const child = spawn('python3', words, { cwd: scratch, env: { ...process.env, PYTHONPATH: folder } });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    const status = await new Promise((resolve) => child.once('exit', resolve));
    expect(status, output).toBe(0);
    expect(output).toMatch(/Tested: [2-9]\d/);
    expect(fixture.running.live.refusal).toBeUndefined();
  } finally {
    await fixture.end();
  }
});
