// The live kernel: the kernel that runs in the simulator, on a real clock and real files. Others stand around this one object:
// the gRPC gateway, the HTTP service, metrics and the console give it inputs, read its state, and are told of every input with
// its effects once it is on the disk. It keeps the promise that nothing leaves before its input is durable; who is connected,
// and in which words they speak, it does not know. README.md beside it says how to build on it.

import { SiraError } from '../base/errors.ts';
import { type Refused, refused, requireAccepted, type Status } from '../base/status.ts';
import { createKernelSettings, type KernelSettingName } from '../config/kernel-setting-table.ts';
import type { InputBody } from '../kernel/inputs.ts';
import {
  defaultJournalSettings,
  type JournalReport,
  type JournalSettings,
  type JournalStore,
} from '../kernel/journal.ts';
import type { ReleasedInput } from '../kernel/journaled-kernel.ts';
import { Kernel } from '../kernel/kernel.ts';
import { KernelProcess } from '../kernel/kernel-process.ts';
import type { KernelSettings } from '../kernel/kernel-settings.ts';
import type { LogFault } from '../log/log.ts';
import type { Profile } from '../scheduler/framework.ts';
import { codeHash } from './code-hash.ts';
import { DataFolder } from './data-folder.ts';
import { LiveFiles } from './files.ts';
import { LiveClock } from './live-clock.ts';
import type { Logger } from './logger.ts';
import { sweepPayloads } from './needed-payloads.ts';
import { PayloadStore } from './payload-store.ts';

/** When an input counts as durable. `powerFailure`: once the disk says that it has it (fdatasync). `processCrash`: once it is
 *  handed to the operating system, which outlives SIGKILL of the kernel, but no loss of power. */
export type Durability = 'powerFailure' | 'processCrash';

export interface LiveKernelOptions {
  /** Made if it is not there; one kernel at a time. */
  readonly dataFolder: string;
  readonly durability: Durability;
  /** For a data folder that is new: the scheduling policy, initial settings by name, and the seed of the kernel's random stream. */
  readonly profile: Profile;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly journal?: Partial<Omit<JournalSettings, 'codeHash'>> | undefined;
  /** Of the work of one submission, or the result of one attempt; up to 16 MiB. */
  readonly payloadBytesMax: number;
  readonly payloadCacheBytesMax: number;
  readonly logger: Logger;
}

/** Told of what happens, in order. It must not throw. */
export interface LiveKernelListener {
  /** An input is durable: its effects take place now. After a restart, some that had taken place before do again. */
  released?(input: ReleasedInput): void;
  /** Inputs are refused from now on, or taken again. */
  paused?(refusal: Refused): void;
  ready?(): void;
}

const maintainMillis = 1000;
const longestTimerMillis = 2 ** 31 - 1;
const stopMillisMax = 30_000;

export class LiveKernel {
  readonly clock = new LiveClock();
  readonly options: LiveKernelOptions;
  /** Of the deterministic code that runs. */
  readonly codeHash: string;
  readonly startedMicros: number;
  /** Resolves if the kernel cannot go on; whoever runs it should end the process. */
  readonly failed: Promise<LogFault>;
  private readonly settings: KernelSettings;
  private readonly folder: DataFolder;
  private readonly process: KernelProcess;
  private readonly files: Readonly<Record<JournalStore, LiveFiles>>;
  private readonly listeners = new Set<LiveKernelListener>();
  private payloadStore: PayloadStore | undefined;
  private journalReport: JournalReport | undefined;
  private isStopping = false;
  private isEnded = false;
  private instantEndAsked = false;
  private turnAsked = false;
  private flushAsked = false;
  private wakeTimer: NodeJS.Timeout | undefined;
  private readonly maintainTimer: NodeJS.Timeout;
  private fail: (fault: LogFault) => void = () => {};
  private whenReady: ((fault: LogFault | undefined) => void) | undefined;

