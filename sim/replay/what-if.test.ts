// The counterfactual against the simulator itself: a record that came from a world whose rules are known must give that world again,
// and under another policy what that world would have been under it.

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../core/base/random.ts';
import { createKernelSettings } from '../../core/config/kernel-setting-table.ts';
import type { Input, InputBody } from '../../core/kernel/inputs.ts';
import { Kernel } from '../../core/kernel/kernel.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { FaultSpec } from '../experiment/scenario.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import { soundNetwork } from '../world/sound-network.ts';
import { World } from '../world/world.ts';
import { RecordedWorld } from './recorded-world.ts';
import { TaskTimes } from './task-times.ts';
import { describeWhatIf, readChange } from './tell-what-if.ts';
import { playChanged } from './what-if.ts';

const second = 1_000_000;
const profile: Profile = {
  ...{ name: 'live', order: 'fcfs', place: 'best-fit', unplaced: 'skip', backfill: 'none', overtakeMax: 1000 },
  typicalTasks: [],
};
const request = { cpuMilli: 500, memoryMib: 1, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 };
const resources = { cpuMilli: 1000, memoryMib: 100, gpuCount: 0, gpuModel: '' };
const cpuMilli = 2 * resources.cpuMilli;

/** Long and short tasks, faster than two machines can take them; estimates are off by up to a half. */
function tasksOf(seed: number): WorkloadTask[] {
  const random = new RandomStream(seed, 'tasks');
  let arrivalMicros = second;
  return Array.from({ length: 150 }, (_, index) => {
    arrivalMicros += 1 + random.nextBelow(second);
    const durationMicros = 1000 + random.nextBelow(index % 5 === 0 ? 20 * second : second);
    const estimateMicros = Math.round(durationMicros * (0.5 + random.nextBelow(1000) / 1000));
    const plain = { priority: 0, tenant: 'a', skill: index % 3 === 0 ? 'rare' : undefined };
    return { name: String(index), arrivalMicros, request, durationMicros, estimateMicros, ...plain };
  });
}

function play(tasks: readonly WorkloadTask[], policy: Profile, latencyMicros: number, faults: readonly FaultSpec[]) {
  const settings = { 'registry.heartbeatIntervalMicros': second, 'registry.leaseMicros': 5 * second };
  const times = new TaskTimes();
  const inputs: { timeMicros: number; body: InputBody }[] = [];
  const world = new World({
    seed: 1,
    machines: [
      { name: 'a', ...resources, skills: { rare: 1 } },
      { name: 'b', ...resources, skills: { common: 1 } },
    ],
    workload: { tasks: () => tasks[Symbol.iterator](), typicalTasks: () => [], notes: [] },
    profile: policy,
    network: soundNetwork(latencyMicros),
    heartbeat: { intervalMicros: second, leaseMicros: 5 * second },
    limits: { eventsPerInstantMax: 1_000_000, causalDepthMax: 100_000, queueLengthMax: 100_000 },
    faults,
    settings,
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
  recorded.restored(new Kernel(policy, createKernelSettings({ initial }), 1), policy);
  inputs.forEach(({ timeMicros, body }, index) => {
    const input: Input = { sequence: index + 1, timeMicros, body };
    recorded.input(input);
  });
  expect(recorded.kernel?.digest, 'the record is that of the world').toBe(world.host.kernel.digest);
  return { recorded, summary: times.summary(cpuMilli) };
}

describe('a counterfactual', () => {
  it.each([0, 700])('of a world without faults is exact, with %i µs of latency', (latencyMicros) => {
    const tasks = tasksOf(latencyMicros + 1);
    const { recorded, summary } = play(tasks, profile, latencyMicros, []);
    expect(summary.completed).toBe(150);
    expect(summary.slowdownMean).toBeGreaterThan(2);
    const shortest = { ...profile, order: 'sjf' };
    const answer = playChanged(recorded, { policy: { order: 'sjf' }, settings: {} });
    const { runs } = answer;
    expect([answer.errorP50, answer.errorP95]).toEqual([0, 0]);
    expect(describeWhatIf(answer, false)).not.toContain('not to be relied on');
    expect(describeWhatIf({ ...answer, errorP95: -0.3 }, false)).toMatch(/−30\.0% in p95[\s\S]*not to be relied on/);
    expect(runs.map(({ name }) => name)).toEqual(['live', 'simulated', 'changed']);
    expect(runs[0]?.summary).toEqual(summary);
    expect(runs[1]?.summary).toEqual(summary);
    const truth = play(tasks, shortest, latencyMicros, []).summary;
    expect(runs[2]?.summary).toEqual(truth);
    expect(truth.slowdownMean).toBeLessThan(summary.slowdownMean / 1.5);
  });

  it('has the agents away when they were, and says what it assumes', () => {
    const crash: FaultSpec = {
      kind: 'crash',
      atMicros: 30 * second,
      forMicros: 40 * second,
      machines: ['b'],
      factor: 1,
    };
    const { recorded, summary } = play(tasksOf(5), profile, 0, [crash]);
    expect(recorded.faults).toHaveLength(1);
    const [{ atMicros, forMicros, machines }] = recorded.faults as [FaultSpec];
    expect(machines).toEqual(['b']);
    // The last beat may have been one interval before, and the kernel looks a moment later.
    expect(Math.abs(atMicros - crash.atMicros)).toBeLessThanOrEqual(2 * second);
    expect(Math.abs(atMicros + forMicros - 70 * second)).toBeLessThanOrEqual(2 * second);
    const { runs, assumptions } = playChanged(recorded, { policy: {}, settings: {} });
    for (const { summary: each } of runs) expect(each.completed).toBe(150);
    const [live, simulated] = runs.map(({ summary: each }) => each.completionMeanMicros) as [number, number];
    expect(live).toBe(summary.completionMeanMicros);
    expect(Math.abs(simulated / live - 1)).toBeLessThan(0.1);
    expect(assumptions.join('\n')).toContain('had crashed one lease before');
  });

  it('is of a policy and settings that there are', () => {
    expect(readChange('sjf', ['dispatch.retryMicros=1000000'])).toEqual({
      policy: { order: 'sjf' },
      settings: { 'dispatch.retryMicros': 1_000_000 },
    });
    expect(readChange('order=fcfs,place=worst-fit', undefined).policy).toEqual({ order: 'fcfs', place: 'worst-fit' });
    for (const wrong of ['sfj', 'order=worst-fit', 'colour=red'])
      expect(() => readChange(wrong, undefined)).toThrow('is no part of a policy');
    for (const wrong of ['dispatch.retryMicros', 'dispatch.retryMicros=soon', 'nothing=1'])
      expect(() => readChange(undefined, [wrong])).toThrow();
    const { recorded } = play(tasksOf(1).slice(0, 1), profile, 0, []);
    expect(() => playChanged(recorded, { policy: {}, settings: { 'dispatch.retryMicros': -1 } })).toThrow();
  });
});
