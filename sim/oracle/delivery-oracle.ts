// The promise of acknowledged messages: the ends of tasks are first delivered in the order of their topic, without a gap, each
// with one content however often it is delivered, and never after the kernel has heard the acknowledgement; the submitter
// takes each of them once, and acknowledges only what it has taken.

import type { DeliverEffect } from '../../core/bus/broker-protocol.ts';
import type { Effect, TaskEnded } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import { endsSubscription, endsTopic } from '../../core/kernel/kernel.ts';
import type { WorldObserver } from '../world/observer.ts';
import { withRoom } from './column.ts';
import type { Fail } from './violation.ts';

/** The one submitter of a simulated world. */
const watchedTopic = endsTopic(1);
const watchedSubscription = endsSubscription(1);

export class DeliveryOracle implements WorldObserver {
  private readonly fail: Fail;
  /** Submissions by offset modulo the length, from `acknowledged` to `delivered`. */
  private content = new Float64Array(1024);
  /** By submission: 1 if its end was delivered and not yet taken. */
  private untaken = new Uint8Array(0);
  /** Offsets below were delivered at least once; acknowledged to the kernel. */
  private delivered = 0;
  private acknowledged = 0;
  /** What the present input acknowledges: timers that are due come before it. */
  private acknowledgedNow = 0;

  constructor(fail: Fail) {
    this.fail = fail;
  }

  kernelEffect(effect: Effect, nowMicros: number): void {
    if (effect.kind === 'deliver' && effect.topic === watchedTopic)
      this.deliver(effect, effect.payload as TaskEnded, nowMicros);
  }

  taskEnded(end: TaskEnded, nowMicros: number): void {
    if (this.untaken[end.submission] === 1) {
      this.untaken[end.submission] = 0;
      return;
    }
    const what = `the submitter takes the end of submission ${end.submission}, which was not delivered, or was taken before`;
    this.fail('acknowledged messages', what, nowMicros, end);
  }

  kernelInput(input: InputBody, nowMicros: number): void {
    this.acknowledged = this.acknowledgedNow;
    if (input.kind !== 'acknowledge' || input.subscription !== watchedSubscription || !input.cumulative) return;
    if (input.offset >= this.delivered) {
      this.fail(
        'acknowledged messages',
        `offset ${input.offset} is acknowledged, but was not delivered`,
        nowMicros,
        {},
      );
    }
    for (; this.acknowledgedNow <= input.offset; this.acknowledgedNow++) {
      const submission = this.content[this.acknowledgedNow & (this.content.length - 1)] as number;
      if (this.untaken[submission] !== 1) continue;
      const what = `offset ${input.offset} is acknowledged, but the end of submission ${submission} was not taken`;
      this.fail('acknowledged messages', what, nowMicros, { submission });
    }
  }

  private deliver({ offset, attempt }: DeliverEffect, end: TaskEnded, nowMicros: number): void {
    if (attempt === 1) {
      if (offset !== this.delivered)
        this.fail(
          'acknowledged messages',
          `offset ${offset} is delivered for the first time after offset ${this.delivered - 1}`,
          nowMicros,
          end,
        );
      if (offset - this.acknowledged >= this.content.length) this.grow();
      this.content[offset & (this.content.length - 1)] = end.submission;
      this.untaken = withRoom(this.untaken, end.submission);
      this.untaken[end.submission] = 1;
      this.delivered = offset + 1;
      return;
    }
    if (offset < this.acknowledged)
      this.fail(
        'acknowledged messages',
        `offset ${offset} is delivered again although it was acknowledged`,
        nowMicros,
        end,
      );
    if (offset >= this.delivered || this.content[offset & (this.content.length - 1)] !== end.submission) {
      this.fail('acknowledged messages', `offset ${offset} is delivered again with another content`, nowMicros, end);
    }
  }

  private grow(): void {
    const larger = new Float64Array(this.content.length * 2);
    for (let offset = this.acknowledged; offset < this.delivered; offset++) {
      larger[offset & (larger.length - 1)] = this.content[offset & (this.content.length - 1)] as number;
    }
    this.content = larger;
  }
}
