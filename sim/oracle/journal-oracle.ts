// The promises of the journal: effects leave only when the disk has their input, in the order of inputs and without a gap;
// what has left once is never taken back by a crash: the recovered kernel has every input whose effects left, and hands out
// the same effects again. A kernel that comes back is first told how long it was away, and is woken when it asked to be.

import { Digest } from '../../core/base/digest.ts';
import { digestEffect } from '../../core/kernel/effect-digest.ts';
import { encodeInput } from '../../core/kernel/input-codec.ts';
import type { JournalReport, JournalStore } from '../../core/kernel/journal.ts';
import type { ReleasedInput } from '../../core/kernel/journaled-kernel.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import type { FileCompletion, FileOperation } from '../../core/ports/file-port.ts';
import type { WorldObserver } from '../world/observer.ts';
import { DurableInputs } from './durable-inputs.ts';
import type { Concerned, Fail } from './violation.ts';

/** Inputs whose digests are remembered; what leaves again is younger. */
const rememberedMax = 65_536;

export class JournalOracle implements WorldObserver {
  private readonly fail: Fail;
  private readonly durable = new DurableInputs();
  private lastReleased = 0;
  private nowMicros = 0;
  private downMicros = 0;
  /** The input that tells of the outage, and the least that it must say; 0 if none is due. */
  private resumedSequence = 0;
  private outageMicros = 0;
  private aheadMicros = 0;
  /** When the kernel is to be woken, and since when its shell has known. */
  private wakeMicros = Number.POSITIVE_INFINITY;
  private wakeKnownMicros = 0;
  /** By sequence modulo the length. */
  private readonly digests: string[] = [];

  constructor(fail: Fail) {
    this.fail = fail;
  }

  fileAsked(store: JournalStore, operation: FileOperation): void {
    if (store === 'log') this.durable.ask(operation);
    else this.judgeSnapshot(operation);
  }

  fileDone(store: JournalStore, completion: FileCompletion): void {
    if (store === 'log') this.durable.done(completion);
  }

  kernelClock(aheadMicros: number): void {
    this.aheadMicros = aheadMicros;
  }

  kernelDown(nowMicros: number): void {
    this.durable.powerFailed();
    this.downMicros = nowMicros;
  }

  inputReleased(input: ReleasedInput, again: boolean, nowMicros: number): void {
    const { sequence, body } = input;
    this.nowMicros = nowMicros;
    if (sequence > this.durable.endOffset) {
      const what = `effects of input ${sequence} (${body.kind}) leave, but only ${this.durable.endOffset} inputs are on the disk`;
      this.broken(what, input, nowMicros);
    }
    const digest = digestOf(input);
    if (again) {
      const first = this.digests[sequence % rememberedMax];
      if (this.lastReleased - sequence < rememberedMax && first !== digest)
        this.broken(`input ${sequence} (${body.kind}) or its effects are others after a recovery`, input, nowMicros);
      return;
    }
    if (sequence !== this.lastReleased + 1) {
      const what = `effects of input ${sequence} (${body.kind}) leave after those of input ${this.lastReleased}`;
      this.broken(what, input, nowMicros);
    }
    this.lastReleased = sequence;
    this.judgeTimes(input, nowMicros);
    this.digests[sequence % rememberedMax] = digest;
  }

  kernelRecovered(kernel: Kernel, { lastSequence }: JournalReport, nowMicros: number): void {
    this.resumedSequence = lastSequence + 1;
    // By its own clock it may have been away for another time.
    this.outageMicros =
      lastSequence === 0 ? 0 : Math.min(nowMicros - this.downMicros, nowMicros + this.aheadMicros - kernel.clockMicros);
    if (lastSequence >= this.lastReleased) return;
    const what = `the kernel recovers ${lastSequence} inputs, but the effects of ${this.lastReleased} have left`;
    this.fail('journal', what, nowMicros, {});
  }

  /** What a snapshot holds is on the disk before it is written, so that the inputs behind it always meet it. */
  private judgeSnapshot({ request }: FileOperation): void {
    if (request.kind !== 'create') return;
    const offset = Number(request.file.split('.')[0]);
    if (offset <= this.durable.endOffset) return;
    const what = `a snapshot of ${offset} inputs is begun, but only ${this.durable.endOffset} are on the disk`;
    this.fail('journal', what, this.nowMicros, {});
  }

  private judgeTimes(input: ReleasedInput, nowMicros: number): void {
    const { sequence, timeMicros, body, effects } = input;
    if (sequence === this.resumedSequence && this.outageMicros > 0) {
      const toldMicros = body.kind === 'resumed' ? body.pausedMicros : 0;
      if (toldMicros < this.outageMicros)
        this.broken(`after ${this.outageMicros} µs the kernel is told of ${toldMicros} µs`, input, nowMicros);
    }
    const { wakeMicros } = this;
    if (timeMicros > Math.max(wakeMicros, this.wakeKnownMicros) && body.kind !== 'resumed')
      this.broken(
        `the kernel asked to be woken at ${wakeMicros} µs; the next input is of ${timeMicros} µs`,
        input,
        nowMicros,
      );
    if (timeMicros >= wakeMicros) this.wakeMicros = Number.POSITIVE_INFINITY;
    for (const effect of effects) {
      if (effect.kind !== 'wakeAt') continue;
      if (effect.timeMicros < timeMicros)
        this.broken(`the kernel asks at ${timeMicros} µs to be woken at ${effect.timeMicros} µs`, input, nowMicros);
      this.wakeMicros = Math.min(this.wakeMicros, effect.timeMicros);
      this.wakeKnownMicros = nowMicros + this.aheadMicros;
    }
  }

  private broken(what: string, { body }: ReleasedInput, nowMicros: number): never {
    const concerned: Concerned = 'task' in body ? body : 'submission' in body ? { submission: body.submission } : {};
    this.fail('journal', what, nowMicros, concerned);
  }
}

function digestOf({ timeMicros, body, effects }: ReleasedInput): string {
  const digest = new Digest();
  digest.addInteger(timeMicros);
  digest.addBytes(encodeInput(body));
  for (const effect of effects) digestEffect(digest, effect);
  return digest.toHex();
}
