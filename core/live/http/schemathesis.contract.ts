// The HTTP API as its own description says that it is: schemathesis (PyPI) makes requests from /openapi.json, right and wrong ones, and
// holds the answers to it. Needs `npm run provision:schemathesis`. Not a test itself: the layers that add routes try their own.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const folder = join(import.meta.dirname, '..', '..', '..', '.services', 'schemathesis');

/** Without it suites say so and are skipped, except in continuous integration, where its absence is a failure. */
export const hasSchemathesis = existsSync(join(folder, 'schemathesis'));

/** To be called once by each suite. */
export function requireSchemathesis(): void {
  const missing = 'schemathesis is not installed (npm run provision:schemathesis); the HTTP API was not tried';
  if (!hasSchemathesis && !process.env.CI) console.warn(`skipped: ${missing}`);
  test.runIf(process.env.CI)('has a schemathesis to test with', () => {
    expect(hasSchemathesis, missing).toBe(true);
  });
}

/** Whether every request that fits its schema is taken is not asked: settings have bounds, and tensors sizes, that no schema says. */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
];

/** Resolves with what it said when all answers are as described, and throws that otherwise. `paths`: words that choose some. */
export async function tryApi(url: string, paths: readonly string[]): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), 'sira-schemathesis-'));
  try {
    const words = ['-m', 'schemathesis.cli', 'run', `${url}/openapi.json`, '--no-color', '--request-timeout', '30'];
    words.push('--max-examples', '8', '--seed', '1', '--phases', 'examples,fuzzing', '--checks', checks.join(','));
    const child = spawn('python3', [...words, ...paths], { cwd: scratch, env: { ...process.env, PYTHONPATH: folder } });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    const status = await new Promise((resolve) => child.once('exit', resolve));
    expect(status, output).toBe(0);
    return output;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
