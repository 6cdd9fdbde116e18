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

export type TakeRows = (batch: TelemetryBatch<TableName>) => void;

const batchRows = 8192;

/** What the rows of a run are called in the column `run`. */
export function runName(policy: string, seed: number): string {
  return `${policy}/${seed}`;
}

export class TelemetryObserver implements WorldObserver {
  private readonly recorder: TelemetryRecorder;
  private readonly kernel: () => Kernel;
  private readonly rows: RowGatherer;
  private hasJournal = false;
  private sequence = 0;
  private isOpen = false;

  /** `kernel` is asked from the first input on. */
  constructor(run: string, sampleMicros: number, kernel: () => Kernel, take: TakeRows) {
    this.kernel = kernel;
    this.rows = new RowGatherer(batchRows, take);
    this.recorder = new TelemetryRecorder({ run, sampleMicros, kernel, sink: this.rows });
  }

  /** With a journal: all that left, once. */
  inputReleased({ sequence, timeMicros, body, effects }: ReleasedInput, again: boolean): void {
    this.hasJournal = true;
    if (!again) this.recorder.record(sequence, timeMicros, body, effects);
  }

  /** Without one inputs are told before they are handled. */
  kernelInput(body: InputBody, nowMicros: number): void {
    if (this.hasJournal) return;
    if (this.isOpen) this.recorder.end();
    this.isOpen = true;
    this.sequence++;
    this.recorder.begin(this.sequence, nowMicros, body);
  }

  kernelEffect(effect: Effect): void {
    if (!this.hasJournal) this.recorder.effect(effect);
  }

  /** The run is over. */
  finish(): void {
    if (this.isOpen && this.kernel().lastSequence === this.sequence) this.recorder.end();
    this.rows.flush();
  }
}
