import { describe, expect, test } from 'vitest';
import { helloFrom, KernelDriver, submissionOf } from './kernel-driver.ts';

const second = 1_000_000;
const whole = { cpuMilli: 4000, memoryMib: 0, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 };

/** One machine, and a task of priority 0 that fills it and has begun. */
function running(checkpointMicros = 0, settings = {}): KernelDriver {
  const driver = new KernelDriver({ order: 'priority', preempt: 'lowerPriority' }, settings);
  driver.give(helloFrom('a'));
  driver.give(submissionOf(1, { request: whole, checkpointMicros }));
  driver.end();
  driver.accept(1);
  return driver;
}

const important = submissionOf(2, { request: whole, priority: 1 });

describe('an eviction', () => {
  test('stops the victim, holds its resources until it has answered, places the other, and queues the victim again', () => {
    const driver = running();
    driver.give(important, 5 * second);
    driver.end();
    expect(driver.of('decisionMade').map(({ record }) => record.outcome)).toEqual(['evicts']);
    expect(driver.of('stop')).toMatchObject([{ task: 1, attempt: 1, agent: 0 }]);
    expect(driver.of('dispatch')).toEqual([]);
    driver.restart();
    driver.finish(1, { task: 1, outcome: 'stopped', serviceMicros: 0 });
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ task: 2, attempt: 2, machines: [0] }]);
    expect(driver.kernel.control.scheduler.queueLength).toBe(1);
    driver.finish(2, { task: 2 });
    driver.end();
    const [again] = driver.of('dispatch');
    expect(again).toMatchObject({ task: 1, attempt: 3 });
    expect(again?.checkpoint).toBeUndefined();
  });

  test('a victim that completes just then has completed', () => {
    const driver = running();
    driver.give(important);
    driver.end();
    driver.finish(1, { task: 1 });
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ task: 2 }]);
    expect(driver.kernel.control.taskCountNow).toBe(1);
  });

  test('holds the victim when its agent, before its begin, had said that it runs nothing', () => {
    const driver = new KernelDriver({ order: 'priority', preempt: 'lowerPriority' });
    driver.give(helloFrom('a'));
    driver.give(submissionOf(1, { request: whole }));
    driver.end();
    driver.give(important);
    driver.end();
    expect(driver.of('stop')).toMatchObject([{ task: 1, attempt: 1 }]);
    driver.give(helloFrom('a', { connection: 2, running: [] }));
    driver.end();
    expect(driver.of('dispatch')).toEqual([]);
    driver.finish(1, { task: 1, outcome: 'stopped', serviceMicros: 0 });
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ task: 2, attempt: 2 }]);
  });

  test('is no failure of the victim', () => {
    const driver = running(0, { 'scheduler.attemptsMax': 1 });
    driver.give(important);
    driver.end();
    driver.finish(1, { task: 1, outcome: 'stopped' });
    driver.end();
    driver.finish(2, { task: 2 });
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ task: 1 }]);
    // But this is.
    driver.finish(3, { task: 1, outcome: 'failed' });
    expect(driver.kernel.control.taskCountNow).toBe(0);
  });

  test('the death of the silent victim’s machine sends both back to the queue', () => {
    const driver = running();
    driver.give(important);
    driver.end();
    driver.pass(200 * second);
    driver.end();
    expect(driver.of('dispatch')).toEqual([]);
    expect(driver.kernel.control.scheduler.queueLength).toBe(2);
    driver.give(helloFrom('a', { incarnation: 2 }));
    driver.end();
    expect(driver.of('dispatch')).toMatchObject([{ task: 2, incarnation: 2 }]);
  });
});

describe('a task that saves checkpoints', () => {
  test('goes on from the last one that the result of its stop names', () => {
    const driver = running(10 * second);
    driver.give(important);
    driver.end();
    driver.finish(1, { task: 1, outcome: 'stopped', progressMicros: 30 * second });
    driver.end();
    driver.finish(2, { task: 2 });
    driver.end();
    expect(driver.of('dispatch')[0]?.checkpoint).toEqual({ everyMicros: 10 * second, resumeMicros: 30 * second });
  });

  test('goes on from the last one heard of when its machine dies', () => {
    const driver = running(10 * second);
    const saved = (progressMicros: number, incarnation = 1): void => {
      driver.give({ kind: 'taskProgressed', agent: 0, incarnation, task: 1, attempt: 1, progressMicros });
    };
    saved(20 * second);
    // A late copy, and one from nobody.
    saved(10 * second);
    saved(90 * second, 7);
    driver.restart();
    driver.give(helloFrom('a', { incarnation: 2 }));
    driver.end();
    expect(driver.of('dispatch')[0]?.checkpoint).toEqual({ everyMicros: 10 * second, resumeMicros: 20 * second });
  });

  test('is told of none in the beginning, and what claims no number is not believed', () => {
    const driver = running(10 * second);
    driver.give({
      kind: 'taskProgressed',
      agent: 0,
      incarnation: 1,
      task: 1,
      attempt: 1,
      progressMicros: Number.NaN,
    });
    driver.finish(1, { task: 1, outcome: 'failed', progressMicros: Number.POSITIVE_INFINITY });
    driver.end();
    expect(driver.of('dispatch')[0]?.checkpoint).toEqual({ everyMicros: 10 * second, resumeMicros: 0 });
  });
});
