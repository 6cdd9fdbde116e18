// Settings of the registry and of the broker changed over HTTP while agents are connected: they take effect, are rolled back, and a
// replay of the journal comes to the same.

import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LiveFixture, until } from './live-fixture.contract.ts';
import { readJournal } from './read-journal.ts';

let fixture: LiveFixture;
beforeEach(async () => {
  fixture = await LiveFixture.start();
});
afterEach(() => fixture.end());

test('agents take another heartbeat interval and lease without a restart, and go back', async () => {
  fixture.agents({ name: 'steady', functions: { echo: (inputs) => inputs } });
  const tester = await fixture.submitter();
  await tester.run({ function: 'echo' });
  const { live } = fixture.running;
  const stop = { beats: 0, terms: [] as unknown[] };
  live.listen({
    released: ({ body, effects }) => {
      if (body.kind === 'heartbeats') stop.beats += body.count;
      for (const effect of effects)
        if (effect.kind === 'heartbeatsRecorded') stop.terms.push(effect.terms?.leaseMicros);
    },
  });
  await until(() => stop.beats >= 2);
  expect(new Set(stop.terms)).toEqual(new Set([undefined]));
  const values = {
    'registry.heartbeatIntervalMicros': '50ms',
    'registry.leaseMicros': '30s',
    'bus.topicLengthMax': 100,
    'skills.optimism': 2,
  };
  const { version } = await fixture.ask('/v1/config', 'PATCH', { values, who: 'ada', why: 'a faster look' });
  // It hears of it with its next receipt, half a second later at most.
  await until(() => stop.terms.includes(30_000_000));
  stop.beats = 0;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(stop.beats).toBeGreaterThan(10);
  await tester.run({ function: 'echo' });
  const row = live.kernel.control.registry.rowOf('steady');
  expect(live.kernel.control.registry.leaseExpiryMicros[row]).toBeGreaterThan(live.now() + 20_000_000);
  await fixture.ask('/v1/config/rollback', 'POST', { version: version - 1, who: 'ada', why: 'enough' });
  expect((await fixture.ask('/v1/config/registry.leaseMicros')).setting.value).toBe(4_000_000);
  stop.terms.length = 0;
  await until(() => stop.terms.includes(4_000_000));
  expect(live.kernel.control.registry.state(row)).toBe('ready');
  const data = join(fixture.folder, 'data');
  await live.settled();
  await fixture.running.grpc.stop();
  await live.settled();
  const digest = live.kernel.digest;
  const replayed = await readJournal({ log: join(data, 'log'), snapshots: join(data, 'snapshots') }, () => {});
  expect(replayed.digest).toBe(digest);
});
