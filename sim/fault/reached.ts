// What the swarm has reached: which troubles and policies were drawn, and which branches of the kernel were taken, told from
// what goes in and comes out alone. The names are a list, so that what was never reached is named as well.

import { faultPointTable } from '../../core/base/fault-points.ts';
import type { Effect } from '../../core/kernel/effects.ts';
import type { InputBody } from '../../core/kernel/inputs.ts';
import { placements, queueOrders } from '../../core/scheduler/catalogue.ts';
import { filterReasons } from '../../core/scheduler/cluster-state.ts';
import type { DecisionOutcome, DecisionRule } from '../../core/scheduler/decision.ts';
import type { BackfillRule, PreemptRule, UnplacedRule } from '../../core/scheduler/framework.ts';
import type { TaskOutcome } from '../../core/scheduler/task.ts';
import { type FaultSpec, kernelFaultKinds, machineFaultKinds, serviceFaultKinds } from '../experiment/scenario.ts';
import type { LatencySpec } from '../world/latency.ts';
import type { SwarmCase } from './swarm.ts';

// Tables of names whose keys the compiler holds to the types: a new kind cannot be forgotten here.
const latencies: Readonly<Record<LatencySpec['distribution'], true>> = {
  constant: true,
  exponential: true,
  lognormal: true,
};
const unplacedRules: Readonly<Record<UnplacedRule, true>> = { block: true, skip: true, backoff: true, drop: true };
const backfillRules: Readonly<Record<BackfillRule, true>> = {
  none: true,
  never: true,
  avoidReserved: true,
  conservative: true,
};
const preemptRules: Readonly<Record<PreemptRule, true>> = { never: true, lowerPriority: true };
const outcomes: Readonly<Record<TaskOutcome, true>> = { completed: true, failed: true, dropped: true, cancelled: true };

const inputs: Readonly<Partial<Record<InputBody['kind'], true>>> = {
  agentHello: true,
  heartbeats: true,
  agentDraining: true,
  agentDisconnected: true,
  taskSubmitted: true,
  taskCancelled: true,
  dispatchAccepted: true,
  taskProgressed: true,
  taskFinished: true,
  settingChanged: true,
  resumed: true,
  timeReached: true,
  instantEnded: true,
  subscribe: true,
  acknowledge: true,
  subscriberConnected: true,
};
const effects: Readonly<Partial<Record<Effect['kind'], true>>> = {
  agentRegistered: true,
  agentRefused: true,
  heartbeatsRecorded: true,
  submissionAccepted: true,
  submissionRefused: true,
  dispatch: true,
  stop: true,
  resultRecorded: true,
  decisionMade: true,
  agentStateChanged: true,
  settingAnswered: true,
  wakeAt: true,
  subscribed: true,
  deliver: true,
};

/** Everything that a swarm should reach, by group. */
export const reachable: Readonly<Record<string, readonly string[]>> = {
  'fault drawn': [
    ...machineFaultKinds,
    ...serviceFaultKinds,
    ...kernelFaultKinds,
    'for ever',
    'of a share of the machines',
    'two of a kind at once',
  ],
  'network drawn': [...Object.keys(latencies), 'loss', 'duplication', 'reordering', 'little bandwidth'],
  'feature drawn': [
    ...['cancellations', 'short queue', 'tasks over several machines', 'gangs', 'checkpoints', 'priorities'],
    ...['bounded overtaking', 'little room in topics', 'thousands of tasks', 'journal', 'fault points'],
    ...['settings changed on the way', 'reads that fail'],
  ],
  'order drawn': Object.keys(queueOrders),
  'placement drawn': Object.keys(placements),
  'unplaced drawn': Object.keys(unplacedRules),
  'backfill drawn': Object.keys(backfillRules),
  'preemption drawn': Object.keys(preemptRules),
  'fault point': Object.keys(faultPointTable),
  outcome: [...Object.keys(outcomes), 'refused'],
  decision: ['placed', 'waits', 'dropped', 'backs off', 'evicts'] satisfies readonly DecisionOutcome[],
  rule: ['in order', 'backfilled', 'after eviction', 'incomplete gang', 'shed'] satisfies readonly DecisionRule[],
  'machines ruled out': filterReasons.slice(1),
  'kernel heard': Object.keys(inputs),
  'kernel said': Object.keys(effects),
  branch: [
    'submission repeated',
    'refusal repeated',
    'acceptance of a former attempt',
    'acceptance repeated',
    'agent declared dead',
    'agent registered anew',
    'agent restarted',
    'agent suspected',
    'cancelled while placed',
    'cancelled while waiting',
    'completed although it was to stop',
    'dispatch repeated',
    'end delivered again',
    'evicted task placed again',
    'hello of a former incarnation',
    'hello repeated',
    'lead machine lost, task placed again',
    'other machine of a task lost',
    'placed on several machines',
    'result of a dead agent or former incarnation',
    'result of a former attempt',
    'result repeated',
    'resumed from a checkpoint',
    'stop repeated',
    'suspicion ended',
    'task placed again',
    'work failed',
    'work given up for want of a lease',
    'work lost in a crash',
    'work stopped on demand',
    'input refused or lost by the journal',
    'kernel lost its power',
    'kernel recovered from its disk',
    'effects handed out again after a recovery',
  ],
};

