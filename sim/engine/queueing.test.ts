// The engine against queueing theory: M/M/8 at load 0.9 has a mean wait of 0.8769 mean service times by Erlang's C formula.

import { expect, test } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { sampleExponential } from './distributions.ts';
import { eventPriority } from './priority.ts';
import { defaultSimulationLimits, Simulation } from './simulation.ts';

const servers = 8;
const load = 0.9;
const serviceMicros = 1_000_000;

/** Mean wait of M/M/c in mean service times: Erlang's C over c·(1 − load), C from the recursion of Erlang's B. */
function erlangWait(serverCount: number, serverLoad: number): number {
  const offered = serverCount * serverLoad;
  let blocking = 1;
  for (let server = 1; server <= serverCount; server++) blocking = (offered * blocking) / (server + offered * blocking);
  const delayed = blocking / (1 - serverLoad * (1 - blocking));
  return delayed / (serverCount * (1 - serverLoad));
}

/** Mean wait over `customers`, after as many again of warm-up as a tenth of them, in mean service times. */
function simulatedWait(seed: number, customers: number): number {
  const arrivals = new RandomStream(seed, 'arrivals');
  const services = new RandomStream(seed, 'services');
  const simulation = new Simulation(defaultSimulationLimits);
  const warmUp = customers / 10;
  const arrivedAt = new Float64Array(customers + warmUp);
  let arrived = 0;
  let started = 0;
  let busy = 0;
  let waited = 0;
  const startNext = (): void => {
    const customer = started++;
    busy += 1;
    if (customer >= warmUp) waited += simulation.nowMicros - arrivedAt[customer]!;
    const end = simulation.nowMicros + Math.round(sampleExponential(services, serviceMicros));
    simulation.schedule(end, eventPriority.world, departure, customer, undefined);
  };
  const departure = simulation.defineHandler('departure', () => {
    busy -= 1;
    if (started < arrived) startNext();
  });
  const arrival = simulation.defineHandler('arrival', (customer) => {
    arrivedAt[customer] = simulation.nowMicros;
    arrived = customer + 1;
    if (busy < servers) startNext();
    if (arrived === arrivedAt.length) return;
    const next = simulation.nowMicros + Math.round(sampleExponential(arrivals, serviceMicros / (servers * load)));
    simulation.schedule(next, eventPriority.arrival, arrival, arrived, undefined);
  });
  simulation.schedule(0, eventPriority.arrival, arrival, 0, undefined);
  while (simulation.step()) {}
  expect([started, busy, simulation.pendingCount]).toEqual([arrivedAt.length, 0, 0]);
  return waited / customers / serviceMicros;
}

test('M/M/8 at load 0.9 waits as long as Erlang says, over 20 seeds', () => {
  const expected = erlangWait(servers, load);
  expect(expected).toBeCloseTo(0.8769, 4);
  const waits = Array.from({ length: 20 }, (_, seed) => simulatedWait(seed + 1, 60_000));
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
  const deviation = Math.sqrt(waits.reduce((sum, wait) => sum + (wait - mean) ** 2, 0) / (waits.length - 1));
  // 2.861 is Student's t for 99% with 19 degrees of freedom.
  const halfWidth = (2.861 * deviation) / Math.sqrt(waits.length);
  expect(halfWidth).toBeLessThan(0.05);
  expect(Math.abs(mean - expected)).toBeLessThan(halfWidth);
});
