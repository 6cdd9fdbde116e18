// Planted bugs of recovery: what a kernel finds on its disk after a crash, and what it is to keep there.

import type { Mutant } from './mutant.ts';

const snapshots = 'core/log/snapshot-store.ts';
const recover = 'core/log/recover.ts';
const journal = 'core/kernel/journal.ts';

export const recoveryMutants: readonly Mutant[] = [
  {
    name: 'snapshot-not-synced',
    bug: 'a snapshot gets its name before its content is on the disk',
    file: snapshots,
    search: "    { kind: 'sync', file: temporary },\n",
    replace: '',
  },
  {
    name: 'copied-segment-not-synced',
    bug: 'what a recovery copies gets its name before its content is on the disk',
    file: 'core/log/write-segment.ts',
    search: "    { kind: 'sync', file: temporary },\n",
    replace: '',
  },
  {
    name: 'snapshot-name-not-durable',
    bug: 'older snapshots go before the name of the new one is on the disk',
    file: snapshots,
    search: "    { kind: 'rename', file: temporary, to: file },\n    { kind: 'syncFolder' },\n",
    replace: "    { kind: 'rename', file: temporary, to: file },\n",
  },
  {
    name: 'needed-inputs-trimmed',
    bug: 'old inputs go although a snapshot still needs them',
    file: 'core/log/trim.ts',
    search: 'if (oldest === table.active || oldest.lastOffset > heldOffset) return false;',
    replace: 'if (oldest === table.active) return false;',
  },
  {
    name: 'torn-tail-kept',
    bug: 'a torn record stays at the end of the log, and the next is written behind it',
    file: recover,
    search: 'const copied = yield* copySegment(file, header, dataEnd, pieceBytes);',
    replace: 'const copied = yield* copySegment(file, header, sizeBytes, pieceBytes);',
  },
  {
    name: 'last-record-dropped',
    bug: 'recovery takes the last whole record for a torn one',
    file: recover,
    search: 'const segment = { ...header, file: copied.value, dataEnd, sizeBytes: dataEnd, lastOffset: end.offset };',
    replace:
      'const segment = { ...header, file: copied.value, dataEnd, sizeBytes: dataEnd, lastOffset: Math.max(header.baseOffset, end.offset - 1) };',
  },
  {
    name: 'release-mark-forgotten',
    bug: 'the journal does not say which effects had left, and a recovery takes all of them for gone',
    file: journal,
    search: 'const lag = input.sequence - 1 - releasedSequence;',
    replace: 'const lag = 0;',
  },
  {
    name: 'stalled-for-ever',
    bug: 'a disk that was full once is never tried again',
    file: 'core/log/log-writer.ts',
    search: "      this.stalledReason = undefined;\n      effects.push({ kind: 'logResumed' });",
    replace: "      effects.push({ kind: 'logResumed' });",
  },
];
