// Telemetry of a live kernel: hears what is durable, makes rows of it, and has them written by a thread of its own. The kernel never
// waits for it: with the store away rows go to the disk, beyond the disk's share they are counted and dropped, and the kernel
// goes on. What a kernel that is killed had in memory can be made again from its journal (`sira telemetry rebuild`).

import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { SiraError } from '../../base/errors.ts';
import { telemetryStoreAt } from '../../stores/telemetry-address.ts';
import {
  type BatcherCounts,
  type BatcherEffect,
  type BatcherSettings,
  defaultBatcherSettings,
  TelemetryBatcher,
} from '../../telemetry/batcher.ts';
import { TelemetryRecorder } from '../../telemetry/recorder.ts';
import type { RowSink, TelemetryBatch } from '../../telemetry/rows.ts';
import type { Retention, TelemetryQuery } from '../../telemetry/telemetry-store.ts';
import type { LiveKernel } from '../live-kernel.ts';
import type { Logger } from '../logger.ts';
import { SpillFolder } from './spill-folder.ts';
import { type DeskAnswer, type DeskRequest, StoreDesk } from './store-desk.ts';
import type { StoreWorkerData } from './store-worker.ts';

export interface TelemetrySettings {
  /** A DuckDB file, or `http://HOST:PORT` of QuestDB. */
  readonly store: string;
  /** The name of this kernel in the column `run`. */
  readonly run: string;
  readonly sampleMicros: number;
  readonly retention: Retention;
  readonly batcher?: Partial<BatcherSettings> | undefined;
}

const tickMillis = 50;
const maintainMillis = 60_000;
/** Of the rollups' minutes, every so many retention is looked after. */
const roundsPerExpiry = 60;
const stopMillisMax = 10_000;
const readMillisMax = 60_000;
const workerRestartMillis = 1000;

type ReadAnswer = Extract<DeskAnswer, { readonly kind: 'read' | 'notRead' }>;

/** The thread, or this one. */
interface Desk {
  take(request: DeskRequest): void;
  end(): Promise<void>;
}

export class LiveTelemetry implements RowSink {
  readonly settings: TelemetrySettings;
  private readonly live: LiveKernel;
  private readonly logger: Logger;
  private readonly desk: Desk;
  private readonly recorder: TelemetryRecorder;
  private stopListening: () => void = () => {};
  private readonly sink = { push: (effect: BatcherEffect): void => this.desk.take(effect) };
  private batcher: TelemetryBatcher;
  private tickTimer: NodeJS.Timeout | undefined;
  private maintainTimer: NodeJS.Timeout | undefined;
  private rounds = 0;
  private isAway = false;
  private isBegun = false;
  private refusedTold = 0;
  private readCount = 0;
  private readonly reading = new Map<number, (answer: ReadAnswer) => void>();
  private whenFound: () => void = () => {};
  private whenClosed: () => void = () => {};

  private constructor(live: LiveKernel, settings: TelemetrySettings, logger: Logger) {
    this.live = live;
    this.settings = settings;
    this.logger = logger;
    this.batcher = new TelemetryBatcher({ ...defaultBatcherSettings, ...settings.batcher });
    this.recorder = new TelemetryRecorder({
      run: settings.run,
      sink: this,
      kernel: () => live.kernel,
      sampleMicros: settings.sampleMicros,
    });
    this.desk = openDesk(
      { address: settings.store, spillFolder: join(live.options.dataFolder, 'telemetry') },
      (answer) => this.answered(answer),
      (error) => logger.error({ reason: error.message }, 'the thread of telemetry has ended'),
    );
  }

  /** Resolves once what an earlier process left on the disk is known; the store itself is not waited for. */
  static async start(live: LiveKernel, settings: TelemetrySettings, logger: Logger): Promise<LiveTelemetry> {
    let telemetry: LiveTelemetry | undefined;
    await new Promise<void>((resolve) => {
      telemetry = new LiveTelemetry(live, settings, logger);
      telemetry.whenFound = resolve;
    });
    return telemetry as unknown as LiveTelemetry;
  }

  get counts(): BatcherCounts {
    return this.batcher.counts;
  }

  add: RowSink['add'] = (table, row) => {
    this.batcher.add(table, row, this.live.now(), this.sink);
  };

  /** Resolves once every row so far is in the store, false if that takes longer. */
  async flushed(timeoutMillis: number): Promise<boolean> {
    const giveUp = this.live.now() + timeoutMillis * 1000;
    this.batcher.flush(this.live.now(), this.sink);
    while (!this.batcher.isEmpty && this.live.now() < giveUp) await pause(10);
    return this.batcher.isEmpty;
  }

  /** What the store has, in the order of the table's key, after at most `rowsMax` rows cut off. Throws SIRA_TELEMETRY_AWAY. */
  async read(
    query: TelemetryQuery,
    rowsMax: number,
  ): Promise<{ batches: readonly TelemetryBatch[]; isWhole: boolean }> {
    const request = this.readCount++;
    const answer = await new Promise<ReadAnswer>((resolve) => {
      const timer = setTimeout(() => {
        this.reading.delete(request);
        resolve({ kind: 'notRead', request, reason: 'it takes too long to answer' });
      }, readMillisMax);
      this.reading.set(request, (given) => {
        clearTimeout(timer);
        resolve(given);
      });
      this.desk.take({ kind: 'read', request, query, rowsMax });
    });
    if (answer.kind === 'read') return answer;
    throw new SiraError('SIRA_TELEMETRY_AWAY', `${this.settings.store}: ${answer.reason}`);
  }

