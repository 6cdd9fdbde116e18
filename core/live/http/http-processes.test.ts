// The HTTP side of kernels and agents in processes of their own: what outlives SIGKILL, the command line over it, and one kernel
// from first to last as an operator meets it.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest';
import { Submitter, tensorFrom } from '../client.ts';
import { built, killed, LiveProcesses } from '../live-processes.contract.ts';

let processes: LiveProcesses;
beforeEach(() => {
  processes = new LiveProcesses();
  onTestFailed(() => void process.stderr.write(processes.errors.join('')));
});
afterEach(() => processes.end());

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field.
type Answer = any;

async function ask(path: string, method = 'GET', body?: object): Promise<Answer> {
  const response = await fetch(`http://${processes.httpAddress}${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return response.json();
}

function sira(...words: string[]) {
  const env = { ...process.env, SIRA_URL: `http://${processes.httpAddress}`, FORCE_COLOR: '' };
  return spawnSync(process.execPath, [join(built, 'sira.js'), ...words], { encoding: 'utf8', env });
}

async function until(condition: () => Promise<boolean>, millis = 60_000): Promise<void> {
  const end = performance.now() + millis;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('settings and their history outlive SIGKILL, as the operator who made them sees it', async () => {
  let kernel = await processes.startKernel();
  const set = sira(
    'config',
    'set',
    'scheduler.attemptsMax=5',
    'dispatch.retryMicros=2s',
    '--who',
    'ada',
    '--why',
    'try',
  );
  expect([set.status, set.stdout]).toEqual([
    0,
    'version 2\n  scheduler.attemptsMax  16 → 5\n  dispatch.retryMicros  1 s → 2 s\n',
  ]);
  const change = { value: 7, who: 'bob', why: 'more runners-up' };
  expect((await ask('/v1/config/scheduler.decisionRunnersUp', 'PUT', change)).version).toBe(3);
  const before = await ask('/v1/config/history');
  await killed(kernel, 'SIGKILL');
  kernel = await processes.startKernel();
  expect(await ask('/v1/config/history')).toEqual(before);
  expect((await ask('/v1/config/scheduler.attemptsMax')).setting.value).toBe(5);

  const diff = sira('config', 'diff', '1', '3');
  expect(diff.stdout).toContain('version 1 → 3\n  scheduler.attemptsMax  16 → 5\n');
  const back = sira('config', 'rollback', '1', '--who', 'ada', '--why', 'enough', '--if-version', '3');
  expect(back.stdout).toContain('version 4\n  scheduler.attemptsMax  5 → 16\n');
  const stale = sira('config', 'set', 'scheduler.attemptsMax=9', '--if-version', '3');
  expect([stale.status, stale.stderr]).toEqual([1, expect.stringContaining('error[SIRA_VERSION_CONFLICT]')]);
  const unknown = sira('config', 'get', 'scheduler.atemptsMax');
  expect([unknown.status, unknown.stderr]).toEqual([2, expect.stringContaining('did you mean scheduler.attemptsMax')]);
  await killed(kernel, 'SIGKILL');
  kernel = await processes.startKernel();
  const { history } = await ask('/v1/config/history?limit=1');
  expect(history).toMatchObject([{ version: 4, who: 'ada', why: 'back to version 1: enough' }]);
  const shown = sira('config', 'history');
  expect(shown.stdout).toMatch(/^version 4 \S+ {2}ada: back to version 1: enough\n/);
  expect(sira('config', 'get', 'dispatch.retryMicros').stdout).toMatch(/^dispatch\.retryMicros {2}1 s/);
  expect(await killed(kernel, 'SIGTERM')).toBe(0);
  const gone = sira('config', 'history');
  expect([gone.status, gone.stderr]).toEqual([1, expect.stringContaining('error[SIRA_KERNEL_UNREACHABLE]')]);
}, 120_000);

test('an agent that is killed is seen to die, and its task to go on elsewhere', async () => {
  const kernel = await processes.startKernel();
  const first = processes.startAgent('first');
  await until(async () => (await ask('/v1/agents?state=ready')).agents.length === 1);
  const submitter = await Submitter.connect({ address: processes.address, name: 'tester' });
  const matrix = tensorFrom(Float64Array.of(1), [1, 1]);
  const task = await submitter.submit({
    function: 'matrix-multiply',
    parameters: { delayMillis: 600_000 },
    inputs: { left: matrix, right: matrix },
  });
  await until(async () => (await ask('/v1/tasks?state=placed')).tasks[0]?.state === 'running');
  const [{ task: number }] = (await ask('/v1/tasks')).tasks;
  processes.startAgent('second');
  await until(async () => (await ask('/v1/agents?state=ready')).agents.length === 2);
  await killed(first, 'SIGKILL');
  await until(async () => (await ask(`/v1/tasks/${number}`)).task.agents[0] === 'second');
  const { task: moved, decisions } = await ask(`/v1/tasks/${number}`);
  expect(moved.attempts).toBe(2);
  expect(decisions.map(({ agents }: Answer) => agents)).toEqual([['second'], ['first']]);
  expect((await ask('/v1/agents/first')).agent).toMatchObject({ state: 'dead', connected: false, takesWork: false });
  const metrics = await (await fetch(`http://${processes.httpAddress}/metrics`)).text();
  expect(metrics).toContain('sira_agents{state="dead"} 1');
  expect((await ask(`/v1/tasks/${number}/cancel`, 'POST')).sequence).toBeGreaterThan(0);
  expect((await task.ended).outcome).toBe('cancelled');
  submitter.abandon();
  expect(await killed(kernel, 'SIGTERM')).toBe(0);
}, 120_000);
