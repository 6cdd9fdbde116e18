// The promise against live-lock: activity comes to something. A task is begun so often at most as attempts and evictions allow; a
// scheduler that asks for another cycle at the same instant has placed, evicted or dropped something in the last one; and what the
// kernel says while no task comes nearer to its end is bounded by what may have to be said again.

import type { Effect } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import type { WorldObserver } from '../world/observer.ts';
import type { Fail } from './violation.ts';

export interface LiveLockOptions {
  readonly machines: readonly unknown[];
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
}

/** Cycles at one instant that come to nothing, in a row. */
const idleCyclesMax = 3;
/** Effects an open task or machine, while nothing comes nearer to an end: repetitions of some minutes. */
const sayingsMax = 2000;

export class LiveLockOracle implements WorldObserver {
  private readonly fail: Fail;
  private readonly machineCount: number;
  private attemptsMax: number;
  private preemptionsMax: number;
  private readonly begun = new Map<number, number>();
  private readonly known = new Set<number>();
  private open = 0;
  private sayings = 0;
  private nearerMicros = 0;
  private instantMicros = -1;
  private idleCycles = 0;
  private input: InputBody | undefined;

  constructor({ machines, settings }: LiveLockOptions, fail: Fail) {
    this.fail = fail;
    this.machineCount = machines.length;
    this.attemptsMax = (settings?.['scheduler.attemptsMax'] as number | undefined) ?? 16;
    this.preemptionsMax = (settings?.['scheduler.preemptionsMax'] as number | undefined) ?? 8;
  }

  taskArrived(_submission: number, _task: unknown, nowMicros: number): void {
    this.open++;
    this.nearer(nowMicros);
  }

  taskEnded(_end: unknown, nowMicros: number): void {
    this.open--;
    this.nearer(nowMicros);
  }

  submissionAnswered(_submission: number, accepted: boolean, _reason: string, nowMicros: number): void {
    if (!accepted) this.open--;
    this.nearer(nowMicros);
  }

  workStarted(_dispatch: unknown, _machines: readonly number[], nowMicros: number): void {
    this.nearer(nowMicros);
  }

  workSaved(_dispatch: unknown, _progressMicros: number, nowMicros: number): void {
    this.nearer(nowMicros);
  }

  workEnded(_dispatch: unknown, _machines: readonly number[], _end: unknown, nowMicros: number): void {
    this.nearer(nowMicros);
  }

  kernelInput(input: InputBody, nowMicros: number, handledMicros = nowMicros): void {
    this.input = input;
    if (input.kind !== 'instantEnded') return;
    if (handledMicros !== this.instantMicros) this.idleCycles = 0;
    this.instantMicros = handledMicros;
    this.idleCycles++;
    if (this.idleCycles > idleCyclesMax)
      this.fail(
        'live-lock',
        `${idleCyclesMax} cycles at one instant came to nothing, and here is another`,
        nowMicros,
        {},
      );
  }

  kernelEffect(effect: Effect, nowMicros: number): void {
    switch (effect.kind) {
      case 'heartbeatsRecorded':
      case 'wakeAt':
      case 'agentRegistered':
        return;
      case 'settingAnswered':
        this.setTo(effect);
        return;
      case 'decisionMade':
        if (effect.record.outcome !== 'waits') this.idleCycles = 0;
        break;
      case 'dispatch':
        this.dispatched(effect.submission, effect.attempt, nowMicros);
        break;
      default:
        break;
    }
    this.sayings++;
    const most = 10_000 + sayingsMax * (this.open + this.machineCount);
    if (this.sayings > most) {
      const what = `the kernel has said ${most} things since ${this.nearerMicros} µs, and no task came nearer to its end`;
      this.fail('live-lock', what, nowMicros, {});
    }
  }

  private setTo({ name, refusal }: Extract<Effect, { kind: 'settingAnswered' }>): void {
    if (refusal !== '' || this.input?.kind !== 'settingChanged') return;
    const { value } = this.input;
    if (name === 'scheduler.attemptsMax') this.attemptsMax = Math.max(this.attemptsMax, value);
    else if (name === 'scheduler.preemptionsMax') this.preemptionsMax = Math.max(this.preemptionsMax, value);
  }

  private dispatched(submission: number, attempt: number, nowMicros: number): void {
    if (this.known.has(attempt)) return;
    this.known.add(attempt);
    const times = (this.begun.get(submission) ?? 0) + 1;
    this.begun.set(submission, times);
    if (times <= this.attemptsMax + this.preemptionsMax) return;
    const what = `submission ${submission} is begun for the ${times}th time; ${this.attemptsMax} attempts and ${this.preemptionsMax} evictions are allowed`;
    this.fail('live-lock', what, nowMicros, { submission, attempt });
  }

  private nearer(nowMicros: number): void {
    this.sayings = 0;
    this.nearerMicros = nowMicros;
  }
}
