// The agents scenario as whole runs: how long the slowest twentieth of the requests took.

import { RandomStream } from '../../../core/base/random.ts';
import { DeclaredLinks } from '../../../core/kernel/declared-links.ts';
import { placementFeatureCount } from '../../../core/policy/placement-features.ts';
import { learnedPlacementName } from '../../../core/scheduler/catalogue.ts';
import { reasonFits } from '../../../core/scheduler/cluster-state.ts';
import { leastLeftDevices } from '../../../core/scheduler/plugins/least-left-devices.ts';
import { PlacementObserver } from '../../../core/scheduler/plugins/placement-observer.ts';
import type { WorkloadTask } from '../../../sim/workload/workload.ts';
import type { World } from '../../../sim/world/world.ts';
import type { RunMetrics, TakeRow, WholeRuns } from '../whole-runs.ts';
import { type AgentFleet, agentFleet, gavelFile } from './agent-fleet.ts';
import { type AgentRequest, AgentRequests, azureFile } from './agent-requests.ts';
import { type AgentPolicy, runAgents } from './agent-run.ts';

export interface AgentsSpec {
  readonly kind: 'agents';
  /** Placement that the network corrects. */
  readonly fallback: string;
  /** Requests come so many times as fast as in the trace, drawn for each run between the two. */
  readonly factorMin: number;
  readonly factorMax: number;
  /** Of the trace, that a run plays. */
  readonly lengthSeconds: number;
}

/** Fleets of the tests, and of no training: seeds beyond those that training draws. */
export const testFleetSeeds: readonly number[] = [1, 2, 3, 4, 5].map((index) => 2 ** 40 + index);
/** The load of the training's own tests; the page looks for the load that is sustained. */
const testFactor = 2;
/** Of the requests, the slowest. */
const tailShare = 0.05;

interface AgentCase {
  readonly fleet: AgentFleet;
  readonly requests: readonly AgentRequest[];
}

export function agentRuns(spec: AgentsSpec): WholeRuns {
  const requests = new AgentRequests();
  let last: { readonly seed: number; readonly drawn: AgentCase } | undefined;
  const drawOf = (seed: number): AgentCase => {
    if (last?.seed === seed) return last.drawn;
    const random = new RandomStream(seed, 'agents case');
    const factor = spec.factorMin * (spec.factorMax / spec.factorMin) ** random.nextFloat();
    // Seeds of validation runs lie beyond the others, see train-evolution.ts.
    const span = seed >= 2 ** 33 ? 'validation' : 'training';
    const drawn = {
      fleet: agentFleet(seed),
      requests: requests.draw(span, seed, factor, spec.lengthSeconds),
    };
    last = { seed, drawn };
    return drawn;
  };
  const policyOf = (artifact: string | undefined): AgentPolicy =>
    artifact === undefined ? { place: spec.fallback } : { place: learnedPlacementName, artifact };
  return {
    fallback: spec.fallback,
    isMoreBetter: false,
    play: (seed, artifact) => play(drawOf(seed), policyOf(artifact)),
    measure: (seed, take) => measure(drawOf(seed), spec.fallback, seed, take),
    tests: testFleetSeeds.map((seed, index) => ({
      name: `fleet ${index + 1}`,
      play: (artifact) =>
        play({ fleet: agentFleet(seed), requests: requests.draw('tests', seed, testFactor) }, policyOf(artifact)),
    })),
    files: [azureFile, gavelFile],
  };
}

function play({ fleet, requests }: AgentCase, policy: AgentPolicy): RunMetrics {
  const { completionSeconds } = runAgents(fleet, requests, policy);
  return {
    // Runs differ by orders of magnitude: the logarithm lets each count alike.
    completionTailLog: Math.log(tailMean(completionSeconds)),
    completionP99: percentile(completionSeconds, 0.99),
  };
}

function tailMean(ascending: readonly number[]): number {
  if (ascending.length === 0) return 1;
  const tail = ascending.slice(Math.min(ascending.length - 1, Math.floor(ascending.length * (1 - tailShare))));
  return tail.reduce((sum, value) => sum + value, 0) / tail.length;
}

/** The smallest value that this share of them does not exceed. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)] ?? 0;
}

/** At each arrival, all machines with room, with mates drawn among them. */
function measure({ fleet, requests }: AgentCase, place: string, seed: number, take: TakeRow): void {
  const random = new RandomStream(seed, 'measured mates');
  const row = new Float64Array(placementFeatureCount);
  let world: World | undefined;
  let observer: PlacementObserver | undefined;
  const look = (submission: number, task: WorkloadTask): void => {
    if (world === undefined || submission % 5 !== 0) return;
    const { scheduler, registry } = world.host.kernel.control;
    const { cluster } = scheduler;
    const context = { cluster, random, typicalTasks: [], skills: registry.skills, links: new DeclaredLinks(registry) };
    observer ??= new PlacementObserver(context, leastLeftDevices(context));
    const kind = scheduler.kinds.intern(task.request, registry.skills.internClass(task.taskClass ?? ''));
    const fitting = fleet.machines.flatMap((_, machine) =>
      cluster.filter(kind, machine) === reasonFits ? [machine] : [],
    );
    if (fitting.length === 0) return;
    const size = task.gang?.size ?? 1;
    const placed = random.nextBelow(size);
    const anyone = (): number => fitting[random.nextBelow(fitting.length)]!;
    const near = anyone();
    const machines = Array.from({ length: placed }, () => (random.nextFloat() < 0.5 ? near : anyone()));
    const mates = size === 1 ? undefined : { machines, left: size - placed };
    for (const machine of fitting) {
      observer.observe(kind, machine, mates, row, 0);
      take(row);
    }
  };
  const watch = () => [{ taskArrived: look }];
  runAgents(fleet, requests, { place }, watch, (made) => {
    world = made;
  });
}
