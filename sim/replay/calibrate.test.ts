// Calibration against worlds whose truth is known: what was put into the simulator must be read from its record, and a world with
// other tasks must then go as the true one does.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { createKernelSettings } from '../../core/config/kernel-setting-table.ts';
import type { Input, InputBody } from '../../core/kernel/inputs.ts';
import { Kernel } from '../../core/kernel/kernel.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import { atShare, type Calibration, calibrationShares } from '../world/calibration.ts';
import { soundNetwork } from '../world/sound-network.ts';
import { World } from '../world/world.ts';
import { calibrationText, readCalibration } from './calibration-file.ts';
import { fitCalibration } from './fit-calibration.ts';
import { RecordedWorld } from './recorded-world.ts';
import { TaskTimes } from './task-times.ts';
import { playChanged } from './what-if.ts';

const second = 1_000_000;
const profile: Profile = {
  ...{ name: 'live', order: 'fcfs', place: 'worst-fit', unplaced: 'skip', backfill: 'none', overtakeMax: 1000 },
  typicalTasks: [],
};
const resources = { cpuMilli: 2000, memoryMib: 100, gpuCount: 0, gpuModel: '' };
const machines = [
  { name: 'a', ...resources, host: 'one' },
  { name: 'b', ...resources, host: 'one' },
];
const settings = { 'registry.heartbeatIntervalMicros': second, 'registry.leaseMicros': 5 * second };

const evenly = (from: number, to: number): number[] => calibrationShares.map((share) => from + (to - from) * share);
const trip = (held: number, from: number, to: number) => ({
  ...{ held, count: 1, acceptMicros: evenly(from, 0.8 * to), totalMicros: evenly(1.2 * from, to) },
});
const ratios = { small: { count: 1, ratio: evenly(0.9, 1.1) }, large: { count: 1, ratio: evenly(2.5, 3.5) } };

/** Exponential gaps would need a logarithm; sums of two uniform ones are as good here. `load` of the four slots' time. */
function tasksOf(seed: number, count: number, meanMicros: number, gapMicros: number): WorkloadTask[] {
  const random = new RandomStream(seed, 'tasks');
  let arrivalMicros = second;
  return Array.from({ length: count }, (_, index) => {
    arrivalMicros += random.nextBelow(gapMicros) + random.nextBelow(gapMicros);
    const taskClass = index % 3 === 0 ? 'large' : 'small';
    const estimateMicros = Math.ceil(meanMicros / 2) + random.nextBelow(meanMicros);
    const request = { cpuMilli: 1000, memoryMib: 1, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 };
    const plain = { priority: 0, tenant: 'a', taskClass, durationMicros: estimateMicros };
    return { name: String(index), arrivalMicros, request, estimateMicros, ...plain };
  });
}

function play(seed: number, tasks: readonly WorkloadTask[], calibration: Calibration) {
  const times = new TaskTimes();
  const inputs: { timeMicros: number; body: InputBody }[] = [];
  const world = new World({
    ...{ seed, machines, profile, settings, calibration, faults: [] },
    workload: { tasks: () => tasks[Symbol.iterator](), typicalTasks: () => [], notes: [] },
    network: soundNetwork(0),
    heartbeat: { intervalMicros: second, leaseMicros: 5 * second },
    limits: { eventsPerInstantMax: 1_000_000, causalDepthMax: 100_000, queueLengthMax: 100_000 },
    observers: [
      {
        kernelInput: (body, timeMicros) => {
          times.input(body, timeMicros);
          inputs.push({ timeMicros, body: structuredClone(body) });
        },
        kernelEffect: (effect, timeMicros) => times.effect(effect, timeMicros),
      },
    ],
  });
  world.runUntilDone(10_000 * second);
  const recorded = new RecordedWorld();
  const initial = { ...settings, 'scheduler.queueLengthMax': 100_000 };
  recorded.restored(new Kernel(profile, createKernelSettings({ initial }), seed), profile);
  inputs.forEach(({ timeMicros, body }, index) => {
    const input: Input = { sequence: index + 1, timeMicros, body };
    recorded.input(input);
  });
  return { recorded, summary: times.summary(4000) };
}

function near(value: number | undefined, truth: number, share: number): void {
  expect(value, `${value} is not ${truth}`).toBeGreaterThan(truth * (1 - share));
  expect(value, `${value} is not ${truth}`).toBeLessThan(truth * (1 + share));
}

