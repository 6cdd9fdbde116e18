// The control machine in a form that JSON carries, and the way back. Caches are left out: they follow from the columns.

import { assert } from '../base/assert.ts';
import type { RolloutsState } from '../policy/rollout.ts';
import type { RegistrySnapshot } from '../registry/agent-registry.ts';
import {
  type ClusterState,
  holdAgent,
  holdFlapping,
  holdForTask,
  holdOutlier,
  holdReleased,
} from '../scheduler/cluster-state.ts';
import type { Profile } from '../scheduler/framework.ts';
import type { RequestKind, RequestKindsState, RequestKindTable } from '../scheduler/request.ts';
import type { SchedulerSnapshot } from '../scheduler/scheduler.ts';
import type { Attempt, Task } from '../scheduler/task.ts';
import type { AgentHoldsState } from './agent-holds.ts';
import type { DispatcherState } from './dispatcher.ts';
import type { FleetScalingState } from './fleet-scaling.ts';
import type { RetryAdviceState } from './retry-advice.ts';
import type { SubmissionLedgerState } from './submission-ledger.ts';

type SavedTask = Omit<Task, 'kind' | 'gang' | 'queueKey' | 'queueIndex'> & { readonly kind: number };
type SavedAttempt = Omit<Attempt, 'kind' | 'task'> & { readonly task: number };

export interface ControlSnapshot {
  readonly registry: RegistrySnapshot;
  readonly scheduler: SchedulerSnapshot;
  /** GPU model names in the order of their bits. */
  readonly models: readonly string[];
  readonly requestKinds: readonly RequestKind[];
  /** Snapshots of before kinds were forgotten lack it. */
  readonly requestKindsState?: RequestKindsState | undefined;
  /** What keeps each machine from new tasks: bits. */
  readonly holds: readonly number[];
  readonly tasks: readonly SavedTask[];
  readonly attempts: readonly SavedAttempt[];
  readonly attemptCount: number;
  readonly submitters: readonly ({ readonly submitter: number } & SubmissionLedgerState)[];
  readonly connections: readonly number[];
  readonly dispatcher: DispatcherState;
  readonly agentHolds: AgentHoldsState;
  /** Where the profile scales. */
  readonly scaling?: FleetScalingState | undefined;
  readonly taskCount: number;
  /** Absent if no policy was ever proposed. */
  readonly rollouts?: RolloutsState<Profile> | undefined;
  /** Left out by kernels that gave none. */
  readonly retryAdvice?: RetryAdviceState | undefined;
}

export function restoreHolds(cluster: ClusterState, holds: readonly number[]): void {
  holds.forEach((bits, machine) => {
    for (const hold of [holdAgent, holdForTask, holdFlapping, holdOutlier, holdReleased])
      cluster.setHold(machine, hold, (bits & hold) !== 0);
  });
}

export function saveTask(task: Task): SavedTask {
  // Whole copies are several times as fast as copies of all fields but some; what is undefined is not written.
  const saved = { ...task, kind: task.kind.id, queueKey: undefined, queueIndex: undefined, gang: undefined };
  return saved;
}

export function restoreTask(saved: SavedTask, kinds: RequestKindTable): Task {
  const kind = kinds.find(saved.kind);
  assert(kind !== undefined, 'snapshot names an unknown request kind');
  // Snapshots of before sizes lack them.
  return { ...saved, size: saved.size ?? 1, kind, gang: undefined, queueKey: 0, queueIndex: -1 };
}

export function saveAttempt(attempt: Attempt): SavedAttempt {
  const saved = { ...attempt, kind: undefined, task: attempt.task.task };
  return saved;
}

export function restoreAttempt(saved: SavedAttempt, tasks: ReadonlyMap<number, Task>): Attempt {
  const task = tasks.get(saved.task);
  assert(task !== undefined, 'snapshot names an unknown task');
  return { ...saved, task, kind: task.kind };
}
