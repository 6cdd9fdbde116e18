// The promise of EASY backfilling: what starts out of turn does not delay the task that the queue waits for, by the estimates. The
// shadow time and the machines set aside are computed a second time, by releasing what runs in order of its expected end.

import type { InputBody } from '../../core/kernel/inputs.ts';
import type { DecisionRecord } from '../../core/scheduler/decision.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import type { ClusterModel, ModelAttempt, ModelTask } from './cluster-model.ts';
import { queueKey } from './policy-model.ts';
import type { Fail } from './violation.ts';

interface ModelReservation {
  readonly shadowMicros: number;
  readonly machines: ReadonlySet<number>;
}

export class BackfillCheck {
  private readonly profile: Profile;
  private readonly model: ClusterModel;
  private readonly fail: Fail;
  private readonly judges: boolean;
  private head: ModelTask | undefined;
  /** `never` keeps what it first computed, `avoidReserved` what holds for this input. */
  private reservation: ModelReservation | undefined;
  private cycled = false;
  private nowMicros = 0;

  constructor(profile: Profile, model: ClusterModel, fail: Fail) {
    this.profile = profile;
    this.model = model;
    this.fail = fail;
    this.judges =
      profile.unplaced === 'block' &&
      // Fair shares change with each placement: who was first when the queue began to wait is not seen from outside.
      profile.order !== 'drf' &&
      (profile.backfill === 'never' || profile.backfill === 'avoidReserved');
  }

  /** The kernel is done with the input before: if it scheduled and something waits, the queue waits for its first task. */
  inputDone(): void {
    if (!this.judges || !this.cycled) return;
    this.cycled = false;
    this.findHead();
    if (this.profile.backfill === 'never') this.reserve();
    else this.reservation = undefined;
  }

  inputBegins(input: InputBody, nowMicros: number): void {
    if (!this.judges) return;
    this.nowMicros = nowMicros;
    this.cycled = input.kind === 'instantEnded' || (input.kind === 'taskFinished' && this.profile.backfill === 'never');
    if (this.profile.backfill === 'avoidReserved') this.reservation = undefined;
    if (this.head !== undefined && this.head.state !== 'waiting') this.forgetHead();
  }

  /** A task leaves the queue. Call it after {@link judge}. */
  placed(task: ModelTask): void {
    if (task === this.head) this.forgetHead();
  }

  judge(task: ModelTask, record: DecisionRecord, nowMicros: number): void {
    if (!this.judges) return;
    this.nowMicros = nowMicros;
    this.findHead();
    const reservation = this.reserve();
    const broken = (what: string): never =>
      this.fail('placement', `task ${task.task}: ${what}`, nowMicros, { task: task.task, submission: task.submission });
    if (this.head === task) broken('the task that the queue waits for is backfilled');
    if (record.shadowMicros !== reservation.shadowMicros)
      broken(`it is backfilled before ${record.shadowMicros} µs, the shadow time is ${reservation.shadowMicros} µs`);
    if (nowMicros + task.of.estimateMicros < reservation.shadowMicros) return;
    if (this.profile.backfill === 'never')
      broken(`it is backfilled, but ends after the shadow time ${reservation.shadowMicros} µs`);
    const taken = record.machines.find((machine) => reservation.machines.has(machine));
    if (taken !== undefined) broken(`it is backfilled on machine ${taken}, which is set aside for the head`);
  }

  private forgetHead(): void {
    this.head = undefined;
    this.reservation = undefined;
  }

  private findHead(): void {
    if (this.head?.state === 'waiting') return;
    this.forgetHead();
    const key = queueKey(this.profile, this.model);
    if (key === undefined) return;
    for (const task of this.model.waiting()) {
      const before =
        this.head === undefined ||
        key(task, this.nowMicros) < key(this.head, this.nowMicros) ||
        (key(task, this.nowMicros) === key(this.head, this.nowMicros) && task.task < this.head.task);
      if (before) this.head = task;
    }
  }

  private reserve(): ModelReservation {
    // A task that fits at no known time has no shadow time to keep.
    if (this.reservation?.shadowMicros === Number.POSITIVE_INFINITY && this.profile.backfill === 'never')
      this.reservation = undefined;
    this.reservation ??=
      this.head === undefined ? { shadowMicros: -1, machines: new Set<number>() } : this.computed(this.head);
    return this.reservation;
  }

  private computed({ of }: ModelTask): ModelReservation {
    const { request } = of;
    const machines = this.model.machines.map((machine) => machine.copy());
    const fitting = (): number[] =>
      machines.flatMap((machine, index) => (this.model.isOpen(index) && machine.fits(of) ? [index] : []));
    const ends = [...this.model.attempts.values()]
      .map((attempt) => ({ attempt, endMicros: expectedEnd(attempt) }))
      .sort((left, right) => left.endMicros - right.endMicros);
    let now = fitting();
    let shadowMicros = now.length >= request.machineCount ? 0 : Number.POSITIVE_INFINITY;
    for (const { attempt, endMicros } of ends) {
      if (now.length >= request.machineCount && endMicros > shadowMicros) break;
      if (shadowMicros === 0) break;
      attempt.machines.forEach((machine, position) => {
        machines[machine]?.apply(attempt.task.of.request, attempt.deviceMasks[position] as number, 1);
      });
      now = fitting();
      if (now.length >= request.machineCount && shadowMicros === Number.POSITIVE_INFINITY) shadowMicros = endMicros;
    }
    return { shadowMicros, machines: new Set(now.slice(0, request.machineCount)) };
  }
}

/** When an attempt ends by its estimate; it may lie in the past. */
export function expectedEnd({ startedMicros, placedMicros, resumeMicros, task }: ModelAttempt): number {
  const begunMicros = startedMicros >= 0 ? startedMicros : placedMicros;
  return begunMicros + Math.max(0, task.of.estimateMicros - resumeMicros);
}
