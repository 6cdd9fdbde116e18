// What EASY backfilling has set aside for the blocked head of the queue, and for how long that holds: `never` keeps the shadow
// time as first computed until the head starts; with `avoidReserved` any change of the cluster or of an attempt voids it.

import type { ClusterState } from './cluster-state.ts';
import type { BackfillRule } from './framework.ts';
import { type Reservation, reserve, reserveTogether } from './reservation.ts';
import type { Attempt, Task } from './task.ts';

export class EasyReservation {
  private readonly rule: BackfillRule;
  private reservation: Reservation | undefined;

  constructor(rule: BackfillRule) {
    this.rule = rule;
  }

  /** The reservation for `head`, computed if there is none. */
  of(head: Task, running: Iterable<Attempt>, cluster: ClusterState): Reservation {
    this.reservation ??=
      head.gang === undefined
        ? reserve(head.kind, running, cluster)
        : reserveTogether(head.gang.members, running, cluster);
    return this.reservation;
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
