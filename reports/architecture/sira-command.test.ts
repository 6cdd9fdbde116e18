// The command as people run it: a process with an exit code. `npm test` builds it first.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';

function sira(words: readonly string[], environment: Record<string, string> = {}): SpawnSyncReturns<string> {
  expect(existsSync('dist/sira.js'), 'run `npm run build` first').toBe(true);
  return spawnSync(process.execPath, ['dist/sira.js', ...words], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
}

test('alone it shows what there is and ends well, without colours in a pipe', () => {
  const { status, stdout, stderr } = sira([], { FORCE_COLOR: '' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  for (const command of ['check', 'policies', 'doctor']) expect(stdout).toContain(`\n  ${command} `);
  expect(stdout).not.toContain('\u001b[');
});

test('mistakes end with 2 and a way out, failures never with a stack trace', () => {
  for (const words of [['chekc'], ['check'], ['check', 'nothing.yaml'], ['check', 'package.json'], ['check', '.']]) {
    const { status, stdout, stderr } = sira(words);
    expect(status, words.join(' ')).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error\[SIRA_[A-Z_]+\] .+\n( {2}at .+\n)? {2}do: .+\n/);
    expect(stderr).not.toMatch(/^\s+at .*\.[jt]s:\d+:\d+\)?$/m);
  }
});

test('a reader that leaves early is no error', () => {
  const { status, stderr } = spawnSync('bash', ['-c', 'set -o pipefail; node dist/sira.js policies --json | true'], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
