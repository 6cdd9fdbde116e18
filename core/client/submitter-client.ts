// The submitter's side of the protocol, sans-I/O: each task is sent until the kernel has accepted or refused it, and the ends
// of tasks are taken from the submitter's topic once each, acknowledged in batches. Its shell sends the messages.

import { assert } from '../base/assert.ts';
import { type FaultSwitch, noFaults } from '../base/fault-points.ts';
import { RetryQueue } from '../base/retry-queue.ts';
import type { DeliverEffect, SubscribedEffect } from '../bus/broker-protocol.ts';
import type { SubmissionAccepted, SubmissionRefused, TaskEnded } from '../kernel/effects.ts';
import type { InputBody, TaskSubmitted } from '../kernel/inputs.ts';
import type { SubmissionDeferred } from '../kernel/journaled-kernel.ts';
import { endsSubscriber, endsSubscription, endsTopic } from '../kernel/kernel.ts';
import type { ResourceRequest } from '../scheduler/request.ts';

export type ToSubmitter =
  | SubmissionAccepted
  | SubmissionRefused
  | SubmissionDeferred
  | SubscribedEffect
  | DeliverEffect;

export interface SubmitterShell {
  send(message: InputBody): void;
  /** Call {@link SubmitterClient.wake} at this time; replaces no earlier wish. */
  wakeAt(timeMicros: number): void;
  /** The kernel answered for `submission`. */
  answered(submission: number, accepted: boolean, reason: string): void;
  /** A task has ended. Called once a task. */
  ended(end: TaskEnded): void;
}

export interface SubmitterOptions {
  readonly submitter: number;
  readonly retryMicros: number;
  /** Ends are acknowledged when this many are unacknowledged, or this much time after the first of them. */
  readonly acknowledgeEvery: number;
  readonly acknowledgeMicros: number;
}

/** Asked for so often and not delivered again: what is missing is not there. */
const gapAsksMax = 3;

/** Submissions that are sent again and on their way at once, at most. */
const repeatsMax = 64;

export class SubmitterClient {
  private readonly options: SubmitterOptions;
  private readonly shell: SubmitterShell;
  private readonly faults: FaultSwitch;
  private readonly name: string;
  private readonly subscription: string;
  private submissionCount = 0;
  private readonly unanswered = new Map<number, TaskSubmitted>();
  private readonly retries = new RetryQueue();
  /** Sent again, or for the first time after a restart, and not answered since. */
  private readonly repeating = new Set<number>();
  /** To be sent again, in order, as soon as others are answered. */
  private readonly overdue = new Set<number>();
  /** Tasks that are no longer wanted and whose end is not known yet. */
  private readonly unwanted = new Set<number>();
  private readonly cancelRetries = new RetryQueue();
  private deferrals = 0;
  private subscribed = false;
  private subscribeAgainMicros = Number.POSITIVE_INFINITY;
  /** Every end below this offset was taken; so were those above it that came early. */
  private nextOffset = 0;
  private readonly early = new Set<number>();
  /** The gap below the early ones when ends were last acknowledged; if it is still there the next time, it was lost. */
  private gapOffset = -1;
  /** It is not asked for again before. */
  private askFromMicros = 0;
  /** Times that what is missing there was asked for. */
  private gapAsks = 0;
  private unacknowledged = 0;
  private acknowledgeAtMicros = Number.POSITIVE_INFINITY;
  private wishedMicros = Number.POSITIVE_INFINITY;
  private readonly isUnanswered = (submission: number): boolean => this.unanswered.has(submission);
  private readonly isUnwanted = (submission: number): boolean => this.unwanted.has(submission);

  constructor(options: SubmitterOptions, shell: SubmitterShell, faults: FaultSwitch = noFaults) {
    this.options = options;
    this.shell = shell;
    this.faults = faults;
    this.name = endsSubscriber(options.submitter);
    this.subscription = endsSubscription(options.submitter);
  }

  /** Answers that a submission could not be taken for now, so far. */
  get deferralCount(): number {
    return this.deferrals;
  }

  get unansweredCount(): number {
    return this.unanswered.size;
  }

  /** A submitter that was there before and remembers nothing goes on after `highestSubmission`, the largest number that it is
   *  known to have used; ends below `endsOffset` are acknowledged. Call it before the first {@link submit}. */
  resume(highestSubmission: number, endsOffset: number): void {
    assert(this.submissionCount === 0 && this.nextOffset === 0, 'only who remembers nothing resumes');
    this.submissionCount = highestSubmission;
    this.nextOffset = endsOffset;
  }

