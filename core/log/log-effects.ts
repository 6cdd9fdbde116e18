// Everything that a log can bring about: requests to the file port, and news for its owner.

import type { FileEffect, LogFault } from './file-tasks.ts';
import type { LogRecord } from './record.ts';
import type { RecoveryReport } from './recover.ts';

export interface LogOpened {
  readonly kind: 'logOpened';
  readonly report: RecoveryReport;
}

/** The log stays closed; nothing on the disk was changed that matters. */
export interface LogOpenFailed {
  readonly kind: 'logOpenFailed';
  readonly fault: LogFault;
}

/** Every record below this offset is on the disk: what waits for it may go on. */
export interface LogDurable {
  readonly kind: 'logDurable';
  readonly endOffset: number;
}

/** The disk is full: appends wait, and are tried again at each `maintain`. */
export interface LogStalled {
  readonly kind: 'logStalled';
  readonly reason: string;
}

/** There was room again. */
export interface LogResumed {
  readonly kind: 'logResumed';
}

/** The log takes nothing any more. Records from `endOffset` on may be on the disk or not; opening it anew tells. */
export interface LogFailed {
  readonly kind: 'logFailed';
  readonly endOffset: number;
  readonly fault: LogFault;
}

export interface LogRead {
  readonly kind: 'logRead';
  readonly id: number;
  /** In order of offset. Compacted logs have gaps. Empty only if nothing durable is at or behind the offset asked for. */
  readonly records: readonly LogRecord[];
  /** Where to read on. */
  readonly nextOffset: number;
}

export interface LogReadFailed {
  readonly kind: 'logReadFailed';
  readonly id: number;
  readonly fault: LogFault;
}

/** The first record of that time or later, or the end if there is none. */
export interface LogTimeFound {
  readonly kind: 'logTimeFound';
  readonly id: number;
  readonly offset: number;
}

/** Segments went by retention; the log begins at `startOffset` now. */
export interface LogTrimmed {
  readonly kind: 'logTrimmed';
  readonly startOffset: number;
  readonly removedBytes: number;
}

export interface LogCompacted {
  readonly kind: 'logCompacted';
  readonly removedRecords: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** All closed segments were read and checked; `faults` names the first bad place of each that has one. */
export interface LogVerified {
  readonly kind: 'logVerified';
  readonly faults: readonly LogFault[];
}

/** Retention, compaction or a check could not go on; the log itself does. */
export interface LogMaintenanceFailed {
  readonly kind: 'logMaintenanceFailed';
  readonly fault: LogFault;
}

export interface LogClosed {
  readonly kind: 'logClosed';
}

export type LogEffect =
  | FileEffect
  | LogOpened
  | LogOpenFailed
  | LogDurable
  | LogStalled
  | LogResumed
  | LogFailed
  | LogRead
  | LogReadFailed
  | LogTimeFound
  | LogTrimmed
  | LogCompacted
  | LogVerified
  | LogMaintenanceFailed
  | LogClosed;

/** Where effects go. An array will do. */
export interface LogEffectSink {
  push(effect: LogEffect): unknown;
}
