// The promise of conservative backfilling, as far as it shows from outside: what starts out of turn leaves the first waiting task
// its reservation. By the estimates, when the time has come that the decision names, that task must fit beside all that still runs.
// Reservations of the tasks behind the first are not followed.

import type { DecisionRecord } from '../../core/scheduler/decision.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import { expectedEnd } from './backfill-check.ts';
import type { ClusterModel, ModelTask } from './cluster-model.ts';
import { queueKey } from './policy-model.ts';
import type { Fail } from './violation.ts';

export class ConservativeCheck {
  private readonly profile: Profile;
  private readonly model: ClusterModel;
  private readonly fail: Fail;

  constructor(profile: Profile, model: ClusterModel, fail: Fail) {
    this.profile = profile;
    this.model = model;
    this.fail = fail;
  }

  /** A task is backfilled; the model does not hold it yet. Gangs must not be part of the workload. */
  judge(task: ModelTask, record: DecisionRecord, nowMicros: number): void {
    const { shadowMicros } = record;
    // What a restarted task has left to do is not known here.
    if (shadowMicros === Number.POSITIVE_INFINITY || task.attempts > 0) return;
    const head = this.head(nowMicros);
    if (head === undefined || head === task) return;
    const machines = this.model.machines.map((machine) => machine.copy());
    for (const attempt of this.model.attempts.values()) {
      if (Math.max(expectedEnd(attempt), nowMicros + 1) > shadowMicros) continue;
      attempt.machines.forEach((machine, position) => {
        machines[machine]?.apply(attempt.task.of.request, attempt.deviceMasks[position] as number, 1);
      });
    }
    if (nowMicros + Math.max(1, task.of.estimateMicros) > shadowMicros) {
      record.machines.forEach((machine, position) => {
        machines[machine]?.apply(task.of.request, record.deviceMasks[position] as number, -1);
      });
    }
    const { request } = head.of;
    const fitting = machines.filter((machine, index) => this.model.isOpen(index) && machine.fits(head.of));
    if (fitting.length >= request.machineCount) return;
    const what = `task ${task.task}: it is backfilled, and task ${head.task} cannot start at ${shadowMicros} µs any more, for which it has a reservation`;
    this.fail('placement', what, nowMicros, { task: task.task, submission: task.submission });
  }

  /** Whose turn comes first of those that wait. */
  private head(nowMicros: number): ModelTask | undefined {
    const key = queueKey(this.profile, this.model);
    // Keys that change with each placement are not those that the kernel planned by.
    if (key === undefined || this.profile.order === 'drf') return undefined;
    let head: ModelTask | undefined;
    for (const task of this.model.waiting()) {
      if (head === undefined || key(task, nowMicros) < key(head, nowMicros)) head = task;
      else if (key(task, nowMicros) === key(head, nowMicros) && task.task < head.task) head = task;
    }
    return head;
  }
}