/** How often something was reached: in how many cases, and how many times in all. */
export interface Reach {
  cases: number;
  times: number;
}

/** Counts over many cases. */
export class ReachCounts {
  readonly byName = new Map<string, Reach>();
  /** Everything that should be reached, by group. */
  readonly names: Readonly<Record<string, readonly string[]>>;

  constructor(names: Readonly<Record<string, readonly string[]>> = reachable) {
    this.names = names;
  }

  /** `seen`: times by `group: name`, of one case. */
  addCase(seen: ReadonlyMap<string, number>): void {
    for (const [name, times] of seen) this.add(name, { cases: 1, times });
  }

  add(name: string, { cases, times }: Reach): void {
    const reach = this.byName.get(name);
    if (reach === undefined) this.byName.set(name, { cases, times });
    else {
      reach.cases += cases;
      reach.times += times;
    }
  }

  /** `group: name` of all that was never reached, in the order of the list. */
  unreached(): string[] {
    return Object.entries(this.names).flatMap(([group, names]) =>
      names.map((name) => `${group}: ${name}`).filter((name) => !this.byName.has(name)),
    );
  }
}

/** What a case draws, as `group: name`. */
export function drawnFacts(drawn: SwarmCase): string[] {
  const { profile, network, faults, tasks, cancellations, queueLengthMax, settings } = drawn;
  const facts = [
    `order drawn: ${profile.order}`,
    `placement drawn: ${profile.place}`,
    `unplaced drawn: ${profile.unplaced}`,
    `backfill drawn: ${profile.backfill}`,
    `preemption drawn: ${profile.preempt ?? 'never'}`,
    `network drawn: ${network.latency.distribution}`,
  ];
  const note = (holds: boolean, fact: string): void => {
    if (holds) facts.push(fact);
  };
  note(network.loss > 0, 'network drawn: loss');
  note(network.duplication > 0, 'network drawn: duplication');
  note(network.reordering > 0, 'network drawn: reordering');
  note(network.bandwidthBytesPerSecond > 0, 'network drawn: little bandwidth');
  for (const kind of new Set(faults.map((fault) => fault.kind))) facts.push(`fault drawn: ${kind}`);
  const overlap = faults.some((one, index) => faults.slice(index + 1).some((other) => overlaps(one, other)));
  note(overlap, 'fault drawn: two of a kind at once');
  note(
    faults.some((fault) => fault.forMicros === Number.POSITIVE_INFINITY),
    'fault drawn: for ever',
  );
  note(
    faults.some((fault) => 'share' in fault.machines),
    'fault drawn: of a share of the machines',
  );
  note(cancellations.length > 0, 'feature drawn: cancellations');
  note(queueLengthMax < tasks.length, 'feature drawn: short queue');
  note(
    tasks.some((task) => task.request.machineCount > 1),
    'feature drawn: tasks over several machines',
  );
  note(
    tasks.some((task) => task.gang !== undefined),
    'feature drawn: gangs',
  );
  note(
    tasks.some((task) => (task.checkpointMicros ?? 0) > 0),
    'feature drawn: checkpoints',
  );
  note(
    tasks.some((task) => task.priority !== 0),
    'feature drawn: priorities',
  );
  note(profile.overtakeMax > 0, 'feature drawn: bounded overtaking');
  note(settings?.['bus.topicLengthMax'] !== undefined, 'feature drawn: little room in topics');
  note(tasks.length > 1000, 'feature drawn: thousands of tasks');
  note(drawn.journal !== undefined, 'feature drawn: journal');
  note((drawn.settingChanges ?? []).length > 0, 'feature drawn: settings changed on the way');
  note((drawn.journal?.disk.readFailure ?? 0) > 0, 'feature drawn: reads that fail');
  note(drawn.faultPointSeed !== undefined, 'feature drawn: fault points');
  return facts;
}

function overlaps(one: FaultSpec, other: FaultSpec): boolean {
  return (
    one.kind === other.kind &&
    one.atMicros < other.atMicros + other.forMicros &&
    other.atMicros < one.atMicros + one.forMicros
  );
}
