// Planted bugs of the journal and the log under it: what counts as durable, what leaves when, what a recovery finds.

import type { Mutant } from './mutant.ts';

const journaled = 'core/kernel/journaled-kernel.ts';
const writer = 'core/log/log-writer.ts';

export const journalMutants: readonly Mutant[] = [
  {
    name: 'acknowledged-before-sync',
    bug: 'an input counts as durable when it is written, not when it is synced',
    file: writer,
    search:
      "    const synced = yield* ask({ kind: 'sync', file });\n    if (!synced.ok) return fatal(synced);\n    this.writtenBytes += batch.bytes.length;",
    replace: '    this.writtenBytes += batch.bytes.length;',
  },
  {
    name: 'failed-sync-ignored',
    bug: 'an input counts as durable although its sync failed',
    file: writer,
    search: '    if (!synced.ok) return fatal(synced);\n    this.writtenBytes += batch.bytes.length;',
    replace: '    this.writtenBytes += batch.bytes.length;',
  },
  {
    name: 'torn-append-left',
    bug: 'what a full disk took of an append stays in the file before the next',
    file: writer,
    search: "    if (appended.code === 'SIRA_DISK_FULL') this.tornTail = true;\n",
    replace: '',
  },
  {
    name: 'effects-before-durable',
    bug: 'with the first durable input of a batch the effects of all leave',
    file: journaled,
    search: '    this.release(sequence, effects);\n    const { snapshot } = this;',
    replace: '    this.release(this.kernel.lastSequence, effects);\n    const { snapshot } = this;',
  },
  {
    name: 'replayed-effects-lost',
    bug: 'effects that had not left before a crash are not handed out after it',
    file: journaled,
    search:
      '    this.held.push({ sequence, timeMicros, body, effects });\n    this.released = Math.max(this.released, releasedSequence);',
    replace: '    this.released = Math.max(sequence, releasedSequence);',
  },
  {
    name: 'outage-unannounced',
    bug: 'the kernel is not told of an outage, and blames the fleet for its silence',
    file: journaled,
    search: '    if (pausedMicros > 0) {',
    replace: '    if (pausedMicros < 0) {',
  },
  {
    name: 'pause-never-ends',
    bug: 'inputs are refused for ever once the disk was too far behind',
    file: journaled,
    search: 'this.heldCount <= this.settings.heldInputsMax / 2) this.resume(effects);',
    replace: 'this.heldCount < 0) this.resume(effects);',
  },
  {
    name: 'refused-input-handled',
    bug: 'an input that the journal did not take is handled all the same',
    file: journaled,
    search: '    if (!prepared.ok) return prepared;\n    const effects: Effect[] = [];',
    replace: '    const effects: Effect[] = [];',
  },
  {
    name: 'snapshot-of-the-future',
    bug: 'a snapshot is written before the effects of its inputs have left',
    file: journaled,
    search: 'if (snapshot !== undefined && snapshot.sequence <= this.released && !this.journal.isWritingSnapshot) {',
    replace: 'if (snapshot !== undefined && !this.journal.isWritingSnapshot) {',
  },
  {
    name: 'segment-name-not-durable',
    bug: 'the name of a new segment is not synced, and may be gone after a crash with all that is in it',
    file: 'core/log/write-segment.ts',
    search: "    { kind: 'sync', file },\n    { kind: 'syncFolder' },\n",
    replace: "    { kind: 'sync', file },\n",
  },
  {
    name: 'checksum-ignored',
    bug: 'a torn record is taken for a whole one',
    file: 'core/log/record.ts',
    search: 'if (getUint32(bytes, start + 4) !== checksum(bytes, start, length)) return -1;',
    replace: '',
  },
  {
    name: 'field-not-journaled',
    bug: 'the journal does not keep the checkpoint that a stopped task reports',
    file: 'core/kernel/input-codec.ts',
    search: "progressMicros: optional('number'),",
    replace: '',
  },
];
