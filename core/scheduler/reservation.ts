// EASY backfilling's reservation (Lifka, "The ANL/IBM SP scheduling system", JSSPP 1995): when, by the estimates of the
// running tasks, will the blocked head fit, and on which machines. Releases are replayed on copies of the rows that they
// touch; the cluster's own columns stay as they are.

import { KeyedHeap } from '../base/binary-heap.ts';
import { byDemand } from './by-demand.ts';
import { type ClusterState, reasonFits } from './cluster-state.ts';
import { FutureRow } from './future-row.ts';
import type { RequestKind } from './request.ts';
import type { Attempt, Task } from './task.ts';

export interface Reservation {
  /** Shadow time: the earliest time at which the head fits by the estimates; `Infinity` if it never does, 0 if it does now. */
  readonly shadowMicros: number;
  /** Machines set aside for the head: those of lowest number that are free enough at the shadow time. */
  readonly machines: ReadonlySet<number>;
}

/** Computes the reservation for `head`. `running` are the attempts that hold resources. Cost: O(machines + running), and
 *  O(log running) for each release until the head fits. */
export function reserve(head: RequestKind, running: Iterable<Attempt>, cluster: ClusterState): Reservation {
  const fitting = new Set<number>();
  for (let machine = 0; machine < cluster.machineCount; machine++) {
    if (cluster.filter(head, machine) === reasonFits) fitting.add(machine);
  }
  let shadowMicros = 0;
  if (fitting.size < head.machineCount) {
    const releases = releasesOf(running);
    const rows = new Map<number, FutureRow>();
    shadowMicros = Number.POSITIVE_INFINITY;
    while (releases.heap.length > 0) {
      const endMicros = releases.heap.peekKey();
      // What is expected to end at the shadow time is free then as well.
      if (endMicros > shadowMicros) break;
      const attempt = releases.attempts[releases.heap.pop()] as Attempt;
      for (let position = 0; position < attempt.machines.length; position++) {
        const machine = attempt.machines[position] as number;
        let row = rows.get(machine);
        if (row === undefined) {
          row = new FutureRow(cluster, machine);
          rows.set(machine, row);
        }
        row.release(attempt.kind, attempt.deviceMasks[position] as number);
        if (row.fits(head)) fitting.add(machine);
      }
      if (fitting.size >= head.machineCount) shadowMicros = endMicros;
    }
  }
  const machines = [...fitting].sort((left, right) => left - right).slice(0, head.machineCount);
  return { shadowMicros, machines: new Set(machines) };
}

/** The same for tasks that must start together: when all of them fit at once, each on what the ones before it leave, the most
 *  demanding first; and all of the machines that they then take. Cost: O(machines × members) for each release. */
export function reserveTogether(
  members: readonly Task[],
  running: Iterable<Attempt>,
  cluster: ClusterState,
): Reservation {
  const rows = Array.from({ length: cluster.machineCount }, (_, machine) => new FutureRow(cluster, machine));
  const kinds = [...members].sort(byDemand).map(({ kind }) => kind);
  const releases = releasesOf(running);
  let shadowMicros = 0;
  for (;;) {
    const machines = assignAll(kinds, rows);
    if (machines !== undefined) return { shadowMicros, machines };
    if (releases.heap.length === 0) return { shadowMicros: Number.POSITIVE_INFINITY, machines: new Set() };
    shadowMicros = releases.heap.peekKey();
    while (releases.heap.length > 0 && releases.heap.peekKey() === shadowMicros) {
      const attempt = releases.attempts[releases.heap.pop()] as Attempt;
      for (let position = 0; position < attempt.machines.length; position++) {
        const row = rows[attempt.machines[position] as number] as FutureRow;
        row.release(attempt.kind, attempt.deviceMasks[position] as number);
      }
    }
  }
}

/** The machines that all kinds together would take, in machine order; undefined if they do not fit. Leaves the rows as they were. */
function assignAll(kinds: readonly RequestKind[], rows: readonly FutureRow[]): ReadonlySet<number> | undefined {
  const taken: { readonly kind: RequestKind; readonly machine: number; readonly mask: number }[] = [];
  let fits = true;
  for (const kind of kinds) {
    let missing = kind.machineCount;
    for (let machine = 0; machine < rows.length && missing > 0; machine++) {
      const row = rows[machine] as FutureRow;
      if (!row.fits(kind)) continue;
      const mask = row.choose(kind);
      row.take(kind, mask);
      taken.push({ kind, machine, mask });
      missing--;
    }
    if (missing > 0) {
      fits = false;
      break;
    }
  }
  for (const { kind, machine, mask } of taken) (rows[machine] as FutureRow).release(kind, mask);
  return fits ? new Set(taken.map(({ machine }) => machine).sort((left, right) => left - right)) : undefined;
}

/** The attempts by expected end, ties in order of placement. */
function releasesOf(running: Iterable<Attempt>): { readonly attempts: readonly Attempt[]; readonly heap: KeyedHeap } {
  const attempts = [...running];
  const heap = new KeyedHeap(Math.max(1, attempts.length));
  for (let position = 0; position < attempts.length; position++) {
    heap.push(expectedEnd(attempts[position] as Attempt), position);
  }
  return { attempts, heap };
}

/** When the attempt ends by its estimate; it may lie in the past. */
export function expectedEnd(attempt: Attempt): number {
  const beganMicros = attempt.startedMicros >= 0 ? attempt.startedMicros : attempt.placedMicros;
  return beganMicros + Math.max(0, attempt.task.estimateMicros - attempt.resumeMicros);
}

/** Tells the machines of a reservation. Apart from where placements use it: a closure there would cost each of them a context. */
export function reservedMachines({ machines }: Reservation): (machine: number) => boolean {
  return (machine) => machines.has(machine);
}
