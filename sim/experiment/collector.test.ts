import { describe, expect, test } from 'vitest';
import type { Dispatch, TaskEnded } from '../../core/kernel/effects.ts';
import type { MachineSpec, WorkloadTask } from '../workload/workload.ts';
import { Collector } from './collector.ts';
import { observe } from './metrics.ts';
import { outcomeNames, TaskColumns } from './task-columns.ts';

const second = 1_000_000;
const machines: readonly MachineSpec[] = [
  { name: 'm0', cpuMilli: 4000, memoryMib: 10, gpuCount: 2, gpuModel: 'T4' },
  { name: 'm1', cpuMilli: 4000, memoryMib: 10, gpuCount: 2, gpuModel: 'T4' },
];
const request = { cpuMilli: 1000, memoryMib: 1, gpuCount: 1, gpuMilli: 500, gpuModels: [], machineCount: 1 };

function taskOf(number: number): WorkloadTask {
  return {
    name: `t${number}`,
    arrivalMicros: 0,
    request,
    durationMicros: 10 * second,
    estimateMicros: 10 * second,
    priority: 0,
    tenant: '',
  };
}

function dispatchOf(submission: number, attempt: number): Dispatch {
  return {
    kind: 'dispatch',
    agent: 0,
    incarnation: 1,
    task: submission,
    attempt,
    order: attempt,
    submitter: 1,
    submission,
    machines: [0],
    deviceMasks: [1],
  };
}

function endOf(submission: number, outcome: TaskEnded['outcome']): TaskEnded {
  return { task: submission, submission, outcome, attempts: 1, attempt: 1, agent: 0, serviceMicros: 1 };
}

function collectorOf(tasks: number, ganttFromMicros = Number.POSITIVE_INFINITY): Collector {
  const collector = new Collector(machines, [], 0, ganttFromMicros);
  for (let number = 1; number <= tasks; number++) collector.taskArrived(number, taskOf(number), 0);
  return collector;
}

describe('tenants and evictions', () => {
  test('are counted from when measurement begins, with what still runs at the end', () => {
    const collector = new Collector(machines, [], 100, Number.POSITIVE_INFINITY);
    for (const [index, tenant] of ['a', 'b', 'a'].entries())
      collector.taskArrived(index + 1, { ...taskOf(index + 1), tenant }, 0);
    // Half a GPU each: 50 µs before measurement begins and 20 after it, 30, and 40 on two machines without an end.
    collector.workStarted(dispatchOf(1, 1), [0], 50);
    collector.workEnded(dispatchOf(1, 1), [0], 'stopped', 120);
    collector.workStarted(dispatchOf(2, 2), [0], 120);
    collector.workEnded(dispatchOf(2, 2), [0], 'completed', 150);
    collector.workStarted(dispatchOf(3, 3), [0, 1], 160);
    const evicts = { outcome: 'evicts', victims: [1, 2] } as never;
    collector.kernelEffect({ kind: 'decisionMade', record: evicts }, 99);
    collector.kernelEffect({ kind: 'decisionMade', record: evicts }, 100);
    collector.finish(200);
    expect(collector.tenantUse).toEqual([20 * 500 + 40 * 2 * 500, 30 * 500]);
    expect(collector.evictions).toBe(2);
  });
});

describe('who waits', () => {
  test('a result that was lost with its agent: the task begins twice, and never waits less than not at all', () => {
    const collector = collectorOf(1);
    collector.workStarted(dispatchOf(1, 1), [0], 10);
    collector.workEnded(dispatchOf(1, 1), [0], 'completed', 20);
    collector.workStarted(dispatchOf(1, 2), [1], 30);
    collector.workEnded(dispatchOf(1, 2), [1], 'completed', 40);
    collector.taskEnded(endOf(1, 'completed'), 41);
    expect(collector.usage.at(50)).toMatchObject({ waiting: 10, running: 20 });
    expect(collector.usage.waiting).toBe(0);
    expect(collector.tasks.startMicros[0]).toBe(10);
    expect(collector.tasks.attempts[0]).toBe(2);
  });

  test('a task that is lost waits again; one that was refused, dropped or cancelled does not', () => {
    const collector = collectorOf(5);
    collector.workStarted(dispatchOf(1, 1), [0], 10);
    collector.workEnded(dispatchOf(1, 1), [0], 'lost', 20);
    collector.submissionAnswered(1, true, '', 5);
    collector.submissionAnswered(2, false, 'full', 10);
    collector.taskEnded(endOf(3, 'dropped'), 10);
    collector.workStarted(dispatchOf(4, 2), [0], 10);
    collector.workEnded(dispatchOf(4, 2), [0], 'stopped', 30);
    collector.taskEnded(endOf(4, 'cancelled'), 40);
    // 1: 0–10 and from 20; 2 and 3: 0–10; 4: 0–10 and 30–40; 5: all the time.
    expect(collector.usage.at(100).waiting).toBe(10 + 80 + 10 + 10 + 10 + 10 + 100);
    expect(collector.usage.waiting).toBe(2);
    expect(Array.from(collector.tasks.outcome.subarray(0, 5), (code) => outcomeNames[code])).toEqual([
      'unfinished',
      'refused',
      'dropped',
      'cancelled',
      'unfinished',
    ]);
  });

  test('work that its end overtook makes nobody wait', () => {
    const collector = collectorOf(1);
    collector.workStarted(dispatchOf(1, 1), [0], 0);
    collector.taskEnded(endOf(1, 'cancelled'), 10);
    collector.workEnded(dispatchOf(1, 1), [0], 'stopped', 20);
    expect(collector.usage.waiting).toBe(0);
    expect(collector.usage.running).toBe(0);
  });
});

