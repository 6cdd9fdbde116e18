// A deliberately bad policy on a live kernel, with a real agent and submitter: it gets its canary, a guard is breached, and the last good
// policy serves again within a second.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AgentConnection, Submitter } from '../client.ts';
import { silentLogger } from '../logger.ts';
import { type RunningKernel, runKernel } from '../run-kernel.ts';
import { startSettings } from '../start-settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'sira-policies-'));
let running: RunningKernel;
let agents: AgentConnection;
let submitter: Submitter;

beforeAll(async () => {
  const fields = { data: join(folder, 'data'), durability: 'processCrash' } as const;
  const addresses = { grpc: { address: '127.0.0.1:0', heartbeatBatch: '20ms' }, http: { address: '127.0.0.1:0' } };
  running = await runKernel(startSettings({ ...fields, ...addresses }), '1.2.3', silentLogger);
  agents = AgentConnection.start({
    address: running.grpc.address,
    retryMicros: 200_000,
    agents: ['one', 'two'].map((name) => ({
      ...{ name, functions: { echo: async (inputs) => inputs }, resources: { cpuMilli: 4000, memoryMib: 4096 } },
    })),
  });
  submitter = await Submitter.connect({ address: running.grpc.address, name: 'tester', retryMicros: 200_000 });
  while (running.live.kernel.control.registry.size < 2) await pause(5);
});
afterAll(async () => {
  submitter.abandon();
  await agents.stop();
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field.
async function call(method: 'GET' | 'POST', url: string, payload?: object): Promise<{ status: number; body: any }> {
  const { server } = running.http;
  const response = await server.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
  return { status: response.statusCode, body: response.json() };
}

const said = { who: 'ann', why: 'test' };

test('a bad policy is rolled back within a second of the breach', async () => {
  const queueMax = 15;
  const policy = { unplaced: 'block' };
  const plan = {
    ...{ shadowDecisions: 0, lookMicros: 100_000, guards: [{ metric: 'queueLength', atMost: queueMax }] },
    canary: { blockTasks: 60, washoutTasks: 0, tasksMax: 5000 },
  };
  const proposed = await call('POST', '/v1/policies/rollouts', { name: 'blocks', policy, plan, ...said });
  expect(proposed).toMatchObject({ status: 200, body: { rollout: 1 } });
  const again = await call('POST', '/v1/policies/rollouts', { name: 'other', policy, plan, ...said });
  expect(again).toMatchObject({ status: 409, body: { code: 'SIRA_ROLLOUT_REFUSED' } });
  for (const witness of ['simulation', 'replay'])
    expect(
      await call('POST', '/v1/policies/rollouts/1/witness', { witness, verdict: 'pass', evidence: 'by hand', ...said }),
    ).toMatchObject({ status: 200 });
  // Fits nowhere: the incumbent goes past it, the candidate stands still before it.
  const stuck = await submitter.submit({ function: 'echo', request: { cpuMilli: 100_000 } });
  const { machine } = running.live.kernel.control.rollouts;
  let breachedAt = 0;
  const ends: Promise<unknown>[] = [];
  const giveUp = performance.now() + 60_000;
  while (machine.active !== undefined && performance.now() < giveUp) {
    ends.push((await submitter.submit({ function: 'echo', request: { cpuMilli: 100 } })).ended);
    if (breachedAt === 0 && running.live.kernel.control.scheduler.queueLength > queueMax)
      breachedAt = performance.now();
    await pause(2);
  }
  const tookMillis = performance.now() - breachedAt;
  expect(machine.rollouts[0]?.stage).toBe('rolledBack');
  expect(machine.rollouts[0]?.testimonies.at(-1)?.evidence).toContain('queueLength');
  expect(breachedAt).toBeGreaterThan(0);
  expect(tookMillis).toBeLessThan(1000);
  expect(running.live.kernel.control.scheduler.profile.unplaced).not.toBe('block');
  await Promise.all(ends);
  stuck.cancel();
});

test('a promoted policy is rolled back by the kernel itself when other tasks come than it was trusted with', async () => {
  const { machine } = running.live.kernel.control.rollouts;
  const plan = {
    ...{ shadowDecisions: 60, drift: { windowTasks: 20 } },
    canary: { blockTasks: 10, washoutTasks: 2, tasksMax: 200, slowdownFloorMicros: 1000 },
  };
  const proposed = await call('POST', '/v1/policies/rollouts', {
    name: 'spreads',
    policy: { place: 'spread' },
    plan,
    ...said,
  });
  expect(proposed).toMatchObject({ status: 200, body: { rollout: 2 } });
  for (const witness of ['simulation', 'replay'])
    await call('POST', '/v1/policies/rollouts/2/witness', { witness, verdict: 'pass', evidence: 'by hand', ...said });
  const work = async (cpuMilli: number, isOver: () => boolean): Promise<number> => {
    const giveUp = performance.now() + 60_000;
    let count = 0;
    for (; !isOver() && performance.now() < giveUp; count += 4)
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          const request = { cpuMilli: cpuMilli + (count % 7) };
          return (await submitter.submit({ function: 'echo', request, estimateMicros: 1000 })).ended;
        }),
      );
    return count;
  };
  const stage = (): string | undefined => machine.rollouts[1]?.stage;
  await work(100, () => stage() === 'promoted' || stage() === 'held');
  // Nobody can tell the two apart: a person decides.
  if (stage() === 'held') await call('POST', '/v1/policies/rollouts/2/approve', said);
  expect(machine.serves).toMatchObject({ name: 'spreads', version: 3 });
  const { body: policies } = await call('GET', '/v1/policies');
  expect(policies.watch.inputs.map(({ input }: { input: string }) => input)).toContain('demandShare');
  const tasks = await work(900, () => stage() === 'rolledBack');
  expect(stage()).toBe('rolledBack');
  expect(tasks).toBeLessThan(600);
  expect(machine.serves).toMatchObject({ version: 1 });
  const { body: history } = await call('GET', '/v1/policies/history');
  expect(history.events.at(-1)).toMatchObject({
    ...{ rollout: 2, from: 'promoted', to: 'rolledBack', who: 'drift watch', servesVersion: 1 },
    why: expect.stringContaining('has drifted'),
  });
});

test('everything that was decided can be read, and what cannot be is refused', async () => {
  const { body: policies } = await call('GET', '/v1/policies');
  expect(policies.serves).toMatchObject({ version: 1 });
  expect(policies.rollouts[0]).toMatchObject({
    rollout: 1,
    stage: 'rolledBack',
    candidate: { name: 'blocks', version: 2 },
  });
  const { body: history } = await call('GET', '/v1/policies/history');
  expect(history.events.slice(0, 5).map(({ to }: { to: string }) => to)).toEqual([
    ...['simulation', 'replay', 'shadow', 'canary', 'rolledBack'],
  ]);
  expect(history.events[0]).toMatchObject({ who: 'ann', why: 'test' });
  expect(await call('POST', '/v1/policies/rollouts/7/approve', said)).toMatchObject({ status: 404 });
  expect(await call('POST', '/v1/policies/rollback', said)).toMatchObject({ status: 409 });
  const odd = { name: 'odd', policy: { place: 'nowhere' }, ...said };
  expect(await call('POST', '/v1/policies/rollouts', odd)).toMatchObject({ status: 409 });
  const malformed = { name: 'odd', policy: {}, plan: { canary: { blockTasks: 'many' } }, ...said };
  expect((await call('POST', '/v1/policies/rollouts', malformed)).status).toBeGreaterThanOrEqual(400);
});
