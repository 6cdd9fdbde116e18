// One run of the agents scenario through the simulator: the kernel, its messages, and groups that exchange tensors.

import { microsPerSecond } from '../../../core/base/time.ts';
import type { Profile } from '../../../core/scheduler/framework.ts';
import type { WorldObserver } from '../../../sim/world/observer.ts';
import { World, type WorldOptions } from '../../../sim/world/world.ts';
import type { AgentFleet } from './agent-fleet.ts';
import { AgentGroups } from './agent-groups.ts';
import type { AgentRequest } from './agent-requests.ts';

export interface AgentOutcome {
  /** Of each request, ascending. */
  readonly completionSeconds: readonly number[];
  readonly gigabits: AgentGroups['gigabits'];
  /** Digest of all that the kernel did. */
  readonly digest: string;
}

/** `profile` decides; all policies queue alike. */
export interface AgentPolicy {
  readonly place: string;
  readonly artifact?: string | undefined;
}

/** First come, first served: what does not fit holds up all behind it. */
export function agentProfile({ place, artifact }: AgentPolicy): Profile {
  return {
    name: place,
    order: 'fcfs',
    place,
    unplaced: 'block',
    backfill: 'none',
    overtakeMax: 0,
    typicalTasks: [],
    artifact,
  };
}

/** `watch`: oracles, or whoever looks on. */
export function runAgents(
  fleet: AgentFleet,
  requests: readonly AgentRequest[],
  policy: AgentPolicy,
  watch: (options: Omit<WorldOptions, 'observers'>) => readonly WorldObserver[] = () => [],
  act: (world: World) => void = () => {},
): AgentOutcome {
  const groups = new AgentGroups(fleet, requests);
  const options: Omit<WorldOptions, 'observers'> = {
    seed: 1,
    machines: fleet.machines,
    workload: groups.workload,
    profile: agentProfile(policy),
    network: {
      latency: { distribution: 'constant', meanMicros: 200, sigma: 0 },
      bandwidthBytesPerSecond: 0,
      loss: 0,
      duplication: 0,
      reordering: 0,
    },
    heartbeat: { intervalMicros: 30 * microsPerSecond, leaseMicros: 120 * microsPerSecond },
    limits: { eventsPerInstantMax: 1_000_000, causalDepthMax: 1_000_000, queueLengthMax: 1_000_000 },
    faults: [],
    settings: { 'skills.optimism': 0 },
  };
  const world = new World({ ...options, observers: [...watch(options), groups] });
  act(world);
  world.runUntilDone(Number.MAX_SAFE_INTEGER);
  return {
    completionSeconds: groups.completionSeconds.toSorted((left, right) => left - right),
    gigabits: groups.gigabits,
    digest: world.host.kernel.digest,
  };
}
