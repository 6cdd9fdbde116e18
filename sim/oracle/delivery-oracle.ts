// The promise of acknowledged messages: the ends of tasks are delivered in the order of their topic, without a gap, each with
// one content however often it is delivered; the submitter takes each of them once and in that order, and acknowledges only
// what it has taken.

import type { DeliverEffect } from '../../core/bus/broker-protocol.ts';
import type { Effect, TaskEnded } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import { endsTopic } from '../../core/kernel/kernel.ts';
import type { WorldObserver } from '../world/observer.ts';
import type { Fail } from './violation.ts';

/** The one submitter of a simulated world. */
const watchedTopic = endsTopic(1);

export class DeliveryOracle implements WorldObserver {
  private readonly fail: Fail;
  /** Submissions by offset modulo the length, from `acknowledged` to `delivered`. */
  private content = new Float64Array(1024);
  /** Offsets below were delivered at least once; taken by the submitter; acknowledged to the kernel. */
  private delivered = 0;
  private taken = 0;
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
    const { submission } = end;
    if (this.taken >= this.delivered)
      this.fail(
        'acknowledged messages',
        `the submitter takes the end of submission ${submission}, which was not delivered`,
        nowMicros,
        end,
      );
    const expected = this.content[this.taken & (this.content.length - 1)];
    if (expected !== submission) {
      this.fail(
        'acknowledged messages',
        `the submitter takes the end of submission ${submission} where offset ${this.taken} has that of ${expected}`,
        nowMicros,
        end,
      );
    }
    this.taken++;
  }

  kernelInput(input: InputBody, nowMicros: number): void {
    this.acknowledged = this.acknowledgedNow;
    if (input.kind !== 'acknowledge' || !input.cumulative) return;
    if (input.offset >= this.taken)
      this.fail(
        'acknowledged messages',
        `offset ${input.offset} is acknowledged, but only ${this.taken} ends were taken`,
        nowMicros,
        {},
      );
    if (input.offset >= this.acknowledgedNow) this.acknowledgedNow = input.offset + 1;
  }

  /** Ends that were delivered but not yet taken. */
  get untakenCount(): number {
    return this.delivered - this.taken;
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
