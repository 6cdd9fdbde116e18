// The simulated shell of a kernel with a journal: inputs go to the simulated disk before their effects leave, and the process
// can die and come back. What dies with it is its memory, its timers, and what the disk had not synced; what comes to it while
// it is down, or takes nothing, is lost, as on a closed connection. Observers are shown each input and its effects when they
// first leave, once, however often they leave again.

import { SiraError } from '../../core/base/errors.ts';
import type { FaultSwitch } from '../../core/base/fault-points.ts';
import type { RandomStream } from '../../core/base/random.ts';
import type { Effect } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import { defaultJournalSettings, type JournalSettings, type JournalStore } from '../../core/kernel/journal.ts';
import {
  JournaledKernel,
  type JournaledKernelEffect,
  type ReleasedInput,
  type SubmissionDeferred,
} from '../../core/kernel/journaled-kernel.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import type { LogFault } from '../../core/log/log.ts';
import type { FilePort } from '../../core/ports/file-port.ts';
import type { Profile } from '../../core/scheduler/framework.ts';
import { eventPriority } from '../engine/priority.ts';
import type { Simulation } from '../engine/simulation.ts';
import { Disk } from './disk.ts';
import type { DiskSpec } from './disk-spec.ts';
import { KernelClock } from './kernel-clock.ts';
import type { KernelShell } from './kernel-host.ts';
import type { WorldObserver } from './observer.ts';

export interface JournalSpec {
  readonly disk: DiskSpec;
  readonly settings?: Partial<JournalSettings> | undefined;
}

export interface JournaledKernelHostOptions {
  readonly simulation: Simulation;
  readonly spec: JournalSpec;
  /** The disk's. */
  readonly random: RandomStream;
  readonly observers: readonly WorldObserver[];
  /** The kernel of a journal that has none yet. */
  readonly first: () => { readonly kernel: Kernel; readonly profile: Profile };
  readonly carryOut: (effect: Effect | SubmissionDeferred) => void;
  /** Of the process and its log. */
  readonly faultPoints?: FaultSwitch | undefined;
}

/** How often the journal is told that time passes; and how long after a failure of the disk the process is started again. */
const maintainMicros = 1_000_000;
const restartMicros = 1_000_000;

export class JournaledKernelHost implements KernelShell {
  readonly disk: Disk;
  private readonly options: JournaledKernelHostOptions;
  private readonly settings: JournalSettings;
  private running: JournaledKernel | undefined;
  /** Counts the processes: what was scheduled for an earlier one concerns nobody. */
  private life = 0;
  private lastKernel: Kernel | undefined;
  private isCrashed = false;
  private instantEndPending = false;
  private flushPending = false;
  private readonly instantEndHandler: number;
  private readonly flushHandler: number;
  private readonly wakeHandler: number;
  private readonly maintainHandler: number;
  private readonly restartHandler: number;
  /** The observers have seen everything up to this input; no process knows of it. */
  private shownSequence = 0;
  /** Inputs that came while none were taken. */
  lostCount = 0;
  /** How far the machine's wall clock is ahead. A process looks at it when it begins, and not again. */
  wallAheadMicros = 0;
  private clock = new KernelClock(0, 0);
  /** Processes that recovered what an earlier one had left. */
  recoveryCount = 0;
  /** What the disk holds is not what was written: no process can go on from it. */
  fault: LogFault | undefined;

  constructor(options: JournaledKernelHostOptions) {
    this.options = options;
    this.settings = { ...defaultJournalSettings, ...options.spec.settings };
    const { simulation, spec, random } = options;
    this.disk = new Disk(simulation, spec.disk, random);
    this.instantEndHandler = simulation.defineHandler('instant ends', (life) => {
      if (life !== this.life) return;
      this.instantEndPending = false;
      if (this.running?.refusalNow === undefined && this.kernel.awaitsInstantEnd) this.give({ kind: 'instantEnded' });
    });
    this.flushHandler = simulation.defineHandler('journal flushes', (life) => {
      if (life !== this.life) return;
      this.flushPending = false;
      this.running?.flush(this.sinkOf(life));
    });
    this.wakeHandler = simulation.defineHandler('kernel wakes', (life) => {
      if (life === this.life && this.isUp) this.give({ kind: 'timeReached' });
    });
    this.maintainHandler = simulation.defineHandler('journal is maintained', (life) => {
      if (life !== this.life) return;
      this.running?.maintain(this.clockMicros, this.sinkOf(life));
      this.later(maintainMicros, this.maintainHandler);
    });
    this.restartHandler = simulation.defineHandler('kernel is started again', (life) => {
      if (life === this.life && !this.isCrashed) this.start();
    });
  }

  /** Takes inputs now. */
  get isUp(): boolean {
    return this.running !== undefined && this.running.refusalNow === undefined;
  }

  /** That of the process; of the last one while there is none that has recovered. */
  get kernel(): Kernel {
    return this.lastKernel as Kernel;
  }

  /** Puts another kernel in the place of the present one, which it must equal. */
  set kernel(kernel: Kernel) {
    if (!this.isUp) return;
    (this.running as JournaledKernel).kernel = kernel;
    this.lastKernel = kernel;
  }

