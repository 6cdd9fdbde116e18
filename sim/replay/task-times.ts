// When each task of a run came, began and ended, read from the kernel's own inputs and effects: the same reading for a live
// record and for a simulated run, so that the two can stand side by side.

import type { Effect, TaskEnded } from '../../core/kernel/effects.ts';
import type { InputBody, TaskSubmitted } from '../../core/kernel/inputs.ts';
import { endsSubscriber } from '../../core/kernel/kernel.ts';
import type { TaskOutcome } from '../../core/scheduler/task.ts';

export interface TaskTime {
  readonly submitted: TaskSubmitted;
  readonly arrivedMicros: number;
  isAccepted: boolean;
  /** Of the last attempt, −1 before there is one: dispatched by the kernel, begun by the agent, its result with the kernel. */
  dispatchedMicros: number;
  /** When the first input came of the instant in which the last attempt was dispatched: that is when time stood still for the kernel. */
  instantMicros: number;
  /** The kernel's number of the agent that has the last attempt, −1 before there is one. */
  agent: number;
  attempt: number;
  attempts: number;
  begunMicros: number;
  endedMicros: number;
  /** As the agent measured it. */
  serviceMicros: number;
  queueMicros: number;
  /** `undefined` until its end is delivered. */
  outcome: TaskOutcome | undefined;
}

export interface TimesSummary {
  readonly completed: number;
  readonly unfinished: number;
  /** Wait is all of a task's time in which it was not worked on. */
  readonly waitMeanMicros: number;
  readonly waitP95Micros: number;
  readonly completionMeanMicros: number;
  readonly completionP50Micros: number;
  readonly completionP95Micros: number;
  /** Completion over service, which counts as a millisecond at least. */
  readonly slowdownMean: number;
  readonly slowdownP95: number;
  /** CPU that was worked with, over all CPU of the machines, from the first arrival to the last end; 0 to 1. */
  readonly utilization: number;
  readonly makespanMicros: number;
}

export class TaskTimes {
  /** In order of arrival. */
  readonly all: TaskTime[] = [];
  private readonly bySubmission = new Map<string, TaskTime>();
  private readonly byTask = new Map<number, TaskTime>();
  private instantMicros = -1;
  private instantIsOver = true;

  input(body: InputBody, nowMicros: number): void {
    if (body.kind === 'instantEnded') this.instantIsOver = true;
    else if (this.instantIsOver && makesWork(body)) {
      this.instantIsOver = false;
      this.instantMicros = nowMicros;
    }
    if (body.kind === 'taskSubmitted') {
      const key = keyOf(body.submitter, body.submission);
      if (this.bySubmission.has(key)) return;
      const time: TaskTime = {
        ...{ submitted: body, arrivedMicros: nowMicros, isAccepted: false, dispatchedMicros: -1, begunMicros: -1 },
        ...{ endedMicros: -1, serviceMicros: 0, queueMicros: 0, outcome: undefined },
        ...{ instantMicros: -1, agent: -1, attempt: -1, attempts: 0 },
      };
      this.bySubmission.set(key, time);
      this.all.push(time);
    } else if (body.kind === 'dispatchAccepted') {
      const time = this.byTask.get(body.task);
      if (time !== undefined && time.begunMicros < 0) time.begunMicros = nowMicros;
    } else if (body.kind === 'taskFinished' && body.outcome === 'completed') {
      const time = this.byTask.get(body.task);
      if (time === undefined || time.endedMicros >= 0) return;
      time.endedMicros = nowMicros;
      time.serviceMicros = body.serviceMicros;
      time.queueMicros = body.queueMicros ?? 0;
    }
  }

  /** The kernel has handled the input; without work for its end the instant is over. Needed where instants are asked for. */
  handled(awaitsInstantEnd: boolean): void {
    if (!awaitsInstantEnd) this.instantIsOver = true;
  }

