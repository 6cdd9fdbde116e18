// Two thousand connections, each a submitter's own: tasks with a small tensor at a fixed rate over all of them, through journal, placement
// and agent, and back. What is acknowledged is on the disk, so a sync of the disk stands beside it as a second floor.

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Durability } from '../../../core/live/live-kernel.ts';
import { BenchChild, childFile } from './bench-child.bench.ts';
import type { ConnectionAnswer, ConnectionOptions } from './connections-process.bench.ts';
import type { FleetOptions } from './fleet-process.bench.ts';
import { coreShare, KernelUnderTest } from './kernel-under-test.bench.ts';
import { type Latencies, latenciesOf } from './open-load.bench.ts';
import { type Surroundings, watchMachine } from './surroundings.bench.ts';

export interface ConnectionSettings {
  readonly connections: number;
  readonly perSecond: number;
  readonly seconds: number;
}

export interface ConnectionBench extends ConnectionSettings, ConnectionAnswer {
  readonly durability: Durability;
  readonly connectSeconds: number;
  readonly kernelShare: number;
  readonly cpuMicrosPerTask: number;
  readonly bytesPerConnection: number;
  readonly inputsPerTask: number;
  /** One append of 4 KiB and its fdatasync, beside the kernel's own files. */
  readonly sync: Latencies;
  readonly surroundings: Surroundings;
}

const warmSeconds = 3;

export async function benchConnections(
  durability: Durability,
  options: ConnectionSettings,
  told: (what: string) => void,
): Promise<ConnectionBench> {
  const kernel = await KernelUnderTest.start({ durability });
  const children = ['fleet', 'connections', 'echo'].map((name) => new BenchChild(childFile(name)));
  const [fleet, submitters, echo] = children as [BenchChild, BenchChild, BenchChild];
  try {
    const agents: FleetOptions = { address: kernel.address, gateways: 4, agentsPerGateway: 4, skillsEach: 0 };
    await fleet.ask('start', agents);
    const empty = await kernel.use();
    const floor = await echo.ask<string>('start', { guarded: false, folder: '' });
    const asked: ConnectionOptions = { ...options, kernel: kernel.address, floor, floorMaxMillis: 5 };
    told(`${options.connections} connections, ${durability}`);
    const connectMillis = await submitters.ask<number>('connect', asked);
    const full = await kernel.use();
    await submitters.ask('run', { ...asked, seconds: warmSeconds });
    const watched = watchMachine();
    const inputsBefore = await kernel.metric('sira_journal_sequence');
    const before = await kernel.use();
    const answer = await submitters.ask<ConnectionAnswer>('run', asked);
    const after = await kernel.use();
    const inputs = (await kernel.metric('sira_journal_sequence')) - inputsBefore;
    const kernelShare = coreShare(before, after);
    return {
      ...{ ...options, ...answer, durability, kernelShare },
      connectSeconds: connectMillis / 1000,
      cpuMicrosPerTask: (1e6 * (after.cpuSeconds - before.cpuSeconds)) / answer.latencies.measured.count,
      bytesPerConnection: (full.residentBytes - empty.residentBytes) / options.connections,
      inputsPerTask: inputs / answer.latencies.measured.count,
      sync: measureSync(kernel.folder),
      surroundings: watched(),
    };
  } finally {
    await Promise.all(children.map((child) => child.end()));
    await kernel.stop();
  }
}

/** The disk alone. */
export function measureSync(folder: string, count = 200): Latencies {
  const file = openSync(join(folder, 'sync-floor'), 'a');
  const block = Buffer.alloc(4096, 7);
  const millis = Array.from({ length: count }, () => {
    const begin = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return performance.now() - begin;
  });
  closeSync(file);
  return latenciesOf({ millis, late: [] });
}
