// One journal, replayed from its files and held against what the live run recorded. If they differ it is replayed once more up
// to there: code that decides otherwise each time has another fault than code that is not the one that ran.

import { type JournalSource, oldestReadable, readJournal, snapshotDigest, snapshotSequences } from './read-journal.ts';
import { JournalReplay, type ReplayCounts, type ReplayDifference } from './replay-journal.ts';
import { tellDifference } from './tell-difference.ts';

export interface JournalVerdict {
  /** `unknown`: the live run recorded nothing that could be compared. */
  readonly verdict: 'equal' | 'different' | 'unknown';
  readonly folder: string;
  /** The first and the last input replayed; none if the first is larger. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** From the first to the last input. */
  readonly lengthMicros: number;
  readonly counts: ReplayCounts;
  /** Snapshots whose digests were compared. */
  readonly snapshotsCompared: number;
  /** Over all effects up to the last input replayed, as the live run recorded it, and as the replay has it. */
  readonly recordedDigest: string | undefined;
  readonly replayedDigest: string;
  readonly difference: ReplayDifference | undefined;
  /** Whether a second replay made the differing effects again. */
  readonly repeats: boolean | undefined;
  /** The difference for people. */
  readonly told: readonly string[];
  /** Bytes cut from the journal's end, that an append under way at a crash had left. */
  readonly tornBytes: number;
}

const repetitionsMax = 8;
const repeatedInputsMax = 1_000_000;

/** Throws SIRA_FILE_MISSING, SIRA_LOG_CORRUPT, SIRA_LOG_VERSION, SIRA_DISK_FAILED. */
export function verifyJournal(source: JournalSource, progress?: (inputs: number) => void): JournalVerdict {
  const from = oldestReadable(source);
  const digests = new Map<number, string>();
  for (const sequence of snapshotSequences(source)) {
    const digest = sequence > from ? snapshotDigest(source, sequence) : undefined;
    if (digest !== undefined) digests.set(sequence, digest);
  }
  const replay = new JournalReplay(digests, progress);
  const report = readJournal(source, from, replay);
  const { difference, counts, recordedDigest, lastSequence } = replay;
  const { kernel } = replay;
  if (kernel === undefined) throw new TypeError('a journal that was read has a kernel');
  const repeats = difference === undefined ? undefined : repeatsItself(source, from, difference, counts.inputs);
  return {
    verdict: difference !== undefined ? 'different' : recordedDigest === undefined ? 'unknown' : 'equal',
    folder: source.folder,
    firstSequence: replay.fromSequence + 1,
    lastSequence,
    lengthMicros: replay.lastMicros - replay.firstMicros,
    counts,
    snapshotsCompared: [...digests.keys()].filter((sequence) => sequence <= lastSequence).length,
    recordedDigest,
    replayedDigest: kernel.digest,
    difference,
    repeats,
    told: difference === undefined ? [] : tellDifference(difference, kernel, replay.firstMicros),
    tornBytes: report?.log.cutBytes ?? 0,
  };
}

/** Whether the replay makes the differing effects each time. Code that is not deterministic may do so by chance: it is tried more
 *  often where that is cheap. */
function repeatsItself(source: JournalSource, from: number, difference: ReplayDifference, inputs: number): boolean {
  for (let left = Math.max(1, Math.min(repetitionsMax, Math.floor(repeatedInputsMax / inputs))); left > 0; left--) {
    const again = new JournalReplay(new Map(), undefined, difference.sequence);
    readJournal(source, from, again);
    if (again.difference === undefined || again.difference.sequence !== difference.sequence) return false;
    if (again.kernel?.digest !== difference.replayed.digest) return false;
  }
  return true;
}
