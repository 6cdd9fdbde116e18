// An agent's connection closes: it gets no new work from then on, and what it has is placed elsewhere once it has given it up.

import { describe, expect, test } from 'vitest';
import { helloFrom, KernelDriver, submissionOf } from './kernel-driver.ts';

const second = 1_000_000;

function withGrace(graceMicros: number): KernelDriver {
  const driver = new KernelDriver({}, { 'registry.disconnectGraceMicros': graceMicros, 'health.returnsMax': 2 });
  for (const name of ['alpha', 'beta']) driver.give(helloFrom(name));
  driver.give(submissionOf(1));
  driver.end();
  return driver;
}

const close = (driver: KernelDriver, atMicros: number, connection = 1, incarnation = 1) =>
  driver.give({ kind: 'agentDisconnected', agent: 0, incarnation, connection }, atMicros);
const states = (driver: KernelDriver) => driver.of('agentStateChanged').map(({ to, reason }) => `${to}: ${reason}`);
const placed = (driver: KernelDriver) => driver.of('dispatch', driver.end()).map(({ agent, task }) => [agent, task]);

describe('with a grace of two seconds', () => {
  test('the agent is told of it when it registers', () => {
    const driver = withGrace(2 * second);
    driver.give(helloFrom('gamma'));
    expect(driver.of('agentRegistered')).toMatchObject([{ disconnectGraceMicros: 2 * second }]);
  });

  test('no new work at once, and after it the work goes elsewhere, long before the lease ends', () => {
    const driver = withGrace(2 * second);
    close(driver, second);
    expect(states(driver)).toEqual(['suspect: connection closed']);
    driver.give(submissionOf(2));
    expect(placed(driver)).toEqual([[1, 2]]);
    driver.restart();
    driver.pass(3 * second);
    expect(states(driver)).toEqual([]);
    driver.pass(3 * second + 1);
    expect(states(driver)).toEqual(['dead: lease expired']);
    expect(placed(driver)).toEqual([[1, 1]]);
  });

  test('who comes back within it keeps its work, and has a lease again', () => {
    const driver = withGrace(2 * second);
    driver.accept(1);
    close(driver, second);
    driver.give(helloFrom('alpha', { connection: 2, running: [{ task: 1, attempt: 1 }] }), 2 * second);
    expect(states(driver)).toEqual(['ready: heartbeat returned']);
    expect(driver.of('agentRegistered')).toMatchObject([{ stop: [] }]);
    driver.pass(20 * second);
    expect(states(driver)).toEqual([]);
  });

  test('who comes back again and again is held back', () => {
    const driver = withGrace(2 * second);
    for (const connection of [1, 2]) {
      close(driver, connection * second, connection);
      driver.give(helloFrom('alpha', { connection: connection + 1 }), connection * second + 100);
    }
    expect(driver.of('agentHeld')).toMatchObject([{ agent: 0, cause: 'flapping', held: true }]);
  });

  test('news of a former connection or incarnation, of a stranger or of the dead change nothing', () => {
    const driver = withGrace(2 * second);
    driver.give(helloFrom('alpha', { connection: 3 }));
    for (const connection of [1, 2]) close(driver, second, connection);
    close(driver, second, 3, 2);
    driver.give({ kind: 'agentDisconnected', agent: 7, incarnation: 1, connection: 1 });
    expect(states(driver)).toEqual([]);
    driver.pass(42 * second);
    close(driver, 43 * second, 3);
    expect(states(driver)).toEqual([]);
  });
});

test('without one, the lease decides', () => {
  const driver = withGrace(0);
  close(driver, second);
  expect(states(driver)).toEqual([]);
});

test('an agent that was told of none, and comes back, still believes in its lease; a new start believes what it hears', () => {
  const driver = withGrace(0);
  const values = { 'registry.disconnectGraceMicros': second };
  driver.give({ kind: 'settingsAssigned', values, who: 'operator', why: 'test' });
  driver.give(helloFrom('alpha', { connection: 2 }));
  expect(driver.of('agentRegistered')[0]?.disconnectGraceMicros).toBeUndefined();
  close(driver, second, 2);
  expect(states(driver)).toEqual([]);
  driver.give(helloFrom('alpha', { incarnation: 2 }), 2 * second);
  expect(driver.of('agentRegistered')[0]?.disconnectGraceMicros).toBe(second);
  close(driver, 3 * second, 1, 2);
  expect(states(driver)).toEqual(['suspect: connection closed']);
});
