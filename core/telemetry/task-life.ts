// What the recorder remembers of a task that has not ended: who it is, and where its time has gone so far. The parts are
// disjoint and leave nothing out, so that they add up to the whole from submission to end.

import { filterReasons } from '../scheduler/cluster-state.ts';
import type { TelemetryRow } from './tables.ts';

export interface TaskFacts {
  readonly submitter: number;
  readonly submission: number;
  readonly tenant: string;
  readonly taskClass: string;
  readonly priority: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly gpuCount: number;
  readonly gpuMilli: number;
  readonly machineCount: number;
  readonly estimateMicros: number;
  readonly submittedMicros: number;
}

export const behindOthers = 'behind others';

const microsPerSecond = 1_000_000;

export class TaskLife {
  readonly facts: TaskFacts;
  /** The kernel's number, 0 before the first decision about it. */
  task = 0;
  /** The attempt that holds machines, 0 if it waits. */
  attempt = 0;
  attempts = 0;
  /** Row of the leading agent of the latest attempt, −1 before any. */
  agent = -1;
  cancelled = false;
  waitReason = '';
  private waitingSinceMicros: number;
  private placedMicros = 0;
  private startedMicros = -1;
  private queueMicros = 0;
  private retryMicros = 0;
  private dispatchMicros = 0;
  private lostMicros = 0;
  private serviceMicros = 0;
  private transferMicros = 0;

  constructor(facts: TaskFacts) {
    this.facts = facts;
    this.waitingSinceMicros = facts.submittedMicros;
  }

  get isPlaced(): boolean {
    return this.attempt !== 0;
  }

  placed(attempt: number, agent: number, nowMicros: number): void {
    // Nobody said that the attempt before was lost, but it was.
    if (this.isPlaced) this.lost(nowMicros);
    this.stopWaiting(nowMicros);
    this.attempt = attempt;
    this.attempts++;
    this.agent = agent;
    this.placedMicros = nowMicros;
    this.startedMicros = -1;
  }

  /** True if the agent takes it for the first time. */
  started(nowMicros: number): boolean {
    if (this.startedMicros >= 0) return false;
    this.startedMicros = nowMicros;
    return true;
  }

  /** The attempt came to nothing; the task waits again. */
  lost(nowMicros: number): void {
    this.lostMicros += nowMicros - this.placedMicros;
    this.waitingSinceMicros = nowMicros;
    this.attempt = 0;
  }

  /** The attempt did the work. What the agent says that exceeds the time that there was is not believed. */
  completed(serviceMicros: number, queueMicros: number, nowMicros: number): void {
    const began = this.startedMicros >= 0 ? this.startedMicros : this.placedMicros;
    const spanMicros = nowMicros - began;
    this.serviceMicros = Math.min(Math.max(0, serviceMicros), spanMicros);
    const queued = Math.min(Math.max(0, queueMicros), spanMicros - this.serviceMicros);
    this.dispatchMicros = began - this.placedMicros + queued;
    this.transferMicros = spanMicros - this.serviceMicros - queued;
    this.attempt = 0;
    this.waitingSinceMicros = nowMicros;
  }

  /** Why it was tried in vain: the most frequent reason among the machines ruled out. */
  waits(reasonCounts: readonly number[]): void {
    let most = 0;
    this.waitReason = behindOthers;
    for (let reason = 1; reason < filterReasons.length; reason++) {
      const count = reasonCounts[reason] ?? 0;
      if (count <= most) continue;
      most = count;
      this.waitReason = filterReasons[reason] as string;
    }
  }

  /** The row of a task that ends now. */
  ended(run: string, outcome: string, agent: string, joules: number, nowMicros: number): TelemetryRow<'tasks'> {
    if (this.isPlaced) this.lost(nowMicros);
    this.stopWaiting(nowMicros);
    const { facts } = this;
    const seconds = (micros: number): number => micros / microsPerSecond;
    return {
      time: nowMicros,
      run,
      submitter: facts.submitter,
      submission: facts.submission,
      task: this.task,
      outcome,
      agent,
      tenant: facts.tenant,
      task_class: facts.taskClass,
      priority: facts.priority,
      cpu_milli: facts.cpuMilli,
      memory_mib: facts.memoryMib,
      gpu_count: facts.gpuCount,
      gpu_milli: facts.gpuMilli,
      machine_count: facts.machineCount,
      attempts: this.attempts,
      submitted_micros: facts.submittedMicros,
      estimate_seconds: seconds(facts.estimateMicros),
      queue_seconds: seconds(this.queueMicros),
      retry_seconds: seconds(this.retryMicros),
      dispatch_seconds: seconds(this.dispatchMicros),
      lost_seconds: seconds(this.lostMicros),
      service_seconds: seconds(this.serviceMicros),
      transfer_seconds: seconds(this.transferMicros),
      total_seconds: seconds(nowMicros - facts.submittedMicros),
      joules,
      wait_reason: this.waitReason,
    };
  }

  private stopWaiting(nowMicros: number): void {
    const waited = nowMicros - this.waitingSinceMicros;
    if (this.attempts === 0) this.queueMicros += waited;
    else this.retryMicros += waited;
    this.waitingSinceMicros = nowMicros;
  }
}