  /** Begins a process, which recovers what is on the disk. */
  start(): void {
    if (this.running !== undefined) return;
    this.isCrashed = false;
    this.life++;
    this.instantEndPending = false;
    this.flushPending = false;
    const running = new JournaledKernel(this.settings, this.options.first, this.options.faultPoints);
    this.running = running;
    const { nowMicros } = this.options.simulation;
    this.clock = new KernelClock(Math.max(0, nowMicros + this.wallAheadMicros), nowMicros);
    running.open(this.clockMicros, this.sinkOf(this.life));
    this.later(maintainMicros, this.maintainHandler);
  }

  /** Power fails. Nothing comes back before {@link start}. */
  crash(): void {
    this.isCrashed = true;
    this.end();
  }

  /** One input, now. */
  give(body: InputBody): void {
    const { running } = this;
    const { simulation, carryOut } = this.options;
    const status = running?.give(body, this.clockMicros, this.sinkOf(this.life));
    if (status?.ok === true) {
      this.closeInstant();
      if (this.flushPending) return;
      this.flushPending = true;
      simulation.schedule(simulation.nowMicros, eventPriority.flush, this.flushHandler, this.life, undefined);
      return;
    }
    this.lostCount++;
    for (const observer of this.options.observers) observer.inputLost?.(body, simulation.nowMicros);
    if (body.kind !== 'taskSubmitted' || status === undefined || status.code === 'SIRA_LOG_CLOSED') return;
    const { submitter, submission } = body;
    const { code, reason } = status;
    carryOut({ kind: 'submissionDeferred', submitter, submission, code, reason });
  }

  /** What the process takes for the time. */
  private get clockMicros(): number {
    return this.clock.at(this.options.simulation.nowMicros);
  }

  private end(): void {
    if (this.running !== undefined) {
      this.running = undefined;
      for (const observer of this.options.observers) observer.kernelDown?.(this.options.simulation.nowMicros);
    }
    this.life++;
    this.disk.crash();
  }

  private sinkOf(life: number): { push(effect: JournaledKernelEffect): void } {
    return {
      // What a process that has died still has to say reaches nobody.
      push: (effect) => {
        if (life === this.life) this.take(effect);
      },
    };
  }

  private take(effect: JournaledKernelEffect): void {
    const { simulation, observers } = this.options;
    switch (effect.kind) {
      case 'file':
        for (const observer of observers) observer.fileAsked?.(effect.store, effect.operation);
        this.port(effect.store).submit(effect.operation);
        return;
      case 'released':
        this.carryOut(effect.input);
        return;
      case 'recovered': {
        const running = this.running as JournaledKernel;
        this.lastKernel = running.kernel;
        this.clock.notBefore(running.kernel.clockMicros, simulation.nowMicros);
        for (const observer of observers) observer.kernelClock?.(this.clock.aheadMicros);
        if (this.life > 1) this.recoveryCount++;
        for (const observer of observers)
          observer.kernelRecovered?.(running.kernel, effect.report, simulation.nowMicros);
        return;
      }
      case 'ready': {
        const wakeMicros = Math.max(simulation.nowMicros, this.clock.monotonicAt(this.kernel.wakeMicros));
        if (wakeMicros !== Number.POSITIVE_INFINITY)
          simulation.schedule(wakeMicros, eventPriority.timer, this.wakeHandler, this.life, undefined);
        this.closeInstant();
        return;
      }
      case 'paused':
        return;
      case 'failed':
        this.failed(effect.fault);
        return;
    }
  }

  private failed(fault: LogFault): void {
    const isDisk = fault.code === 'SIRA_DISK_FULL' || fault.code === 'SIRA_DISK_FAILED';
    this.end();
    if (!isDisk) {
      this.fault = fault;
      throw new SiraError(fault.code, fault.reason, fault.file === undefined ? {} : { file: fault.file });
    }
    this.later(restartMicros, this.restartHandler);
  }

  private carryOut(input: ReleasedInput): void {
    const { simulation, observers } = this.options;
    const { sequence, timeMicros, body, effects } = input;
    const now = simulation.nowMicros;
    const isNew = sequence > this.shownSequence;
    for (const observer of observers) observer.inputReleased?.(input, !isNew, now);
    if (isNew) {
      this.shownSequence = sequence;
      for (const observer of observers) observer.kernelInput?.(body, now, timeMicros);
    }
    for (const effect of effects) {
      if (isNew) for (const observer of observers) observer.kernelEffect?.(effect, now, timeMicros);
      if (effect.kind === 'wakeAt') {
        const wakeMicros = Math.max(now, this.clock.monotonicAt(effect.timeMicros));
        simulation.schedule(wakeMicros, eventPriority.timer, this.wakeHandler, this.life, undefined);
      } else this.options.carryOut(effect);
    }
  }

  private closeInstant(): void {
    if (this.instantEndPending || !this.kernel.awaitsInstantEnd) return;
    this.instantEndPending = true;
    const { simulation } = this.options;
    simulation.schedule(simulation.nowMicros, eventPriority.instantEnd, this.instantEndHandler, this.life, undefined);
  }

  private later(delayMicros: number, handler: number): void {
    const { simulation } = this.options;
    simulation.schedule(simulation.nowMicros + delayMicros, eventPriority.timer, handler, this.life, undefined);
  }

  private port(store: JournalStore): FilePort {
    const { observers } = this.options;
    const { life } = this;
    return this.disk.open(store, (completion) => {
      if (life !== this.life) return;
      for (const observer of observers) observer.fileDone?.(store, completion);
      this.running?.complete(store, completion, this.clockMicros, this.sinkOf(life));
    });
  }
}
