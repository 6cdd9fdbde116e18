import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { Simulation } from '../engine/simulation.ts';
import type { NetworkSpec } from '../experiment/scenario.ts';
import { type LatencySpec, sampleLatency } from './latency.ts';
import { Network } from './network.ts';
import { soundNetwork } from './sound-network.ts';

const perfect = soundNetwork(200);

class Bench {
  readonly simulation = new Simulation();
  /** Payload and time of arrival. */
  readonly arrived: [unknown, number][] = [];
  readonly network: Network;
  private readonly handler: number;

  constructor(changes: Partial<NetworkSpec> = {}, seed = 1) {
    this.handler = this.simulation.defineHandler('arrives', (_, payload) => {
      this.arrived.push([payload, this.simulation.nowMicros]);
    });
    this.network = new Network(this.simulation, { ...perfect, ...changes }, 6, new RandomStream(seed, 'network'));
  }

  send(payload: unknown, node = 3, bytes = 100): void {
    this.network.send(node, this.handler, 0, payload, bytes);
  }

  /** Sends `count` messages at time 0 and lets them all arrive. */
  sendMany(count: number): number[] {
    for (let number = 0; number < count; number++) this.send(number);
    this.simulation.runUntil(1e12);
    return this.arrived.map(([payload]) => payload as number);
  }
}

describe('the network', () => {
  test('calm while nothing can be lost, however often a node is cut off and joined again', () => {
    const { network } = new Bench();
    expect(network.isCalm).toBe(true);
    network.cut(3, true);
    network.cut(3, true);
    network.setLoss(4, 0.5);
    network.cut(3, false);
    expect(network.isCalm).toBe(false);
    network.setLoss(4, 0.2);
    network.setLoss(4, 0);
    expect(network.isCalm).toBe(true);
    expect(new Bench({ loss: 0.1 }).network.isCalm).toBe(false);
  });

  test('a clogged link delivers nothing, then everything at once, in order', () => {
    const bench = new Bench();
    bench.network.clog(3, true);
    expect(bench.network.isCalm).toBe(false);
    expect(bench.network.passes(3)).toBe(false);
    for (let number = 0; number < 3; number++) bench.send(number);
    bench.send('another', 4);
    bench.simulation.runUntil(5000);
    expect(bench.arrived).toEqual([['another', 200]]);
    bench.network.clog(3, true);
    bench.network.clog(3, false);
    expect(bench.network.isCalm).toBe(true);
    bench.send('after');
    bench.simulation.runUntil(9000);
    expect(bench.arrived.slice(1)).toEqual([0, 1, 2, 'after'].map((payload) => [payload, 5200]));
    expect(bench.network.sentCount).toBe(5);
  });

  test('perfect: the same delay for all, in the order of sending, nothing drawn', () => {
    const bench = new Bench();
    expect(bench.sendMany(5)).toEqual([0, 1, 2, 3, 4]);
    expect(bench.arrived.map(([, at]) => at)).toEqual([200, 200, 200, 200, 200]);
    const zero = new Bench({ latency: { distribution: 'constant', meanMicros: 0, sigma: 0 } });
    zero.sendMany(3);
    expect(zero.arrived).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
    ]);
  });

  test('loses and doubles as often as it says', () => {
    const count = 20_000;
    const lossy = new Bench({ loss: 0.2 });
    const share = lossy.sendMany(count).length / count;
    expect(share).toBeGreaterThan(0.79);
    expect(share).toBeLessThan(0.81);
    expect(lossy.network.lostCount).toBe(count - lossy.arrived.length);
    const doubling = new Bench({ duplication: 0.1 });
    const seen = doubling.sendMany(count);
    expect(seen.length / count).toBeGreaterThan(1.09);
    expect(seen.length / count).toBeLessThan(1.11);
    expect(new Set(seen).size).toBe(count);
  });

  test('reorders some: they arrive late, the others as they were', () => {
    const bench = new Bench({ reordering: 0.3 });
    const order = bench.sendMany(1000);
    expect(order.toSorted((left, right) => left - right)).toEqual(Array.from({ length: 1000 }, (_, index) => index));
    expect(order).not.toEqual(order.toSorted((left, right) => left - right));
    const late = bench.arrived.filter(([, at]) => at > 200);
    expect(late.length).toBeGreaterThan(250);
    expect(late.length).toBeLessThan(350);
    expect(new Set(late.map(([, at]) => at))).toEqual(new Set([200 + 1 + 4 * 200]));
  });

  test('a link carries one message after the other, each node its own', () => {
    const bench = new Bench({ bandwidthBytesPerSecond: 1_000_000 });
    bench.send('a', 3, 500);
    bench.send('b', 3, 250);
    bench.send('c', 4, 100);
    bench.simulation.runUntil(10_000);
    bench.send('d', 3, 1);
    bench.simulation.runUntil(20_000);
    expect(bench.arrived).toEqual([
      ['c', 300],
      ['a', 700],
      ['b', 950],
      ['d', 10_201],
    ]);
  });

  test('a partition cuts one node off, and what was sent before it arrives', () => {
    const bench = new Bench();
    bench.send('before');
    bench.network.cut(3, true);
    bench.send('lost');
    bench.send('elsewhere', 4);
    bench.network.cut(3, false);
    bench.send('after');
    bench.simulation.runUntil(1000);
    expect(bench.arrived.map(([payload]) => payload)).toEqual(['before', 'elsewhere', 'after']);
    expect([bench.network.sentCount, bench.network.lostCount]).toEqual([4, 1]);
  });

  test('a lossy link is as bad as the worse of link and network', () => {
    const bench = new Bench({ loss: 0.1 });
    bench.network.setLoss(3, 0.5);
    const share = bench.sendMany(10_000).length / 10_000;
    expect(share).toBeGreaterThan(0.48);
    expect(share).toBeLessThan(0.52);
    bench.network.setLoss(3, 0);
    bench.arrived.length = 0;
    for (let number = 0; number < 10_000; number++) bench.send(number);
    bench.simulation.runUntil(2e12);
    expect(bench.arrived.length).toBeGreaterThan(8800);
  });

  test('the same seed draws the same fate', () => {
    const troubled = {
      loss: 0.1,
      duplication: 0.1,
      reordering: 0.1,
      latency: { distribution: 'exponential', meanMicros: 500, sigma: 0 },
    } as const;
    const [one, same, other] = [1, 1, 2].map((seed) => {
      const bench = new Bench(troubled, seed);
      bench.sendMany(200);
      return bench.arrived;
    });
    expect(same).toEqual(one);
    expect(other).not.toEqual(one);
  });
});

describe('latency', () => {
  test.each<LatencySpec>([
    { distribution: 'constant', meanMicros: 1000, sigma: 0 },
    { distribution: 'exponential', meanMicros: 1000, sigma: 0 },
    { distribution: 'lognormal', meanMicros: 1000, sigma: 0.8 },
  ])('$distribution: whole microseconds with the mean that was stated', (spec) => {
    const random = new RandomStream(5, 'latency');
    const values = Array.from({ length: 40_000 }, () => sampleLatency(random, spec));
    expect(values.every((value) => Number.isInteger(value) && value >= 0)).toBe(true);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.abs(mean / 1000 - 1)).toBeLessThan(0.02);
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) / 1000;
    const expected = { constant: 0, exponential: 1, lognormal: Math.sqrt(Math.exp(0.64) - 1) }[spec.distribution];
    expect(Math.abs(deviation - expected)).toBeLessThan(0.05);
  });
});
