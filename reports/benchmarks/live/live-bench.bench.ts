// All parts of the live kernel's benchmark, what was measured and which goals it holds: the figures of the live kernel's promises, each
// beside a floor of the same run.

import { benchConnections, type ConnectionBench } from './connections.bench.ts';
import { benchGuard, type GuardBench } from './guard.bench.ts';
import { benchHeartbeats, type HeartbeatBench } from './heartbeats.bench.ts';
import { benchJournal, type JournalBench } from './journal.bench.ts';
import { machineName } from './surroundings.bench.ts';

export const liveParts = ['heartbeats', 'connections', 'journal', 'guard'] as const;
export type LivePart = (typeof liveParts)[number];

export interface LiveBench {
  readonly machine: string;
  readonly heartbeats?: HeartbeatBench;
  /** By durability. */
  readonly connections?: readonly ConnectionBench[];
  readonly journal?: JournalBench;
  readonly guard?: GuardBench;
}

export interface LiveGoal {
  readonly name: string;
  readonly wanted: string;
  readonly measured: string;
  readonly met: boolean;
}

/** `brief`: an order of magnitude less of everything, to see that it works. */
export async function benchLive(
  parts: readonly LivePart[],
  brief: boolean,
  told: (what: string) => void,
): Promise<LiveBench> {
  const seconds = brief ? 5 : 60;
  const connections = { connections: brief ? 200 : 2000, perSecond: 100, seconds: brief ? 5 : 30 };
  const of = <T>(part: LivePart, measure: () => Promise<T>): Promise<T | undefined> =>
    parts.includes(part) ? measure() : Promise.resolve(undefined);
  const heartbeats = await of('heartbeats', () =>
    benchHeartbeats({ agents: brief ? 1000 : 10_000, gateways: 10, seconds, queriesPerSecond: 200 }, told),
  );
  const rows = await of('connections', async () => [
    await benchConnections('powerFailure', connections, told),
    await benchConnections('processCrash', connections, told),
  ]);
  const journal = await of('journal', () => benchJournal({ turns: brief ? 2 : 20, perTurn: brief ? 100 : 200 }, told));
  const guard = await of('guard', () => benchGuard({ turns: brief ? 1 : 9, calls: brief ? 500 : 3000 }, told));
  return {
    machine: machineName(),
    ...(heartbeats === undefined ? {} : { heartbeats }),
    ...(rows === undefined ? {} : { connections: rows }),
    ...(journal === undefined ? {} : { journal }),
    ...(guard === undefined ? {} : { guard }),
  };
}

export function liveGoals({ heartbeats, connections = [] }: LiveBench): LiveGoal[] {
  const goals: LiveGoal[] = [];
  const millis = (value: number | undefined): string =>
    value === undefined ? 'no quiet moment' : `${value.toFixed(2)} ms`;
  if (heartbeats !== undefined) {
    const { agents, agentsAlive, beatingShare, query } = heartbeats;
    goals.push({
      name: `${whole(agents)} agents at 1 Hz: processor time of the kernel`,
      wanted: 'less than 20% of a core',
      measured: `${(100 * beatingShare).toFixed(1)}%, ${whole(agentsAlive)} agents ready`,
      met: beatingShare < 0.2 && agentsAlive === agents,
    });
    goals.push({
      name: `discovery p99 at ${heartbeats.queriesPerSecond}/s`,
      wanted: 'less than 2 ms',
      measured: `${millis(query.undisturbed?.p99Millis)} undisturbed, ${millis(query.measured.p99Millis)} in all`,
      met: (query.undisturbed?.p99Millis ?? Number.POSITIVE_INFINITY) < 2,
    });
  }
  for (const { connections: count, durability, perSecond, latencies, right, lost } of connections) {
    const { measured, undisturbed } = latencies;
    goals.push({
      name: `${whole(count)} connections, ${perSecond} tasks/s, ${durability}: p99 to the result`,
      wanted: 'less than 20 ms, nothing lost',
      measured: `${millis(undisturbed?.p99Millis)} undisturbed, ${millis(measured.p99Millis)} in all; ${whole(right)} of ${whole(measured.count)} right, ${lost} connections lost`,
      met: (undisturbed?.p99Millis ?? Number.POSITIVE_INFINITY) < 20 && right === measured.count && lost === 0,
    });
  }
  return goals;
}

export function whole(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}
