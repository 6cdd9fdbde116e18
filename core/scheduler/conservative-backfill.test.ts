import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ResourceRequest } from './request.ts';
import { cores, gpus, SchedulerDriver } from './scheduler-driver.ts';
import type { Task } from './task.ts';

const second = 1_000_000;
const conservative = { unplaced: 'block', backfill: 'conservative' } as const;

interface Job {
  readonly at: number;
  readonly runs: number;
  readonly request: ResourceRequest;
  /** As a multiple of the run time; 1 is exact. */
  readonly estimate?: number;
  readonly gang?: { readonly name: string; readonly size: number };
}

/** When each job begins, in seconds, in a world without latency; and when it was first told to begin at the latest. */
function schedule(
  jobs: readonly Job[],
  machines: ConstructorParameters<typeof SchedulerDriver>[1],
  options: { profile?: object; settings?: object; restarts?: boolean } = {},
): { starts: number[]; promised: number[] } {
  const driver = new SchedulerDriver({ ...conservative, ...options.profile }, machines, options.settings);
  const starts = jobs.map(() => Number.NaN);
  const promised = jobs.map(() => Number.NaN);
  const tasks: (Task | undefined)[] = jobs.map(() => undefined);
  const ends: { job: number; at: number }[] = [];
  for (let guard = 0; guard < 1000; guard++) {
    const arrivals = jobs.filter((_, index) => tasks[index] === undefined).map(({ at }) => at);
    const now = Math.min(...arrivals, ...ends.map(({ at }) => at));
    if (now === Number.POSITIVE_INFINITY) break;
    for (const end of ends.filter(({ at }) => at === now)) {
      driver.finish(tasks[end.job] as Task);
      ends.splice(ends.indexOf(end), 1);
    }
    jobs.forEach(({ at, request, runs, estimate = 1, gang }, index) => {
      if (at === now)
        tasks[index] = driver.submit(request, {
          at,
          estimate: runs * estimate,
          ...(gang === undefined ? {} : { gang }),
        });
    });
    if (options.restarts === true) driver.restart();
    driver.cycle(now);
    jobs.forEach(({ runs, at }, index) => {
      const task = tasks[index];
      if (task === undefined || !Number.isNaN(starts[index] as number)) return;
      if (task.state === 'placed') {
        starts[index] = now;
        driver.begin(task, now);
        ends.push({ job: index, at: now + runs });
      }
      if (at === now) promised[index] = task.state === 'placed' ? now : driver.scheduler.plannedStart(task) / second;
    });
  }
  return { starts, promised };
}

