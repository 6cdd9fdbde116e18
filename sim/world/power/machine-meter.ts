// The meter of one machine: how many joules it took since the world began, and for what: idling, work, sleeping, waking. And what
// each piece of work took of the machine's: its share of the processors' span by its share of their load, and the span of the
// accelerators that it has. What is idle is nobody's: it is charged to the machine.

import { assert } from '../../../core/base/assert.ts';
import { microsPerSecond } from '../../../core/base/time.ts';
import type { ResourceRequest } from '../../../core/scheduler/request.ts';
import { type PowerRating, processorShare } from './power-model.ts';

/** `off`: it draws nothing; it crashed, or has not begun. */
export type PowerState = 'off' | 'on' | 'asleep' | 'waking';

/** Joules by what they were for, and microseconds asleep. They sum to what the machine took. */
export interface EnergyAccount {
  readonly idleJoules: number;
  readonly workJoules: number;
  readonly sleepJoules: number;
  readonly wakeJoules: number;
  readonly asleepMicros: number;
  readonly wakeUps: number;
}

/** What a piece of work took so far is reckoned from. */
export interface MeterMark {
  readonly joulesPerCpuMilli: number;
  readonly joulesPerAcceleratorMilli: number;
}

export class MachineMeter {
  state: PowerState = 'off';
  private readonly rating: PowerRating;
  private readonly cpuCapacityMilli: number;
  private readonly sleepWatts: number;
  private readonly wakeWatts: number;
  private lastMicros = 0;
  private cpuMilli = 0;
  private acceleratorMilli = 0;
  /** Joules that a thousandth of a core in use has taken since the world began. */
  private joulesPerCpuMilli = 0;
  private joulesPerAcceleratorMilli = 0;
  private idleJoules = 0;
  private workJoules = 0;
  private sleepJoules = 0;
  private wakeJoules = 0;
  private asleepMicros = 0;
  private wakeUps = 0;

  constructor(rating: PowerRating, cpuCapacityMilli: number, sleepWatts: number, wakeWatts: number) {
    this.rating = rating;
    this.cpuCapacityMilli = cpuCapacityMilli;
    this.sleepWatts = sleepWatts;
    this.wakeWatts = wakeWatts;
  }

  /** Watts drawn now. */
  get watts(): number {
    if (this.state === 'asleep') return this.sleepWatts;
    if (this.state === 'waking') return this.wakeWatts;
    return this.state === 'on' ? this.rating.idleWatts + this.cpuWatts + this.acceleratorWatts : 0;
  }

  change(state: PowerState, nowMicros: number): void {
    this.advance(nowMicros);
    if (state === 'waking') this.wakeUps++;
    this.state = state;
  }

  /** The work takes its share of this machine from now on. */
  begin(request: ResourceRequest, nowMicros: number): MeterMark {
    assert(this.state === 'on', 'work runs on a machine that is on');
    this.advance(nowMicros);
    this.cpuMilli += request.cpuMilli;
    this.acceleratorMilli += request.gpuCount * request.gpuMilli;
    const { joulesPerCpuMilli, joulesPerAcceleratorMilli } = this;
    return { joulesPerCpuMilli, joulesPerAcceleratorMilli };
  }

  /** The work is over. Returns the joules that it took of this machine since its mark. */
  end(request: ResourceRequest, mark: MeterMark, nowMicros: number): number {
    this.advance(nowMicros);
    this.cpuMilli -= request.cpuMilli;
    this.acceleratorMilli -= request.gpuCount * request.gpuMilli;
    return (
      request.cpuMilli * (this.joulesPerCpuMilli - mark.joulesPerCpuMilli) +
      request.gpuCount * request.gpuMilli * (this.joulesPerAcceleratorMilli - mark.joulesPerAcceleratorMilli)
    );
  }

  read(nowMicros: number): EnergyAccount {
    this.advance(nowMicros);
    const { idleJoules, workJoules, sleepJoules, wakeJoules, asleepMicros, wakeUps } = this;
    return { idleJoules, workJoules, sleepJoules, wakeJoules, asleepMicros, wakeUps };
  }

  private get cpuWatts(): number {
    if (this.cpuMilli === 0) return 0;
    return this.rating.processorWatts * processorShare(Math.min(1, this.cpuMilli / this.cpuCapacityMilli));
  }

  private get acceleratorWatts(): number {
    return (this.rating.acceleratorWatts * this.acceleratorMilli) / 1000;
  }

  private advance(nowMicros: number): void {
    const micros = nowMicros - this.lastMicros;
    this.lastMicros = nowMicros;
    if (micros === 0 || this.state === 'off') return;
    const seconds = micros / microsPerSecond;
    if (this.state === 'on') {
      const { cpuWatts } = this;
      this.idleJoules += this.rating.idleWatts * seconds;
      this.workJoules += (cpuWatts + this.acceleratorWatts) * seconds;
      if (this.cpuMilli > 0) this.joulesPerCpuMilli += (cpuWatts * seconds) / this.cpuMilli;
      this.joulesPerAcceleratorMilli += (this.rating.acceleratorWatts * seconds) / 1000;
    } else if (this.state === 'asleep') {
      this.sleepJoules += this.sleepWatts * seconds;
      this.asleepMicros += micros;
    } else this.wakeJoules += this.wakeWatts * seconds;
  }
}
