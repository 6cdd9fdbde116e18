import { describe, expect, it } from 'vitest';
import { toBase64 } from '../base/base64.ts';
import { writeForecasterArtifact } from '../policy/forecast/forecaster-artifact.ts';
import type { ForecasterModel } from '../policy/forecast/forecaster-model.ts';
import { forecasterFormat } from '../policy/forecast/forecaster-model.ts';
import type { ScalingRule } from '../scheduler/framework.ts';
import { helloFrom, KernelDriver, submissionOf } from './kernel-driver.ts';

const second = 1_000_000;
const rule: ScalingRule = {
  ...{ intervalMicros: 10 * second, resource: 'cpu', spareShare: 0, keepMicros: 20 * second, machinesMin: 1 },
};
const sleepy = { idleWatts: 100, sleepWatts: 10, wakeSeconds: 30 };

/** Always says that so many milli will be wanted, `above` that at its second level. */
function saying(milli: number, above: number): string {
  const input = { mean: 0, deviation: 1, minimum: 0, maximum: 1 };
  const model: ForecasterModel = {
    manifest: {
      ...{ format: forecasterFormat, name: 'fixed', target: 'demand', unit: 'cpuMilli', intervalMicros: 10 * second },
      ...{ horizon: 3, lowerBound: 0, input, levels: [0.5, 0.9] },
      lineage: { command: '', dataSha256: {}, evaluation: {} },
    },
    // A last season of one value that never changes: a linear model without any weight on what it sees.
    members: [
      {
        ...{ kind: 'holt-winters', weight: 1, periods: [], logarithm: false, least: 0, count: 1 },
        ...{ constants: new Float64Array(4), state: Float64Array.of(milli, 0, 0) },
      },
    ],
    offsets: Float64Array.of(0, 0, 0, above, above, above),
  };
  return toBase64(writeForecasterArtifact(model));
}

/** Four agents of four cores; the last one never sleeps. */
function fleet(change: Partial<ScalingRule> = {}): KernelDriver {
  const driver = new KernelDriver(
    { scaling: { ...rule, ...change } },
    { 'registry.leaseMicros': 8e10, 'registry.heartbeatIntervalMicros': 3e9 },
  );
  for (const name of ['a', 'b', 'c']) driver.give(helloFrom(name, { attributes: sleepy }));
  driver.give(helloFrom('d'));
  driver.end();
  return driver;
}

const wishes = (driver: KernelDriver): string[] =>
  driver.of('agentPower').map(({ agent, awake }) => `${agent} ${awake ? 'awake' : 'asleep'}`);
const says = (driver: KernelDriver, agent: number, awake: boolean): void => {
  driver.give({ kind: 'agentPowerChanged', agent, incarnation: 1, awake });
};
/** Submits a task of four cores; answers who got it. */
function run(driver: KernelDriver, submission: number, cpuMilli = 4000): number[] {
  const request = { cpuMilli, memoryMib: 1, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 };
  driver.give(submissionOf(submission, { request }));
  driver.end();
  return driver.of('dispatch').map(({ agent }) => agent);
}
function passTo(driver: KernelDriver, seconds: number): string[] {
  const seen: string[] = [];
  while (driver.nowMicros < seconds * second) {
    driver.pass(driver.nowMicros + 10 * second);
    seen.push(...wishes(driver));
  }
  return seen;
}

describe('without a forecaster', () => {
  it('releases what was not wanted for long enough, keeps the least number, and never what cannot sleep', () => {
    const driver = fleet();
    expect(passTo(driver, 10)).toEqual([]);
    expect(passTo(driver, 20)).toEqual(['1 asleep', '2 asleep']);
    // It is said again until it is so.
    says(driver, 1, false);
    expect(passTo(driver, 30)).toEqual(['2 asleep']);
    says(driver, 2, false);
    expect(passTo(driver, 60)).toEqual([]);
  });

  it('what is not awake gets no task, whether it has answered or not', () => {
    const driver = fleet();
    passTo(driver, 20);
    expect([1, 2, 3].flatMap((submission) => run(driver, submission))).toEqual([0, 3]);
  });

  it('wakes as many as the last interval wanted, and a machine has tasks from when it says that it is awake', () => {
    const driver = fleet();
    passTo(driver, 20);
    for (const agent of [1, 2]) says(driver, agent, false);
    for (const submission of [1, 2, 3]) run(driver, submission);
    expect(passTo(driver, 30)).toEqual(['1 awake']);
    expect(passTo(driver, 40)).toEqual(['1 awake']);
    says(driver, 1, true);
    driver.end();
    expect(driver.of('dispatch').map(({ agent }) => agent)).toEqual([1]);
  });

  it('keeps more with more to spare', () => {
    const driver = fleet({ spareShare: 1 });
    run(driver, 1);
    // Four of the cores in use, eight are wanted.
    expect(passTo(driver, 20)).toEqual(['2 asleep']);
  });

  it('wakes one that a waiting task fits, though there is room enough of another kind', () => {
    const driver = fleet();
    driver.give(
      helloFrom('e', { attributes: sleepy, resources: { cpuMilli: 8000, memoryMib: 1000, gpuCount: 0, gpuModel: '' } }),
    );
    driver.end();
    passTo(driver, 20);
    for (const agent of [1, 2, 4]) says(driver, agent, false);
    expect(run(driver, 1, 6000)).toEqual([]);
    expect(passTo(driver, 30)).toContain('4 awake');
    says(driver, 4, true);
    driver.end();
    expect(driver.of('dispatch').map(({ agent }) => agent)).toEqual([4]);
  });

  it('one that begins anew is awake; an answer of its former life counts for nothing', () => {
    const driver = fleet();
    passTo(driver, 20);
    driver.give(helloFrom('b', { attributes: sleepy, incarnation: 2 }));
    says(driver, 1, false);
    expect(run(driver, 1)).toEqual([0]);
    expect(run(driver, 2)).toEqual([1]);
  });
});

describe('with a forecaster', () => {
  const forecast = (milli: number, above: number, level: number) => ({
    artifact: saying(milli, above),
    steps: 3,
    level,
  });

  it('is awake for what will be wanted, by the level asked for', () => {
    expect(passTo(fleet({ forecast: forecast(8000, 8000, 0) }), 20)).toEqual(['2 asleep']);
    expect(passTo(fleet({ forecast: forecast(8000, 4000, 1) }), 20)).toEqual([]);
    expect(passTo(fleet({ forecast: forecast(0, 0, 0) }), 20)).toEqual(['1 asleep', '2 asleep']);
  });

  it('never for less than is asked for now', () => {
    const driver = fleet({ forecast: forecast(0, 0, 0) });
    passTo(driver, 20);
    for (const agent of [1, 2]) says(driver, agent, false);
    for (const submission of [1, 2, 3, 4]) run(driver, submission);
    expect(passTo(driver, 30)).toEqual(['1 awake', '2 awake']);
  });
});

it('goes on from a snapshot in the middle of all that', () => {
  const through = (restarts: boolean): string => {
    const driver = fleet({ forecast: { artifact: saying(6000, 1000), steps: 2, level: 1 } });
    for (let step = 1; step <= 12; step++) {
      if (step % 3 === 0) run(driver, step);
      passTo(driver, 10 * step);
      if (step === 4) says(driver, 2, false);
      if (restarts) driver.restart();
    }
    return driver.kernel.digest;
  };
  expect(through(true)).toBe(through(false));
});
