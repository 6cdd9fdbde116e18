// What EASY backfilling has set aside for the blocked head of the queue, and for how long that holds: `never` keeps the shadow
// time as first computed until the head starts; with `avoidReserved` any change of the cluster or of an attempt voids it.

import type { ClusterState } from './cluster-state.ts';
import type { BackfillRule } from './framework.ts';
import type { RequestKind } from './request.ts';
import { type Reservation, reserve, reserveTogether } from './reservation.ts';
import type { Attempt, Task } from './task.ts';

export class EasyReservation {
  private readonly rule: BackfillRule;
  private reservation: Reservation | undefined;

  constructor(rule: BackfillRule) {
    this.rule = rule;
  }

  /** The reservation for `head`, computed if there is none. */
  private of(head: Task, running: Iterable<Attempt>, cluster: ClusterState): Reservation {
    this.reservation ??=
      head.gang === undefined
        ? reserve(head.kind, running, cluster)
        : reserveTogether(head.gang.members, running, cluster);
    return this.reservation;
  }

  /** Later tasks may start now if that does not delay the blocked head by the estimates; tried in order of submission.
   *  `tryPlace` says whether the task started: anywhere, or off the machines that are `reserved`. */
  backfill(
    head: Task,
    waiting: readonly Task[],
    running: Iterable<Attempt>,
    cluster: ClusterState,
    nowMicros: number,
    tryPlace: (task: Task, reserved: Reservation | undefined, shadowMicros: number) => boolean,
  ): void {
    const reservation = this.of(head, running, cluster);
    const { shadowMicros } = reservation;
    // Within one pass resources only shrink: what did not fit once need not be tried for its twins.
    const unfitting = new Set<RequestKind>();
    const unfittingBeside = new Set<RequestKind>();
    for (const task of waiting) {
      if (task === head) continue;
      const endsBefore = nowMicros + longestEstimate(task) < shadowMicros;
      if (!endsBefore && this.rule === 'never') continue;
      const tried = endsBefore ? unfitting : unfittingBeside;
      if (task.gang === undefined && tried.has(task.kind)) continue;
      const placed = tryPlace(task, endsBefore ? undefined : reservation, shadowMicros);
      if (!placed && task.gang === undefined) tried.add(task.kind);
    }
  }

  /** The head has started, or is gone. */
  forget(): void {
    this.reservation = undefined;
  }

  /** What the reservation was computed from has changed. */
  void(): void {
    if (this.keptShadowMicros < 0) this.reservation = undefined;
  }

  /** The shadow time that holds whatever changes, −1 if none does. A task that fits at no known time has none to keep. */
  get keptShadowMicros(): number {
    const shadowMicros = this.reservation?.shadowMicros ?? -1;
    return this.rule === 'never' && shadowMicros !== Number.POSITIVE_INFINITY ? shadowMicros : -1;
  }

  /** Takes back a kept shadow time. Only its time is ever looked at again: `never` reserves no machines. */
  restore(keptShadowMicros: number): void {
    if (keptShadowMicros >= 0) this.reservation = { shadowMicros: keptShadowMicros, machines: new Set() };
  }
}

function longestEstimate(task: Task): number {
  if (task.gang === undefined) return task.estimateMicros;
  return task.gang.members.reduce((longest, { estimateMicros }) => Math.max(longest, estimateMicros), 0);
}
