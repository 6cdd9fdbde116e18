// The durable topics on a real clock and real files: core/bus/topics, a machine of its own beside the kernel (decision 0011), with a
// folder for each of its logs. It stamps inputs, fires timers before them, flushes once a turn of the event loop, and tells
// listeners what the broker says. Who is connected it does not know.

import { join } from 'node:path';
import { SiraError } from '../base/errors.ts';
import type { TopicDescription } from '../bus/topics/describe-topics.ts';
import { playCall, type RecordedCall } from '../bus/topics/recorded-call.ts';
import { TopicBroker } from '../bus/topics/topic-broker.ts';
import type { TopicEffect, TopicInput, TopicStore } from '../bus/topics/topic-protocol.ts';
import type { LogFault } from '../log/log.ts';
import { LiveFiles } from './files.ts';
import type { LiveClock } from './live-clock.ts';
import type { Logger } from './logger.ts';
import { TopicRecorder } from './topic-recorder.ts';

export interface LiveTopicsOptions {
  readonly folder: string;
  readonly clock: LiveClock;
  /** See {@link LiveFiles}. */
  readonly syncs: boolean;
  /** Of the jitter of redeliveries. */
  readonly seed: number;
  readonly codeHash: string;
  readonly messageBytesMax: number;
  /** Whether all that reaches them is kept for `sira replay --broker`. */
  readonly records?: boolean | undefined;
  readonly logger: Logger;
}

/** An input as its sender says it: the time is the present. */
export type TopicMessage = TopicInput extends infer Input
  ? Input extends TopicInput
    ? Omit<Input, 'timeMicros'>
    : never
  : never;

const maintainMillis = 1000;

export class LiveTopics {
  /** Resolves if they cannot go on; whoever runs them should end the process. */
  readonly failed: Promise<LogFault>;
  private readonly options: LiveTopicsOptions;
  private readonly broker: TopicBroker;
  private readonly files = new Map<TopicStore, LiveFiles>();
  private readonly listeners = new Set<(effect: TopicEffect) => void>();
  private readonly sink = { push: (effect: TopicEffect): void => this.take(effect) };
  private readonly recorder: TopicRecorder | undefined;
  private readonly maintainTimer: NodeJS.Timeout;
  private wakeTimer: NodeJS.Timeout | undefined;
  private wakeMicros = Number.POSITIVE_INFINITY;
  private turnAsked = false;
  private isEnded = false;
  private whenOpen: (fault: LogFault | undefined) => void = () => {};
  private fail: (fault: LogFault) => void = () => {};

  private constructor(options: LiveTopicsOptions) {
    this.options = options;
    this.failed = new Promise((resolve) => {
      this.fail = resolve;
    });
    const { messageBytesMax, codeHash } = options;
    const { seed, folder, clock, logger } = options;
    this.broker = new TopicBroker({ messageBytesMax, log: { codeHash } }, seed);
    if (options.records === true)
      this.recorder = new TopicRecorder(
        join(folder, 'recordings'),
        clock.now(),
        { codeHash, seed, messageBytesMax },
        logger,
      );
    this.maintainTimer = setInterval(() => {
      if (!this.broker.isOpen || this.isEnded) return;
      this.fireDue();
      this.call({ call: 'maintain', nowMicros: this.options.clock.now() });
      this.endTurnSoon();
    }, maintainMillis);
  }

  /** Recovers what the folder holds. Throws the coded error of its logs. */
  static async start(options: LiveTopicsOptions): Promise<LiveTopics> {
    const topics = new LiveTopics(options);
    const fault = await new Promise<LogFault | undefined>((resolve) => {
      topics.whenOpen = resolve;
      topics.call({ call: 'open', nowMicros: options.clock.now() });
      topics.endTurnSoon();
    });
    if (fault === undefined) return topics;
    await topics.stop();
    throw new SiraError(fault.code, fault.reason, fault.file === undefined ? {} : { file: fault.file });
  }

  /** One input, now. While the topics are not open it is lost, as on a closed connection. */
  give(message: TopicMessage): void {
    if (this.isEnded || !this.broker.isOpen) return;
    this.fireDue();
    this.call({ call: 'handle', input: { ...message, timeMicros: this.options.clock.now() } as TopicInput });
    this.endTurnSoon();
  }

  /** Tells `listener` what the broker says, files excepted, from now on; call what is returned to end that. */
  listen(listener: (effect: TopicEffect) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Over everything that went in and came out. */
  get digest(): string {
    return this.broker.digest;
  }

  /** Topics and their groups, for people to look at. */
  describe(): readonly TopicDescription[] {
    return this.broker.describe();
  }

  /** What was answered is on the disk already; what was not comes again. */
  async stop(): Promise<void> {
    this.isEnded = true;
    clearInterval(this.maintainTimer);
    clearTimeout(this.wakeTimer);
    await Promise.all([...this.files.values()].map((files) => files.close()));
    await this.recorder?.close();
  }

  private call(call: RecordedCall): void {
    playCall(this.broker, call, this.sink);
    this.recorder?.note(call, this.broker.digest);
  }

  private take(effect: TopicEffect): void {
    if (this.isEnded) return;
    switch (effect.kind) {
      case 'file':
        this.filesOf(effect.store).submit(effect.operation);
        return;
      case 'topicsOpened':
        this.whenOpen(undefined);
        return;
      case 'topicsFailed': {
        const { code, reason } = effect.fault;
        this.options.logger.error({ store: effect.store, code, reason }, 'the durable topics cannot go on');
        this.whenOpen(effect.fault);
        this.fail(effect.fault);
        return;
      }
      case 'topicsStalled':
        this.options.logger.warn({ store: effect.store, reason: effect.reason }, 'the disk of the durable topics');
        return;
      default:
        for (const listener of this.listeners) listener(effect);
    }
  }

  private filesOf(store: TopicStore): LiveFiles {
    const known = this.files.get(store);
    if (known !== undefined) return known;
    const { folder, syncs, clock } = this.options;
    const opened = new LiveFiles(
      join(folder, store),
      (completion) => {
        if (this.isEnded) return;
        this.call({ call: 'complete', store, completion, nowMicros: clock.now() });
        this.endTurnSoon();
      },
      { syncs },
    );
    this.files.set(store, opened);
    return opened;
  }

  private fireDue(): void {
    const now = this.options.clock.now();
    if (this.broker.isOpen && this.broker.nextDeadlineMicros() <= now) this.call({ call: 'fireDue', nowMicros: now });
  }

  private endTurnSoon(): void {
    if (this.turnAsked) return;
    this.turnAsked = true;
    setImmediate(() => {
      this.turnAsked = false;
      if (this.isEnded) return;
      this.call({ call: 'flush' });
      this.armWake();
    });
  }

  private armWake(): void {
    if (!this.broker.isOpen) return;
    const next = this.broker.nextDeadlineMicros();
    if (next === this.wakeMicros) return;
    this.wakeMicros = next;
    clearTimeout(this.wakeTimer);
    if (next === Number.POSITIVE_INFINITY) return;
    const millis = Math.ceil((next - this.options.clock.now()) / 1000);
    this.wakeTimer = setTimeout(
      () => {
        this.wakeMicros = Number.POSITIVE_INFINITY;
        if (this.isEnded) return;
        this.fireDue();
        this.endTurnSoon();
      },
      Math.min(Math.max(0, millis), 2 ** 31 - 1),
    );
  }
}
