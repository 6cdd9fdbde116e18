// Retention: closed segments go, oldest first, when the log is too large or they are too old, but none that a hold still
// needs. One is gone on the disk before the next is touched, so that a crash never leaves a hole.

import { askAll, type FileTask, type LogFault } from './file-tasks.ts';
import type { LogSettings } from './log-settings.ts';
import type { SegmentTable } from './segment-table.ts';

export interface Trimmed {
  readonly removedBytes: number;
  /** Everything before it is gone from the disk. */
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
  let { startOffset } = table;
  while (isExpired(table, settings, nowMicros, heldOffset())) {
    const { file, sizeBytes } = table.dropFirst();
    const removed = yield* askAll([{ kind: 'remove', file }, { kind: 'syncFolder' }]);
    if (!removed.ok) {
      return { removedBytes, startOffset, fault: { code: removed.code, reason: removed.reason, file } };
    }
    removedBytes += sizeBytes;
    startOffset = table.startOffset;
  }
  return { removedBytes, startOffset, fault: undefined };
}