describe('a calibration', () => {
  it('finds what slows work, what estimates are worth and what messages take', () => {
    const truth: Calibration = {
      ...{ lanes: 0, contention: [1, 1.1, 1.6, 2.2], service: ratios },
      trips: [trip(0, 500, 1500), trip(1, 2000, 6000)],
    };
    const { recorded } = play(1, tasksOf(1, 3000, 100_000, 130_000), truth);
    const { calibration, count } = fitCalibration(recorded);
    expect(count).toBe(3000);
    expect(calibration.lanes).toBe(0);
    expect(calibration.contention).toHaveLength(4);
    for (const [others, each] of calibration.contention.entries()) near(each, truth.contention[others] ?? 0, 0.03);
    for (const share of [0.05, 0.5, 0.95]) {
      for (const held of [0, 1]) {
        const [found, true_] = [calibration.trips[held], truth.trips[held]];
        near(atShare(found?.totalMicros ?? [], share), atShare(true_?.totalMicros ?? [], share), 0.06);
        near(atShare(found?.acceptMicros ?? [], share), atShare(true_?.acceptMicros ?? [], share), 0.06);
      }
      near(atShare(calibration.service.small?.ratio ?? [], share), atShare(ratios.small.ratio, share), 0.03);
      near(atShare(calibration.service.large?.ratio ?? [], share), atShare(ratios.large.ratio, share), 0.03);
    }
    // Held out: other tasks, another seed.
    const others = tasksOf(2, 3000, 80_000, 82_000);
    const live = play(2, others, truth).summary;
    const simulated = play(3, others, calibration).summary;
    expect(live.waitMeanMicros).toBeGreaterThan(5000);
    near(simulated.completionP50Micros, live.completionP50Micros, 0.05);
    near(simulated.completionP95Micros, live.completionP95Micros, 0.05);
  });

  it('finds agents that do one thing after the other, and cures the counterfactual of a run that overheads bind', () => {
    const truth: Calibration = {
      ...{ lanes: 1, contention: [1], service: {} },
      trips: [trip(0, 600, 1800), trip(1, 900, 2700)],
    };
    // The work is a tenth of what goes on.
    const { recorded, summary } = play(4, tasksOf(4, 3000, 200, 1100), truth);
    const { calibration } = fitCalibration(recorded);
    expect(calibration.lanes).toBe(1);
    for (const share of [0.05, 0.5, 0.95]) {
      near(
        atShare(calibration.trips[0]?.totalMicros ?? [], share),
        atShare(truth.trips[0]?.totalMicros ?? [], share),
        0.1,
      );
      near(
        atShare(calibration.trips[1]?.totalMicros ?? [], share),
        atShare(truth.trips[1]?.totalMicros ?? [], share),
        0.1,
      );
    }
    const without = playChanged(recorded, { policy: {}, settings: {} });
    const cured = playChanged(recorded, { policy: {}, settings: {} }, calibration);
    expect(summary.completed).toBe(3000);
    expect(Math.abs(without.errorP50)).toBeGreaterThan(0.3);
    expect(Math.abs(cured.errorP50)).toBeLessThan(0.05);
    expect(Math.abs(cured.errorP95)).toBeLessThan(0.1);
    expect(cured.assumptions.join('; ')).toContain('drawn from the calibration');
  });

  it('is a file that is read as it was written, or refused with what is wrong in it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sira-calibration-'));
    try {
      const file = join(folder, 'measured.yaml');
      const calibration: Calibration = {
        ...{ lanes: 1, contention: [1, 1.25], service: ratios, trips: [trip(0, 500, 1500)] },
      };
      const text = calibrationText(calibration, 'a test');
      writeFileSync(file, text);
      expect(readCalibration(file)).toEqual(calibration);
      const wrong: readonly (readonly [string, string, string])[] = [
        ['lanes: 1', 'lanes: -1', 'whole number'],
        ['held: 0', 'held: 1', 'trips[0]'],
        ['contention: \\[1', 'contention: [0', 'contention'],
        ['calibration 1', 'calibration 9', 'not a calibration'],
      ];
      for (const [good, bad, reason] of wrong) {
        writeFileSync(file, text.replace(new RegExp(`(?<!# .*)${good}`), bad));
        expect(() => readCalibration(file), bad).toThrow(reason);
      }
      expect(() => readCalibration(join(folder, 'none.yaml'))).toThrow('no such calibration');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
