// What a scheduler says, and what it is made again from: the two shapes in which its work leaves it.

import type { FaultSwitch } from '../base/fault-points.ts';
import type { RandomState } from '../base/random.ts';
import type { PlansSnapshot } from './conservative-backfill.ts';
import type { DecisionRecord } from './decision.ts';
import type { Links, PowerRatings, Skills } from './framework.ts';
import type { GangsSnapshot } from './gangs.ts';
import type { HeldMachinesSnapshot } from './held-machines.ts';
import type { Attempt, Task } from './task.ts';
import type { TaskQueueSnapshot } from './task-queue.ts';

/** What the kernel learns from a cycle, in order. */
export interface SchedulerOutput {
  /** Bind: the attempt holds its resources and must be dispatched. */
  placed(attempt: Attempt): void;
  /** The policy gives the task up. */
  dropped(task: Task): void;
  decided(record: DecisionRecord): void;
  /** Stop the attempt: a task of higher priority needs its room. Its resources are released when it has stopped. */
  evicted(attempt: Attempt): void;
}

/** The scheduler's part of a snapshot. Attempts and tasks are the kernel's to save. */
export interface SchedulerSnapshot {
  readonly queue: TaskQueueSnapshot;
  readonly held: HeldMachinesSnapshot;
  readonly gangs: GangsSnapshot;
  readonly plans: PlansSnapshot;
  readonly pinned: number;
  readonly freed: readonly number[];
  readonly arrived: boolean;
  /** The last cycle ended early; absent if not. */
  readonly isCut?: boolean | undefined;
  /** The pinned task's shadow time where it is kept as first computed, −1 if there is none. */
  readonly shadowMicros: number;
  readonly decisionCount: number;
  readonly policyVersion: number;
  /** Of a profile that draws ties from a stream of its own. */
  readonly ties?: RandomState | undefined;
}

/** What only some schedulers have. */
export interface MoreParts {
  readonly skills?: Skills | undefined;
  readonly power?: PowerRatings | undefined;
  readonly links?: Links | undefined;
  readonly faults?: FaultSwitch | undefined;
}
