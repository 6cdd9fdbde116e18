// The simulator's telemetry: the same recorder as beside a live kernel, told of what the world shows, so that the same rows go to
// the same tables. Rows leave in batches while the run goes on; whoever takes them has them written.

import type { Effect } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import type { ReleasedInput } from '../../core/kernel/journaled-kernel.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import { TelemetryRecorder } from '../../core/telemetry/recorder.ts';
import { RowBuffer, type RowSink, type TelemetryBatch } from '../../core/telemetry/rows.ts';
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
  private readonly take: TakeRows;
  private readonly buffers = new Map<TableName, RowBuffer<TableName>>();
  private hasJournal = false;
  private sequence = 0;
  private isOpen = false;

  /** `kernel` is asked from the first input on. */
  constructor(run: string, sampleMicros: number, kernel: () => Kernel, take: TakeRows) {
    this.kernel = kernel;
    this.take = take;
    const sink: RowSink = { add: (table, row) => this.add(table, row as object) };
    this.recorder = new TelemetryRecorder({ run, sampleMicros, kernel, sink });
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
    for (const buffer of this.buffers.values()) this.take(buffer.seal());
    this.buffers.clear();
  }

  private add(table: TableName, row: object): void {
    let buffer = this.buffers.get(table);
    if (buffer === undefined) {
      buffer = new RowBuffer(table);
      this.buffers.set(table, buffer);
    }
    buffer.add(row);
    if (buffer.count < batchRows) return;
    this.buffers.delete(table);
    this.take(buffer.seal());
  }
}
