import { describe, expect, it } from 'vitest';
import { microsPerMinute, microsPerSecond } from '../../../core/base/time.ts';
import type { Dispatch } from '../../../core/kernel/effects.ts';
import { Simulation } from '../../engine/simulation.ts';
import type { MachineSpec } from '../../workload/workload.ts';
import type { PowerState } from './machine-meter.ts';
import { accelerators, type PowerModel, processorShare, processors, ratingOf, withAttributes } from './power-model.ts';
import { PowerPlant } from './power-plant.ts';

const spec: MachineSpec = { name: 'a', cpuMilli: 64_000, memoryMib: 1000, gpuCount: 2, gpuModel: 'T4' };
const model: PowerModel = {
  baseWatts: 100,
  processor: { idleWatts: 20, busyWatts: 270, threads: 64 },
  accelerators,
  sleep: { afterMicros: 5 * microsPerMinute, watts: 15, wakeMicros: 90 * microsPerSecond, wakeWatts: 200 },
};
const half = { cpuMilli: 32_000, memoryMib: 0, gpuCount: 1, gpuMilli: 500, gpuModels: [], machineCount: 1 };

/** A plant of `count` equal machines, which are on, and what it told. */
function plantOf(count: number, change: Partial<PowerModel> = {}) {
  const simulation = new Simulation();
  const told: [number, number, PowerState][] = [];
  const machines = Array.from({ length: count }, (_, index) => ({ ...spec, name: `m${index}` }));
  const plant = new PowerPlant(
    machines,
    { ...model, ...change },
    {
      simulation,
      machinesOf: (leader, dispatch) => [leader, ...dispatch.machines.slice(1)],
      machinePower: (machine, state) => told.push([simulation.nowMicros / microsPerSecond, machine, state]),
    },
  );
  for (let machine = 0; machine < count; machine++) plant.machineUp(machine, true);
  plant.taskArrived(1, half);
  plant.taskArrived(2, half);
  const at = (seconds: number): void => simulation.runUntil(seconds * microsPerSecond);
  return { plant, told, at };
}

function dispatch(attempt: number, submission = 1, machines: readonly number[] = [0]): Dispatch {
  return {
    kind: 'dispatch',
    agent: 0,
    incarnation: 1,
    task: 1,
    attempt,
    order: 1,
    submitter: 1,
    submission,
    machines,
    deviceMasks: [1],
  };
}

describe('what a machine draws, by hand', () => {
  it('idle is its base, its processors and its accelerators', () => {
    expect(ratingOf(spec, model)).toEqual({ idleWatts: 100 + 20 + 2 * 10, processorWatts: 250, acceleratorWatts: 60 });
    // 65 threads need a second package.
    expect(ratingOf({ ...spec, cpuMilli: 65_000, gpuCount: 0 }, model).processorWatts).toBe(500);
  });

  it('the processors’ curve is concave, meets both ends, and is straight between its points', () => {
    expect([processorShare(0), processorShare(1), processorShare(0.5)]).toEqual([0, 1, 0.6211]);
    expect(processorShare(0.55)).toBeCloseTo((0.6211 + 0.7109) / 2, 12);
    for (let load = 0.01; load <= 1; load += 0.01) expect(processorShare(load)).toBeGreaterThanOrEqual(load - 1e-9);
  });

  it('every figure known by name is sane', () => {
    for (const device of [...Object.values(processors), ...Object.values(accelerators)])
      expect(device.busyWatts).toBeGreaterThan(device.idleWatts);
  });

  it('an agent declares it, and a machine without a power model declares nothing', () => {
    expect(withAttributes(spec, model).attributes).toEqual({
      ...{ idleWatts: 140, processorWatts: 250, acceleratorWatts: 60, sleepWatts: 15, wakeSeconds: 90 },
    });
    expect(withAttributes(spec, undefined)).toBe(spec);
  });
});

describe('the plant', () => {
  it('charges work by its share, and idling to nobody', () => {
    const { plant, at } = plantOf(1);
    plant.claim(0, dispatch(1));
    plant.begin(0, dispatch(1));
    at(10);
    plant.claim(0, dispatch(2, 2));
    plant.begin(0, dispatch(2, 2));
    at(20);
    // Ten seconds alone at half load, ten as half of the full load; half an accelerator all the time.
    const first = plant.end(0, dispatch(1));
    expect(first).toBeCloseTo(10 * 250 * 0.6211 + (10 * 250) / 2 + 20 * 30, 9);
    at(30);
    const second = plant.end(0, dispatch(2, 2));
    const account = plant.readAll();
    expect(account.workJoules).toBeCloseTo(first + second, 9);
    expect(account.idleJoules).toBeCloseTo(30 * 140, 9);
    expect(account.sleepJoules + account.wakeJoules).toBe(0);
  });

  it('sleeps after its time without work, and wakes for work', () => {
    const { plant, told, at } = plantOf(1);
    at(400);
    expect(plant.stateOf(0)).toBe('asleep');
    expect(plant.claim(0, dispatch(1))).toBe(490 * microsPerSecond);
    at(490);
    plant.begin(0, dispatch(1));
    at(500);
    plant.end(0, dispatch(1));
    at(799);
    expect(plant.stateOf(0)).toBe('on');
    at(801);
    expect(told).toEqual([
      [0, 0, 'on'],
      [300, 0, 'asleep'],
      [400, 0, 'waking'],
      [490, 0, 'on'],
      [800, 0, 'asleep'],
    ]);
    const account = plant.readAll();
    expect(account.sleepJoules).toBeCloseTo(101 * 15, 9);
    expect(account.wakeJoules).toBeCloseTo(90 * 200, 9);
    expect(account.idleJoules).toBeCloseTo(140 * (300 + 310), 9);
    expect(account).toMatchObject({ asleepMicros: 101 * microsPerSecond, wakeUps: 1 });
  });

  it('a claim that comes while it wakes waits for the same moment; one that never begins lets it sleep again', () => {
    const { plant, at } = plantOf(1);
    at(300);
    plant.claim(0, dispatch(1));
    at(350);
    expect(plant.claim(0, dispatch(2, 2))).toBe(390 * microsPerSecond);
    expect(plant.end(0, dispatch(1))).toBe(0);
    at(700);
    expect(plant.stateOf(0)).toBe('on');
    expect(plant.end(0, dispatch(2, 2))).toBe(0);
    at(1000);
    expect(plant.stateOf(0)).toBe('asleep');
  });

  it('a crash on the way to waking is not undone by the wake that was on its way', () => {
    const { plant, at } = plantOf(1);
    at(300);
    plant.wake(0);
    plant.machineUp(0, false);
    at(500);
    expect(plant.stateOf(0)).toBe('off');
    expect(plant.watts).toBe(0);
  });

  it('wakes all machines that a task spans, and sleeps when it is told to', () => {
    const { plant, told, at } = plantOf(2, { sleep: { ...model.sleep!, afterMicros: Number.POSITIVE_INFINITY } });
    at(1000);
    expect(told).toHaveLength(2);
    plant.sleep(1);
    expect(plant.stateOf(1)).toBe('asleep');
    expect(plant.claim(0, dispatch(1, 1, [0, 1]))).toBe(1090 * microsPerSecond);
    at(1090);
    plant.begin(0, dispatch(1, 1, [0, 1]));
    plant.sleep(0);
    expect(plant.stateOf(0)).toBe('on');
    at(1100);
    expect(plant.end(0, dispatch(1, 1, [0, 1]))).toBeCloseTo(2 * 10 * (250 * 0.6211 + 30), 9);
  });
});