  private constructor(options: LiveKernelOptions) {
    this.options = options;
    this.codeHash = codeHash();
    this.settings = createKernelSettings();
    const reason = { who: 'configuration', why: 'first start', atMicros: 0 };
    requireAccepted(this.settings.assign(options.settings, reason));
    this.startedMicros = this.clock.now();
    this.failed = new Promise((resolve) => {
      this.fail = resolve;
    });
    this.folder = DataFolder.open(options.dataFolder);
    const syncs = options.durability === 'powerFailure';
    const open = (store: JournalStore): LiveFiles =>
      new LiveFiles(this.folder.folder(store), (completion) => this.process.complete(store, completion), { syncs });
    this.files = { log: open('log'), snapshots: open('snapshots') };
    const journal = { ...defaultJournalSettings, ...options.journal, codeHash: this.codeHash, marksEffects: true };
    this.process = new KernelProcess(journal, () => this.first(), {
      now: () => this.clock.now(),
      endInstantSoon: () => {
        this.instantEndAsked = true;
        this.askTurn();
      },
      flushSoon: () => {
        this.flushAsked = true;
        this.askTurn();
      },
      wakeAt: (timeMicros) => this.armWake(timeMicros),
      submit: (store, operation) => this.files[store].submit(operation),
      released: (input) => this.released(input),
      recovered: (kernel, report) => {
        this.journalReport = report;
        const behindMicros = this.clock.atLeast(kernel.clockMicros);
        if (behindMicros > 0)
          options.logger.warn({ behindMicros }, 'the clock was behind the journal; it goes on from there');
      },
      ready: () => {
        for (const listener of this.listeners) listener.ready?.();
        this.whenReady?.(undefined);
      },
      paused: (refusal) => {
        options.logger.warn({ code: refusal.code, reason: refusal.reason }, 'inputs are refused');
        for (const listener of this.listeners) listener.paused?.(refusal);
      },
      failed: (fault) => this.end(fault),
    });
    this.maintainTimer = setInterval(() => {
      if (!this.isEnded) this.process.maintain();
    }, maintainMillis);
  }

  /** Recovers what the data folder holds, or begins anew. Throws coded errors: SIRA_DATA_LOCKED, SIRA_LOG_CORRUPT,
   *  SIRA_LOG_VERSION, SIRA_DISK_FAILED, SIRA_SETTING_INVALID. */
  static async start(options: LiveKernelOptions): Promise<LiveKernel> {
    const live = new LiveKernel(options);
    try {
      const fault = await new Promise<LogFault | undefined>((resolve) => {
        live.whenReady = resolve;
        live.process.start();
      });
      if (fault !== undefined)
        throw new SiraError(fault.code, fault.reason, fault.file === undefined ? {} : { file: fault.file });
      const store = await PayloadStore.open({
        folder: live.folder.folder('payloads'),
        clock: live.clock,
        syncs: options.durability === 'powerFailure',
        payloadBytesMax: options.payloadBytesMax,
        cacheBytesMax: options.payloadCacheBytesMax,
        failed: (storeFault) => live.end(storeFault),
      });
      live.payloadStore = store;
      const swept = sweepPayloads(store, live.kernel);
      const { snapshotSequence = 0, lastSequence = 0 } = live.journalReport ?? {};
      live.tellDifferences();
      const { differingSequence } = live.process;
      if (differingSequence !== undefined)
        options.logger.error(
          { differingSequence },
          'the recovered kernel decided otherwise than before; `sira replay` tells where',
        );
      options.logger.info(
        {
          lastSequence,
          replayed: lastSequence - snapshotSequence,
          payloads: store.count,
          swept,
          digest: live.kernel.digest,
        },
        lastSequence === 0 ? 'a new kernel' : 'the kernel is recovered',
      );
      return live;
    } catch (error) {
      await live.close();
      throw error;
    }
  }

  /** The kernel with all inputs so far, for reading alone: inputs go through {@link give}. */
  get kernel(): Kernel {
    return this.process.kernel;
  }

  /** Work and results. */
  get payloads(): PayloadStore {
    return this.payloadStore as PayloadStore;
  }

  /** What recovery found. */
  get report(): JournalReport | undefined {
    return this.journalReport;
  }

