// `sira certs` and `sira start --security` as processes, from nothing to work and a change by those who may.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest';
import { AgentConnection, clientCredentials, Submitter } from './client.ts';
import { built, LiveProcesses } from './live-processes.contract.ts';

let processes: LiveProcesses;
beforeEach(() => {
  processes = new LiveProcesses();
  onTestFailed(() => void process.stderr.write(processes.errors.join('')));
});
afterEach(() => processes.end());

function sira(words: readonly string[], more: NodeJS.ProcessEnv = {}) {
  const env = { ...process.env, FORCE_COLOR: '', ...more };
  return spawnSync(process.execPath, [join(built, 'sira.js'), ...words], {
    cwd: processes.folder,
    encoding: 'utf8',
    env,
  });
}

test('from nothing to work and a change by those who may, and by nobody else', async () => {
  const folder = join(processes.folder, 'sira-certs');
  expect(sira(['certs', 'client', 'alice', '--role', 'submit']).stderr).toContain('SIRA_FILE_MISSING');
  expect(sira(['certs', 'init']).stdout).toContain('127.0.0.1');
  const authority = readFileSync(join(folder, 'ca.crt'), 'utf8');
  expect(sira(['certs', 'init', '--host', 'elsewhere']).stdout).toContain('was there');
  expect(readFileSync(join(folder, 'ca.crt'), 'utf8')).toBe(authority);
  expect(sira(['certs', 'client', 'alice', '--role', 'submit', 'register']).status).toBe(0);
  expect(sira(['certs', 'client', 'a b', '--role', 'submit']).status).toBe(2);
  expect(sira(['certs', 'client', 'kernel', '--role', 'submit']).status).toBe(2);
  const [, token = ''] = /token +(\S+)/.exec(sira(['certs', 'token', 'ops', '--role', 'administer']).stdout) ?? [];
  expect(token).toMatch(/^sira_/);

  await processes.startKernel('--security', folder);
  const credentials = clientCredentials(folder, 'alice');
  const agents = AgentConnection.start({
    address: processes.address,
    agents: [{ name: 'alice/worker', functions: { echo: async (inputs) => inputs } }],
    credentials,
  });
  const alice = await Submitter.connect({ address: processes.address, name: 'alice', credentials });
  expect((await alice.run({ function: 'echo' })).outcome).toBe('completed');
  alice.abandon();
  await agents.stop();

  const env = { SIRA_URL: `https://${processes.httpAddress}`, NODE_EXTRA_CA_CERTS: join(folder, 'ca.crt') };
  const set = ['config', 'set', 'scheduler.attemptsMax=9', '--who', 'ops', '--why', 'test'];
  expect(sira(set, env).stderr).toContain('SIRA_UNAUTHENTICATED');
  expect(sira(set, { ...env, SIRA_TOKEN: token }).stdout).toContain('version 2');
  expect(sira(['certs', 'tokens']).stdout).toContain('administer');
  expect(sira(['certs', 'revoke', 'ops']).status).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(sira(set, { ...env, SIRA_TOKEN: token }).stderr).toContain('SIRA_UNAUTHENTICATED');
}, 60_000);

test('a kernel that others reach does not start in the clear', () => {
  const { status, stderr } = sira(['start', '--grpc', '0.0.0.0:0', '--http', '127.0.0.1:0']);
  expect([status, stderr]).toEqual([2, expect.stringContaining('SIRA_LISTEN_INSECURE')]);
});
