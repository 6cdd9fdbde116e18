// The simulated shell of the durable topics: a broker on a simulated disk, whose process can die and come back. It stamps inputs,
// fires timers before them, flushes at the end of each instant, and hands what the broker says to the clients' connections in
// one go. What dies with the process is its memory and what the disk had not synced; what comes while it is down is lost.

import type { TopicEffect, TopicInput, TopicMachine, TopicStore } from '../../core/bus/topics/topic-protocol.ts';
import type { LogFault } from '../../core/log/log.ts';
import type { FilePort } from '../../core/ports/file-port.ts';
import { eventPriority } from '../engine/priority.ts';
import type { Simulation } from '../engine/simulation.ts';
import type { Disk } from './disk.ts';
import type { TopicObserver } from './topic-observer.ts';

export interface TopicHostOptions {
  readonly simulation: Simulation;
  readonly disk: Disk;
  /** A new process, on whatever the disk holds. */
  readonly create: () => TopicMachine;
  readonly observers: readonly TopicObserver[];
  /** What a client is told. */
  readonly tell: (effect: TopicEffect) => void;
  /** The effects of an instant are told: what was gathered may be sent. */
  readonly instantEnds: () => void;
  /** Inputs are taken from now on, or are not any more. */
  readonly changed: (isUp: boolean) => void;
}

/** How long after a failure of the disk the process is started again. */
const restartMicros = 500_000;

export class TopicHost {
  private readonly options: TopicHostOptions;
  private readonly ports = new Map<TopicStore, FilePort>();
  private running: TopicMachine | undefined;
  private opened = false;
  private isCrashed = false;
  /** Counts the processes: what was scheduled for an earlier one concerns nobody. */
  private life = 0;
  private flushPending = false;
  private wakeAtMicros = Number.POSITIVE_INFINITY;
  private wakeEvent = -1;
  private readonly sink: { push(effect: TopicEffect): void };
  private readonly flushHandler: number;
  private readonly wakeHandler: number;
  private readonly maintainHandler: number;
  private readonly restartHandler: number;
  /** Not below 0: the process stands still since then. */
  private pausedAtMicros = -1;
  private waiting: (() => void)[] = [];
  openings = 0;
  failures = 0;
  lostCount = 0;
  /** What the disk holds is not what was written, so the broker says: nobody can go on from it. */
  fault: LogFault | undefined;

  constructor(options: TopicHostOptions, maintainMicros: number) {
    this.options = options;
    const { simulation } = options;
    this.sink = { push: (effect) => this.take(effect) };
    this.flushHandler = simulation.defineHandler('topics flush', (life) => {
      if (life !== this.life) return;
      this.flushPending = false;
      if (this.pausedAtMicros < 0) this.endInstant();
    });
    this.wakeHandler = simulation.defineHandler('topics wake', (life) => {
      if (life !== this.life) return;
      this.wakeEvent = -1;
      this.wakeAtMicros = Number.POSITIVE_INFINITY;
      if (this.pausedAtMicros >= 0) return;
      this.fireDue();
      this.closeInstant();
    });
    this.maintainHandler = simulation.defineHandler('topics are maintained', (life) => {
      if (life !== this.life) return;
      this.later(maintainMicros, this.maintainHandler);
      if (this.pausedAtMicros >= 0) return;
      this.fireDue();
      this.running?.maintain(simulation.nowMicros, this.sink);
      this.closeInstant();
    });
    this.maintainMicros = maintainMicros;
    this.restartHandler = simulation.defineHandler('topics are started again', (life) => {
      if (life === this.life && !this.isCrashed) this.start();
    });
  }

  private readonly maintainMicros: number;

  get isUp(): boolean {
    return this.opened;
  }

  /** The process that runs, if any: for its digest. */
  get broker(): TopicMachine | undefined {
    return this.running;
  }

  start(): void {
    if (this.running !== undefined) return;
    const { simulation } = this.options;
    this.isCrashed = false;
    this.life++;
    this.openings++;
    this.flushPending = false;
    this.ports.clear();
    this.running = this.options.create();
    this.running.open(simulation.nowMicros, this.sink);
    this.closeInstant();
    this.later(this.maintainMicros, this.maintainHandler);
  }

  /** Power fails. Nothing comes back before {@link start}. */
  crash(): void {
    this.isCrashed = true;
    this.end();
  }

  /** The process stands still: what comes waits, and no timer fires. */
  pause(): void {
    if (this.pausedAtMicros >= 0) return;
    this.pausedAtMicros = this.options.simulation.nowMicros;
  }

