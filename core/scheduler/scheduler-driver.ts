// Drives a scheduler by hand, for tests: tasks in words, what it did in words. What is evicted stops when the test says so.

import { RandomStream } from '../base/random.ts';
import { createKernelSettings, type KernelSettingName } from '../config/kernel-setting-table.ts';
import type { DecisionRecord } from './decision.ts';
import type { Profile } from './framework.ts';
import type { GangReference } from './gangs.ts';
import { newTask } from './new-task.ts';
import type { ResourceRequest } from './request.ts';
import { Scheduler, type SchedulerOutput } from './scheduler.ts';
import type { Attempt, Task } from './task.ts';

const second = 1_000_000;

export const plainSchedulerProfile: Profile = {
  name: 'test',
  order: 'fcfs',
  place: 'first-fit',
  unplaced: 'skip',
  backfill: 'none',
  overtakeMax: 0,
  typicalTasks: [],
};

/** Cores on each of so many machines. */
export function cores(cpuCores: number, machineCount = 1): ResourceRequest {
  return { cpuMilli: 1000 * cpuCores, memoryMib: 0, gpuCount: 0, gpuMilli: 0, gpuModels: [], machineCount };
}

/** So many GPUs, or a share of one if `gpus` is below 1. */
export function gpus(count: number, machineCount = 1): ResourceRequest {
  const gpuCount = Math.ceil(count);
  const gpuMilli = Math.round((1000 * count) / gpuCount);
  return { cpuMilli: 0, memoryMib: 0, gpuCount, gpuMilli, gpuModels: [], machineCount };
}

export interface Submission {
  readonly at?: number;
  readonly estimate?: number;
  readonly priority?: number;
  readonly tenant?: string;
  readonly gang?: GangReference;
}

export class SchedulerDriver implements SchedulerOutput {
  scheduler: Scheduler;
  readonly decisions: DecisionRecord[] = [];
  readonly tasks = new Map<number, Task>();
  private readonly profile: Profile;
  private readonly settings: ReturnType<typeof createKernelSettings>;
  private log: string[] = [];
  private nowMicros = 0;

  /** `machines`: cores, or resources. */
  constructor(
    profile: Partial<Profile>,
    machines: readonly (
      | number
      | { readonly cpuMilli: number; readonly memoryMib?: number; readonly gpuCount?: number }
    )[],
    settings: Partial<Readonly<Record<KernelSettingName, number>>> = {},
  ) {
    this.profile = { ...plainSchedulerProfile, ...profile };
    this.settings = createKernelSettings({ initial: settings });
    this.scheduler = new Scheduler(this.profile, new RandomStream(1, 'test'), this.settings);
    for (const machine of machines) {
      const resources = typeof machine === 'number' ? { cpuMilli: 1000 * machine } : machine;
      const row = this.scheduler.cluster.addMachine({
        memoryMib: 0,
        gpuCount: 0,
        gpuModel: 'T4',
        ...resources,
      });
      this.scheduler.setSchedulable(row, true);
    }
  }

  /** Times in seconds. */
  submit(request: ResourceRequest, { at = 0, estimate = 1, priority = 0, tenant = 'a', gang }: Submission = {}): Task {
    const number = this.tasks.size + 1;
    const task = newTask({
      task: number,
      submitter: 1,
      submission: number,
      tenant,
      kind: this.scheduler.kinds.intern(request),
      submittedMicros: at * second,
      estimateMicros: Math.round(estimate * second),
      priority,
      checkpointMicros: 0,
      gangSize: gang?.size ?? 0,
    });
    this.tasks.set(number, task);
    if (gang === undefined) this.scheduler.enqueue(task, task.submittedMicros);
    else this.scheduler.enqueueMember(task, gang, task.submittedMicros);
    return task;
  }

  /** One cycle; what it did. */
  cycle(atSeconds = this.nowMicros / second): string[] {
    this.log = [];
    this.nowMicros = Math.round(atSeconds * second);
    this.scheduler.cycle(this.nowMicros, this);
    return this.log;
  }

  attemptOf(task: Task): Attempt | undefined {
    for (const attempt of this.scheduler.attempts.values()) if (attempt.task === task) return attempt;
    return undefined;
  }

  /** The task's work begins. */
  begin(task: Task, atSeconds = this.nowMicros / second): void {
    this.scheduler.started(this.attemptOf(task) as Attempt, Math.round(atSeconds * second));
  }

  finish(task: Task): void {
    this.scheduler.release(this.attemptOf(task) as Attempt);
    task.state = 'ended';
  }

  /** An evicted task has stopped, and waits again. */
  stop(task: Task): void {
    this.scheduler.release(this.attemptOf(task) as Attempt);
    this.scheduler.enqueue(task, this.nowMicros);
  }

  /** Goes on with a scheduler restored from the present one's snapshot, through text. */
  restart(): void {
    const former = this.scheduler;
    const snapshot = JSON.parse(JSON.stringify(former.save()));
    const next = new Scheduler(this.profile, new RandomStream(1, 'test'), this.settings);
    next.kinds.restore(former.kinds.all, former.kinds.save());
    const { cluster } = former;
    for (let row = 0; row < cluster.machineCount; row++) {
      next.cluster.addMachine({
        cpuMilli: cluster.cpuCapacityMilli[row] as number,
        memoryMib: cluster.memoryCapacityMib[row] as number,
        gpuCount: cluster.gpuCount[row] as number,
        gpuModel: 'T4',
      });
      for (let hold = 1; hold < 256; hold *= 2)
        next.cluster.setHold(row, hold, ((cluster.holds[row] as number) & hold) !== 0);
    }
    for (const task of this.tasks.values()) {
      task.queueIndex = -1;
      task.gang = undefined;
    }
    next.restore(snapshot, this.tasks, [...former.attempts.values()], former.attemptsBegun, this.nowMicros);
    this.scheduler = next;
  }

  placed(attempt: Attempt): void {
    this.log.push(`${attempt.task.task} on ${attempt.machines.join(' ')}`);
  }

  dropped(task: Task): void {
    task.state = 'ended';
    this.log.push(`${task.task} dropped`);
  }

  evicted(attempt: Attempt): void {
    attempt.state = 'cancelling';
    this.log.push(`${attempt.task.task} evicted`);
  }

  decided(record: DecisionRecord): void {
    this.decisions.push(record);
  }
}
