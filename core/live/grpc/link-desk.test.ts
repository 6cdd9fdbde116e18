import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silentLogger } from '../logger.ts';
import { defaultLinkDeskOptions, LinkDesk, type MeasuredStream } from './link-desk.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A stream that answers after a while, or not at all. */
class Peer implements MeasuredStream {
  waiting = 0;
  address = '10.0.0.1:5';
  pings = 0;
  bytes = 0;
  private readonly desk: () => LinkDesk;
  private readonly delayMillis: (ping: number, bytes: number) => number | undefined;

  constructor(desk: () => LinkDesk, delayMillis: (ping: number, bytes: number) => number | undefined) {
    this.desk = desk;
    this.delayMillis = delayMillis;
  }

  ping(id: number, padding: Uint8Array): void {
    this.pings++;
    this.bytes += padding.length;
    this.desk().sent(id);
    const delay = this.delayMillis(this.pings, padding.length);
    if (delay !== undefined) setTimeout(() => this.desk().answered(this, id), delay);
  }
}

function deskOf(options = {}) {
  const desk: LinkDesk = new LinkDesk(() => Math.round(performance.now() * 1000), silentLogger, {
    ...defaultLinkDeskOptions,
    ...options,
  });
  const peer = (name: string, delayMillis: (ping: number, bytes: number) => number | undefined) => {
    const stream = new Peer(() => desk, delayMillis);
    desk.begin('agent', name, stream);
    return stream;
  };
  return { desk, peer, view: (name: string) => desk.views().find((one) => one.name === name)! };
}

test('round trip, jitter and throughput of a link', async () => {
  const { desk, peer, view } = deskOf();
  // Ten megabytes a second: 16 KiB there and back take 3.3 ms more.
  peer('steady', (_ping, bytes) => 10 + (2 * bytes) / 10_000);
  await vi.advanceTimersByTimeAsync(40_000);
  const steady = view('steady');
  expect(steady.echoCount).toBeGreaterThan(30);
  expect(steady.roundTripMicrosMin / 1000).toBeCloseTo(10, 0);
  expect(steady.roundTripMicros / 1000).toBeCloseTo(10, 0);
  expect(steady.bytesPerSecond! / 1e7).toBeCloseTo(1, 0);
  expect(steady).toMatchObject({ loss: 0, connected: true, echoes: true, connections: 1, anomalies: [] });
  desk.close();
});

test('what loses, or is unlike its peers, is flagged, and nobody else', async () => {
  const { desk, peer, view } = deskOf();
  for (let number = 0; number < 8; number++) peer(`good-${number}`, () => 5 + (number % 3) / 10);
  peer('lossy', (ping) => (ping % 3 === 0 ? undefined : 5));
  peer('slow', () => 80);
  let late = 5;
  peer('changing', () => late);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(view('lossy').anomalies).toContain('lossy');
  expect(view('lossy').loss).toBeGreaterThan(0.1);
  expect(view('slow').anomalies).toContain('slow');
  late = 60;
  await vi.advanceTimersByTimeAsync(25_000);
  expect(view('changing').anomalies).toContain('slower');
  for (let number = 0; number < 8; number++) expect(view(`good-${number}`).anomalies).toEqual([]);
  late = 5;
  await vi.advanceTimersByTimeAsync(120_000);
  expect(view('changing').anomalies).toEqual([]);
  desk.close();
});

test('who does not know the question is not blamed, and who does not read gets no more to read', async () => {
  const { desk, peer, view } = deskOf();
  const old = peer('old', () => undefined);
  const stuck = peer('stuck', () => 1);
  await vi.advanceTimersByTimeAsync(3000);
  stuck.waiting = 4;
  const before = stuck.pings;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(view('old')).toMatchObject({ lostCount: 0, echoes: false, echoCount: 0 });
  expect(old.pings).toBeLessThan(15);
  expect(stuck.pings).toBe(before);
  desk.close();
});

test('thousands of links share a bounded number of messages a second', async () => {
  const { desk, peer } = deskOf({ pingsPerSecondMax: 100 });
  const peers = Array.from({ length: 1000 }, (_, number) => peer(`agent-${number}`, () => 1));
  await vi.advanceTimersByTimeAsync(20_000);
  const pings = peers.reduce((sum, one) => sum + one.pings, 0);
  expect(pings).toBeGreaterThan(1000);
  expect(pings).toBeLessThan(2600);
  expect(Math.min(...peers.map((one) => one.pings))).toBeGreaterThan(0);
  desk.close();
});

test('a link is remembered when its stream ends, goes on when it comes back, and is forgotten in the end', async () => {
  const { desk, peer, view } = deskOf({ formerMax: 2 });
  const first = peer('roaming', () => 1);
  await vi.advanceTimersByTimeAsync(5000);
  desk.end(first);
  const { echoCount } = view('roaming');
  expect(view('roaming')).toMatchObject({ connected: false });
  peer('roaming', () => 1);
  await vi.advanceTimersByTimeAsync(2000);
  expect(view('roaming')).toMatchObject({ connected: true, connections: 2 });
  expect(view('roaming').echoCount).toBeGreaterThan(echoCount);
  for (const name of ['a', 'b', 'c']) desk.end(peer(name, () => 1));
  expect(desk.views().map(({ name }) => name)).toEqual(['roaming', 'b', 'c']);
  desk.close();
});
