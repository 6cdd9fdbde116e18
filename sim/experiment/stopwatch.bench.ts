// Clocks for benchmarks on machines that others use too: wall time, the processor time of the whole process (compiler and
// collector threads included), and that of the one thread that runs the kernel, where the system tells it. And a floor to
// compare with, measured in the same moments.

import { readFileSync } from 'node:fs';
import { median, quantile } from 'simple-statistics';
import { assert } from '../../core/base/assert.ts';

export interface Timing {
  readonly wallSeconds: number;
  /** User and system time of all threads. */
  readonly cpuSeconds: number;
  /** Processor time of this thread: what the wall clock shows on a machine that is not shared. `cpuSeconds` where unknown. */
  readonly threadSeconds: number;
}

/** Starts a watch; the function returned reads it. */
export function startWatch(): () => Timing {
  const wall = performance.now();
  const cpu = process.cpuUsage();
  const thread = threadSeconds();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    const cpuSeconds = (user + system) / 1e6;
    return {
      wallSeconds: (performance.now() - wall) / 1000,
      cpuSeconds,
      threadSeconds: thread === undefined ? cpuSeconds : (threadSeconds() as number) - thread,
    };
  };
}

/** Processor time of this thread so far, from Linux's scheduler; undefined elsewhere. */
function threadSeconds(): number | undefined {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e9;
  } catch {
    return undefined;
  }
}

function sum(timings: readonly Timing[]): Timing {
  const of = (key: keyof Timing): number => timings.reduce((total, timing) => total + timing[key], 0);
  return { wallSeconds: of('wallSeconds'), cpuSeconds: of('cpuSeconds'), threadSeconds: of('threadSeconds') };
}

const floorOperations = 100_000;
/** Records alive, some fifteen megabytes: more than a core's own cache, like the kernel's tasks. */
const floorLive = 100_000;

interface FloorRecord {
  readonly kind: string;
  readonly task: number;
  readonly agent: number;
  readonly timeMicros: number;
}

/** The least that any kernel must do for an event: make a record of four fields, put it into a map, and take another one out,
 *  drawn at random among a hundred thousand. It waits for memory as the kernel does, so that neighbours disturb both alike. */
export class Floor {
  private readonly records = new Map<number, FloorRecord>();
  private readonly live = new Int32Array(floorLive);
  private count = 0;
  private draw = 1;
  private checksum = 0;

  constructor() {
    for (let slot = 0; slot < floorLive; slot++) this.put(slot);
    // The compiler has seen it before it counts.
    this.sliceNanos();
    this.sliceNanos();
  }

  /** One slice: nanoseconds of this thread an operation. */
  sliceNanos(): number {
    const read = startWatch();
    for (let operation = 0; operation < floorOperations; operation++) {
      this.draw = (Math.imul(this.draw, 1_664_525) + 1_013_904_223) >>> 0;
      const slot = this.draw % floorLive;
      const key = this.live[slot] as number;
      this.checksum += (this.records.get(key) as FloorRecord).agent;
      this.records.delete(key);
      this.put(slot);
    }
    const { threadSeconds: seconds } = read();
    assert(this.checksum > 0, 'the floor did something');
    return (seconds / floorOperations) * 1e9;
  }

  private put(slot: number): void {
    const task = this.count++;
    this.records.set(task, { kind: 'record', task, agent: (task & 1023) + 1, timeMicros: task * 1000.5 });
    this.live[slot] = task;
  }
}

/** Measured work in slices, each beside a slice of the floor, so that a noisy moment hurts both. */
export interface Beside {
  readonly timing: Timing;
  /** Thread time an operation of the work, nanoseconds: the median over the slices, and their 10th percentile, which is nearest
   *  to an undisturbed machine, since disturbance only ever adds. */
  readonly nanos: number;
  readonly undisturbedNanos: number;
  /** Median thread time an operation of the floor, nanoseconds. */
  readonly floorNanos: number;
  /** Median over the slices: operations of the floor, measured right after, that one of the work costs. */
  readonly floors: number;
}

/** Runs `slice` as often as asked, with the floor between; it returns how many operations it did. */
export function measureBesideFloor(slices: number, slice: (index: number) => number): Beside {
  const floor = new Floor();
  const floors: number[] = [];
  const nanos: number[] = [];
  const timings: Timing[] = [];
  for (let index = 0; index < slices; index++) {
    const read = startWatch();
    const operations = slice(index);
    const timing = read();
    timings.push(timing);
    nanos.push((timing.threadSeconds / operations) * 1e9);
    floors.push(floor.sliceNanos());
  }
  return {
    timing: sum(timings),
    nanos: median(nanos),
    undisturbedNanos: quantile(nanos, 0.1),
    floorNanos: median(floors),
    floors: median(nanos.map((own, index) => own / (floors[index] as number))),
  };
}