  /** Sends a task of before {@link resume} again, under the number that it had: one whose answer is not known to have come. The
   *  kernel knows whether it has taken it. In rising order, before the first {@link submit}. */
  submitAgain(message: Omit<TaskSubmitted, 'kind' | 'submitter' | 'settled'>, nowMicros: number): void {
    const { submission } = message;
    assert(submission <= this.submissionCount && !this.unanswered.has(submission), 'it was submitted before');
    this.unanswered.set(submission, {
      ...message,
      kind: 'taskSubmitted',
      submitter: this.options.submitter,
      settled: 0,
    });
    this.repeat(submission, nowMicros);
    this.wishWake();
  }

  /** The connection is new: everything unanswered is sent again. */
  reconnected(nowMicros: number): void {
    this.start(nowMicros);
    for (const message of this.unanswered.values()) this.shell.send(message);
    for (const submission of this.unwanted)
      this.shell.send({ kind: 'taskCancelled', submitter: this.options.submitter, submission });
  }

  /** Subscribes to the ends of its tasks. Call it before the first {@link submit}. */
  start(nowMicros: number): void {
    this.shell.send({
      kind: 'subscribe',
      timeMicros: nowMicros,
      subscriber: this.name,
      subscription: this.subscription,
      topic: endsTopic(this.options.submitter),
      mode: 'exclusive',
      start: 'earliest',
      inFlightMax: 4 * this.options.acknowledgeEvery,
    });
    this.subscribeAgainMicros = nowMicros + this.options.retryMicros;
    this.wishWake();
  }

  /** Sends a task; returns its submission number. `more`: what only some tasks say. */
  submit(
    request: ResourceRequest,
    estimateMicros: number,
    priority: number,
    tenant: string,
    nowMicros: number,
    more: Pick<TaskSubmitted, 'checkpointMicros' | 'gang' | 'taskClass' | 'size'> = {},
  ): number {
    const submission = ++this.submissionCount;
    const message: TaskSubmitted = {
      kind: 'taskSubmitted',
      submitter: this.options.submitter,
      submission,
      settled: (this.unanswered.keys().next().value ?? submission) - 1,
      request,
      estimateMicros,
      priority,
      tenant,
      ...more,
      ...(this.faults.fires('submitter.notSettled') ? { settled: 0 } : {}),
    };
    this.send(message, nowMicros);
    return submission;
  }

  /** Asks that a task whose end is not known yet should not run, or not go on; repeated until it is. The task's end is
   *  reported as any other: it may have completed meanwhile. */
  cancel(submission: number, nowMicros: number): void {
    assert(submission >= 1 && submission <= this.submissionCount, 'only what was submitted can be cancelled');
    if (this.unwanted.has(submission)) return;
    this.unwanted.add(submission);
    this.sendCancel(submission, nowMicros);
    this.wishWake();
  }

  receive(message: ToSubmitter, nowMicros: number): void {
    switch (message.kind) {
      case 'submissionAccepted':
      case 'submissionRefused':
        if (!this.unanswered.delete(message.submission)) return;
        this.answeredOne(message.submission, nowMicros);
        if (message.kind === 'submissionRefused') this.unwanted.delete(message.submission);
        this.shell.answered(
          message.submission,
          message.kind === 'submissionAccepted',
          message.kind === 'submissionAccepted' ? '' : message.reason,
        );
        return;
      case 'submissionDeferred':
        // Sent again when its time has come, as if it had been lost.
        this.deferrals++;
        return;
      case 'subscribed':
        this.subscribed = true;
        this.subscribeAgainMicros = Number.POSITIVE_INFINITY;
        this.acknowledgedBefore(message.offset);
        return;
      case 'deliver':
        this.delivered(message, nowMicros);
        return;
    }
  }

  wake(nowMicros: number): void {
    if (nowMicros < this.wishedMicros) return;
    this.wishedMicros = Number.POSITIVE_INFINITY;
    if (!this.subscribed && nowMicros >= this.subscribeAgainMicros) this.start(nowMicros);
    while (this.retries.nextDeadline(this.isUnanswered) <= nowMicros) {
      const submission = this.retries.takeDue(nowMicros);
      this.repeat(submission, nowMicros);
    }
    while (this.cancelRetries.nextDeadline(this.isUnwanted) <= nowMicros) {
      const submission = this.cancelRetries.takeDue(nowMicros);
      if (this.unwanted.has(submission)) this.sendCancel(submission, nowMicros);
    }
    if (nowMicros >= this.acknowledgeAtMicros) this.acknowledge(nowMicros);
    this.wishWake();
  }

  private delivered(message: DeliverEffect, nowMicros: number): void {
    // Ends of different tasks need no order among each other: one that is lost on its way holds up nobody else's.
    if (message.offset >= this.nextOffset && !this.early.has(message.offset)) {
      if (message.offset > this.nextOffset) this.early.add(message.offset);
      else this.nextOffset++;
      while (this.early.size > 0 && this.early.delete(this.nextOffset)) this.nextOffset++;
      const end = message.payload as TaskEnded;
      this.unwanted.delete(end.submission);
      this.shell.ended(end);
    }
    this.unacknowledged++;
    const isFull = this.unacknowledged >= this.options.acknowledgeEvery;
    if (isFull || this.faults.fires('submitter.acknowledgeNow')) this.acknowledge(nowMicros);
    else if (this.acknowledgeAtMicros === Number.POSITIVE_INFINITY)
      this.acknowledgeAtMicros = nowMicros + this.options.acknowledgeMicros;
    // Also after an acknowledgement: a gap below what came early is to be asked for again.
    this.wishWake();
  }

