import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cores, gpus, SchedulerDriver } from './scheduler-driver.ts';
import type { Task } from './task.ts';

const preempting = { order: 'priority', preempt: 'lowerPriority' } as const;

describe('priority order', () => {
  test('larger priorities first, then submission', () => {
    const driver = new SchedulerDriver({ order: 'priority' }, [10]);
    for (const priority of [0, 5, -1, 5]) driver.submit(cores(1), { priority });
    expect(driver.cycle()).toEqual(['2 on 0', '4 on 0', '1 on 0', '3 on 0']);
  });
});

describe('whom to evict', () => {
  test('nobody of equal or higher priority', () => {
    const driver = new SchedulerDriver(preempting, [4]);
    driver.submit(cores(4), { priority: 3 });
    driver.cycle();
    driver.submit(cores(4), { priority: 3 });
    driver.submit(cores(4), { priority: 2 });
    expect(driver.cycle(1)).toEqual([]);
  });

  test('no more than needed: the important and the long-running are spared', () => {
    const driver = new SchedulerDriver(preempting, [8]);
    const tasks = [1, 0, 0, 0].map((priority) => driver.submit(cores(2), { priority }));
    driver.cycle();
    for (const [index, task] of tasks.entries()) driver.begin(task, [5, 1, 3, 2][index] as number);
    driver.submit(cores(4), { priority: 9 });
    // Task 1 matters more than the others; task 2 has run longest of those.
    expect(driver.cycle(6)).toEqual(['3 evicted', '4 evicted']);
    expect(driver.decisions.at(-1)).toMatchObject({ outcome: 'evicts', machines: [0], victims: [3, 4], task: 5 });
  });

  test('the machine whose victims matter least, then the fewest, then the least lost work, then the first', () => {
    const by = (machines: readonly (readonly { priority?: number; cores: number; began?: number }[])[]): string[] => {
      const driver = new SchedulerDriver(
        preempting,
        machines.map(() => 4),
      );
      const begun: [Task, number][] = [];
      for (const there of machines)
        for (const { priority = 0, cores: asked, began = 0 } of there)
          begun.push([driver.submit(cores(asked), { priority }), began]);
      // First fit in the order of priorities would mix the machines.
      driver.cycle();
      for (const [task, began] of begun) driver.begin(task, began);
      driver.submit(cores(4), { priority: 9 });
      return driver.cycle(10);
    };
    expect(by([[{ cores: 4, priority: 2 }], [{ cores: 4, priority: 1 }]])).toEqual(['2 evicted']);
    expect(by([[{ cores: 2 }, { cores: 2 }], [{ cores: 4 }]])).toEqual(['3 evicted']);
    expect(by([[{ cores: 4, began: 2 }], [{ cores: 4, began: 7 }]])).toEqual(['2 evicted']);
    expect(by([[{ cores: 4 }], [{ cores: 4 }]])).toEqual(['1 evicted']);
  });

  test('devices count one by one', () => {
    const driver = new SchedulerDriver(preempting, [{ cpuMilli: 0, gpuCount: 2 }]);
    driver.submit(gpus(0.5));
    driver.submit(gpus(0.5));
    driver.submit(gpus(0.5));
    driver.cycle();
    driver.submit(gpus(1), { priority: 1 });
    // Two halves share the first device; the second holds one.
    expect(driver.cycle(1)).toEqual(['3 evicted']);
  });

  test('a task over several machines goes from all, and takes several', () => {
    const driver = new SchedulerDriver(preempting, [4, 4, 4]);
    const wide = driver.submit(cores(3, 3));
    driver.submit(cores(1));
    driver.cycle();
    const both = driver.submit(cores(4, 2), { priority: 1 });
    // Machine 0 also runs task 2, so 1 and 2 are the least hurt, and leaving them is one eviction.
    expect(driver.cycle(1)).toEqual(['1 evicted']);
    driver.stop(wide);
    expect(driver.cycle(2)).toEqual([`${both.task} on 1 2`]);
  });

  test('nobody more often than the bound', () => {
    const driver = new SchedulerDriver(preempting, [4], { 'scheduler.preemptionsMax': 2 });
    const low = driver.submit(cores(4));
    driver.cycle(0);
    for (let round = 1; round <= 3; round++) {
      const high = driver.submit(cores(4), { priority: 1 });
      expect(driver.cycle(round)).toEqual(round <= 2 ? ['1 evicted'] : []);
      if (round > 2) continue;
      driver.stop(low);
      expect(driver.cycle(round)).toEqual([`${high.task} on 0`]);
      driver.finish(high);
      expect(driver.cycle(round)).toEqual(['1 on 0']);
    }
    expect(low.preemptions).toBe(2);
  });
});

