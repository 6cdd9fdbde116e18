// The journal of a scenario: its fields with every default filled in. What is not said of the disk is as on a good SSD.

import { defaultJournalSettings } from '../../core/kernel/journal.ts';
import { soundDisk } from '../world/disk-spec.ts';
import type { JournalSpec } from '../world/journaled-kernel-host.ts';
import { bandwidth, buildLatency, micros } from './quantities.ts';
import type { JournalFields } from './scenario-fields.ts';

export function buildJournal(fields: JournalFields): JournalSpec {
  const { sync, write, read } = fields;
  return {
    disk: {
      ...soundDisk,
      // Room for what a long run writes: a full disk is a fault of its own.
      capacityBytes: 2 ** 40,
      syncLatency: sync === undefined ? soundDisk.syncLatency : buildLatency(sync),
      writeLatency: write === undefined ? soundDisk.writeLatency : buildLatency(write),
      readLatency: read === undefined ? soundDisk.readLatency : buildLatency(read),
      bandwidthBytesPerSecond: bandwidth(fields.bandwidth ?? '500MB/s'),
    },
    settings: {
      codeHash: 'simulated',
      snapshotInputs: fields.snapshotInputs ?? defaultJournalSettings.snapshotInputs,
      snapshotMicros: micros(fields.snapshotInterval ?? '1min'),
      heldInputsMax: fields.heldInputsMax ?? defaultJournalSettings.heldInputsMax,
      log: { segmentBytesMax: 16 * 1024 ** 2, retainBytesMax: 0 },
    },
  };
}
