import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../base/random.ts';
import { createKernelSettings } from '../config/kernel-setting-table.ts';
import type { DecisionRecord } from './decision.ts';
import type { Profile } from './framework.ts';
import { newTask } from './new-task.ts';
import type { ResourceRequest } from './request.ts';
import { Scheduler, type SchedulerOutput } from './scheduler.ts';
import type { Attempt, Task } from './task.ts';

const second = 1_000_000;

const base: Profile = {
  name: 'test',
  order: 'fcfs',
  place: 'first-fit',
  unplaced: 'skip',
  backfill: 'none',
  overtakeMax: 0,
  typicalTasks: [],
};

function cpus(cpuCores: number, machineCount = 1): ResourceRequest {
  return { cpuMilli: 1000 * cpuCores, memoryMib: 0, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount };
}

/** A scheduler with machines of so many cores, and what it did, in words. */
class Bench implements SchedulerOutput {
  readonly scheduler: Scheduler;
  readonly random = new RandomStream(1, 'test');
  readonly log: string[] = [];
  readonly decisions: DecisionRecord[] = [];
  readonly tasks = new Map<number, Task>();
  private taskCount = 0;

  constructor(profile: Partial<Profile>, cores: readonly number[]) {
    this.scheduler = new Scheduler({ ...base, ...profile }, this.random, createKernelSettings());
    for (const cpuCores of cores)
      this.addMachine({ cpuMilli: 1000 * cpuCores, memoryMib: 0, gpuCount: 0, gpuModel: '' });
  }

  addMachine(resources: Parameters<Scheduler['cluster']['addMachine']>[0]): void {
    this.scheduler.setSchedulable(this.scheduler.cluster.addMachine(resources), true);
  }

  submit(request: ResourceRequest, nowSeconds: number, estimateSeconds = 1): Task {
    const task = newTask({
      task: ++this.taskCount,
      submitter: 1,
      submission: this.taskCount,
      tenant: 'default',
      kind: this.scheduler.kinds.intern(request),
      submittedMicros: nowSeconds * second,
      estimateMicros: estimateSeconds * second,
      priority: 0,
      checkpointMicros: 0,
      gangSize: 0,
    });
    this.tasks.set(task.task, task);
    this.scheduler.enqueue(task, task.submittedMicros);
    return task;
  }

  /** One cycle; what it did. */
  cycle(nowSeconds: number): string[] {
    const from = this.log.length;
    this.scheduler.cycle(nowSeconds * second, this);
    return this.log.slice(from);
  }

  attemptOf(task: Task): Attempt {
    return [...this.scheduler.attempts.values()].find((attempt) => attempt.task === task) as Attempt;
  }

  finish(task: Task): void {
    this.scheduler.release(this.attemptOf(task));
    task.state = 'ended';
  }

  placed(attempt: Attempt): void {
    this.log.push(`${attempt.task.task} on ${attempt.machines.join(' ')}`);
  }

  evicted(attempt: Attempt): void {
    attempt.state = 'cancelling';
    this.log.push(`${attempt.task.task} evicted`);
  }

  dropped(task: Task): void {
    task.state = 'ended';
    this.log.push(`${task.task} dropped`);
  }

  decided(record: DecisionRecord): void {
    this.decisions.push(record);
  }
}

