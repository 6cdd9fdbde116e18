import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findQueueOrder } from './catalogue.ts';
import { ClusterState } from './cluster-state.ts';
import { newTask } from './new-task.ts';
import { ModelTable, type RequestKind, RequestKindTable } from './request.ts';
import type { Task } from './task.ts';
import { TaskQueue } from './task-queue.ts';

const context = { cluster: new ClusterState(), tenantWeights: {} };

const table = new RequestKindTable(new ModelTable());
const kinds: readonly RequestKind[] = [1, 2, 3].map((cores) =>
  table.intern({ cpuMilli: 1000 * cores, memoryMib: 0, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount: 1 }),
);

function makeTask(number: number, kind: number, estimateMicros = 1, submittedMicros = 0): Task {
  return newTask({
    task: number,
    submitter: 1,
    submission: number,
    tenant: 'default',
    kind: kinds[kind] as RequestKind,
    submittedMicros,
    estimateMicros,
    priority: 0,
    checkpointMicros: 0,
    gangSize: 0,
  });
}

function drain(queue: TaskQueue, now: number): number[] {
  const order: number[] = [];
  for (let task = queue.select(now); task !== undefined; task = queue.select(now)) {
    order.push(task.task);
    queue.remove(task);
  }
  return order;
}

describe('task queue', () => {
  test('the order is that of the policy over all kinds, ties in order of submission', () => {
    const queue = new TaskQueue(findQueueOrder('sjf', context));
    for (const [number, estimate] of [
      [1, 5],
      [2, 3],
      [3, 5],
      [4, 3],
      [5, 1],
    ] as const)
      queue.add(makeTask(number, number % 3, estimate), 0);
    expect(drain(queue, 0)).toEqual([5, 2, 4, 1, 3]);
  });

  test('keys that change with time are those of the moment of selection', () => {
    const queue = new TaskQueue(findQueueOrder('wfp3', context));
    // At 2 s (2/10)³ against 0, at 3 s (3/10)³ against (1/2)³.
    queue.add(makeTask(1, 0, 10_000_000, 0), 0);
    queue.add(makeTask(2, 0, 2_000_000, 2_000_000), 2_000_000);
    expect(queue.select(2_000_000)?.task).toBe(1);
    expect(queue.select(3_000_000)?.task).toBe(2);
  });

  test('a parked kind is not selected, newcomers of it neither, until it is made active', () => {
    const queue = new TaskQueue(findQueueOrder('fcfs', context));
    const first = makeTask(1, 0);
    queue.add(first, 0);
    queue.add(makeTask(2, 1), 0);
    queue.park(first);
    queue.add(makeTask(3, 0), 0);
    expect(queue.select(0)?.task).toBe(2);
    expect(queue.head(0)?.task).toBe(1);
    expect([queue.activeLineCount, queue.parkedLineCount, queue.size]).toEqual([1, 1, 3]);
    queue.unpark(({ kind }) => kind === kinds[1]);
    expect(queue.parkedLineCount).toBe(1);
    queue.unpark(({ kind }) => kind === kinds[0]);
    expect(drain(queue, 0)).toEqual([1, 2, 3]);
  });

  test('a task that backs off counts, is not selected, and comes back at its time', () => {
    const queue = new TaskQueue(findQueueOrder('fcfs', context));
    const task = makeTask(1, 0);
    queue.add(task, 0);
    queue.backOff(task, 10);
    expect([queue.size, queue.nextBackoffMicros, queue.select(9)]).toEqual([1, 10, undefined]);
    expect(queue.endBackoffs(9)).toBe(0);
    expect(queue.endBackoffs(10)).toBe(1);
    expect(queue.select(10)?.task).toBe(1);
    expect(queue.nextBackoffMicros).toBe(Number.POSITIVE_INFINITY);
  });

  // The model: a list of waiting tasks, a set of parked kinds, a list of back-offs.
  test('property: equal to a sorted list', () => {
    const action = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('add' as const),
          of: fc.nat(2),
          estimate: fc.integer({ min: 1, max: 5 }),
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('take' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('park' as const), of: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('unpark' as const), of: fc.nat(2) }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('backOff' as const), delay: fc.integer({ min: 1, max: 6 }) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('snapshot' as const) }) },
    );
    fc.assert(
      fc.property(fc.constantFrom('fcfs', 'sjf', 'wfp3'), fc.array(action, { maxLength: 80 }), (order, actions) => {
        const plugin = findQueueOrder(order, context);
        let queue = new TaskQueue(plugin);
        const waiting: Task[] = [];
        const parked = new Set<RequestKind>();
        let backingOff: { task: Task; until: number }[] = [];
        let count = 0;

        const keyAt = (task: Task, now: number): number =>
          plugin.dynamic ? plugin.key(task, now) : plugin.key(task, task.submittedMicros);
        const sorted = (now: number): Task[] =>
          waiting.toSorted((left, right) => keyAt(left, now) - keyAt(right, now) || left.task - right.task);
        const drop = (task: Task): void => {
          waiting.splice(waiting.indexOf(task), 1);
          // A kind of which nobody waits is not parked: the next one of it is worth a try.
          if (!waiting.some(({ kind }) => kind === task.kind)) parked.delete(task.kind);
        };

        for (const [step, next] of actions.entries()) {
          const now = step * 1_000_000;
          const ended = backingOff.filter(({ until }) => until <= now);
          expect(queue.endBackoffs(now)).toBe(ended.length);
          backingOff = backingOff.filter(({ until }) => until > now);
          waiting.push(...ended.map(({ task }) => task));

          const first = sorted(now).find(({ kind }) => !parked.has(kind));
          switch (next.kind) {
            case 'add': {
              const task = makeTask(++count, next.of, next.estimate * 1_000_000, now);
              waiting.push(task);
              queue.add(task, now);
              break;
            }
            case 'take':
              if (first === undefined) break;
              queue.remove(first);
              drop(first);
              break;
            case 'remove': {
              const task = waiting[next.which % Math.max(1, waiting.length)];
              if (task === undefined) break;
              queue.remove(task);
              drop(task);
              break;
            }
            case 'park': {
              const kind = kinds[next.of] as RequestKind;
              const twin = waiting.find((task) => task.kind === kind);
              if (twin === undefined) break;
              queue.park(twin);
              parked.add(kind);
              break;
            }
            case 'unpark':
              queue.unpark(({ kind }) => kind === kinds[next.of]);
              parked.delete(kinds[next.of] as RequestKind);
              break;
            case 'backOff':
              if (first === undefined) break;
              queue.backOff(first, now + next.delay * 1_000_000);
              drop(first);
              backingOff.push({ task: first, until: now + next.delay * 1_000_000 });
              break;
            case 'snapshot': {
              const snapshot = JSON.parse(JSON.stringify(queue.save()));
              const tasks = new Map<number, Task>();
              for (const task of [...waiting, ...backingOff.map((entry) => entry.task)]) {
                task.queueIndex = -1;
                tasks.set(task.task, task);
              }
              queue = new TaskQueue(plugin);
              queue.restore(snapshot, tasks, now);
              break;
            }
          }

          expect(queue.size).toBe(waiting.length + backingOff.length);
          expect(queue.select(now)).toBe(sorted(now).find(({ kind }) => !parked.has(kind)));
          expect(queue.head(now)).toBe(sorted(now)[0]);
          const bySubmission = queue.bySubmission();
          expect(bySubmission.map(({ task }) => task)).toEqual(
            waiting.map(({ task }) => task).toSorted((a, b) => a - b),
          );
          expect(queue.nextBackoffMicros).toBe(
            Math.min(Number.POSITIVE_INFINITY, ...backingOff.map(({ until }) => until)),
          );
        }
      }),
      { numRuns: 300 },
    );
  });
});
