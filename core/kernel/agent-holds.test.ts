import { describe, expect, test } from 'vitest';
import { holdFlapping, holdOutlier } from '../scheduler/cluster-state.ts';
import type { Effect } from './effects.ts';
import { helloFrom, KernelDriver, submissionOf } from './kernel-driver.ts';

const second = 1_000_000;

function fleet(count: number, settings: ConstructorParameters<typeof KernelDriver>[1]): KernelDriver {
  const driver = new KernelDriver(
    {},
    { 'registry.leaseMicros': 86_400 * second, 'registry.heartbeatIntervalMicros': 3600 * second, ...settings },
  );
  for (let agent = 0; agent < count; agent++) driver.give(helloFrom(`agent-${agent}`));
  return driver;
}

const holdsOf = (driver: KernelDriver): number[] => {
  const { holds, machineCount } = driver.kernel.control.scheduler.cluster;
  return [...holds.subarray(0, machineCount)];
};

describe('an agent that returns again and again', () => {
  const settings = {
    'health.returnsMax': 2,
    'health.flapHoldFirstMicros': 10 * second,
    'health.heldShareMax': 0.5,
  };
  const restart = (driver: KernelDriver, agent: number, incarnation: number, at: number): void => {
    driver.give(helloFrom(`agent-${agent}`, { incarnation }), at * second);
  };

  test('gets no new work for a while; the decision says why', () => {
    const driver = fleet(2, settings);
    restart(driver, 0, 2, 1);
    expect(driver.of('agentHeld')).toEqual([]);
    restart(driver, 0, 3, 2);
    expect(driver.of('agentHeld')).toEqual([
      { kind: 'agentHeld', agent: 0, cause: 'flapping', held: true, untilMicros: 12 * second },
    ]);
    expect(holdsOf(driver)).toEqual([holdFlapping, 0]);
    driver.give(submissionOf(1));
    driver.end();
    expect(driver.of('dispatch')[0]?.machines).toEqual([1]);
    expect(driver.of('decisionMade')[0]?.record.reasonCounts).toEqual([1, 0, 0, 0, 0, 0, 0, 1]);
    driver.restart();
    driver.pass(12 * second);
    expect(driver.of('agentHeld')).toMatchObject([{ agent: 0, held: false }]);
    driver.give(submissionOf(2));
    driver.end();
    expect(driver.of('dispatch')[0]?.machines).toEqual([0]);
  });

  test('is free again at the time that was said, whatever it does meanwhile; the next hold is longer', () => {
    const driver = fleet(2, settings);
    // Restarts without end, every second: were each of them to prolong the hold, nothing would ever run here.
    const held: number[] = [];
    for (let at = 1; at <= 60; at++) {
      restart(driver, 0, at + 1, at);
      for (const effect of driver.of('agentHeld')) held.push(effect.held ? effect.untilMicros / second : -at);
    }
    expect(held).toEqual([12, -12, 33, -33, 74]);
  });

  test('is one of a share: when many do, most stay in', () => {
    const driver = fleet(4, settings);
    for (let agent = 0; agent < 4; agent++) {
      restart(driver, agent, 2, 1);
      restart(driver, agent, 3, 1);
    }
    expect(holdsOf(driver)).toEqual([holdFlapping, holdFlapping, 0, 0]);
    const alone = fleet(1, settings);
    restart(alone, 0, 2, 1);
    restart(alone, 0, 3, 1);
    expect(holdsOf(alone)).toEqual([0]);
  });
});

