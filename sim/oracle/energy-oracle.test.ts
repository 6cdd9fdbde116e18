// The account of energy bites: the smallest lie about what a machine took, or when it slept, makes it speak; told the truth it says
// nothing, under crashes, hangs, partitions and tasks that span machines too.

import { describe, expect, it } from 'vitest';
import { microsPerMinute, microsPerSecond } from '../../core/base/time.ts';
import type { Dispatch } from '../../core/kernel/effects.ts';
import { drawSwarmCase, runSwarmCase } from '../fault/swarm.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';
import type { EnergyAccount } from '../world/power/machine-meter.ts';
import { accelerators, type PowerModel } from '../world/power/power-model.ts';
import { EnergyOracle } from './energy-oracle.ts';

const power: PowerModel = {
  baseWatts: 100,
  processor: { idleWatts: 20, busyWatts: 270, threads: 64 },
  accelerators,
  sleep: { afterMicros: 20 * microsPerSecond, watts: 15, wakeMicros: 5 * microsPerSecond, wakeWatts: 200 },
};
const spec: MachineSpec = { name: 'a', cpuMilli: 64_000, memoryMib: 1000, gpuCount: 0, gpuModel: '' };
const dispatch: Dispatch = {
  ...{ kind: 'dispatch', agent: 0, incarnation: 1, task: 1, attempt: 7, order: 1, submitter: 1, submission: 1 },
  ...{ machines: [0], deviceMasks: [0] },
};
const seconds = (count: number): number => count * microsPerSecond;

/** One machine: idle for 10 s, ten seconds of work on all its cores, idle for 20 s, asleep for 10 s, waking for 5 s. */
function story(change: { readonly sleepsAt?: number; readonly awakeAt?: number; readonly reports?: number } = {}) {
  const { sleepsAt = 40, awakeAt = 55, reports = 2500 } = change;
  const oracle = new EnergyOracle([spec], power, (_, what) => {
    throw new Error(what);
  });
  const request = { cpuMilli: 64_000, memoryMib: 0, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 };
  oracle.taskArrived(1, { request } as unknown as WorkloadTask);
  oracle.machinePower(0, 'on', 0);
  oracle.workStarted({ dispatch, machines: [0] }, seconds(10));
  if (sleepsAt > 20) oracle.workEnded({ dispatch }, 'completed', seconds(20));
  else oracle.machinePower(0, 'asleep', seconds(sleepsAt));
  const result = { kind: 'taskFinished', agent: 0, incarnation: 1, outcome: 'completed', serviceMicros: 1 } as const;
  oracle.agentSaid({ ...result, task: 1, attempt: 7, joules: reports }, seconds(20));
  oracle.machinePower(0, 'asleep', seconds(sleepsAt));
  oracle.machinePower(0, 'waking', seconds(sleepsAt + 10));
  oracle.machinePower(0, 'on', seconds(awakeAt));
  const truth: EnergyAccount = {
    ...{ idleJoules: 40 * 120, workJoules: 2500, sleepJoules: 150, wakeJoules: 1000, asleepMicros: 0, wakeUps: 1 },
  };
  return { oracle, truth };
}

describe('the account of energy', () => {
  it('agrees with the truth', () => {
    const { oracle, truth } = story();
    expect(() => oracle.finish([truth], seconds(55))).not.toThrow();
  });

  it.each(['idleJoules', 'workJoules', 'sleepJoules', 'wakeJoules'] as const)(
    'finds a hundredth of a joule in %s',
    (part) => {
      const { oracle, truth } = story();
      expect(() => oracle.finish([{ ...truth, [part]: truth[part] + 0.01 }], seconds(55))).toThrow(/J metered for/);
    },
  );

  it('holds agents to what their work took', () => {
    expect(() => story({ reports: 2500.01 })).toThrow(/reports 2500.01 J for work that took 2500 J/);
    expect(() => story({ reports: Number.NaN })).toThrow(/reports NaN/);
  });

  it('lets no machine sleep over its work, or before its time, or wake up too soon', () => {
    expect(() => story({ sleepsAt: 15 })).toThrow(/falls asleep over its work/);
    expect(() => story({ sleepsAt: 39 })).toThrow(/sleeps after 19000000 of 20000000/);
    expect(() => story({ awakeAt: 54 })).toThrow(/is awake after 4000000/);
  });

  it('lets no work begin on a machine that sleeps', () => {
    const { oracle } = story();
    oracle.machinePower(0, 'asleep', seconds(80));
    const begins = (): void =>
      oracle.workStarted({ dispatch: { ...dispatch, attempt: 8 }, machines: [0] }, seconds(81));
    expect(begins).toThrow(/begins on a, which is asleep/);
  });

  it('says nothing of real runs with faults, whether machines sleep by themselves or never', () => {
    let slept = 0;
    for (let seed = 1; seed <= 25; seed++) {
      const model = seed % 3 === 0 ? { ...power, sleep: undefined } : power;
      const { world } = runSwarmCase({ ...drawSwarmCase(seed), power: model });
      const { wakeUps, workJoules } = world.plant?.readAll() ?? { wakeUps: 0, workJoules: 0 };
      slept += wakeUps;
      expect(workJoules).toBeGreaterThan(0);
    }
    expect(slept).toBeGreaterThan(100);
  });

  it('is heard in a real run: a model that differs by a watt is found', () => {
    const drawn = { ...drawSwarmCase(4), power };
    let now = 0;
    const watch = new EnergyOracle(drawn.machines, { ...power, baseWatts: 101 }, (_, what) => {
      throw new Error(what);
    });
    const { world } = runSwarmCase(drawn, {
      observers: [
        {
          taskArrived: (submission, task) => watch.taskArrived(submission, task),
          machinePower: (machine, state, at) => watch.machinePower(machine, state, at),
          workStarted: (started, machines, at) => watch.workStarted({ dispatch: started, machines }, at),
          workEnded: (ended, _machines, end, at) => watch.workEnded({ dispatch: ended }, end, at),
          taskEnded: (_, at) => {
            now = at;
          },
        },
      ],
    });
    expect(now).toBeGreaterThan(microsPerMinute);
    const accounts = world.plant?.readAccounts() ?? [];
    expect(() => watch.finish(accounts, world.simulation.nowMicros)).toThrow(/metered for idling/);
  });
});
