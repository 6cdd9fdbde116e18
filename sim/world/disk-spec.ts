// How a simulated disk behaves: its speed, its size, and how often it does what disks do wrong. Data, so that a scenario or a
// seed can draw it.

import type { LatencySpec } from './latency.ts';

export interface DiskSpec {
  /** Bytes that all files together may hold. */
  readonly capacityBytes: number;
  /** Of the device, shared by all that goes on at once; 0: without limit. */
  readonly bandwidthBytesPerSecond: number;
  readonly readLatency: LatencySpec;
  /** Of everything that changes files or names, except syncs. */
  readonly writeLatency: LatencySpec;
  readonly syncLatency: LatencySpec;
  /** Share of syncs that fail, 0…1; then any part of what was to be synced is on the disk, and no later sync writes the rest. */
  readonly syncFailure: number;
  /** Share of reads and of writes that fail with an I/O error, 0…1. */
  readonly readFailure: number;
  readonly writeFailure: number;
  /** Mean time between two flipped bits in what is on the disk; `Infinity`: none. */
  readonly bitRotMeanMicros: number;
  /** Times in which everything takes `factor` times as long. `meanBetweenMicros` `Infinity`: none. */
  readonly slowEpisodes: {
    readonly meanBetweenMicros: number;
    readonly meanLengthMicros: number;
    readonly factor: number;
  };
}

/** A disk without faults and with the delays of a good SSD. Crashes still lose what was not synced. */
export const soundDisk: DiskSpec = {
  capacityBytes: 1024 ** 3,
  bandwidthBytesPerSecond: 500_000_000,
  readLatency: { distribution: 'lognormal', meanMicros: 100, sigma: 0.5 },
  writeLatency: { distribution: 'lognormal', meanMicros: 20, sigma: 0.5 },
  syncLatency: { distribution: 'lognormal', meanMicros: 500, sigma: 0.8 },
  syncFailure: 0,
  readFailure: 0,
  writeFailure: 0,
  bitRotMeanMicros: Number.POSITIVE_INFINITY,
  slowEpisodes: {
    meanBetweenMicros: Number.POSITIVE_INFINITY,
    meanLengthMicros: 0,
    factor: 1,
  },
};
