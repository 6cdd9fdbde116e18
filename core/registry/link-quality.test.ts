import { expect, test } from 'vitest';
import { LinkQuality } from './link-quality.ts';

test('round trip and jitter follow RFC 6298 and RFC 3550, by hand', () => {
  const links = new LinkQuality(1);
  for (const micros of [800, 1600, 800]) links.echoed(0, micros);
  const { roundTripMicros, jitterMicros, roundTripMicrosMin, echoCount } = links.report(0);
  // 800; 800 + 800/8 = 900; 900 − 100/8 = 887.5. Jitter: 800/16 = 50; 50 + 750/16 = 96.875.
  expect({ roundTripMicros, jitterMicros, roundTripMicrosMin, echoCount }).toEqual({
    roundTripMicros: 887.5,
    jitterMicros: 96.875,
    roundTripMicrosMin: 800,
    echoCount: 3,
  });
});

test('loss is the share of the latest messages; throughput is what is above the bare round trip', () => {
  const links = new LinkQuality(1);
  for (let message = 0; message < 1000; message++) {
    if (message % 5 === 0) links.lost(0);
    else links.echoed(0, 1000);
  }
  expect(links.report(0).loss).toBeGreaterThan(0.15);
  expect(links.report(0).loss).toBeLessThan(0.25);
  expect(links.report(0).bytesPerSecond).toBeUndefined();
  links.echoed(0, 11_000, 1_000_000);
  expect(links.report(0).bytesPerSecond).toBe(1e8);
});

test('a link is flagged when it has been unlike its peers for a while, and cleared the same way', () => {
  const links = new LinkQuality(10);
  const round = (micros: number): void => {
    for (let link = 0; link < 10; link++) links.echoed(link, link === 3 ? micros : 1000 + link);
    links.judge();
  };
  for (let count = 0; count < 20; count++) round(1000);
  expect(links.flagged()).toEqual([]);
  for (let count = 0; count < 4; count++) round(9000);
  expect(links.flagged(), 'not yet').toEqual([]);
  for (let count = 0; count < 20; count++) round(9000);
  expect(links.flagged().map(({ link, anomalies }) => [link, anomalies])).toEqual([[3, ['slow']]]);
  for (let count = 0; count < 60; count++) round(1000);
  expect(links.flagged()).toEqual([]);
});

test('a link that becomes slower than it was is told from one that always was slow', () => {
  const links = new LinkQuality(3);
  for (let count = 0; count < 100; count++) {
    links.echoed(0, 1000 + (count % 7));
    links.echoed(1, 50_000 + (count % 7));
    links.echoed(2, count < 80 ? 1000 + (count % 7) : 5000);
    links.judge();
  }
  expect(links.flagged().map(({ link, anomalies }) => [link, anomalies])).toEqual([[2, ['slower']]]);
});
