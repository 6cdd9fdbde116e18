// Ten thousand agents behind gateways, each with a beat a second, and discovery beside it: what the kernel's process uses of a core, what
// an agent takes of its memory, and how long a query takes from another process.

import { BenchChild, childFile } from './bench-child.bench.ts';
import type { FleetOptions } from './fleet-process.bench.ts';
import { coreShare, KernelUnderTest } from './kernel-under-test.bench.ts';
import type { PairedLatencies } from './open-load.bench.ts';
import type { QueryOptions } from './query-process.bench.ts';
import { type Surroundings, watchMachine } from './surroundings.bench.ts';

export interface HeartbeatOptions {
  readonly agents: number;
  readonly gateways: number;
  readonly seconds: number;
  readonly queriesPerSecond: number;
}

export interface HeartbeatBench extends HeartbeatOptions {
  readonly registrationSeconds: number;
  /** Of one core, 0 to 1: with heartbeats alone, and with queries. */
  readonly beatingShare: number;
  readonly queryingShare: number;
  readonly cpuMicrosPerQuery: number;
  /** Of the kernel's process, before the agents came and with them. */
  readonly residentBytesBefore: number;
  readonly residentBytes: number;
  readonly bytesPerAgent: number;
  readonly agentsAlive: number;
  /** The floor is the same library's call that does nothing, between the queries. */
  readonly query: PairedLatencies;
  readonly surroundings: Surroundings;
}

const settleMillis = 5000;

export async function benchHeartbeats(
  options: HeartbeatOptions,
  told: (what: string) => void,
): Promise<HeartbeatBench> {
  const { agents, gateways, seconds, queriesPerSecond } = options;
  const settings = { 'registry.heartbeatIntervalMicros': 1_000_000, 'registry.leaseMicros': 10_000_000 };
  const kernel = await KernelUnderTest.start({ durability: 'powerFailure', settings });
  const children = ['fleet', 'query', 'echo'].map((name) => new BenchChild(childFile(name)));
  const [fleet, query, echo] = children as [BenchChild, BenchChild, BenchChild];
  try {
    const empty = await leastUse(kernel);
    told(`${agents} agents register`);
    const fleetOptions: FleetOptions = {
      ...{ address: kernel.address, gateways, agentsPerGateway: agents / gateways, skillsEach: 8 },
    };
    const registrationMillis = await fleet.ask<number>('start', fleetOptions);
    await pause(settleMillis);
    told('heartbeats alone');
    const watched = watchMachine();
    const before = await kernel.use();
    await pause(seconds * 1000);
    const between = await kernel.use();
    told('heartbeats and queries');
    const floor = await echo.ask<string>('start', { guarded: false, folder: '' });
    const queries: QueryOptions = {
      ...{ kernel: kernel.address, floor, perSecond: queriesPerSecond, seconds: 2, floorMaxMillis: 1 },
    };
    await echo.ask('answerWith', await query.ask('once', queries));
    await query.ask('run', queries);
    const beforeQueries = await kernel.use();
    const answer = await query.ask<PairedLatencies>('run', { ...queries, seconds });
    const after = await kernel.use();
    const full = await leastUse(kernel);
    const beatingShare = coreShare(before, between);
    const queryingShare = coreShare(beforeQueries, after);
    return {
      ...options,
      registrationSeconds: registrationMillis / 1000,
      ...{ beatingShare, queryingShare },
      cpuMicrosPerQuery: (1e6 * (queryingShare - beatingShare)) / queriesPerSecond,
      residentBytesBefore: empty.residentBytes,
      residentBytes: full.residentBytes,
      bytesPerAgent: (full.residentBytes - empty.residentBytes) / agents,
      agentsAlive: await kernel.metric('sira_agents', 'state="ready"'),
      query: answer,
      surroundings: watched(),
    };
  } finally {
    await Promise.all(children.map((child) => child.end()));
    await kernel.stop();
  }
}

/** Garbage counts as memory until it is collected: the least of a few looks. */
async function leastUse(kernel: KernelUnderTest): Promise<{ readonly residentBytes: number }> {
  let residentBytes = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 8; look++) {
    residentBytes = Math.min(residentBytes, (await kernel.use()).residentBytes);
    await pause(500);
  }
  return { residentBytes };
}

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
