// More comes than the queue holds: who is less important gives way, everybody hears why, and when to come again.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TaskEnded } from './effects.ts';
import { cpuRequest, helloFrom, KernelDriver, submissionOf } from './kernel-driver.ts';

const second = 1_000_000;

/** Nothing runs: there is no machine. */
function full(priorities: readonly number[], settings = {}): KernelDriver {
  const driver = new KernelDriver({}, { 'scheduler.queueLengthMax': priorities.length, ...settings });
  priorities.forEach((priority, index) => {
    driver.give(submissionOf(index + 1, { priority }));
  });
  return driver;
}

const answers = (driver: KernelDriver) => [
  ...driver.of('submissionAccepted').map(({ submission }) => `accepted ${submission}`),
  ...driver.of('submissionRefused').map(({ submission, code }) => `refused ${submission}: ${code}`),
];

/** Submissions that were given up in the last input. */
const shed = (driver: KernelDriver) =>
  driver.of('decisionMade').flatMap(({ record }) => (record.rule === 'shed' ? [record.submission] : []));

describe('a full queue', () => {
  test('of several least important ones the last gives way; its end says why', () => {
    const driver = full([2, 1, 1, 3]);
    driver.give({ kind: 'subscriberConnected', timeMicros: 0, subscriber: 'submitter/1' });
    driver.give(submissionOf(5, { priority: 2 }));
    expect(answers(driver)).toEqual(['accepted 5']);
    expect(shed(driver)).toEqual([3]);
    const ends = driver.of('deliver').map(({ payload }) => payload as TaskEnded);
    expect(ends).toMatchObject([{ submission: 3, outcome: 'dropped', attempts: 0, shed: true }]);
    driver.give(submissionOf(6, { priority: 2 }));
    expect(shed(driver)).toEqual([2]);
    driver.give(submissionOf(7, { priority: 2 }));
    expect(answers(driver)).toEqual(['refused 7: SIRA_QUEUE_FULL']);
    expect(driver.kernel.control.taskCountNow).toBe(4);
  });

  test('an equal or less important one is refused, whatever it is asked for again', () => {
    const driver = full([1, 1]);
    for (const priority of [1, 0]) {
      driver.give(submissionOf(3, { priority }));
      expect(answers(driver)).toEqual(['refused 3: SIRA_QUEUE_FULL']);
    }
    driver.give(submissionOf(4, { priority: 2 }));
    expect(answers(driver)).toEqual(['accepted 4']);
    driver.give(submissionOf(3, { priority: 9 }));
    expect(answers(driver), 'it was answered').toEqual(['refused 3: SIRA_QUEUE_FULL']);
  });

  test('what was started once, or belongs to a gang, does not give way', () => {
    const driver = new KernelDriver({}, { 'scheduler.queueLengthMax': 2 });
    driver.give(helloFrom('alpha'));
    driver.give(submissionOf(1, { priority: 0, request: { ...cpuRequest, cpuMilli: 4000 } }));
    driver.end();
    driver.give(helloFrom('alpha', { incarnation: 2, sentMicros: 1 }));
    driver.give({ kind: 'agentDraining', agent: 0, incarnation: 2 });
    driver.give(submissionOf(2, { priority: 0, gang: { name: 'pair', size: 2 } }));
    driver.give(submissionOf(3, { priority: 9 }));
    expect(answers(driver)).toEqual(['refused 3: SIRA_QUEUE_FULL']);
    expect(shed(driver)).toEqual([]);
  });

  test('a queue that is longer than it may be now takes nobody, however important', () => {
    const driver = full([0, 0, 0]);
    driver.give({ kind: 'settingChanged', name: 'scheduler.queueLengthMax', value: 2, who: 'ada', why: 'test' });
    driver.give(submissionOf(4, { priority: 9 }));
    expect(answers(driver)).toEqual(['refused 4: SIRA_QUEUE_FULL']);
  });

  test('who is sent away hears when to come again: one after the other, at the pace at which tasks leave', () => {
    const driver = new KernelDriver({ order: 'fcfs' }, { 'scheduler.queueLengthMax': 2 });
    const advice = (submission: number): number => {
      driver.give(submissionOf(submission, { request: { ...cpuRequest, cpuMilli: 4000 } }));
      return driver.of('submissionRefused')[0]?.retryAfterMicros as number;
    };
    driver.give(helloFrom('alpha'));
    for (const submission of [1, 2, 3]) {
      advice(submission);
      driver.end();
    }
    expect(advice(4), 'nothing is known of the pace yet').toBe(second);
    driver.restart();
    let submission = 4;
    for (let attempt = 1; attempt <= 12; attempt++) {
      driver.nowMicros += 2 * second;
      driver.finish(attempt);
      driver.end();
      advice(++submission);
      advice(++submission);
    }
    const [first, next] = [advice(++submission), advice(++submission)];
    expect(first / second).toBeCloseTo(4, 0);
    expect(next / second).toBeCloseTo(6, 0);
  });
});

test('property: what waits is at most what may, and nobody waits who is less important than one sent away just now', () => {
  const step = fc.record({
    priority: fc.integer({ min: 0, max: 4 }),
    ends: fc.boolean(),
    restarts: fc.boolean(),
  });
  const play = (steps: readonly { priority: number; ends: boolean; restarts: boolean }[], restarts: boolean) => {
    const driver = new KernelDriver({}, { 'scheduler.queueLengthMax': 3 });
    driver.give(helloFrom('alpha', { resources: { cpuMilli: 1000, memoryMib: 2048, gpuCount: 0, gpuModel: '' } }));
    let submission = 0;
    for (const { priority, ends, restarts: here } of steps) {
      driver.give(submissionOf(++submission, { priority }));
      const waiting = [...driver.kernel.control.tasks.values()].filter(({ state }) => state === 'waiting');
      expect(waiting.length).toBeLessThanOrEqual(3);
      if (driver.of('submissionRefused').length > 0)
        for (const task of waiting) if (task.attempts === 0) expect(task.priority).toBeGreaterThanOrEqual(priority);
      for (const { attempt } of driver.of('dispatch', driver.end())) {
        driver.accept(attempt);
      }
      if (ends) {
        const [running] = driver.kernel.control.scheduler.attempts.values();
        if (running !== undefined) driver.finish(running.attempt, { task: running.task.task });
      }
      if (restarts && here) driver.restart();
    }
    return driver.kernel.digest;
  };
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      expect(play(steps, true)).toBe(play(steps, false));
    }),
    { numRuns: 100 },
  );
});
