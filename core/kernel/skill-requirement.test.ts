// A task that needs a skill runs only on agents that declare it, whatever the policy, and as soon as one does.

import { describe, expect, test } from 'vitest';
import { explainFilter } from '../scheduler/decision.ts';
import { helloFrom, KernelDriver, submissionOf } from './kernel-driver.ts';

const second = 1_000_000;

describe('a task that needs a skill', () => {
  test('goes past nearer machines to the agent that declares it', () => {
    const driver = new KernelDriver();
    driver.give(helloFrom('alpha', { capabilities: { translate: 1 } }));
    driver.give(helloFrom('beta', { capabilities: { multiply: 2, translate: 0 } }));
    driver.give(submissionOf(1, { skill: 'multiply' }));
    driver.give(submissionOf(2, { skill: 'translate' }));
    driver.give(submissionOf(3));
    driver.end();
    expect(driver.of('dispatch').map(({ submission, agent }) => [submission, agent])).toEqual([
      [1, 1],
      [2, 0],
      [3, 0],
    ]);
  });

  test('waits, says why, and starts when an agent comes or learns', () => {
    const driver = new KernelDriver();
    driver.give(helloFrom('alpha'));
    driver.give(submissionOf(1, { skill: 'multiply' }));
    driver.give(submissionOf(2, { skill: 'translate' }));
    driver.end();
    expect(driver.of('dispatch')).toEqual([]);
    const [decision] = driver.of('decisionMade');
    expect(explainFilter(decision!.record.reasonCounts)).toBe('1 of 1 machines ruled out: 1 skill');
    driver.give(helloFrom('beta', { capabilities: { multiply: 1 } }), second);
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ submission: 1, agent: 1 }]);
    driver.give(helloFrom('alpha', { incarnation: 2, capabilities: { translate: 1 } }), 2 * second);
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ submission: 2, agent: 0 }]);
  });

  test.each(['easy', 'conservative'] as const)('is planned for on such machines alone: %s', (backfill) => {
    const driver = new KernelDriver({
      unplaced: 'block',
      backfill: backfill === 'easy' ? 'avoidReserved' : 'conservative',
    });
    driver.give(helloFrom('alpha'));
    driver.give(helloFrom('beta', { capabilities: { multiply: 1 } }));
    const whole = { ...submissionOf(1).request, cpuMilli: 4000 };
    // Beta is taken; alpha is free and must not be promised to a task that it cannot do.
    driver.give(submissionOf(1, { request: whole, skill: 'multiply', estimateMicros: 10 * second }));
    driver.give(submissionOf(2, { request: whole, skill: 'multiply', estimateMicros: 10 * second }));
    driver.give(submissionOf(3, { request: whole, estimateMicros: 100 * second }));
    driver.end();
    expect(driver.of('dispatch').map(({ submission, agent }) => [submission, agent])).toEqual([
      [1, 1],
      [3, 0],
    ]);
  });

  test('and a restored kernel holds to it', () => {
    const driver = new KernelDriver();
    driver.give(helloFrom('alpha'));
    driver.give(submissionOf(1, { skill: 'multiply' }));
    driver.end();
    driver.restart();
    driver.give(helloFrom('beta', { capabilities: { multiply: 1 } }), second);
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ submission: 1, agent: 1 }]);
  });
});
