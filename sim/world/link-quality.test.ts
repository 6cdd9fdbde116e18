// Link quality on the simulated network: links with faults of their own are flagged, the others are not.

import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { LinkQuality } from '../../core/registry/link-quality.ts';
import { defaultSimulationLimits, Simulation } from '../engine/simulation.ts';
import type { NetworkSpec } from '../experiment/scenario.ts';
import { firstMachineNode, Network } from './network.ts';

const second = 1_000_000;
const linkCount = 25;
const timeoutMicros = second / 2;
const spec: NetworkSpec = {
  latency: { distribution: 'lognormal', meanMicros: 500, sigma: 0.4 },
  bandwidthBytesPerSecond: 1_000_000,
  loss: 0.002,
  duplication: 0.01,
  reordering: 0.01,
};

/** Pings every link once a second; from 120 s to 420 s link 5 loses a third and link 9 carries a load that delays its messages. */
function run(seed: number) {
  const simulation = new Simulation(defaultSimulationLimits);
  const network = new Network(simulation, spec, firstMachineNode + linkCount, new RandomStream(seed, 'network'));
  const quality = new LinkQuality(linkCount);
  const open = new Map<number, number>();
  const back = simulation.defineHandler('echo', (link, round) => {
    const sent = open.get((round as number) * linkCount + link);
    // A second copy of an echo, or one that comes too late.
    if (sent === undefined || !open.delete((round as number) * linkCount + link)) return;
    quality.echoed(link, simulation.nowMicros - sent);
  });
  const there = simulation.defineHandler('ping', (link, round) =>
    network.send(firstMachineNode + link, back, link, round, 64),
  );
  const load = simulation.defineHandler('load', () => {});
  const flagged = new Map<number, string[]>();
  let falseAlarms = 0;
  let falseChecks = 0;
  for (let round = 1; round <= 600; round++) {
    const isFaulty = round > 120 && round <= 420;
    network.setLoss(firstMachineNode + 5, isFaulty ? 0.33 : 0);
    if (isFaulty) network.send(firstMachineNode + 9, load, 9, undefined, 8000);
    for (let link = 0; link < linkCount; link++) {
      open.set(round * linkCount + link, simulation.nowMicros);
      network.send(firstMachineNode + link, there, link, round, 64);
    }
    simulation.runUntil(simulation.nowMicros + timeoutMicros);
    for (const key of [...open.keys()]) {
      open.delete(key);
      quality.lost(key % linkCount);
    }
    quality.judge();
    simulation.runUntil(round * second);
    for (const { link } of quality.flagged()) if (link !== 5 && link !== 9) falseAlarms++;
    falseChecks += linkCount - 2;
    if (round === 400 || round === 100 || round === 600)
      flagged.set(
        round,
        quality.flagged().map(({ link, anomalies }) => `${link} ${anomalies.join(' ')}`),
      );
  }
  return { flagged, falseAlarmShare: falseAlarms / falseChecks, lossy: quality.report(5), all: quality };
}

describe.each([1, 2])('seed %i', (seed) => {
  const { flagged, falseAlarmShare } = run(seed);

  test('finds the lossy and the loaded link, and nobody once they are well again', () => {
    expect(flagged.get(100)).toEqual([]);
    expect(flagged.get(400)).toEqual(['5 lossy', '9 slow']);
    expect(flagged.get(600)).toEqual([]);
  });

  test('hardly ever blames another', () => {
    expect(falseAlarmShare).toBeLessThan(0.002);
  });

  test('is the same every time', () => {
    expect(JSON.stringify([...run(seed).flagged])).toBe(JSON.stringify([...flagged]));
  });
});