describe('an agent that does worse than the others', () => {
  const settings = {
    'health.slowFactor': 2,
    'health.samplesMin': 2,
    'health.agentsMin': 3,
    'health.failuresMax': 2,
    'health.heldShareMax': 0.25,
  };
  /** The next task runs on the first agent with room, whose core it fills. */
  const run = (driver: KernelDriver, outcome: 'completed' | 'failed', factors: readonly number[]): void => {
    const request = { cpuMilli: 4000, memoryMib: 0, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 };
    const before = driver.kernel.control.scheduler.attemptsBegun;
    for (let number = 1; number <= factors.length; number++)
      driver.give(submissionOf(driver.kernel.control.taskCountNow + before + number, { request }));
    const dispatches = driver.of('dispatch', driver.end());
    for (const { agent, task, attempt } of dispatches)
      driver.finish(attempt, { agent, task, outcome, serviceMicros: second * (factors[agent] as number) });
  };

  test('for being slow, at the next check', () => {
    const driver = fleet(4, settings);
    run(driver, 'completed', [1, 1, 5, 1]);
    run(driver, 'completed', [1, 1, 5, 1]);
    driver.restart();
    driver.pass(9 * second);
    expect(driver.of('agentHeld')).toEqual([]);
    driver.pass(10 * second);
    expect(driver.of('agentHeld')).toEqual([
      { kind: 'agentHeld', agent: 2, cause: 'outlier', held: true, untilMicros: 40 * second },
    ]);
    expect(holdsOf(driver)).toEqual([0, 0, holdOutlier, 0]);
    driver.restart();
    driver.pass(40 * second);
    expect(holdsOf(driver)).toEqual([0, 0, 0, 0]);
  });

  test('for results that come late, whatever it says that they took', () => {
    const driver = fleet(4, settings);
    const request = { cpuMilli: 4000, memoryMib: 0, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 };
    for (const round of [0, 1]) {
      for (let number = 1; number <= 4; number++) driver.give(submissionOf(4 * round + number, { request }));
      const late: { readonly attempt: number; readonly task: number; readonly agent: number }[] = [];
      const begun = driver.of('dispatch', driver.end());
      driver.nowMicros += second;
      for (const { attempt, agent, task } of begun)
        if (agent === 2) late.push({ attempt, agent, task });
        else driver.finish(attempt, { agent, task, serviceMicros: second });
      driver.nowMicros += 3 * second;
      for (const { attempt, agent, task } of late) driver.finish(attempt, { agent, task, serviceMicros: second });
    }
    driver.pass(20 * second);
    expect(driver.of('agentHeld')).toMatchObject([{ agent: 2, cause: 'outlier', held: true }]);
  });

  test('for work that it does not get done', () => {
    const driver = fleet(4, { ...settings, 'health.checkIntervalMicros': second });
    run(driver, 'completed', [1, 1, 1, 1]);
    run(driver, 'completed', [1, 1, 1, 1]);
    for (const number of [101, 102]) driver.give(submissionOf(number), 2 * second);
    for (const { attempt, agent } of driver.of('dispatch', driver.end())) driver.accept(attempt, agent);
    const said: Effect[] = [];
    for (let at = 2; at < 7; at++) said.push(...driver.pass(at * second));
    expect(driver.of('agentHeld', said)).toMatchObject([{ agent: 0, cause: 'outlier', held: true }]);
  });

  test('what ran during a pause of the kernel is not overdue for it', () => {
    const driver = fleet(4, { ...settings, 'health.checkIntervalMicros': second });
    run(driver, 'completed', [1, 1, 1, 1]);
    run(driver, 'completed', [1, 1, 1, 1]);
    driver.give(submissionOf(101), 2 * second);
    driver.give(submissionOf(102), 2 * second);
    for (const { attempt, agent } of driver.of('dispatch', driver.end())) driver.accept(attempt, agent);
    driver.give({ kind: 'resumed', pausedMicros: 60 * second }, 62 * second);
    driver.restart();
    driver.pass(63.5 * second);
    expect(driver.of('agentHeld')).toEqual([]);
    driver.pass(70 * second);
    expect(driver.of('agentHeld')).toMatchObject([{ agent: 0, held: true }]);
  });

  test('only as many at once as the share allows, the slowest first', () => {
    const driver = fleet(5, settings);
    run(driver, 'completed', [1, 6, 5, 1, 1]);
    run(driver, 'completed', [1, 6, 5, 1, 1]);
    driver.pass(10 * second);
    expect(holdsOf(driver)).toEqual([0, holdOutlier, 0, 0, 0]);
  });

  test('for failures in a row, at once', () => {
    const driver = fleet(4, { ...settings, 'scheduler.attemptsMax': 1 });
    run(driver, 'failed', [1]);
    run(driver, 'failed', [1]);
    expect(driver.of('agentHeld')).toMatchObject([{ agent: 0, cause: 'outlier', held: true }]);
  });

  test('nothing is looked at, and nobody woken, by default', () => {
    const driver = fleet(4, {});
    run(driver, 'completed', [1, 1, 50, 1]);
    run(driver, 'completed', [1, 1, 50, 1]);
    run(driver, 'failed', [1, 1, 1, 1]);
    driver.pass(100 * second);
    expect(holdsOf(driver)).toEqual([0, 0, 0, 0]);
  });
});