describe('a task that cannot be placed', () => {
  test('block: later tasks wait behind it although they fit', () => {
    const bench = new Bench({ unplaced: 'block' }, [4]);
    const first = bench.submit(cpus(2), 0);
    bench.submit(cpus(3), 0);
    bench.submit(cpus(1), 0);
    expect(bench.cycle(0)).toEqual(['1 on 0']);
    expect(bench.scheduler.hasWork).toBe(false);
    bench.finish(first);
    expect(bench.scheduler.hasWork).toBe(true);
    expect(bench.cycle(1)).toEqual(['2 on 0', '3 on 0']);
  });

  test('block: a shorter newcomer does not take the place of the task that blocks', () => {
    const bench = new Bench({ unplaced: 'block', order: 'sjf' }, [2]);
    const first = bench.submit(cpus(2), 0, 10);
    bench.cycle(0);
    bench.submit(cpus(2), 1, 5);
    bench.cycle(1);
    bench.submit(cpus(2), 2, 1);
    bench.cycle(2);
    bench.finish(first);
    expect(bench.cycle(10)).toEqual(['2 on 0']);
  });

  test('block: a withdrawn task blocks no longer', () => {
    const bench = new Bench({ unplaced: 'block' }, [2]);
    bench.submit(cpus(1), 0);
    const blocking = bench.submit(cpus(2), 0);
    bench.submit(cpus(1), 0);
    expect(bench.cycle(0)).toEqual(['1 on 0']);
    bench.scheduler.withdraw(blocking);
    expect(bench.scheduler.hasWork).toBe(true);
    expect(bench.cycle(0)).toEqual(['3 on 0']);
  });

  test('skip: later tasks pass it, and it is tried again only on a machine that was freed', () => {
    const bench = new Bench({ unplaced: 'skip' }, [4, 2]);
    const first = bench.submit(cpus(3), 0);
    bench.submit(cpus(3), 0);
    const third = bench.submit(cpus(1), 0);
    expect(bench.cycle(0)).toEqual(['1 on 0', '3 on 0']);
    expect(bench.scheduler.hasWork).toBe(false);
    bench.finish(third);
    expect(bench.cycle(1)).toEqual([]);
    bench.finish(first);
    expect(bench.cycle(2)).toEqual(['2 on 0']);
    expect(bench.decisions.filter(({ outcome }) => outcome === 'waits')).toHaveLength(1);
  });

  test('skip: a machine that joins is tried too', () => {
    const bench = new Bench({ unplaced: 'skip' }, [1]);
    bench.submit(cpus(2), 0);
    expect(bench.cycle(0)).toEqual([]);
    bench.addMachine({ cpuMilli: 2000, memoryMib: 0, gpuCount: 0, gpuModel: '' });
    expect(bench.cycle(1)).toEqual(['1 on 1']);
  });

  test('skip with overtakeMax 2: after two later placements the queue blocks for it', () => {
    const bench = new Bench({ unplaced: 'skip', overtakeMax: 2 }, [4]);
    const first = bench.submit(cpus(2), 0);
    bench.submit(cpus(3), 0);
    const third = bench.submit(cpus(1), 0);
    bench.submit(cpus(1), 0);
    bench.submit(cpus(1), 0);
    expect(bench.cycle(0)).toEqual(['1 on 0', '3 on 0', '4 on 0']);
    bench.finish(third);
    expect(bench.cycle(1)).toEqual([]);
    bench.finish(first);
    expect(bench.cycle(2)).toEqual(['2 on 0']);
  });

  test('backoff: it is tried again when its delay is over, which doubles up to the bound', () => {
    const bench = new Bench({ unplaced: 'backoff' }, [1]);
    const first = bench.submit(cpus(1), 0);
    bench.submit(cpus(1), 0);
    expect(bench.cycle(0)).toEqual(['1 on 0']);
    let now = 0;
    const delays: number[] = [];
    for (let index = 0; index < 11; index++) {
      delays.push(bench.scheduler.nextBackoffMicros / second - now);
      now = bench.scheduler.nextBackoffMicros / second;
      bench.scheduler.endBackoffs(now * second - 1);
      expect(bench.scheduler.hasWork).toBe(false);
      bench.scheduler.endBackoffs(now * second);
      expect(bench.cycle(now)).toEqual([]);
    }
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    bench.finish(first);
    bench.scheduler.endBackoffs(bench.scheduler.nextBackoffMicros);
    expect(bench.cycle(now + 300)).toEqual(['2 on 0']);
  });

  test('drop: it ends, and what fits is placed', () => {
    const bench = new Bench({ unplaced: 'drop' }, [2]);
    bench.submit(cpus(3), 0);
    bench.submit(cpus(2), 0);
    bench.submit(cpus(1), 0);
    expect(bench.cycle(0)).toEqual(['1 dropped', '2 on 0', '3 dropped']);
    expect(bench.scheduler.queueLength).toBe(0);
    expect(bench.decisions.map(({ outcome }) => outcome)).toEqual(['dropped', 'placed', 'dropped']);
  });
});

describe('a task over several machines', () => {
  test('takes them all at once or none, the lowest first', () => {
    const bench = new Bench({ unplaced: 'skip' }, [1, 2, 1, 2]);
    const wide = bench.submit(cpus(2, 2), 0);
    const tooWide = bench.submit(cpus(1, 3), 0);
    expect(bench.cycle(0)).toEqual(['1 on 1 3']);
    expect(bench.scheduler.cluster.cpuFreeMilli.slice(0, 4)).toEqual(new Float64Array([1000, 0, 1000, 0]));
    bench.finish(wide);
    expect(bench.cycle(1)).toEqual(['2 on 0 1 2']);
    expect(tooWide.attempts).toBe(1);
  });
});

