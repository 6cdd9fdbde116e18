// One process of a journaled kernel, from its start to its crash or end, without I/O: inputs are given as they come, an instant
// is closed after those that waited, the journal is flushed once an instant, the kernel is woken when it asked, and effects are
// handed out once their input is durable. Which clock, which events and which files these are is the port's business.

import type { Refused, Status } from '../base/status.ts';
import type { LogFault } from '../log/log.ts';
import type { FileCompletion, FileOperation } from '../ports/file-port.ts';
import type { Profile } from '../scheduler/framework.ts';
import type { InputBody } from './inputs.ts';
import type { JournalReport, JournalSettings, JournalStore } from './journal.ts';
import { JournaledKernel, type JournaledKernelEffect, type ReleasedInput } from './journaled-kernel.ts';
import type { Kernel } from './kernel.ts';

/** What a process asks of its shell. */
export interface KernelProcessPort {
  /** Need not be monotonic: the kernel stamps no input earlier than the one before. */
  now(): number;
  /** Call {@link KernelProcess.endInstant} when the inputs that wait already have been given. Asked once an instant. */
  endInstantSoon(): void;
  /** Call {@link KernelProcess.flush} after that. Asked once an instant. */
  flushSoon(): void;
  /** Call {@link KernelProcess.wake} at this time or later; replaces a later wish. */
  wakeAt(timeMicros: number): void;
  submit(store: JournalStore, operation: FileOperation): void;
  /** The input is durable: carry its effects out, in order, except `wakeAt`. */
  released(input: ReleasedInput): void;
  recovered(kernel: Kernel, report: JournalReport): void;
  /** Inputs are taken from now on. */
  ready(): void;
  paused(refusal: Refused): void;
  /** The process is at its end. */
  failed(fault: LogFault): void;
}

export class KernelProcess {
  private readonly port: KernelProcessPort;
  private readonly journaled: JournaledKernel;
  private readonly sink: { push(effect: JournaledKernelEffect): void };
  private instantEndAsked = false;
  private flushAsked = false;
  private wakeMicros = Number.POSITIVE_INFINITY;

  /** `first`: makes the kernel of a journal that has none yet. */
  constructor(
    settings: JournalSettings,
    first: () => { readonly kernel: Kernel; readonly profile: Profile },
    port: KernelProcessPort,
  ) {
    this.port = port;
    this.journaled = new JournaledKernel(settings, first);
    this.sink = { push: (effect) => this.take(effect) };
  }

  /** With all inputs so far, those that are not durable yet included. Not before `recovered`. */
  get kernel(): Kernel {
    return this.journaled.kernel;
  }

  /** Why inputs are refused now, `undefined` if they are taken. */
  get refusalNow(): Refused | undefined {
    return this.journaled.refusalNow;
  }

  /** Inputs that wait for the disk. */
  get heldCount(): number {
    return this.journaled.heldCount;
  }

  /** The effects of everything up to this input have left. */
  get releasedSequence(): number {
    return this.journaled.releasedSequence;
  }

  /** See {@link JournaledKernel.differingSequence}. */
  get differingSequence(): number | undefined {
    return this.journaled.differingSequence;
  }

  get snapshotFailures(): number {
    return this.journaled.snapshotFailures;
  }

  get isTakingSnapshot(): boolean {
    return this.journaled.isTakingSnapshot;
  }

  /** Recovers what the files hold; answered by `recovered` and `ready`, or `failed`. */
  start(): void {
    this.journaled.open(this.port.now(), this.sink);
  }

  /** One input, now. */
  give(body: InputBody): Status {
    const status = this.journaled.give(body, this.port.now(), this.sink);
    if (status.ok) {
      this.closeInstant();
      this.askFlush();
    }
    return status;
  }

  endInstant(): void {
    this.instantEndAsked = false;
    if (this.refusalNow === undefined && this.kernel.awaitsInstantEnd) this.give({ kind: 'instantEnded' });
  }

  flush(): void {
    this.flushAsked = false;
    this.journaled.flush(this.sink);
  }

  wake(): void {
    if (this.port.now() < this.wakeMicros) return;
    this.wakeMicros = Number.POSITIVE_INFINITY;
    // A pause ends with `ready`, which wishes anew.
    if (this.refusalNow === undefined) this.give({ kind: 'timeReached' });
  }

  complete(store: JournalStore, completion: FileCompletion): void {
    this.journaled.complete(store, completion, this.port.now(), this.sink);
  }

  /** Time passes: call it about once a second. */
  maintain(): void {
    this.journaled.maintain(this.port.now(), this.sink);
  }

  takeSnapshot(): void {
    this.journaled.takeSnapshot(this.port.now(), this.sink);
  }

  private take(effect: JournaledKernelEffect): void {
    const { port } = this;
    switch (effect.kind) {
      case 'file':
        port.submit(effect.store, effect.operation);
        return;
      case 'released':
        for (const one of effect.input.effects) if (one.kind === 'wakeAt') this.wishWake(one.timeMicros);
        port.released(effect.input);
        return;
      case 'recovered':
        port.recovered(this.kernel, effect.report);
        return;
      case 'ready':
        this.wakeMicros = Number.POSITIVE_INFINITY;
        this.wishWake(this.kernel.wakeMicros);
        this.closeInstant();
        port.ready();
        return;
      case 'paused':
        port.paused(effect.refusal);
        return;
      case 'failed':
        port.failed(effect.fault);
        return;
    }
  }

  private closeInstant(): void {
    if (this.instantEndAsked || !this.kernel.awaitsInstantEnd) return;
    this.instantEndAsked = true;
    this.port.endInstantSoon();
  }

  private askFlush(): void {
    if (this.flushAsked) return;
    this.flushAsked = true;
    this.port.flushSoon();
  }

  private wishWake(timeMicros: number): void {
    if (timeMicros >= this.wakeMicros) return;
    this.wakeMicros = timeMicros;
    this.port.wakeAt(timeMicros);
  }
}