  /** Of those that are overdue only so many are on their way at once: what clogs a link, or keeps the kernel from answering, must
   *  not be made worse. Each answer sends the next. */
  private repeat(submission: number, nowMicros: number): void {
    const message = this.unanswered.get(submission);
    if (message === undefined) return;
    if (!this.repeating.has(submission) && this.repeating.size >= repeatsMax) {
      this.overdue.add(submission);
      return;
    }
    this.repeating.add(submission);
    this.shell.send(message);
    this.retries.add(submission, this.retryAt(nowMicros));
  }

  private answeredOne(submission: number, nowMicros: number): void {
    if (!this.repeating.delete(submission)) return;
    for (const next of this.overdue) {
      if (this.repeating.size >= repeatsMax) break;
      this.overdue.delete(next);
      this.repeat(next, nowMicros);
    }
    this.wishWake();
  }

  /** Ends below `offset` were acknowledged, by a former life perhaps: none of them comes. */
  private acknowledgedBefore(offset: number): void {
    if (offset <= this.nextOffset) return;
    this.nextOffset = offset;
    for (const early of this.early) if (early < offset) this.early.delete(early);
    while (this.early.delete(this.nextOffset)) this.nextOffset++;
  }

  private send(message: TaskSubmitted, nowMicros: number): void {
    this.unanswered.set(message.submission, message);
    this.shell.send(message);
    // With an answer at the same instant nothing is left to repeat.
    this.retries.add(message.submission, this.retryAt(nowMicros));
    this.wishWake();
  }

  private sendCancel(submission: number, nowMicros: number): void {
    this.shell.send({ kind: 'taskCancelled', submitter: this.options.submitter, submission });
    this.cancelRetries.add(submission, this.retryAt(nowMicros));
  }

  private retryAt(nowMicros: number): number {
    const { retryMicros } = this.options;
    return nowMicros + (this.faults.fires('submitter.retrySoon') ? Math.ceil(retryMicros / 32) : retryMicros);
  }

  private acknowledge(nowMicros: number): void {
    if (this.faults.fires('submitter.acknowledgeLate')) {
      this.acknowledgeAtMicros = nowMicros + this.options.acknowledgeMicros;
      return;
    }
    this.acknowledgeAtMicros = Number.POSITIVE_INFINITY;
    this.unacknowledged = 0;
    if (this.early.size > 0) this.askAgain(nowMicros);
    if (this.nextOffset === 0) return;
    this.shell.send({
      kind: 'acknowledge',
      timeMicros: nowMicros,
      subscriber: this.name,
      subscription: this.subscription,
      offset: this.nextOffset - 1,
      cumulative: true,
    });
  }

  /** Later ends came and an earlier one did not: if that lasts, has everything unacknowledged delivered again. That may not be what is
   *  missing, and each delivery be a reason to ask: it is asked for now and then, or there would be ever more of them. */
  private askAgain(nowMicros: number): void {
    if (this.gapOffset !== this.nextOffset) this.gapAsks = 0;
    const isTime = nowMicros >= this.askFromMicros;
    if (isTime && (this.gapOffset === this.nextOffset || this.faults.fires('submitter.reconnect'))) {
      this.askFromMicros = nowMicros + this.options.acknowledgeMicros;
      this.gapAsks++;
      // There may be nothing to deliver again: the kernel says where its ends begin if it has forgotten this submitter meanwhile.
      if (this.gapAsks > gapAsksMax) this.start(nowMicros);
      else this.shell.send({ kind: 'subscriberConnected', timeMicros: nowMicros, subscriber: this.name });
    }
    this.gapOffset = this.nextOffset;
    if (this.acknowledgeAtMicros === Number.POSITIVE_INFINITY) {
      this.acknowledgeAtMicros = nowMicros + this.options.acknowledgeMicros;
    }
  }

  private wishWake(): void {
    const retry = Math.min(
      this.retries.nextDeadline(this.isUnanswered),
      this.cancelRetries.nextDeadline(this.isUnwanted),
    );
    const next = Math.min(
      retry,
      this.acknowledgeAtMicros,
      this.subscribed ? Number.POSITIVE_INFINITY : this.subscribeAgainMicros,
    );
    if (next >= this.wishedMicros) return;
    this.wishedMicros = next;
    this.shell.wakeAt(next);
  }
}
