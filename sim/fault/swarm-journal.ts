// Draws a journal over a case of the swarm: a disk that is fast or slow, snapshots often or seldom, and what befalls the kernel
// and its disk: power failures, slow times, no room, syncs that fail. It has a random stream of its own, so that the case
// underneath stays what its seed always drew. Rot is not drawn: it is reported, not survived.

import { RandomStream } from '../../core/base/random.ts';
import { microsPerMinute, microsPerSecond } from '../../core/base/time.ts';
import type { FaultSpec, KernelFaultKind } from '../experiment/scenario.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import { type DiskSpec, soundDisk } from '../world/disk-spec.ts';
import { drawSwarmCase, type SwarmCase } from './swarm.ts';
import { drawSchedulingCase } from './swarm-scheduling.ts';

/** The case of a seed with a journal; every other one with the scheduler's further options as well. */
export function drawJournalCase(seed: number): SwarmCase {
  return withJournal(seed % 2 === 0 ? drawSchedulingCase(seed) : drawSwarmCase(seed));
}

export function withJournal(drawn: SwarmCase): SwarmCase {
  const random = new RandomStream(drawn.seed, 'swarm.journal');
  const chance = (probability: number): boolean => random.nextFloat() < probability;
  const pick = <T>(values: readonly T[]): T => values[random.nextBelow(values.length)] as T;
  const { leaseMicros } = drawn.heartbeat;
  const spanMicros = (drawn.tasks.at(-1) as WorkloadTask).arrivalMicros + microsPerMinute;
  // A round trip and a sync must leave a good part of the lease.
  const syncMicros = pick([20, 500, 5000, 100_000, leaseMicros / 50]);
  const disk: DiskSpec = {
    ...soundDisk,
    capacityBytes: 64 * 1024 ** 2,
    bandwidthBytesPerSecond: pick([0, 500_000_000, 2_000_000]),
    syncLatency: { distribution: pick(['constant', 'exponential', 'lognormal']), meanMicros: syncMicros, sigma: 0.8 },
    syncFailure: chance(0.15) ? pick([0.0005, 0.005]) : 0,
    writeFailure: chance(0.1) ? 0.0005 : 0,
    slowEpisodes: chance(0.2)
      ? { meanBetweenMicros: microsPerMinute, meanLengthMicros: microsPerSecond, factor: pick([3, 20]) }
      : soundDisk.slowEpisodes,
  };
  const kinds = (['kernelCrash', 'kernelCrash', 'diskSlow', 'diskFull'] as const).filter(() => chance(0.6));
  const faults: FaultSpec[] = [];
  const faultCount = kinds.length === 0 ? 0 : 1 + random.nextBelow(8);
  for (let index = 0; index < faultCount; index++) {
    const kind: KernelFaultKind = pick(kinds);
    const lengthMax = pick([1000, microsPerSecond, leaseMicros / 4, leaseMicros, 3 * leaseMicros]);
    faults.push({
      kind,
      atMicros: random.nextBelow(spanMicros),
      forMicros: 1 + random.nextBelow(lengthMax),
      machines: [],
      factor: kind === 'diskSlow' ? 1 + random.nextBelow(200) : 1,
    });
  }
  return {
    ...drawn,
    faults: [...drawn.faults, ...faults],
    journal: {
      disk,
      settings: {
        codeHash: 'swarm',
        snapshotInputs: pick([5, 100, 1000, 1_000_000]),
        snapshotMicros: pick([microsPerSecond, 30 * microsPerSecond, 3600 * microsPerSecond]),
        snapshotsKept: 1 + random.nextBelow(3),
        heldInputsMax: pick([8, 40, 10_000]),
        log: {
          segmentBytesMax: pick([4096, 64 * 1024, 16 * 1024 ** 2]),
          recordBytesMax: 64 * 1024,
          pendingBytesMax: pick([70 * 1024, 16 * 1024 ** 2]),
          retainBytesMax: pick([0, 100_000, Number.POSITIVE_INFINITY]),
        },
      },
    },
  };
}