describe('conservative backfilling', () => {
  test('a task goes first only if it delays nobody: neither the head, as in EASY, nor those behind it', () => {
    // Four processors. A runs on 2 until 10; B wants 4; C wants 1 for long; D wants 3.
    const jobs: Job[] = [
      { at: 0, runs: 10, request: cores(1, 2) },
      { at: 1, runs: 5, request: cores(1, 4) },
      { at: 2, runs: 8, request: cores(1, 2) },
      { at: 3, runs: 20, request: cores(1, 1) },
      { at: 4, runs: 4, request: cores(1, 3) },
    ];
    // B at 10 as promised; C ends at 10 and may go at once; D would delay B, and waits until 15; E beside it.
    expect(schedule(jobs, [1, 1, 1, 1])).toEqual({ starts: [0, 10, 2, 15, 15], promised: [0, 10, 2, 15, 15] });
  });

  test('the difference from EASY: the second in the queue is not delayed either', () => {
    const jobs: Job[] = [
      { at: 0, runs: 10, request: cores(1, 1) },
      { at: 0, runs: 4, request: cores(1, 1) },
      // The head needs both processors, then one more that needs both, then a long one that fits beside neither.
      { at: 1, runs: 5, request: cores(1, 2) },
      { at: 2, runs: 2, request: cores(1, 1) },
      { at: 3, runs: 6, request: cores(1, 1) },
    ];
    expect(schedule(jobs, [1, 1])).toMatchObject({ starts: [0, 0, 10, 4, 15] });
    // D may run from 4 to 6; E would need 6 to 12 and the head is promised 10.
    expect(schedule(jobs, [1, 1]).promised).toEqual([0, 0, 10, 4, 15]);
  });

  test('who ends early lets the others move up, in queue order', () => {
    const driver = new SchedulerDriver(conservative, [2]);
    const running = driver.submit(cores(2), { estimate: 100 });
    driver.cycle(0);
    driver.begin(running, 0);
    const wide = driver.submit(cores(2), { estimate: 10 });
    const narrow = driver.submit(cores(1), { estimate: 50 });
    driver.cycle(1);
    expect([wide, narrow].map((task) => driver.scheduler.plannedStart(task) / second)).toEqual([100, 110]);
    driver.finish(running);
    expect(driver.cycle(20)).toEqual(['2 on 0']);
    expect(driver.scheduler.plannedStart(narrow) / second).toBe(30);
    expect(driver.decisions.map(({ outcome, rule }) => `${outcome} ${rule}`)).toEqual([
      'placed in order',
      'waits in order',
      'waits in order',
      'placed in order',
    ]);
  });

  test('who runs over its estimate is expected to end at any moment, and nobody is promised the past', () => {
    const driver = new SchedulerDriver(conservative, [1]);
    const running = driver.submit(cores(1), { estimate: 10 });
    driver.cycle(0);
    driver.begin(running, 0);
    const next = driver.submit(cores(1), { estimate: 5 });
    driver.cycle(1);
    const other = driver.submit(cores(1), { at: 40 });
    expect(driver.cycle(40)).toEqual([]);
    expect(driver.scheduler.plannedStart(next)).toBe(40 * second + 1);
    expect(driver.scheduler.plannedStart(other)).toBe(45 * second + 1);
    driver.finish(running);
    expect(driver.cycle(50)).toEqual(['2 on 0']);
  });

  test('the placement chooses among the machines that are free for the whole length', () => {
    const driver = new SchedulerDriver({ ...conservative, place: 'best-fit' }, [4, 8, 6]);
    driver.submit(cores(4), { estimate: 10 });
    driver.submit(cores(2), { estimate: 10 });
    expect(driver.cycle(0)).toEqual(['1 on 0', '2 on 2']);
    for (const task of driver.tasks.values()) driver.begin(task, 0);
    // Promised machines 1 from 0 on and 0 from 10 on: the four cores of machine 2 are all that is left for longer.
    driver.submit(cores(8), { estimate: 10 });
    const wide = driver.submit(cores(4, 2), { estimate: 10 });
    expect(driver.cycle(1)).toEqual(['3 on 1']);
    expect(driver.scheduler.plannedStart(wide) / second).toBe(10);
    driver.submit(cores(4), { estimate: 9 });
    driver.submit(cores(4), { estimate: 10 });
    expect(driver.cycle(1)).toEqual(['5 on 2']);
  });

  test('devices stay the same for the whole length', () => {
    // Device 0 is busy until 10, device 1 is promised from 10 on: nothing of 20 s fits before.
    const driver = new SchedulerDriver(conservative, [{ cpuMilli: 0, gpuCount: 2 }]);
    const first = driver.submit(gpus(1), { estimate: 10 });
    driver.cycle(0);
    driver.begin(first, 0);
    driver.submit(gpus(2), { estimate: 5 });
    const long = driver.submit(gpus(1), { estimate: 20 });
    driver.submit(gpus(1), { estimate: 9 });
    expect(driver.cycle(1)).toEqual(['4 on 0']);
    expect(driver.scheduler.plannedStart(long) / second).toBe(15);
  });

  test('a gang is promised one moment for all its members', () => {
    const gang = { name: 'g', size: 2 };
    const jobs: Job[] = [
      { at: 0, runs: 10, request: cores(2) },
      { at: 0, runs: 20, request: cores(3) },
      { at: 1, runs: 5, request: cores(4), gang },
      { at: 1, runs: 5, request: cores(1), gang },
      { at: 2, runs: 9, request: cores(2) },
      { at: 2, runs: 8, request: cores(2) },
    ];
    // Machine 0 is free at 10; the small member goes to machine 1. Of the last two only the shorter ends before that.
    expect(schedule(jobs, [4, 4]).starts).toEqual([0, 0, 10, 10, 15, 2]);
    expect(schedule(jobs, [4, 4], { restarts: true }).starts).toEqual([0, 0, 10, 10, 15, 2]);
  });

  test('beyond the depth nobody is promised anything, and nobody is delayed', () => {
    const jobs: Job[] = [
      { at: 0, runs: 10, request: cores(1) },
      { at: 1, runs: 10, request: cores(2) },
      { at: 2, runs: 10, request: cores(2) },
      { at: 3, runs: 7, request: cores(1) },
      { at: 3, runs: 8, request: cores(1) },
    ];
    const { starts, promised } = schedule(jobs, [2], { settings: { 'scheduler.reservationDepthMax': 1 } });
    expect(promised).toEqual([0, 10, Number.POSITIVE_INFINITY, 3, Number.POSITIVE_INFINITY]);
    expect(starts).toEqual([0, 10, 20, 3, 30]);
  });

  test('a lost machine takes its promises with it; one that fits nowhere holds up nobody', () => {
    const driver = new SchedulerDriver(conservative, [2, 2]);
    const impossible = driver.submit(cores(3));
    const running = driver.submit(cores(2, 2), { estimate: 10 });
    expect(driver.cycle(0)).toEqual(['2 on 0 1']);
    driver.begin(running, 0);
    const next = driver.submit(cores(2, 2), { estimate: 10 });
    driver.cycle(1);
    expect(driver.scheduler.plannedStart(impossible)).toBe(Number.POSITIVE_INFINITY);
    expect(driver.scheduler.plannedStart(next) / second).toBe(10);
    driver.scheduler.setSchedulable(0, false);
    driver.submit(cores(2), { estimate: 1 });
    driver.cycle(2);
    expect(driver.scheduler.plannedStart(next)).toBe(Number.POSITIVE_INFINITY);
    driver.scheduler.setSchedulable(0, true);
    expect(driver.scheduler.hasWork).toBe(true);
    driver.cycle(3);
    expect(driver.scheduler.plannedStart(next) / second).toBe(11);
  });

  test('a withdrawn task leaves its place to others at once', () => {
    const driver = new SchedulerDriver(conservative, [2]);
    const running = driver.submit(cores(1), { estimate: 10 });
    driver.cycle(0);
    driver.begin(running, 0);
    const wide = driver.submit(cores(2), { estimate: 10 });
    driver.submit(cores(1), { estimate: 15 });
    expect(driver.cycle(1)).toEqual([]);
    expect(driver.scheduler.hasWork).toBe(false);
    driver.scheduler.withdraw(wide);
    driver.restart();
    expect(driver.scheduler.hasWork).toBe(true);
    expect(driver.cycle(2)).toEqual(['3 on 0']);
  });
});