describe('the room that victims leave', () => {
  test('is kept until the last of them is gone, and taken before anybody else looks', () => {
    const driver = new SchedulerDriver({ ...preempting, order: 'fcfs' }, [4]);
    const [first, second] = [driver.submit(cores(2)), driver.submit(cores(2))];
    driver.cycle();
    driver.submit(cores(4), { priority: 1 });
    expect(driver.cycle(1)).toEqual(['1 evicted', '2 evicted']);
    expect(driver.scheduler.queueLength).toBe(1);
    driver.submit(cores(1), { at: 1 });
    expect(driver.cycle(1)).toEqual([]);
    expect(driver.decisions.at(-1)?.reasonCounts).toEqual([0, 0, 0, 0, 0, 0, 1]);
    driver.stop(first as Task);
    expect(driver.cycle(2)).toEqual([]);
    driver.stop(second as Task);
    expect(driver.scheduler.hasWork).toBe(true);
    expect(driver.cycle(3)).toEqual(['3 on 0']);
    expect(driver.decisions.at(-1)).toMatchObject({ outcome: 'placed', rule: 'after eviction', queueLength: 4 });
    driver.finish(driver.tasks.get(3) as Task);
    // Victims have kept their places.
    expect(driver.cycle(4)).toEqual(['1 on 0', '2 on 0']);
  });

  test('goes to others when the task is withdrawn, or the machine is lost', () => {
    for (const how of ['withdrawn', 'lost'] as const) {
      const driver = new SchedulerDriver(preempting, [4, 1]);
      const low = driver.submit(cores(4));
      driver.cycle();
      const high = driver.submit(cores(4), { priority: 1 });
      driver.cycle(1);
      if (how === 'withdrawn') driver.scheduler.withdraw(high);
      else driver.scheduler.setSchedulable(0, false);
      driver.stop(low);
      expect(driver.cycle(2)).toEqual(how === 'withdrawn' ? ['1 on 0'] : []);
      if (how === 'withdrawn') continue;
      expect(driver.scheduler.queueLength).toBe(2);
      driver.scheduler.setSchedulable(0, true);
      expect(driver.cycle(3)).toEqual(['2 on 0']);
    }
  });

  test('a task that was parked before is tried when room that could be made appears', () => {
    const driver = new SchedulerDriver(preempting, [4]);
    const equal = driver.submit(cores(3), { priority: 5 });
    driver.submit(cores(1));
    driver.cycle();
    driver.submit(cores(4), { priority: 5 });
    expect(driver.cycle(1)).toEqual([]);
    driver.finish(equal);
    expect(driver.cycle(2)).toEqual(['2 evicted']);
  });

  test('an important twin does not wait behind an unimportant one that cannot evict', () => {
    const driver = new SchedulerDriver(preempting, [4]);
    driver.submit(cores(4));
    driver.cycle();
    driver.submit(cores(4));
    expect(driver.cycle(1)).toEqual([]);
    driver.submit(cores(4), { priority: 1 });
    expect(driver.cycle(2)).toEqual(['1 evicted']);
  });

  test.each(['block', 'backoff', 'drop'] as const)('whatever else becomes of the unplaced: %s', (unplaced) => {
    const driver = new SchedulerDriver({ ...preempting, unplaced }, [4]);
    const low = driver.submit(cores(4));
    driver.cycle();
    driver.submit(cores(4), { priority: 1 });
    expect(driver.cycle(1)).toEqual(['1 evicted']);
    driver.stop(low);
    expect(driver.cycle(2)[0]).toBe('2 on 0');
  });
});

