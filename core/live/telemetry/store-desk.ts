// Does what the batcher asks, with a store and a folder: writes batches, puts them on the disk and takes them from there. It answers
// each request once. It runs on a thread of its own beside a live kernel, so that neither encoding rows nor the store's own work
// keeps the kernel waiting.

import { SiraError } from '../../base/errors.ts';
import type { BatcherEffect, SpilledBatch } from '../../telemetry/batcher.ts';
import type { TelemetryBatch } from '../../telemetry/rows.ts';
import type { TableName } from '../../telemetry/tables.ts';
import type { Retention, TelemetryQuery, TelemetryStore } from '../../telemetry/telemetry-store.ts';
import type { SpillFolder } from './spill-folder.ts';

export type DeskRequest =
  | BatcherEffect
  | { readonly kind: 'maintain'; readonly nowMicros: number; readonly retention: Retention | undefined }
  /** Up to `rowsMax` rows, the first by the table's key. */
  | { readonly kind: 'read'; readonly request: number; readonly query: TelemetryQuery; readonly rowsMax: number }
  | { readonly kind: 'close' };

export type DeskAnswer =
  | { readonly kind: 'found'; readonly spilled: readonly SpilledBatch[] }
  | { readonly kind: 'written'; readonly batch: number }
  | { readonly kind: 'failed'; readonly batch: number; readonly isLasting: boolean; readonly reason: string }
  | { readonly kind: 'spilled'; readonly batch: number; readonly bytes: number }
  | { readonly kind: 'loaded'; readonly batch: number; readonly rows: TelemetryBatch<TableName> | undefined }
  /** Roll-up or retention did not succeed: it is tried again with the next. */
  | { readonly kind: 'notMaintained'; readonly reason: string }
  | {
      readonly kind: 'read';
      readonly request: number;
      readonly batches: readonly TelemetryBatch[];
      /** False if there are more rows than were asked for. */
      readonly isWhole: boolean;
    }
  | { readonly kind: 'notRead'; readonly request: number; readonly reason: string }
  | { readonly kind: 'closed' };

export class StoreDesk {
  private readonly store: TelemetryStore;
  private readonly spill: SpillFolder;
  private readonly answer: (answer: DeskAnswer) => void;
  private opening: Promise<void> | undefined;

  constructor(store: TelemetryStore, spill: SpillFolder, answer: (answer: DeskAnswer) => void) {
    this.store = store;
    this.spill = spill;
    this.answer = answer;
  }

  open(): void {
    this.answer({ kind: 'found', spilled: this.spill.open() });
  }

  take(request: DeskRequest): void {
    switch (request.kind) {
      case 'write':
        void this.write(request.batch, request.rows);
        return;
      case 'spill':
        this.answer({
          kind: 'spilled',
          batch: request.batch,
          bytes: this.spill.write(request.batch, request.rows),
        });
        return;
      case 'load':
        this.answer({ kind: 'loaded', batch: request.batch, rows: this.spill.read(request.batch) });
        return;
      case 'forget':
        this.spill.forget(request.batch);
        return;
      case 'setAside':
        this.spill.setAside(request.batch, request.rows);
        return;
      case 'maintain':
        void this.maintain(request.nowMicros, request.retention);
        return;
      case 'read':
        void this.read(request.request, request.query, request.rowsMax);
        return;
      case 'close':
        void this.close();
        return;
    }
  }

  private async write(batch: number, rows: TelemetryBatch<TableName>): Promise<void> {
    try {
      await this.opened();
      await this.store.write(rows);
      this.answer({ kind: 'written', batch });
    } catch (error) {
      // Whoever comes back may be another: its tables are looked at before the next write.
      this.opening = undefined;
      const isLasting = error instanceof SiraError && error.code === 'SIRA_TELEMETRY_REFUSED';
      this.answer({ kind: 'failed', batch, isLasting, reason: (error as Error).message });
    }
  }

  private async maintain(nowMicros: number, retention: Retention | undefined): Promise<void> {
    try {
      await this.opened();
      await this.store.rollUp();
      if (retention !== undefined) await this.store.expire(nowMicros, retention);
    } catch (error) {
      this.answer({ kind: 'notMaintained', reason: (error as Error).message });
    }
  }

  private async read(request: number, query: TelemetryQuery, rowsMax: number): Promise<void> {
    const batches: TelemetryBatch[] = [];
    let rows = 0;
    try {
      await this.opened();
      for await (const batch of this.store.read(query)) {
        batches.push(batch);
        rows += batch.count;
        if (rows > rowsMax) break;
      }
      this.answer({ kind: 'read', request, batches, isWhole: rows <= rowsMax });
    } catch (error) {
      this.answer({ kind: 'notRead', request, reason: (error as Error).message });
    }
  }

  private async close(): Promise<void> {
    try {
      await this.store.close();
    } catch {}
    this.answer({ kind: 'closed' });
  }

  private opened(): Promise<void> {
    this.opening ??= Promise.resolve(this.store.open());
    return this.opening;
  }
}
