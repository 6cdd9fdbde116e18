import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cores, gpus, SchedulerDriver } from './scheduler-driver.ts';
import type { Task } from './task.ts';

const pair = { name: 'pair', size: 2 };
const minute = 60;

describe('a gang', () => {
  test('waits for its last member, then all start in one cycle', () => {
    const driver = new SchedulerDriver({}, [4, 4]);
    driver.submit(cores(3), { gang: { name: 'three', size: 3 } });
    driver.submit(cores(1), { gang: { name: 'three', size: 3 } });
    driver.submit(cores(2));
    expect(driver.cycle()).toEqual(['3 on 0']);
    expect(driver.scheduler.queueLength).toBe(2);
    expect(driver.scheduler.hasWork).toBe(false);
    driver.submit(cores(2), { gang: { name: 'three', size: 3 } });
    // The most demanding first: three cores on machine 1, two on machine 0, one on what is left.
    expect(driver.cycle(1)).toEqual(['1 on 1', '4 on 0', '2 on 1']);
    expect(driver.decisions.map(({ decision, attempt }) => [decision, attempt])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ]);
  });

  test('takes nothing as long as one member finds no room, and leaves no trace', () => {
    const driver = new SchedulerDriver({}, [4, 4]);
    const blocker = driver.submit(cores(2));
    driver.cycle();
    driver.submit(cores(4), { gang: pair });
    driver.submit(cores(4), { gang: pair });
    driver.submit(cores(4));
    // Skipped: the task behind it may start.
    expect(driver.cycle(1)).toEqual(['4 on 1']);
    expect(driver.decisions.at(-2)).toMatchObject({ outcome: 'waits', task: 2, machines: [], decision: 2 });
    expect(driver.decisions.at(-1)).toMatchObject({ decision: 3, attempt: 2 });
    driver.finish(blocker);
    expect(driver.cycle(2)).toEqual([]);
    driver.finish(driver.tasks.get(4) as Task);
    expect(driver.cycle(3)).toEqual(['2 on 0', '3 on 1']);
  });

  test('two cannot deadlock by halves', () => {
    const driver = new SchedulerDriver({}, [{ cpuMilli: 0, gpuCount: 4 }]);
    for (const name of ['a', 'b', 'a', 'b']) driver.submit(gpus(2), { gang: { name, size: 2 } });
    expect(driver.cycle()).toEqual(['1 on 0', '3 on 0']);
    driver.finish(driver.tasks.get(1) as Task);
    expect(driver.cycle(1)).toEqual([]);
    driver.finish(driver.tasks.get(3) as Task);
    expect(driver.cycle(2)).toEqual(['2 on 0', '4 on 0']);
  });

  test('blocks the queue where unplaced tasks do; what ends before it can start is backfilled', () => {
    const driver = new SchedulerDriver({ unplaced: 'block', backfill: 'avoidReserved' }, [4, 4]);
    const running = driver.submit(cores(4), { estimate: 10 });
    driver.cycle();
    driver.begin(running, 0);
    driver.submit(cores(3), { gang: pair, estimate: 5 });
    driver.submit(cores(2), { gang: pair, estimate: 5 });
    driver.submit(cores(4), { estimate: 20 });
    driver.submit(cores(4), { estimate: 9 });
    // Both members fit once the first task ends, on both machines: only the short task may go first.
    expect(driver.cycle(0)).toEqual(['5 on 1']);
    expect(driver.decisions.at(-1)).toMatchObject({ rule: 'backfilled', shadowMicros: 10_000_000 });
    driver.finish(driver.tasks.get(5) as Task);
    driver.finish(running);
    expect(driver.cycle(9)).toEqual(['2 on 0', '3 on 1']);
  });

  test('is dropped whole, or backs off whole', () => {
    const dropping = new SchedulerDriver({ unplaced: 'drop' }, [4]);
    for (let member = 0; member < 2; member++) dropping.submit(cores(3), { gang: pair });
    expect(dropping.cycle()).toEqual(['1 dropped', '2 dropped']);
    const backing = new SchedulerDriver({ unplaced: 'backoff' }, [4]);
    for (let member = 0; member < 2; member++) backing.submit(cores(3), { gang: pair });
    expect(backing.cycle()).toEqual([]);
    expect([backing.scheduler.queueLength, backing.scheduler.nextBackoffMicros]).toEqual([2, 1_000_000]);
  });

  test('that misses a member for too long is dropped', () => {
    const driver = new SchedulerDriver({}, [4], { 'scheduler.gangTimeoutMicros': minute * 1_000_000 });
    expect(driver.scheduler.nextGangTimeoutMicros).toBe(Number.POSITIVE_INFINITY);
    driver.submit(cores(1), { gang: { name: 'x', size: 3 }, at: 5 });
    driver.submit(cores(1), { gang: { name: 'x', size: 3 }, at: 30 });
    driver.submit(cores(1), { gang: { name: 'y', size: 3 }, at: 40 });
    driver.restart();
    expect(driver.scheduler.nextGangTimeoutMicros).toBe(65_000_000);
    driver.scheduler.dropIncompleteGangs(65_000_000, driver);
    expect([1, 2, 3].map((task) => (driver.tasks.get(task) as Task).state)).toEqual(['ended', 'ended', 'waiting']);
    expect(driver.decisions.map(({ rule, outcome }) => `${outcome} ${rule}`)).toEqual([
      'dropped incomplete gang',
      'dropped incomplete gang',
    ]);
    expect(driver.scheduler.nextGangTimeoutMicros).toBe(100_000_000);
    expect(driver.scheduler.queueLength).toBe(1);
    // A late member begins a gang of its own.
    driver.submit(cores(1), { gang: { name: 'x', size: 3 }, at: 66 });
    expect(driver.scheduler.queueLength).toBe(2);
  });

  test('of which one is withdrawn is out of the queue', () => {
    for (const size of [2, 3]) {
      const driver = new SchedulerDriver({ unplaced: 'block' }, [1]);
      const [first, second] = [0, 1].map(() => driver.submit(cores(1), { gang: { name: 'g', size } }));
      driver.cycle();
      expect(driver.scheduler.withdraw(second as Task)).toEqual([first]);
      expect(driver.scheduler.queueLength).toBe(0);
      driver.submit(cores(1));
      expect(driver.cycle(1)).toEqual(['3 on 0']);
    }
  });

  test('has members that go alone once it has started, and that nobody evicts', () => {
    const driver = new SchedulerDriver({ order: 'priority', preempt: 'lowerPriority' }, [4]);
    const first = driver.submit(cores(2), { gang: pair });
    driver.submit(cores(2), { gang: pair });
    driver.cycle();
    driver.submit(cores(4), { priority: 1 });
    expect(driver.cycle(1)).toEqual([]);
    driver.stop(first);
    expect(driver.cycle(2)).toEqual(['1 on 0']);
  });
});

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      cores: fc.integer({ min: 1, max: 4 }),
      machines: fc.constantFrom(1, 1, 2),
      gang: fc.constantFrom('', 'a', 'b', 'c'),
      size: fc.constantFrom(2, 3),
      estimate: fc.integer({ min: 1, max: 30 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('finish' as const), which: fc.nat({ max: 99 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('withdraw' as const), which: fc.nat({ max: 99 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);

test.each([
  { unplaced: 'skip' },
  { unplaced: 'skip', overtakeMax: 2 },
  { unplaced: 'block', backfill: 'never' },
  { unplaced: 'block', backfill: 'avoidReserved', place: 'random' },
  { unplaced: 'skip', order: 'priority', preempt: 'lowerPriority' },
] as const)('property (%o): all members start in one cycle or none does, and none is lost', (profile) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (script) => {
      const driver = new SchedulerDriver(profile, [4, 4, 6]);
      const gangOf = new Map<number, object | undefined>();
      let now = 0;
      const cycle = (): void => {
        now++;
        const waiting = [...driver.tasks.values()].filter(({ state }) => state === 'waiting');
        for (const task of waiting) gangOf.set(task.task, task.gang);
        driver.cycle(now);
        for (const task of waiting) {
          const gang = gangOf.get(task.task);
          if (gang === undefined) continue;
          for (const other of waiting) if (gangOf.get(other.task) === gang) expect(other.state).toBe(task.state);
        }
        const open = [...driver.tasks.values()].filter(({ state }) => state !== 'ended');
        expect(driver.scheduler.queueLength + driver.scheduler.attempts.size).toBe(open.length);
      };
      for (const next of script) {
        switch (next.do) {
          case 'submit': {
            const gang = next.gang === '' ? undefined : { name: next.gang, size: next.size };
            driver.submit(cores(next.cores, next.machines), {
              at: now,
              estimate: next.estimate,
              ...(gang === undefined ? {} : { gang }),
            });
            break;
          }
          case 'finish': {
            const attempts = [...driver.scheduler.attempts.values()];
            const attempt = attempts[next.which % Math.max(1, attempts.length)];
            if (attempt !== undefined) driver.finish(attempt.task);
            break;
          }
          case 'withdraw': {
            const waiting = [...driver.tasks.values()].filter(({ state }) => state === 'waiting');
            const task = waiting[next.which % Math.max(1, waiting.length)];
            if (task === undefined) break;
            for (const companion of [task, ...driver.scheduler.withdraw(task)]) companion.state = 'ended';
            break;
          }
          case 'restart':
            driver.restart();
            break;
        }
        cycle();
      }
      driver.scheduler.dropIncompleteGangs(now * 1_000_000 + 600_000_000, driver);
      for (let round = 0; round < 300 && driver.scheduler.attempts.size + driver.scheduler.queueLength > 0; round++) {
        cycle();
        const before = driver.scheduler.attempts.size;
        for (const attempt of [...driver.scheduler.attempts.values()]) driver.finish(attempt.task);
        if (before === 0) break;
      }
      // What is left are gangs that the three machines cannot hold at once.
      const left = [...driver.tasks.values()].filter(({ state }) => state === 'waiting');
      if (!('unplaced' in profile && profile.unplaced === 'block') && !('overtakeMax' in profile))
        for (const task of left) expect(task.gang).toBeDefined();
    }),
    { numRuns: 60 },
  );
});