describe('Gantt bars', () => {
  test('are clipped by nothing but begin and end, and closed when the run ends', () => {
    const collector = collectorOf(3, 15 * second);
    collector.workStarted(dispatchOf(1, 1), [0], 0);
    collector.workStarted(dispatchOf(2, 2), [1], 5 * second);
    collector.workEnded(dispatchOf(1, 1), [0], 'completed', 10 * second);
    collector.workStarted(dispatchOf(3, 3), [0], 12 * second);
    collector.workEnded(dispatchOf(3, 3), [0], 'lost', 16 * second);
    collector.finish(20 * second);
    expect(collector.gantt).toEqual([
      { machine: 'm0', task: 't3', startSeconds: 12, endSeconds: 16, gpuMilli: 500 },
      { machine: 'm1', task: 't2', startSeconds: 5, endSeconds: 20, gpuMilli: 500 },
    ]);
  });
});

describe('the slowest', () => {
  test('are at most ten, longest first, ties in order of arrival', () => {
    const collector = collectorOf(14);
    for (let number = 1; number <= 13; number++) {
      collector.workStarted(dispatchOf(number, number), [0], (number % 4) * second);
    }
    const slowest = collector.slowest(7, 100 * second);
    expect(slowest.map(({ id, waitSeconds }) => [id, waitSeconds])).toEqual([
      [14, 100],
      [3, 3],
      [7, 3],
      [11, 3],
      [2, 2],
      [6, 2],
      [10, 2],
      [1, 1],
      [5, 1],
      [9, 1],
    ]);
    expect(slowest[0]).toMatchObject({
      seed: 7,
      reason: 'still waiting at the end: waited behind others in the queue',
    });
  });
});

describe('TaskColumns', () => {
  test('grow without losing anything', () => {
    const tasks = new TaskColumns();
    for (let number = 0; number < 5000; number++) {
      tasks.add({ ...taskOf(number), durationMicros: number, estimateMicros: 2 * number }, 3 * number);
      tasks.outcome[number] = number % 6;
      tasks.waiting[number] = number % 2;
      tasks.machine[number] = number % 7;
      tasks.attempts[number] = number % 5;
      tasks.endMicros[number] = 4 * number;
    }
    for (let number = 0; number < 5000; number++) {
      const row = [
        tasks.arrivalMicros[number],
        tasks.startMicros[number],
        tasks.endMicros[number],
        tasks.durationMicros[number],
        tasks.estimateMicros[number],
        tasks.outcome[number],
        tasks.waiting[number],
        tasks.machine[number],
        tasks.attempts[number],
      ];
      expect(row).toEqual([
        3 * number,
        -1,
        4 * number,
        number,
        2 * number,
        number % 6,
        number % 2,
        number % 7,
        number % 5,
      ]);
    }
    // One request object, once.
    expect(tasks.requests).toEqual([request]);
    expect(tasks.requestOf(4999)).toBe(request);
  });
});

test('a failed task is known to have taken longer than until it failed', () => {
  const collector = collectorOf(2);
  collector.workStarted(dispatchOf(1, 1), [0], 2 * second);
  collector.workEnded(dispatchOf(1, 1), [0], 'failed', 5 * second);
  collector.taskEnded(endOf(1, 'failed'), 5 * second);
  const begin = { timeMicros: 0, gpuMilli: 0, cpuMilli: 0, running: 0, waiting: 0 };
  const { completion, wait } = observe({
    tasks: collector.tasks,
    begin,
    end: { ...begin, timeMicros: 60 * second },
  });
  expect([...completion.values]).toEqual([5, 60]);
  expect([...completion.censored]).toEqual([1, 1]);
  expect([...wait.values]).toEqual([2, 60]);
  expect([...wait.censored]).toEqual([0, 1]);
});