  effect(effect: Effect, nowMicros: number): void {
    if (effect.kind === 'submissionAccepted') {
      const time = this.bySubmission.get(keyOf(effect.submitter, effect.submission));
      if (time !== undefined) time.isAccepted = true;
    } else if (effect.kind === 'decisionMade' && effect.record.outcome === 'placed') {
      const time = this.byTask.get(effect.record.task);
      if (time === undefined) return;
      time.dispatchedMicros = nowMicros;
      time.begunMicros = -1;
    } else if (effect.kind === 'dispatch') {
      const time = this.bySubmission.get(keyOf(effect.submitter, effect.submission));
      if (time === undefined) return;
      if (time.attempt !== effect.attempt) {
        time.attempt = effect.attempt;
        time.attempts++;
        time.agent = effect.agent;
        time.instantMicros = this.instantMicros < 0 ? nowMicros : this.instantMicros;
      }
      if (this.byTask.get(effect.task) === time) return;
      this.byTask.set(effect.task, time);
      time.dispatchedMicros = nowMicros;
    } else if (effect.kind === 'deliver' && effect.correlation === null) {
      const end = effect.payload as Partial<TaskEnded> | undefined;
      if (typeof end?.submission !== 'number' || end.outcome === undefined) return;
      const time = this.bySubmission.get(`${effect.subscriber} ${end.submission}`);
      if (time !== undefined) time.outcome ??= end.outcome;
    }
  }

  /** Forgets the tasks of a class, such as those that only warmed something up. */
  leaveOut(taskClass: string): void {
    const kept = this.all.filter(({ submitted }) => submitted.taskClass !== taskClass);
    this.all.splice(0, this.all.length, ...kept);
  }

  /** `cpuMilli`: of all machines together. */
  summary(cpuMilli: number): TimesSummary {
    const done = this.all.filter((time) => time.outcome === 'completed' && time.endedMicros >= 0);
    const waits = sorted(done.map((time) => Math.max(0, time.endedMicros - time.arrivedMicros - time.serviceMicros)));
    const completions = sorted(done.map((time) => time.endedMicros - time.arrivedMicros));
    const slowdowns = sorted(
      done.map((time) => (time.endedMicros - time.arrivedMicros) / Math.max(1000, time.serviceMicros)),
    );
    const first = done.reduce((least, time) => Math.min(least, time.arrivedMicros), Number.POSITIVE_INFINITY);
    const last = done.reduce((most, time) => Math.max(most, time.endedMicros), 0);
    const held = done.reduce(
      (sum, { submitted: { request }, serviceMicros }) => sum + request.cpuMilli * request.machineCount * serviceMicros,
      0,
    );
    const makespanMicros = done.length === 0 ? 0 : last - first;
    return {
      completed: done.length,
      unfinished: this.all.filter((time) => time.isAccepted && time.outcome === undefined).length,
      waitMeanMicros: mean(waits),
      waitP95Micros: quantile(waits, 0.95),
      completionMeanMicros: mean(completions),
      completionP50Micros: quantile(completions, 0.5),
      completionP95Micros: quantile(completions, 0.95),
      slowdownMean: mean(slowdowns),
      slowdownP95: quantile(slowdowns, 0.95),
      utilization: makespanMicros === 0 || cpuMilli === 0 ? 0 : held / (cpuMilli * makespanMicros),
      makespanMicros,
    };
  }
}

/** What may let a task be dispatched at the end of its instant. */
function makesWork({ kind }: InputBody): boolean {
  return kind === 'taskSubmitted' || kind === 'taskFinished' || kind === 'agentHello' || kind === 'taskCancelled';
}

function keyOf(submitter: number, submission: number): string {
  return `${endsSubscriber(submitter)} ${submission}`;
}

function sorted(values: number[]): number[] {
  return values.sort((left, right) => left - right);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The smallest value that at least this share of the values does not exceed. */
export function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)] ?? 0;
}
