// Which running tasks make room for one that fits nowhere: the machines are those where evicting hurts least, and of what
// runs there everything is spared that need not go. It only chooses; who stops them, and who keeps the room, is not decided here.
// After Kubernetes' preemption (pkg/scheduler/framework/preemption: `SelectVictimsOnNode`, `pickOneNodeForPreemption`),
// without disruption budgets, with lost work in the place of start times.

import { type ClusterState, reasonFits } from './cluster-state.ts';
import { FutureRow } from './future-row.ts';
import type { RequestKind } from './request.ts';
import type { Attempt, Task } from './task.ts';

export interface Eviction {
  /** As many as the task spans, the least hurt first. */
  readonly machines: readonly number[];
  /** In order of placement. */
  readonly victims: readonly Attempt[];
}

/** One machine on which the task would fit, and what that takes. */
interface Candidate {
  readonly machine: number;
  readonly victims: readonly Attempt[];
  readonly highestPriority: number;
  readonly lostMicros: number;
}

/** What may go: running attempts of strictly lower priority whose task was not evicted `preemptionsMax` times yet, by machine.
 *  What is being stopped already is not counted on; members of a gang stay, since one alone could not go. */
export function victimsByMachine(
  priority: number,
  running: Iterable<Attempt>,
  preemptionsMax: number,
): ReadonlyMap<number, Attempt[]> {
  const byMachine = new Map<number, Attempt[]>();
  for (const attempt of running) {
    const { task } = attempt;
    if (attempt.state === 'cancelling' || task.gangSize > 0) continue;
    if (task.priority >= priority || task.preemptions >= preemptionsMax) continue;
    for (const machine of attempt.machines) {
      const there = byMachine.get(machine);
      if (there === undefined) byMachine.set(machine, [attempt]);
      else there.push(attempt);
    }
  }
  return byMachine;
}

/** Whether `machine` would have room for `kind` if all of `victims` left it. */
export function wouldFit(
  kind: RequestKind,
  machine: number,
  victims: readonly Attempt[],
  cluster: ClusterState,
): boolean {
  if (cluster.schedulable[machine] === 0) return false;
  const row = new FutureRow(cluster, machine);
  for (const victim of victims) row.release(victim.kind, maskOn(victim, machine));
  return row.fits(kind);
}

/** Chooses machines and victims for `task`; undefined if evicting makes no room. Machines rank by the highest priority among their
 *  victims (lower first), then the number of victims, then the service lost since the last checkpoint, then machine order.
 *  On each, victims are spared in order of priority, then lost service, then placement, highest first. Cost: a pass over the
 *  running attempts, and O(v log v) for each machine with v candidates. */
export function chooseVictims(
  task: Task,
  running: Iterable<Attempt>,
  cluster: ClusterState,
  nowMicros: number,
  preemptionsMax: number,
): Eviction | undefined {
  const { kind } = task;
  const byMachine = victimsByMachine(task.priority, running, preemptionsMax);
  const candidates: Candidate[] = [];
  for (let machine = 0; machine < cluster.machineCount; machine++) {
    const there = byMachine.get(machine);
    if (there !== undefined) {
      const victims = needed(kind, machine, there, cluster, nowMicros);
      if (victims !== undefined) candidates.push(candidateOf(machine, victims, nowMicros));
    } else if (cluster.filter(kind, machine) === reasonFits) candidates.push(candidateOf(machine, [], nowMicros));
  }
  if (candidates.length < kind.machineCount) return undefined;
  candidates.sort(byHurt);
  const machines = candidates.slice(0, kind.machineCount).map(({ machine }) => machine);
  const union = new Set(candidates.slice(0, kind.machineCount).flatMap(({ victims }) => victims));
  // What spans several of the machines may make others on them superfluous.
  if (kind.machineCount > 1) spareMore(kind, machines, union, cluster, nowMicros);
  return { machines, victims: [...union].sort((left, right) => left.attempt - right.attempt) };
}

/** The victims on `machine` that cannot be spared; undefined if the task would not fit without all of them. */
function needed(
  kind: RequestKind,
  machine: number,
  there: readonly Attempt[],
  cluster: ClusterState,
  nowMicros: number,
): Attempt[] | undefined {
  if (cluster.schedulable[machine] === 0) return undefined;
  const row = new FutureRow(cluster, machine);
  for (const victim of there) row.release(victim.kind, maskOn(victim, machine));
  if (!row.fits(kind)) return undefined;
  return sparingOrder(there, nowMicros).filter((victim) => {
    row.take(victim.kind, maskOn(victim, machine));
    if (row.fits(kind)) return false;
    row.release(victim.kind, maskOn(victim, machine));
    return true;
  });
}

function spareMore(
  kind: RequestKind,
  machines: readonly number[],
  victims: Set<Attempt>,
  cluster: ClusterState,
  nowMicros: number,
): void {
  for (const spared of sparingOrder([...victims], nowMicros)) {
    const rest = [...victims].filter((victim) => victim !== spared);
    const stillFits = machines.every((machine) =>
      wouldFit(
        kind,
        machine,
        rest.filter((victim) => victim.machines.includes(machine)),
        cluster,
      ),
    );
    if (stillFits) victims.delete(spared);
  }
}

/** Whom to spare first. */
function sparingOrder(victims: readonly Attempt[], nowMicros: number): Attempt[] {
  return [...victims].sort(
    (left, right) =>
      right.task.priority - left.task.priority ||
      lostMicros(right, nowMicros) - lostMicros(left, nowMicros) ||
      left.attempt - right.attempt,
  );
}

/** Service that has to be done again if the attempt is stopped now. */
function lostMicros({ task, startedMicros, resumeMicros }: Attempt, nowMicros: number): number {
  if (startedMicros < 0) return 0;
  return Math.max(0, nowMicros - startedMicros - Math.max(0, task.progressMicros - resumeMicros));
}

function candidateOf(machine: number, victims: readonly Attempt[], nowMicros: number): Candidate {
  let highestPriority = Number.NEGATIVE_INFINITY;
  let lost = 0;
  for (const victim of victims) {
    highestPriority = Math.max(highestPriority, victim.task.priority);
    lost += lostMicros(victim, nowMicros);
  }
  return { machine, victims, highestPriority, lostMicros: lost };
}

function byHurt(left: Candidate, right: Candidate): number {
  // Two machines without victims have −∞ both, whose difference is no number.
  if (left.highestPriority !== right.highestPriority) return left.highestPriority < right.highestPriority ? -1 : 1;
  return (
    left.victims.length - right.victims.length || left.lostMicros - right.lostMicros || left.machine - right.machine
  );
}

function maskOn(attempt: Attempt, machine: number): number {
  return attempt.deviceMasks[attempt.machines.indexOf(machine)] as number;
}