// Two machines of one core. Task 1 holds machine 0 until 10 by its estimate; task 2 wants both and blocks: its shadow time is 10.
describe('EASY backfilling', () => {
  const blocked = (profile: Partial<Profile>, cores: readonly number[] = [1, 1]) => {
    const bench = new Bench({ unplaced: 'block', ...profile }, cores);
    const first = bench.submit(cpus(1), 0, 10);
    const head = bench.submit(cpus(1, 2), 0, 10);
    expect(bench.cycle(0)).toEqual(['1 on 0']);
    return { bench, first, head };
  };

  test('none: nobody passes', () => {
    const { bench } = blocked({ backfill: 'none' });
    bench.submit(cpus(1), 0, 1);
    expect(bench.cycle(0)).toEqual([]);
  });

  test.each(['never', 'avoidReserved'] as const)(
    '%s: what ends before the shadow time may start, and no later',
    (backfill) => {
      const { bench } = blocked({ backfill });
      bench.submit(cpus(1), 2, 8);
      expect(bench.cycle(2)).toEqual([]);
      bench.submit(cpus(1), 2, 7.999999);
      expect(bench.cycle(2)).toEqual(['4 on 1']);
      const record = bench.decisions.at(-1);
      expect(record?.rule).toBe('backfilled');
      expect(record?.shadowMicros).toBe(10 * second);
    },
  );

  test('candidates come in order of submission, whatever the order of the queue', () => {
    const { bench } = blocked({ backfill: 'never', order: 'sjf' });
    bench.submit(cpus(1), 1, 5);
    bench.submit(cpus(1), 1, 1);
    expect(bench.cycle(1)).toEqual(['3 on 1']);
  });

  test('avoidReserved: a long task starts beside the reserved machines, never on them', () => {
    // Three machines: 0 is busy until 10, the head wants two, and reserves 0 and 1, the lowest that are free at 10.
    const bench = new Bench({ unplaced: 'block', backfill: 'avoidReserved' }, [1, 1, 1]);
    bench.submit(cpus(1, 2), 0, 10);
    bench.submit(cpus(1, 2), 0, 10);
    expect(bench.cycle(0)).toEqual(['1 on 0 1']);
    bench.submit(cpus(1), 1, 100);
    bench.submit(cpus(1), 1, 100);
    expect(bench.cycle(1)).toEqual(['3 on 2']);
  });

  test('never: a long task does not start even beside them', () => {
    const bench = new Bench({ unplaced: 'block', backfill: 'never' }, [1, 1, 1]);
    bench.submit(cpus(1, 2), 0, 10);
    bench.submit(cpus(1, 2), 0, 10);
    bench.cycle(0);
    bench.submit(cpus(1), 1, 100);
    expect(bench.cycle(1)).toEqual([]);
  });

  // Three machines, the head wants all: task 1 ends at 10 by its estimate, task 2 at 4, so the shadow time is 10. Task 1 ends
  // early, at 2: the head now waits for task 2 alone.
  test.each([
    ['never', ['4 on 0']],
    ['avoidReserved', []],
  ] as const)('%s: the shadow time is that of blocking, or the one of now', (backfill, expected) => {
    const bench = new Bench({ unplaced: 'block', backfill }, [1, 1, 1]);
    const early = bench.submit(cpus(1), 0, 10);
    bench.submit(cpus(1), 0, 4);
    bench.submit(cpus(1, 3), 0, 10);
    bench.cycle(0);
    bench.finish(early);
    expect(bench.cycle(2)).toEqual([]);
    bench.submit(cpus(1), 2, 5);
    expect(bench.cycle(2)).toEqual(expected);
  });

  // Tasks 1 and 2 end together at 3, task 3 runs on. The head wants all three machines; behind it one task wants two and one
  // wants one. After the first release only the small one fits, and takes what the other would have needed.
  test.each([
    ['never', ['6 on 0']],
    ['avoidReserved', ['5 on 0 1']],
  ] as const)('%s: two releases of one instant, seen one by one or together', (backfill, expected) => {
    const bench = new Bench({ unplaced: 'block', backfill }, [1, 1, 1]);
    const ending = [bench.submit(cpus(1), 0, 3), bench.submit(cpus(1), 0, 3)];
    bench.submit(cpus(1), 0, 50);
    bench.submit(cpus(1, 3), 0, 10);
    bench.cycle(0);
    bench.submit(cpus(1, 2), 1, 5);
    bench.submit(cpus(1), 1, 5);
    expect(bench.cycle(1)).toEqual([]);
    const from = bench.log.length;
    for (const task of ending) {
      bench.scheduler.beforeRelease(3 * second, bench);
      bench.finish(task);
    }
    bench.cycle(3);
    expect(bench.log.slice(from)).toEqual(expected);
  });

  test('never keeps no shadow time for a task that no running one makes room for', () => {
    const bench = new Bench({ unplaced: 'block', backfill: 'never' }, [1]);
    const wide = bench.submit(cpus(1, 2), 0, 10);
    bench.submit(cpus(1), 0, 100);
    expect(bench.cycle(0)).toEqual(['2 on 0']);
    bench.addMachine({ cpuMilli: 1000, memoryMib: 0, gpuCount: 0, gpuModel: '' });
    bench.submit(cpus(1), 1, 200);
    // Two machines now: the wide task fits at 100, and a task of 200 seconds would delay it.
    expect(bench.cycle(1)).toEqual([]);
    expect(wide.state).toBe('waiting');
  });
});

