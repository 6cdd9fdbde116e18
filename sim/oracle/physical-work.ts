// What physically runs where, for the oracles that judge it: the works begun and not ended, by attempt and by leading
// machine, and which machines hang. A work whose leader hangs and was declared dead is *forfeited*: it stands still and must
// be given up before the machine goes on, so its resources and its task may pass to others.

import type { Dispatch, Effect } from '../../core/kernel/effects.ts';
import type { WorkEnd, WorldObserver } from '../world/observer.ts';

export interface PhysicalWork {
  readonly dispatch: Dispatch;
  /** The world's indices, the leading machine first. */
  readonly machines: readonly number[];
  readonly startedMicros: number;
  forfeited: boolean;
}

/** Told of each change, after the tables are up to date. */
export interface PhysicalWorkListener {
  begun(work: PhysicalWork, nowMicros: number): void;
  /** Its machines are free of it: it ended, or was forfeited. Called once a work. */
  gone(work: PhysicalWork, nowMicros: number): void;
}

export class PhysicalWorks implements WorldObserver {
  readonly byAttempt = new Map<number, PhysicalWork>();
  readonly listeners: PhysicalWorkListener[] = [];
  private readonly machineOfName = new Map<string, number>();
  /** Machine by agent number. */
  private readonly machineOfAgent: number[] = [];
  private readonly hung: boolean[];

  constructor(names: readonly string[]) {
    this.hung = names.map(() => false);
    names.forEach((name, machine) => {
      this.machineOfName.set(name, machine);
    });
  }

  /** −1 if the agent never registered. */
  machineOf(agent: number): number {
    return this.machineOfAgent[agent] ?? -1;
  }

  isHung(machine: number): boolean {
    return this.hung[machine] === true;
  }

  /** Works led by `machine`. A scan: for rare events. */
  ledBy(machine: number): PhysicalWork[] {
    return [...this.byAttempt.values()].filter((work) => work.machines[0] === machine);
  }

  workStarted(dispatch: Dispatch, machines: readonly number[], nowMicros: number): void {
    const work: PhysicalWork = { dispatch, machines, startedMicros: nowMicros, forfeited: false };
    this.byAttempt.set(dispatch.attempt, work);
    for (const listener of this.listeners) listener.begun(work, nowMicros);
  }

  workEnded(dispatch: Dispatch, _machines: readonly number[], _end: WorkEnd, nowMicros: number): void {
    const work = this.byAttempt.get(dispatch.attempt);
    if (work === undefined) return;
    this.byAttempt.delete(dispatch.attempt);
    if (!work.forfeited) for (const listener of this.listeners) listener.gone(work, nowMicros);
  }

  kernelEffect(effect: Effect, nowMicros: number): void {
    if (effect.kind === 'agentRegistered') {
      const machine = this.machineOfName.get(effect.name);
      if (machine !== undefined) this.machineOfAgent[effect.agent] = machine;
    } else if (effect.kind === 'agentStateChanged' && effect.to === 'dead') {
      const machine = this.machineOf(effect.agent);
      if (!this.isHung(machine)) return;
      for (const work of this.ledBy(machine)) {
        if (work.forfeited) continue;
        work.forfeited = true;
        for (const listener of this.listeners) listener.gone(work, nowMicros);
      }
    }
  }

  machineHung(machine: number, hung: boolean): void {
    this.hung[machine] = hung;
  }
}
