// What can be set about a log, with bounds and defaults.

import { assert } from '../base/assert.ts';
import { codeHashLengthMax } from './segment.ts';

export interface LogSettings {
  /** Of the deterministic code that writes: at most 64 printable ASCII characters. Each segment names it. */
  readonly codeHash: string;
  /** Offset of the first record of a new log. */
  readonly firstOffset: number;
  /** A segment is closed once it is this large; 4 KiB to 1 GiB. Opening the log copies at most one segment. */
  readonly segmentBytesMax: number;
  /** A segment is closed at the first `maintain` at which it is this old; `Infinity`: never. */
  readonly segmentAgeMaxMicros: number;
  /** Key and value of one record together, at most 16 MiB. */
  readonly recordBytesMax: number;
  /** What waits to be written; beyond it an append is refused with SIRA_QUEUE_FULL. */
  readonly pendingBytesMax: number;
  /** Distance of index entries. */
  readonly indexEveryBytes: number;
  /** Indices of closed segments kept in memory at most. */
  readonly loadedIndexesMax: number;
  /** Closed segments go, oldest first, while all together are larger than this… */
  readonly retainBytesMax: number;
  /** …or their last record is older than this. Each may be `Infinity`. */
  readonly retainMicros: number;
  /** Keys that one compaction remembers; more keys take several. */
  readonly compactionKeysMax: number;
  /** A tombstone stays at least this long, so that every reader meets it. */
  readonly tombstoneMicros: number;
  /** Reads under way at most; beyond it a read is refused. */
  readonly readsMax: number;
}

export const defaultLogSettings: LogSettings = {
  codeHash: '',
  firstOffset: 0,
  segmentBytesMax: 64 * 1024 * 1024,
  segmentAgeMaxMicros: Number.POSITIVE_INFINITY,
  recordBytesMax: 1024 * 1024,
  pendingBytesMax: 16 * 1024 * 1024,
  indexEveryBytes: 16 * 1024,
  loadedIndexesMax: 64,
  retainBytesMax: Number.POSITIVE_INFINITY,
  retainMicros: Number.POSITIVE_INFINITY,
  compactionKeysMax: 1_000_000,
  tombstoneMicros: 86_400_000_000,
  readsMax: 256,
};

/** Asserts that settings are within their bounds. */
export function checkLogSettings(settings: LogSettings): void {
  const { segmentBytesMax, recordBytesMax, pendingBytesMax, indexEveryBytes } = settings;
  assert(settings.codeHash.length <= codeHashLengthMax, 'a code hash has at most 64 characters');
  assert(Number.isSafeInteger(settings.firstOffset) && settings.firstOffset >= 0, 'offsets are not negative');
  assert(segmentBytesMax >= 4096 && segmentBytesMax <= 2 ** 30, 'segmentBytesMax is in 4 KiB…1 GiB');
  assert(recordBytesMax >= 1 && recordBytesMax <= 2 ** 24, 'recordBytesMax is in 1…16 MiB');
  assert(pendingBytesMax >= recordBytesMax + 64 && pendingBytesMax <= 2 ** 30, 'pendingBytesMax holds a record');
  assert(indexEveryBytes >= 64, 'indexEveryBytes is at least 64');
  assert(settings.loadedIndexesMax >= 1 && settings.readsMax >= 1, 'at least one index, at least one read');
  assert(settings.compactionKeysMax >= 1, 'a compaction remembers at least one key');
}
