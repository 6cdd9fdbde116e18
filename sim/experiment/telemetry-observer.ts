// The simulator's telemetry: the same recorder as beside a live kernel, told of what the world shows, so that the same rows go to
// the same tables. Rows leave in batches while the run goes on; whoever takes them has them written.

import type { Effect } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import type { ReleasedInput } from '../../core/kernel/journaled-kernel.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import { TelemetryRecorder } from '../../core/telemetry/recorder.ts';
import { RowGatherer } from '../../core/telemetry/row-gatherer.ts';
import type { TelemetryBatch } from '../../core/telemetry/rows.ts';
import type { TableName } from '../../core/telemetry/tables.ts';
import type { WorldObserver } from '../world/observer.ts';
import { EnergyRows, type MeteredPlant } from './energy-rows.ts';

export type TakeRows = (batch: TelemetryBatch<TableName>) => void;

const batchRows = 8192;

/** What the rows of a run are called in the column `run`. */
export function runName(policy: string, seed: number): string {
  return `${policy}/${seed}`;
}

export interface TelemetryOptions {
  readonly run: string;
  readonly sampleMicros: number;
  /** Asked from the first input on. */
  readonly kernel: () => Kernel;
  /** Undefined without a power model. */
  readonly plant: () => MeteredPlant | undefined;
  readonly machineNames: readonly string[];
  readonly take: TakeRows;
}

/** Energy is told for every so many samples of load. */
const samplesPerEnergy = 10;

export class TelemetryObserver implements WorldObserver {
  private readonly recorder: TelemetryRecorder;
  private readonly kernel: () => Kernel;
  private readonly rows: RowGatherer;
  private hasJournal = false;
  private sequence = 0;
  private isOpen = false;

  private readonly options: TelemetryOptions;
  private readonly energy: EnergyRows;
  private nextEnergyMicros = 0;

  constructor(options: TelemetryOptions) {
    const { run, sampleMicros, kernel, take, machineNames } = options;
    this.options = options;
    this.kernel = kernel;
    this.rows = new RowGatherer(batchRows, take);
    this.recorder = new TelemetryRecorder({ run, sampleMicros, kernel, sink: this.rows });
    this.energy = new EnergyRows(run, this.rows, machineNames);
  }

  /** With a journal: all that left, once. */
  inputReleased({ sequence, timeMicros, body, effects }: ReleasedInput, again: boolean, nowMicros: number): void {
    this.hasJournal = true;
    if (again) return;
    this.recorder.record(sequence, timeMicros, body, effects);
    this.tellEnergy(nowMicros);
  }

  /** Without one inputs are told before they are handled. */
  kernelInput(body: InputBody, nowMicros: number): void {
    if (this.hasJournal) return;
    if (this.isOpen) this.recorder.end();
    this.isOpen = true;
    this.sequence++;
    this.recorder.begin(this.sequence, nowMicros, body);
    this.tellEnergy(nowMicros);
  }

  kernelEffect(effect: Effect): void {
    if (!this.hasJournal) this.recorder.effect(effect);
  }

  /** The run is over. */
  finish(nowMicros: number): void {
    const plant = this.options.plant();
    if (plant !== undefined) this.energy.sample(plant, nowMicros);
    if (this.isOpen && this.kernel().lastSequence === this.sequence) this.recorder.end();
    this.rows.flush();
  }

  private tellEnergy(nowMicros: number): void {
    if (nowMicros < this.nextEnergyMicros) return;
    this.nextEnergyMicros = nowMicros + samplesPerEnergy * this.options.sampleMicros;
    const plant = this.options.plant();
    if (plant !== undefined) this.energy.sample(plant, nowMicros);
  }
}
