// Agents that die, that lose their connection, and a kernel that does: how soon the work runs elsewhere, and where it goes on.

import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ReleasedInput } from '../kernel/journaled-kernel.ts';
import { tensorFrom } from './client.ts';
import { LiveFixture, until } from './live-fixture.contract.ts';
import { killed, LiveProcesses } from './live-processes.contract.ts';

let fixture: LiveFixture;
const released: ReleasedInput[] = [];
beforeEach(async () => {
  // A lease so long that it is not what is seen here.
  fixture = await LiveFixture.start({ settings: { 'registry.leaseMicros': 60_000_000 } });
  released.length = 0;
  fixture.running.live.listen({ released: (input) => void released.push(input) });
});
afterEach(() => fixture.end());

const agentOf = (name: string) => fixture.running.live.kernel.control.registry.rowOf(name);
const isReady = (name: string) => {
  const { registry } = fixture.running.live.kernel.control;
  return registry.rowOf(name) >= 0 && registry.takesWork(registry.rowOf(name));
};

test('the process of an agent is killed: its task runs elsewhere within seconds, under a lease of a minute', {
  timeout: 180_000,
}, async () => {
  const processes = new LiveProcesses();
  fixture.atEnd(() => processes.end());
  processes.address = fixture.running.grpc.address;
  const first = processes.startAgent('first');
  await until(() => isReady('first'));
  const tester = await fixture.submitter();
  const matrix = tensorFrom(Float64Array.of(1, 2, 3, 4), [2, 2]);
  const task = await tester.submit({
    function: 'matrix-multiply',
    parameters: { delayMillis: 1500 },
    inputs: { left: matrix, right: matrix },
  });
  await until(() => released.some(({ body }) => body.kind === 'dispatchAccepted'), 120_000);
  processes.startAgent('second');
  await until(() => isReady('second'));
  const killedMillis = performance.now();
  await killed(first, 'SIGKILL');
  await until(() => released.some(({ body }) => body.kind === 'dispatchAccepted' && body.agent === agentOf('second')));
  expect(performance.now() - killedMillis).toBeLessThan(30_000);
  expect(await task.ended).toMatchObject({ outcome: 'completed', agent: 'second', attempts: 2 });
  const news = released.flatMap(({ effects }) => effects).filter((effect) => effect.kind === 'agentStateChanged');
  expect(news.filter(({ agent }) => agent === agentOf('first')).map(({ to, reason }) => `${to}: ${reason}`)).toEqual([
    'ready: reported ready',
    'suspect: connection closed',
    'dead: lease expired',
  ]);
  expect(released.some(({ body }) => body.kind === 'agentDisconnected')).toBe(true);
});

test('a connection that breaks and comes back takes no work away', { timeout: 180_000 }, async () => {
  let begun = 0;
  let finish = (): void => {};
  const agent = fixture.agents({
    name: 'steady',
    functions: {
      wait: () => {
        begun++;
        return new Promise((resolve) => {
          finish = () => resolve({});
        });
      },
    },
  });
  const tester = await fixture.submitter();
  const task = await tester.submit({ function: 'wait' });
  await until(() => begun === 1);
  agent.break();
  await until(() => released.some(({ body }) => body.kind === 'agentDisconnected'));
  await until(() => isReady('steady'));
  // Longer than the grace.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  finish();
  expect(await task.ended).toMatchObject({ outcome: 'completed', attempts: 1 });
  expect(begun).toBe(1);
});

test('a kernel that stops and comes back takes no work away either', { timeout: 180_000 }, async () => {
  let begun = 0;
  let finish = (): void => {};
  fixture.agents({
    name: 'steady',
    functions: {
      wait: () => {
        begun++;
        return new Promise((resolve) => {
          finish = () => resolve({});
        });
      },
    },
  });
  const tester = await fixture.submitter();
  const task = await tester.submit({ function: 'wait' });
  await until(() => begun === 1);
  await fixture.restart();
  await until(() => isReady('steady'));
  expect(released.some(({ body }) => body.kind === 'agentDisconnected')).toBe(false);
  finish();
  expect(await task.ended).toMatchObject({ outcome: 'completed', attempts: 1 });
  expect(begun).toBe(1);
});
