// The promise of checkpoints: work goes on only from service that an earlier attempt of the same task has physically saved, from no
// less than the kernel has been told of, and what completes has done all of its service, over its attempts.

import type { Dispatch, Effect } from '../../core/kernel/effects.ts';
import type { InputBody, TaskFinished, TaskProgressed } from '../../core/kernel/inputs.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import type { WorkEnd, WorldObserver } from '../world/observer.ts';
import type { Fail } from './violation.ts';

export class ProgressOracle implements WorldObserver {
  private readonly fail: Fail;
  /** Of tasks that save checkpoints, by submission: the true duration, and what was saved. */
  private readonly durations = new Map<number, number>();
  private readonly saved = new Map<number, number>();
  private readonly begunMicros = new Map<number, number>();
  /** What the kernel was told of, by submission. */
  private readonly told = new Map<number, number>();
  /** Attempts whose words count, by number. */
  private readonly current = new Map<number, Dispatch>();
  private readonly attemptOf = new Map<number, number>();
  private report: TaskProgressed | TaskFinished | undefined;

  constructor(fail: Fail) {
    this.fail = fail;
  }

  taskArrived(submission: number, task: WorkloadTask): void {
    if ((task.checkpointMicros ?? 0) > 0) this.durations.set(submission, task.durationMicros);
  }

  kernelInput(input: InputBody): void {
    this.settle();
    // Counts once it is handled: timers that are due come first, and may take the attempt from its agent.
    if (input.kind === 'taskProgressed' || input.kind === 'taskFinished') this.report = input;
  }

  kernelEffect(effect: Effect, nowMicros: number): void {
    if (effect.kind === 'agentStateChanged' && (effect.to === 'dead' || effect.reason === 'restarted'))
      this.forgetLedBy(effect.agent);
    if (effect.kind !== 'dispatch') return;
    const { submission, checkpoint } = effect;
    if (!this.durations.has(submission)) {
      if (checkpoint !== undefined) this.broken('saves checkpoints, but was not asked to', effect, nowMicros);
      return;
    }
    const saved = this.saved.get(submission) ?? 0;
    const resumed = checkpoint?.resumeMicros ?? 0;
    if (resumed > saved)
      this.broken(`goes on after ${resumed} µs of service, but ${saved} are saved`, effect, nowMicros);
    if (this.attemptOf.get(submission) === effect.attempt) return;
    const told = this.told.get(submission) ?? 0;
    if (resumed < told)
      this.broken(
        `goes on after ${resumed} µs of service, but the kernel knows that ${told} are saved`,
        effect,
        nowMicros,
      );
    this.current.delete(this.attemptOf.get(submission) ?? 0);
    this.attemptOf.set(submission, effect.attempt);
    this.current.set(effect.attempt, effect);
  }

  workStarted(dispatch: Dispatch, _machines: readonly number[], nowMicros: number): void {
    if (this.durations.has(dispatch.submission)) this.begunMicros.set(dispatch.attempt, nowMicros);
  }

  workSaved({ submission }: Dispatch, progressMicros: number): void {
    this.saved.set(submission, Math.max(progressMicros, this.saved.get(submission) ?? 0));
  }

  workEnded(dispatch: Dispatch, _machines: readonly number[], end: WorkEnd, nowMicros: number): void {
    const begun = this.begunMicros.get(dispatch.attempt);
    this.begunMicros.delete(dispatch.attempt);
    const duration = this.durations.get(dispatch.submission);
    if (end !== 'completed' || begun === undefined || duration === undefined) return;
    const done = (dispatch.checkpoint?.resumeMicros ?? 0) + nowMicros - begun;
    if (done < duration) this.broken(`completes after ${done} of ${duration} µs of service`, dispatch, nowMicros);
  }

  private settle(): void {
    const { report } = this;
    this.report = undefined;
    const dispatch = report === undefined ? undefined : this.current.get(report.attempt);
    if (report === undefined || dispatch === undefined) return;
    if (dispatch.agent !== report.agent || dispatch.incarnation !== report.incarnation) return;
    const { submission } = dispatch;
    this.told.set(submission, Math.max(report.progressMicros ?? 0, this.told.get(submission) ?? 0));
    if (report.kind === 'taskFinished') this.current.delete(report.attempt);
  }

  private forgetLedBy(agent: number): void {
    for (const [attempt, dispatch] of this.current) if (dispatch.agent === agent) this.current.delete(attempt);
  }

  private broken(what: string, dispatch: Dispatch, nowMicros: number): never {
    this.fail('checkpoints', `submission ${dispatch.submission} ${what}`, nowMicros, dispatch);
  }
}
