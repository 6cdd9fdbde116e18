// EASY backfilling's reservation (Lifka, "The ANL/IBM SP scheduling system", JSSPP 1995): when, by the estimates of the
// running tasks, will the blocked head fit, and on which machines. Releases are replayed on copies of the rows that they
// touch; the cluster's own columns stay as they are.

import { KeyedHeap } from '../base/binary-heap.ts';
import { type ClusterState, reasonFits } from './cluster-state.ts';
import { FutureRow } from './future-row.ts';
import type { RequestKind } from './request.ts';
import type { Attempt } from './task.ts';

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