  /** Effects of everything up to this input have left. */
  get durableSequence(): number {
    return this.process.releasedSequence;
  }

  /** Inputs that wait for the disk. */
  get heldCount(): number {
    return this.process.heldCount;
  }

  /** Why inputs are refused now, `undefined` if they are taken. */
  get refusal(): Refused | undefined {
    if (this.isStopping) return refused('SIRA_LOG_CLOSED', 'the kernel is stopping');
    return this.process.refusalNow;
  }

  now(): number {
    return this.clock.now();
  }

  /** One input, now; or why it is not taken. Its effects come to the listeners once it is durable, never during this call. */
  give(body: InputBody): Status {
    if (this.isStopping) return refused('SIRA_LOG_CLOSED', 'the kernel is stopping');
    return this.process.give(body);
  }

  /** Tells `listener` of everything from now on; call what is returned to end that. */
  listen(listener: LiveKernelListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Resolves once everything given so far is durable and its effects have left. */
  async settled(): Promise<void> {
    const sequence = this.kernel.lastSequence;
    const giveUp = this.clock.now() + stopMillisMax * 1000;
    while (!this.isEnded && this.durableSequence < sequence && this.clock.now() < giveUp) await pause(2);
  }

  /** Takes no more inputs, lets everything taken become durable and leave, takes a snapshot, and closes all files. */
  async stop(): Promise<void> {
    if (this.isStopping) return;
    this.isStopping = true;
    await this.settled();
    if (!this.isEnded && this.process.refusalNow === undefined) {
      this.process.takeSnapshot();
      const giveUp = this.clock.now() + stopMillisMax * 1000;
      while (!this.isEnded && this.process.isTakingSnapshot && this.clock.now() < giveUp) await pause(2);
    }
    await this.close();
  }

  private first(): { readonly kernel: Kernel; readonly profile: Profile } {
    const { profile, seed } = this.options;
    return { kernel: new Kernel(profile, this.settings, seed), profile };
  }

  /** Settings and policy are what the journal says; who expects others is told. */
  private tellDifferences(): void {
    const { kernel, options } = this;
    const current = kernel.settings.values();
    const wanted = this.settings.values();
    for (const [name, value] of Object.entries(wanted)) {
      const has = current[name as KernelSettingName];
      if (has !== value)
        options.logger.warn({ name, has, configured: value }, 'a setting differs from the configuration');
    }
  }

  private released(input: ReleasedInput): void {
    for (const listener of this.listeners) listener.released?.(input);
  }

  /** All that waits in this turn of the event loop is one instant; its inputs go to the disk together. */
  private askTurn(): void {
    if (this.turnAsked) return;
    this.turnAsked = true;
    setImmediate(() => {
      this.turnAsked = false;
      if (this.isEnded) return;
      if (this.instantEndAsked) {
        this.instantEndAsked = false;
        this.process.endInstant();
      }
      if (this.flushAsked) {
        this.flushAsked = false;
        this.process.flush();
      }
    });
  }

  private armWake(timeMicros: number): void {
    clearTimeout(this.wakeTimer);
    if (timeMicros === Number.POSITIVE_INFINITY) return;
    const millis = Math.ceil((timeMicros - this.clock.now()) / 1000);
    this.wakeTimer = setTimeout(
      () => {
        if (this.isEnded || this.isStopping) return;
        if (this.clock.now() < timeMicros) this.armWake(timeMicros);
        else this.process.wake();
      },
      Math.min(Math.max(0, millis), longestTimerMillis),
    );
  }

  private end(fault: LogFault): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.options.logger.error({ code: fault.code, reason: fault.reason, file: fault.file }, 'the kernel cannot go on');
    this.fail(fault);
    this.whenReady?.(fault);
  }

  private async close(): Promise<void> {
    this.isStopping = true;
    this.isEnded = true;
    clearInterval(this.maintainTimer);
    clearTimeout(this.wakeTimer);
    await this.payloadStore?.close();
    await Promise.all([this.files.log.close(), this.files.snapshots.close()]);
    this.folder.release();
  }
}

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
