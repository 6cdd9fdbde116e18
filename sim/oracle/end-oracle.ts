// The promise: a task that was accepted ends exactly once, and one that was refused never runs and never ends. Whether it
// ends in time is judged by the liveness oracle.

import type { Effect, TaskEnded } from '../../core/kernel/effects.ts';
import type { WorldObserver } from '../world/observer.ts';
import { withRoom } from './column.ts';
import type { Fail } from './violation.ts';

const arrived = 1;
const accepted = 2;
const refused = 3;
const ended = 4;
const names = ['unknown', 'not answered', 'accepted', 'refused', 'ended'] as const;

export class EndOracle implements WorldObserver {
  private readonly fail: Fail;
  /** By submission: how far it is, as the submitter knows. */
  private states = new Uint8Array(0);
  /** By submission: 1 the kernel accepted it, 2 the kernel refused it. */
  private answers = new Uint8Array(0);

  constructor(fail: Fail) {
    this.fail = fail;
  }

  taskArrived(submission: number): void {
    this.states = withRoom(this.states, submission);
    this.answers = withRoom(this.answers, submission);
    this.states[submission] = arrived;
  }

  kernelEffect(effect: Effect, nowMicros: number): void {
    switch (effect.kind) {
      case 'submissionAccepted':
        this.answer(effect.submission, 1, nowMicros);
        return;
      case 'submissionRefused':
        this.answer(effect.submission, 2, nowMicros);
        return;
      case 'dispatch':
        if (this.answers[effect.submission] !== 1)
          this.fail(
            'exactly one end',
            `submission ${effect.submission} is dispatched but was not accepted`,
            nowMicros,
            effect,
          );
        return;
      default:
        return;
    }
  }

  submissionAnswered(submission: number, isAccepted: boolean, _reason: string, nowMicros: number): void {
    const state = this.states[submission] as number;
    // Its end may overtake the answer.
    if (state === ended && isAccepted) return;
    if (state !== arrived)
      this.fail(
        'exactly one end',
        `the submitter gets another answer to submission ${submission}, which is ${names[state]}`,
        nowMicros,
        { submission },
      );
    this.states[submission] = isAccepted ? accepted : refused;
  }

  taskEnded(end: TaskEnded, nowMicros: number): void {
    const { submission } = end;
    const state = this.states[submission] ?? 0;
    if (state !== accepted && state !== arrived) {
      this.fail(
        'exactly one end',
        `submission ${submission} ends as ${end.outcome} although it is ${names[state]}`,
        nowMicros,
        end,
      );
    }
    this.states[submission] = ended;
  }

  private answer(submission: number, answer: 1 | 2, nowMicros: number): void {
    const former = this.answers[submission] as number;
    if (former === answer) return;
    if (former !== 0)
      this.fail('exactly one end', `the kernel both accepts and refuses submission ${submission}`, nowMicros, {
        submission,
      });
    this.answers[submission] = answer;
  }
}