describe('properties', () => {
  const request = fc
    .record({
      cpuMilli: fc.integer({ min: 0, max: 4000 }),
      memoryMib: fc.integer({ min: 0, max: 400 }),
      gpuCount: fc.integer({ min: 0, max: 3 }),
      gpuMilli: fc.constantFrom(200, 500, 1000),
      machineCount: fc.constantFrom(1, 1, 1, 2, 3),
    })
    .map(
      ({ gpuCount, gpuMilli, ...rest }): ResourceRequest => ({
        ...rest,
        gpuCount,
        gpuMilli: gpuCount === 0 ? 0 : gpuCount > 1 ? 1000 : gpuMilli,
        gpuModels: [],
      }),
    );
  const machine = fc.record({
    cpuMilli: fc.integer({ min: 1000, max: 8000 }),
    memoryMib: fc.integer({ min: 100, max: 800 }),
    gpuCount: fc.integer({ min: 0, max: 4 }),
    gpuModel: fc.constant('T4'),
  });
  const profile = fc.record({
    order: fc.constantFrom('fcfs', 'sjf', 'wfp3'),
    place: fc.constantFrom('first-fit', 'best-fit', 'spread', 'random', 'gpu-packing'),
    unplaced: fc.constantFrom('block', 'skip', 'backoff', 'drop'),
    backfill: fc.constantFrom('none', 'never', 'avoidReserved'),
    overtakeMax: fc.constantFrom(0, 1, 5),
  });
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('submit' as const),
        request,
        estimate: fc.integer({ min: 1, max: 20 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('finish' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('withdraw' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('drain' as const), which: fc.nat(), on: fc.boolean() }) },
  );
  type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

  function apply(bench: Bench, action: Step, now: number): void {
    const { scheduler } = bench;
    const pick = <Item>(items: readonly Item[], which: number): Item | undefined =>
      items[which % Math.max(1, items.length)];
    scheduler.endBackoffs(now * second);
    switch (action.kind) {
      case 'submit':
        bench.submit(action.request, now, action.estimate);
        break;
      case 'finish': {
        const attempt = pick([...scheduler.attempts.values()], action.which);
        if (attempt === undefined) break;
        scheduler.beforeRelease(now * second, bench);
        scheduler.release(attempt);
        attempt.task.state = 'ended';
        break;
      }
      case 'withdraw': {
        const task = pick(
          [...bench.tasks.values()].filter(({ state }) => state === 'waiting'),
          action.which,
        );
        if (task === undefined) break;
        scheduler.withdraw(task);
        task.state = 'ended';
        break;
      }
      case 'drain':
        scheduler.setSchedulable(action.which % scheduler.cluster.machineCount, action.on);
        break;
    }
    if (scheduler.hasWork) scheduler.cycle(now * second, bench);
  }

  /** Recounts from the attempts alone what is free on each machine and device. */
  function expectCapacityKept({ scheduler }: Bench): void {
    const { cluster } = scheduler;
    const cpu = Array.from(cluster.cpuCapacityMilli.subarray(0, cluster.machineCount));
    const memory = Array.from(cluster.memoryCapacityMib.subarray(0, cluster.machineCount));
    const gpu = Array.from({ length: cluster.machineCount }, (_, row) => 1000 * (cluster.gpuCount[row] as number));
    for (const { kind, machines, deviceMasks } of scheduler.attempts.values()) {
      expect(new Set(machines).size).toBe(kind.machineCount);
      for (const [position, row] of machines.entries()) {
        cpu[row] = (cpu[row] as number) - kind.cpuMilli;
        memory[row] = (memory[row] as number) - kind.memoryMib;
        gpu[row] = (gpu[row] as number) - kind.gpuTotalMilli;
        let devices = 0;
        for (let mask = deviceMasks[position] as number; mask !== 0; mask &= mask - 1) devices++;
        expect(devices).toBe(kind.gpuCount);
      }
    }
    for (let row = 0; row < cluster.machineCount; row++) {
      expect(cpu[row]).toBeGreaterThanOrEqual(0);
      expect(memory[row]).toBeGreaterThanOrEqual(0);
      expect(gpu[row]).toBeGreaterThanOrEqual(0);
      expect(cluster.cpuFreeMilli[row]).toBe(cpu[row]);
      expect(cluster.memoryFreeMib[row]).toBe(memory[row]);
      expect(cluster.gpuFreeMilli[row]).toBe(gpu[row]);
    }
  }

  const build = (of: Partial<Profile>, machines: readonly Parameters<Bench['addMachine']>[0][]): Bench => {
    const bench = new Bench(of, []);
    for (const resources of machines) bench.addMachine(resources);
    return bench;
  };

  test('capacity is never exceeded, no task is lost, and nothing that fits is left waiting', () => {
    fc.assert(
      fc.property(
        profile,
        fc.array(machine, { minLength: 1, maxLength: 6 }),
        fc.array(step, { maxLength: 60 }),
        (of, machines, steps) => {
          const bench = build(of, machines);
          const { scheduler } = bench;
          for (const [now, action] of steps.entries()) {
            apply(bench, action, now);
            expectCapacityKept(bench);
            const states = [...bench.tasks.values()].map(({ state }) => state);
            expect(states.filter((state) => state === 'waiting')).toHaveLength(scheduler.queueLength);
            expect(states.filter((state) => state === 'placed')).toHaveLength(scheduler.attempts.size);
            if (of.unplaced === 'drop') expect(scheduler.queueLength).toBe(0);
            // Without a task that blocks, a waiting task fits nowhere.
            if (of.unplaced !== 'skip' || of.overtakeMax > 0) continue;
            for (const { kind, state } of bench.tasks.values()) {
              if (state !== 'waiting') continue;
              let fitting = 0;
              for (let row = 0; row < machines.length; row++) if (scheduler.cluster.filter(kind, row) === 0) fitting++;
              expect(fitting).toBeLessThan(kind.machineCount);
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test('a scheduler restored from its snapshot decides the same from there on', () => {
    fc.assert(
      fc.property(
        profile,
        fc.array(machine, { minLength: 1, maxLength: 5 }),
        fc.array(step, { minLength: 2, maxLength: 50 }),
        fc.nat(),
        (of, machines, steps, cut) => {
          const bench = build(of, machines);
          const at = cut % steps.length;
          for (const [now, action] of steps.slice(0, at).entries()) apply(bench, action, now);

          const twin = build(of, machines);
          const { scheduler } = bench;
          const kinds = Array.from(scheduler.kinds.all, (kind) => ({ ...kind }));
          twin.scheduler.kinds.restore(kinds, scheduler.kinds.save());
          for (let row = 0; row < machines.length; row++) {
            twin.scheduler.setSchedulable(row, scheduler.cluster.schedulable[row] === 1);
          }
          for (const [number, task] of bench.tasks) {
            const kind = twin.scheduler.kinds.find(task.kind.id) as Task['kind'];
            twin.tasks.set(number, { ...task, kind, queueIndex: -1 });
          }
          Object.assign(twin, { taskCount: bench.tasks.size });
          twin.random.restore(bench.random.save());
          const attempts = [...scheduler.attempts.values()].map((attempt): Attempt => {
            const task = twin.tasks.get(attempt.task.task) as Task;
            return { ...attempt, task, kind: task.kind };
          });
          const snapshot = JSON.parse(JSON.stringify(scheduler.save()));
          twin.scheduler.restore(snapshot, twin.tasks, attempts, scheduler.attemptsBegun, at * second);

          const from = bench.log.length;
          const decided = bench.decisions.length;
          for (const [index, action] of steps.slice(at).entries()) {
            apply(bench, action, at + index);
            apply(twin, action, at + index);
          }
          expect(twin.log).toEqual(bench.log.slice(from));
          expect(twin.decisions).toEqual(bench.decisions.slice(decided));
        },
      ),
      { numRuns: 150 },
    );
  });
});
