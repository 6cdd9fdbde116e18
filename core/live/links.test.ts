// Links of real streams: measured, told over HTTP and to Prometheus, also those of a program that is not ours.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { Topics } from './client.ts';
import { LiveFixture, until } from './live-fixture.contract.ts';

let fixture: LiveFixture;
beforeEach(async () => {
  fixture = await LiveFixture.start();
});
afterEach(() => fixture.end());

interface Link {
  readonly name: string;
  readonly echoCount: number;
  readonly connected: boolean;
}

const links = async (query = ''): Promise<readonly Link[]> => (await fixture.ask(`/v1/links${query}`)).links;
const echoes = async (name: string) => (await links()).find((link) => link.name === name)?.echoCount ?? 0;

test('streams of agents, of submitters and of clients of topics are measured, and those that ended are remembered', async () => {
  const agent = fixture.agents({ name: 'a', functions: {} }, { name: 'b', functions: {} });
  const tester = await fixture.submitter('tester');
  await until(async () => (await echoes('a')) >= 3 && (await echoes('tester')) >= 3);
  const [first] = await links('?kind=agent');
  expect(first).toMatchObject({
    kind: 'agent',
    agents: 2,
    connected: true,
    connections: 1,
    echoes: true,
    loss: 0,
    lostCount: 0,
    anomalies: [],
    roundTripMicros: expect.any(Number),
    jitterMicros: expect.any(Number),
    address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
  });
  expect(await links('?kind=submitter&anomalous=false')).toHaveLength(1);
  expect(await links('?anomalous=true')).toEqual([]);
  agent.break();
  await until(async () => (await links('?kind=agent'))[0]?.connected === true);
  tester.abandon();
  await until(async () => (await links('?kind=submitter'))[0]?.connected === false);
  const topics = await Topics.connect({ address: fixture.running.grpc.address, name: 'reader' });
  await until(async () => (await echoes('reader')) >= 3);
  expect(await links('?kind=topicClient')).toMatchObject([{ name: 'reader', connected: true, echoes: true, loss: 0 }]);
  topics.close();
  await until(async () => (await links('?kind=topicClient'))[0]?.connected === false);
  const metrics = await (await fixture.fetch('/metrics')).text();
  expect(metrics).toMatch(/sira_link_round_trip_seconds_count\{kind="agent"\} [1-9]/);
  expect(metrics).toContain('sira_links_anomalous{kind="agent",anomaly="slow"} 0');
});