  proceed(): void {
    const { nowMicros } = this.options.simulation;
    if (this.pausedAtMicros < 0) return;
    const pausedMicros = nowMicros - this.pausedAtMicros;
    this.pausedAtMicros = -1;
    // Whatever was due meanwhile is due now.
    this.wakeAtMicros = nowMicros;
    if (this.opened) {
      for (const observer of this.options.observers) observer.paused?.(pausedMicros, nowMicros);
      this.running?.extendDeadlines(pausedMicros);
    }
    const { waiting } = this;
    this.waiting = [];
    for (const act of waiting) act();
    this.closeInstant();
  }

  /** One input, now; its time is the present. */
  give(input: TopicInput): void {
    const { observers, simulation } = this.options;
    const now = simulation.nowMicros;
    if (this.pausedAtMicros >= 0 && this.running !== undefined) {
      this.waiting.push(() => this.give({ ...input, timeMicros: simulation.nowMicros }));
      return;
    }
    if (!this.opened) {
      this.lostCount++;
      for (const observer of observers) observer.lost?.(input, now);
      return;
    }
    if (this.wakeAtMicros <= now) this.fireDue();
    for (const observer of observers) observer.heard?.(input, now);
    this.running?.handle(input, this.sink);
    this.closeInstant();
  }

  private end(): void {
    const { simulation, observers, disk, changed } = this.options;
    this.life++;
    if (this.wakeEvent >= 0) simulation.cancel(this.wakeEvent);
    this.wakeEvent = -1;
    this.wakeAtMicros = Number.POSITIVE_INFINITY;
    disk.crash();
    this.waiting = [];
    this.pausedAtMicros = -1;
    if (this.running === undefined) return;
    this.running = undefined;
    this.opened = false;
    for (const observer of observers) observer.down?.(simulation.nowMicros);
    changed(false);
  }

  private take(effect: TopicEffect): void {
    const { simulation, observers } = this.options;
    const now = simulation.nowMicros;
    // What a process that has failed still has to say reaches nobody.
    if (this.running === undefined) return;
    if (effect.kind === 'file') {
      this.port(effect.store).submit(effect.operation);
      return;
    }
    for (const observer of observers) observer.said?.(effect, now);
    switch (effect.kind) {
      case 'topicsOpened':
        this.opened = true;
        for (const observer of observers) observer.opened?.(effect.report, now);
        this.options.changed(true);
        return;
      case 'topicsFailed':
        this.failed(effect.fault);
        return;
      case 'topicsStalled':
        return;
      default:
        this.options.tell(effect);
    }
  }

  private failed(fault: LogFault): void {
    this.failures++;
    this.fault = fault.code === 'SIRA_DISK_FULL' || fault.code === 'SIRA_DISK_FAILED' ? this.fault : fault;
    this.end();
    this.later(restartMicros, this.restartHandler);
  }

  private fireDue(): void {
    const { nowMicros } = this.options.simulation;
    if (this.opened && (this.running?.nextDeadlineMicros() ?? Number.POSITIVE_INFINITY) <= nowMicros)
      this.running?.fireDue(nowMicros, this.sink);
  }

  /** Sees to it that this instant ends with a flush. */
  private closeInstant(): void {
    if (this.flushPending || this.running === undefined) return;
    this.flushPending = true;
    const { simulation } = this.options;
    simulation.schedule(simulation.nowMicros, eventPriority.flush, this.flushHandler, this.life, undefined);
  }

  private endInstant(): void {
    const { simulation, instantEnds } = this.options;
    this.running?.flush(this.sink);
    instantEnds();
    if (!this.opened || this.running === undefined) return;
    // No timer has zero delay.
    const atMicros = Math.max(Math.ceil(this.running.nextDeadlineMicros()), simulation.nowMicros + 1);
    if (atMicros === this.wakeAtMicros) return;
    if (this.wakeEvent >= 0) simulation.cancel(this.wakeEvent);
    this.wakeEvent = -1;
    this.wakeAtMicros = atMicros;
    if (atMicros < Number.MAX_SAFE_INTEGER)
      this.wakeEvent = simulation.schedule(atMicros, eventPriority.timer, this.wakeHandler, this.life, undefined);
  }

  private later(delayMicros: number, handler: number): void {
    const { simulation } = this.options;
    simulation.schedule(simulation.nowMicros + delayMicros, eventPriority.timer, handler, this.life, undefined);
  }

  private port(store: TopicStore): FilePort {
    const known = this.ports.get(store);
    if (known !== undefined) return known;
    const { simulation, disk } = this.options;
    const { life } = this;
    const port = disk.open(store, (completion) => {
      if (life !== this.life) return;
      const act = (): void => {
        if (life !== this.life) return;
        this.running?.complete(store, completion, simulation.nowMicros, this.sink);
        this.closeInstant();
      };
      if (this.pausedAtMicros >= 0) this.waiting.push(act);
      else act();
    });
    this.ports.set(store, port);
    return port;
  }
}