const job = fc.record({
  gap: fc.integer({ min: 0, max: 6 }),
  runs: fc.integer({ min: 1, max: 12 }),
  processors: fc.integer({ min: 1, max: 4 }),
  estimate: fc.constantFrom(1, 1, 1.5, 3),
});

/** The textbook: every second of the future a number of free processors; each job, in order of arrival, takes the earliest place
 *  that is long enough. With exact estimates nothing ever moves. */
function textbook(jobs: readonly { at: number; runs: number; processors: number }[], processors: number): number[] {
  const used: number[] = [];
  return jobs.map(({ at, runs, processors: asked }) => {
    for (let start = at; ; start++) {
      let fits = true;
      for (let time = start; time < start + runs; time++) fits &&= (used[time] ?? 0) + asked <= processors;
      if (!fits) continue;
      for (let time = start; time < start + runs; time++) used[time] = (used[time] ?? 0) + asked;
      return start;
    }
  });
}

function jobsOf(
  drawn: readonly { gap: number; runs: number; processors: number; estimate: number }[],
): { at: number; runs: number; processors: number; estimate: number }[] {
  let at = 0;
  return drawn.map(({ gap, ...rest }) => {
    at += gap;
    return { at, ...rest };
  });
}

describe('properties', () => {
  test('on one machine with exact estimates the schedule is that of the textbook, restored or not', () => {
    fc.assert(
      fc.property(fc.array(job, { minLength: 1, maxLength: 25 }), fc.boolean(), (drawn, restarts) => {
        const jobs = jobsOf(drawn);
        const asked = jobs.map(({ at, runs, processors }) => ({ at, runs, request: cores(processors) }));
        const { starts, promised } = schedule(asked, [4], { restarts });
        expect(starts).toEqual(textbook(jobs, 4));
        expect(promised).toEqual(starts);
      }),
      { numRuns: 200 },
    );
  });

  test('nobody starts later than first promised, if estimates are upper bounds: machines of all kinds, gangs, any order', () => {
    const mixed = fc.record({
      gap: fc.integer({ min: 0, max: 5 }),
      runs: fc.integer({ min: 1, max: 12 }),
      request: fc.constantFrom<ResourceRequest>(
        cores(1),
        cores(3),
        cores(2, 2),
        { ...gpus(1), cpuMilli: 1000 },
        { ...gpus(0.5), cpuMilli: 1000 },
        gpus(2),
        { ...gpus(1, 2), memoryMib: 10 },
      ),
      estimate: fc.constantFrom(1, 1, 1.5, 3),
      gang: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(mixed, { minLength: 1, maxLength: 25 }),
        fc.constantFrom('fcfs', 'sjf', 'wfp3'),
        fc.constantFrom('first-fit', 'best-fit', 'worst-fit', 'spread'),
        fc.boolean(),
        (drawn, order, place, restarts) => {
          let at = 0;
          const jobs = drawn.map(({ gap, gang, ...rest }, index): Job => {
            at += gap;
            // Pairs of neighbours that come at once.
            const pair = Math.floor(index / 2);
            const partner = index % 2 === 0 ? drawn[index + 1] : drawn[index - 1];
            const isPair = gang && partner?.gang === true;
            return { at, ...rest, ...(isPair ? { gang: { name: `g${pair}`, size: 2 } } : {}) };
          });
          for (let index = 1; index < jobs.length; index++) {
            const [left, right] = [jobs[index - 1] as Job, jobs[index] as Job];
            if (left.gang !== undefined && left.gang.name === right.gang?.name) jobs[index] = { ...right, at: left.at };
          }
          const machines = [
            { cpuMilli: 4000, memoryMib: 10, gpuCount: 2 },
            { cpuMilli: 4000, memoryMib: 20, gpuCount: 2 },
            { cpuMilli: 6000 },
          ];
          const { starts, promised } = schedule(jobs, machines, { profile: { order, place }, restarts });
          jobs.forEach(({ gang }, index) => {
            // A gang that the machines cannot hold at once never starts; of the others one task has the reservation.
            if (gang === undefined) expect(starts[index]).toBeLessThanOrEqual((promised[index] as number) + 1e-9);
          });
        },
      ),
      { numRuns: 150 },
    );
  });

  test('a bound on the depth only takes promises away: those that are given are kept', () => {
    fc.assert(
      fc.property(fc.array(job, { minLength: 1, maxLength: 25 }), fc.integer({ min: 1, max: 4 }), (drawn, depth) => {
        const asked = jobsOf(drawn).map(({ at, runs, processors, estimate }) => ({
          at,
          runs,
          estimate,
          request: cores(1, processors),
        }));
        const settings = { 'scheduler.reservationDepthMax': depth };
        const { starts, promised } = schedule(asked, [1, 1, 1, 1], { settings });
        starts.forEach((start, index) => {
          expect(start).toBeLessThanOrEqual((promised[index] as number) + 1e-9);
        });
      }),
      { numRuns: 100 },
    );
  });
});