const step = fc.oneof(
  fc.record({
    do: fc.constant('submit' as const),
    cores: fc.integer({ min: 1, max: 4 }),
    machines: fc.constantFrom(1, 1, 1, 2),
    priority: fc.integer({ min: 0, max: 3 }),
  }),
  fc.record({
    do: fc.constantFrom('finish' as const, 'stop' as const, 'withdraw' as const),
    which: fc.nat({ max: 99 }),
  }),
  fc.record({ do: fc.constant('machine' as const), which: fc.nat({ max: 2 }), up: fc.boolean() }),
  fc.record({ do: fc.constant('restart' as const) }),
);

test.each(['skip', 'block', 'backoff'] as const)(
  'property (%s): victims are less important, nobody is lost, and a quiet cluster ends with no task that could run',
  (unplaced) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (script) => {
        const driver = new SchedulerDriver({ ...preempting, unplaced }, [4, 4, 6]);
        let now = 0;
        const cycle = (): void => {
          const from = driver.decisions.length;
          const before = new Map([...driver.scheduler.attempts]);
          now += 400;
          driver.scheduler.endBackoffs(now * 1_000_000);
          driver.cycle(now);
          for (const { outcome, task, victims = [] } of driver.decisions.slice(from)) {
            if (outcome !== 'evicts') continue;
            expect(victims.length).toBeGreaterThan(0);
            for (const victim of victims) {
              const lower = before.get(victim)?.task ?? driver.scheduler.attempts.get(victim)?.task;
              expect(lower?.priority).toBeLessThan((driver.tasks.get(task) as Task).priority);
            }
          }
          const open = [...driver.tasks.values()].filter(({ state }) => state !== 'ended');
          expect(driver.scheduler.queueLength + driver.scheduler.attempts.size).toBe(open.length);
        };
        for (const next of script) {
          const attempts = [...driver.scheduler.attempts.values()];
          switch (next.do) {
            case 'submit':
              driver.submit(cores(next.cores, next.machines), { at: now, priority: next.priority });
              break;
            case 'finish':
            case 'stop': {
              const attempt = attempts[next.which % Math.max(1, attempts.length)];
              if (attempt === undefined) break;
              if (next.do === 'finish') driver.finish(attempt.task);
              else driver.stop(attempt.task);
              break;
            }
            case 'withdraw': {
              const waiting = [...driver.tasks.values()].filter(({ state }) => state === 'waiting');
              const task = waiting[next.which % Math.max(1, waiting.length)];
              if (task === undefined) break;
              driver.scheduler.withdraw(task);
              task.state = 'ended';
              break;
            }
            case 'machine':
              driver.scheduler.setSchedulable(next.which, next.up);
              break;
            case 'restart':
              driver.restart();
              break;
          }
          cycle();
        }
        // All machines come back, what is being stopped stops, what runs ends: everything gets its turn.
        for (const machine of [0, 1, 2]) driver.scheduler.setSchedulable(machine, true);
        for (let round = 0; round < 400 && driver.scheduler.attempts.size + driver.scheduler.queueLength > 0; round++) {
          cycle();
          for (const attempt of [...driver.scheduler.attempts.values()]) {
            if (attempt.state === 'cancelling') driver.stop(attempt.task);
            else driver.finish(attempt.task);
          }
        }
        expect(driver.scheduler.queueLength).toBe(0);
        expect([...driver.scheduler.cluster.holds.subarray(0, 3)]).toEqual([0, 0, 0]);
      }),
      { numRuns: 150 },
    );
  },
);
