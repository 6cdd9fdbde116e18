// Retention: closed segments go, oldest first, when the log is too large or they are too old, but none that a hold still
// needs. One is gone on the disk before the next is touched, so that a crash never leaves a hole.

import { acceptedWith, type Result, refused } from '../base/status.ts';
import { fileErrorCode } from '../ports/file-port.ts';
import { ask, type FileTask, type LogFault } from './file-tasks.ts';
import type { LogSettings } from './log-settings.ts';
import type { SegmentTable } from './segment-table.ts';

export interface Trimmed {
  readonly removedBytes: number;
  /** Everything before it is gone from the disk, unless there is a fault. */
  readonly startOffset: number;
  readonly fault: LogFault | undefined;
}

/** Whether the oldest segment is to go. `heldOffset`: the smallest that somebody still needs. */
export function isExpired(table: SegmentTable, settings: LogSettings, nowMicros: number, heldOffset: number): boolean {
  const oldest = table.all[0]!;
  if (oldest === table.active || oldest.lastOffset > heldOffset) return false;
  return table.sizeBytes > settings.retainBytesMax || nowMicros - oldest.lastTimeMicros > settings.retainMicros;
}

export function* trim(
  table: SegmentTable,
  settings: LogSettings,
  nowMicros: number,
  heldOffset: () => number,
): FileTask<Trimmed> {
  let removedBytes = 0;
  for (;;) {
    const cleaned = yield* removeGarbage(table);
    const { startOffset } = table;
    if (!cleaned.ok) return { removedBytes, startOffset, fault: cleaned };
    if (!isExpired(table, settings, nowMicros, heldOffset())) return { removedBytes, startOffset, fault: undefined };
    removedBytes += table.dropFirst().sizeBytes;
  }
}

/** Removes what is to go, for good. After a failure it is tried again before anything else goes. */
export function* removeGarbage(table: SegmentTable): FileTask<Result<undefined>> {
  if (table.garbage.size === 0) return acceptedWith(undefined);
  const files = [...table.garbage];
  for (const file of files) {
    const removed = yield { kind: 'remove', file };
    if (!removed.ok && removed.failure !== 'notFound') return refused(fileErrorCode(removed.failure), removed.reason);
  }
  const synced = yield* ask({ kind: 'syncFolder' });
  if (!synced.ok) return synced;
  for (const file of files) table.garbage.delete(file);
  return acceptedWith(undefined);
}