  /** Writes what there is, or leaves it on the disk for the next process. */
  async stop(): Promise<void> {
    this.stopListening();
    this.batcher.stop(this.live.now(), this.sink);
    const giveUp = this.live.now() + stopMillisMax * 1000;
    while (!this.batcher.isSafe && this.live.now() < giveUp) await pause(10);
    if (!this.batcher.isSafe)
      this.logger.warn({ rows: this.batcher.counts.memoryRows }, 'telemetry is lost: neither store nor disk took it');
    clearInterval(this.tickTimer);
    clearInterval(this.maintainTimer);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 5000);
      this.whenClosed = () => {
        clearTimeout(timer);
        resolve();
      };
      this.desk.take({ kind: 'close' });
    });
    await this.desk.end();
  }

  private begin(): void {
    this.stopListening = this.live.listen({
      released: ({ sequence, timeMicros, body, effects }) => this.recorder.record(sequence, timeMicros, body, effects),
    });
    this.tickTimer = setInterval(() => this.tick(), tickMillis);
    this.maintainTimer = setInterval(() => {
      const isDue = this.rounds++ % roundsPerExpiry === 0;
      const { retention } = this.settings;
      this.desk.take({ kind: 'maintain', nowMicros: this.live.now(), retention: isDue ? retention : undefined });
    }, maintainMillis);
  }

  private tick(): void {
    this.batcher.tick(this.live.now(), this.sink);
    const { refused } = this.batcher.counts;
    if (refused === this.refusedTold) return;
    if (this.refusedTold === 0) this.logger.warn({ rows: refused }, 'there is no room for telemetry: rows are dropped');
    this.refusedTold = refused;
  }

  private answered(answer: DeskAnswer): void {
    const nowMicros = this.live.now();
    switch (answer.kind) {
      case 'found': {
        if (this.isBegun) {
          this.batcher.interrupted(nowMicros, this.sink);
          return;
        }
        this.isBegun = true;
        const settings = { ...defaultBatcherSettings, ...this.settings.batcher };
        this.batcher = new TelemetryBatcher(settings, answer.spilled);
        this.begin();
        this.whenFound();
        return;
      }
      case 'written':
        if (this.isAway) this.logger.info({ store: this.settings.store }, 'the store of telemetry is back');
        this.isAway = false;
        this.batcher.written(answer.batch, nowMicros, this.sink);
        return;
      case 'failed': {
        const { isLasting, reason } = answer;
        if (isLasting) this.logger.error({ reason }, 'the store of telemetry refuses rows; they are set aside');
        else if (!this.isAway)
          this.logger.warn({ store: this.settings.store, reason }, 'the store of telemetry is away');
        this.isAway ||= !isLasting;
        this.batcher.failed(answer.batch, isLasting, nowMicros, this.sink);
        return;
      }
      case 'spilled':
        this.batcher.spilled(answer.batch, answer.bytes, nowMicros, this.sink);
        return;
      case 'loaded':
        this.batcher.loaded(answer.batch, answer.rows, nowMicros, this.sink);
        return;
      case 'notMaintained':
        this.logger.debug({ reason: answer.reason }, 'telemetry was not rolled up');
        return;
      case 'read':
      case 'notRead':
        this.reading.get(answer.request)?.(answer);
        this.reading.delete(answer.request);
        return;
      case 'closed':
        this.whenClosed();
        return;
    }
  }
}

/** A thread where there is compiled code; from sources (tests), this one. */
function openDesk(data: StoreWorkerData, answered: (answer: DeskAnswer) => void, ended: (error: Error) => void): Desk {
  if (import.meta.url.endsWith('.ts')) {
    // As from a thread: never during the call that asked.
    const later = (answer: DeskAnswer): void => queueMicrotask(() => answered(answer));
    const opening = telemetryStoreAt(data.address).then((store) => {
      const desk = new StoreDesk(store, new SpillFolder(data.spillFolder), later);
      desk.open();
      return desk;
    });
    return { take: (request) => void opening.then((desk) => desk.take(request), ended), end: async () => {} };
  }
  return new WorkerDesk(data, answered, ended);
}

/** The thread; should it die, another takes its place, and says `found` again. */
class WorkerDesk implements Desk {
  private readonly data: StoreWorkerData;
  private readonly answered: (answer: DeskAnswer) => void;
  private readonly ended: (error: Error) => void;
  private worker: Worker;
  private isEnding = false;

  constructor(data: StoreWorkerData, answered: (answer: DeskAnswer) => void, ended: (error: Error) => void) {
    this.data = data;
    this.answered = answered;
    this.ended = ended;
    this.worker = this.start();
  }

  take(request: DeskRequest): void {
    this.worker.postMessage(request);
  }

  async end(): Promise<void> {
    this.isEnding = true;
    await this.worker.terminate();
  }

  private start(): Worker {
    const worker = new Worker(new URL('./store-worker.js', import.meta.url), { workerData: this.data });
    worker.on('message', this.answered);
    worker.on('error', this.ended);
    worker.on('exit', () => {
      if (this.isEnding) return;
      setTimeout(() => {
        if (!this.isEnding) this.worker = this.start();
      }, workerRestartMillis);
    });
    return worker;
  }
}

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
