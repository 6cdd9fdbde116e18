// Conservative backfilling (Mu'alem and Feitelson, "Utilization, Predictability, Workloads, and User Runtime Estimates in
// Scheduling the IBM SP2 with Backfilling", IEEE TPDS 12(6), 2001): every waiting task has a reservation, and one starts early
// only where that delays none. When something changes, reservations move up in queue order, each into what the others leave
// (compression), so that as long as tasks end by their estimates and machines stay, none starts later than it was first told.
// A reservation names machines and devices; a task that can start at once takes the best machines by the placement's scores
// among those that are free for its whole length. Tasks beyond `depthMax` get no reservation, and start where they harm none.

import { Availability, type Window } from './availability.ts';
import { byDemand } from './by-demand.ts';
import type { Begun } from './place-gang.ts';
import type { Placer } from './placer.ts';
import type { Task } from './task.ts';

/** Windows of a task, or of all members of a gang, that begin at once. */
export interface Plan {
  readonly startMicros: number;
  readonly parts: readonly { readonly task: Task; readonly window: Window }[];
}

export type PlansSnapshot = readonly {
  readonly task: number;
  readonly startMicros: number;
  readonly parts: readonly (Omit<Window, 'kind'> & { readonly task: number })[];
}[];

/** Who is told of what a plan brings about. */
export interface PlanListener {
  queueLength(): number;
  /** The task, or all members of the gang that it stands for, hold their resources. */
  started(task: Task, begun: readonly Begun[]): void;
  /** The task has to wait. */
  waits(task: Task): void;
}

export class ConservativeBackfill {
  private readonly placer: Placer;
  /** By number of the task that stands in the queue, in no particular order. */
  private readonly plans = new Map<number, Plan>();
  private readonly found: number[] = [];

  constructor(placer: Placer) {
    this.placer = placer;
  }

  /** When the waiting task is to start at the latest, `Infinity` if it has no reservation. */
  startOf(task: Task): number {
    return this.plans.get(task.task)?.startMicros ?? Number.POSITIVE_INFINITY;
  }

  /** The task waits no longer. The machines that were set aside for it. */
  forget(task: Task): readonly number[] {
    const plan = this.plans.get(task.task);
    this.plans.delete(task.task);
    return plan?.parts.flatMap(({ window }) => window.machines) ?? [];
  }

  /** Plans anew, and starts what can start now. `waiting`: tasks in queue order, gangs by the task that stands for them.
   *  `hasRoom`: some machine has gained room since the last time; otherwise nobody can move up. */
  plan(waiting: readonly Task[], hasRoom: boolean, depthMax: number, nowMicros: number, listener: PlanListener): void {
    const availability = new Availability(this.placer.cluster, this.placer.attempts.values(), nowMicros);
    /** The first task that has to wait: who starts after it is backfilled. */
    let head: Task | undefined;
    const mayMoveUp = this.keepWhatHolds(waiting, availability, nowMicros) || hasRoom;
    /** Tasks with a reservation, or that were looked at for one. */
    let depth = 0;
    /** Shortest length, by kind, for which no machine is free now: what is longer need not be tried. */
    const tooLong = new Map<number, number>();
    for (const task of waiting) {
      const former = this.plans.get(task.task);
      const reserves = former !== undefined || depth < depthMax;
      if (reserves) depth++;
      else if (task.gang === undefined && (tooLong.get(task.kind.id) ?? Number.POSITIVE_INFINITY) <= lengthOf(task))
        continue;
      if (former !== undefined && !mayMoveUp) {
        head ??= task;
        continue;
      }
      if (former !== undefined) for (const { window } of former.parts) availability.giveBack(window);
      const plan =
        task.gang === undefined
          ? this.planOne(task, availability, nowMicros)
          : planGang(task.gang.members, availability);
      if (plan === undefined || plan.startMicros > nowMicros) {
        if (task.gang === undefined)
          tooLong.set(task.kind.id, Math.min(lengthOf(task), tooLong.get(task.kind.id) ?? Number.POSITIVE_INFINITY));
        head ??= task;
        this.tellWaits(task, listener);
      }
      if (plan === undefined || (plan.startMicros > nowMicros && !reserves)) continue;
      for (const { window } of plan.parts) availability.take(window);
      if (plan.startMicros > nowMicros) {
        this.plans.set(task.task, plan);
      } else {
        this.plans.delete(task.task);
        const begun = this.start(plan, head, nowMicros, listener.queueLength());
        if (begun !== undefined) listener.started(task, begun);
      }
    }
  }

  save(): PlansSnapshot {
    return [...this.plans]
      .map(([task, { startMicros, parts }]) => ({
        task,
        startMicros,
        parts: parts.map(({ task: { task: number }, window: { kind: _kind, ...window } }) => ({
          task: number,
          ...window,
        })),
      }))
      .sort((left, right) => left.task - right.task);
  }

  restore(snapshot: PlansSnapshot, tasks: ReadonlyMap<number, Task>): void {
    for (const { task, startMicros, parts } of snapshot) {
      const restored = parts.map(({ task: number, ...window }) => {
        const member = tasks.get(number) as Task;
        return { task: member, window: { ...window, kind: member.kind } };
      });
      this.plans.set(task, { startMicros, parts: restored });
    }
  }

  /** Sets aside the reservations that still can be kept, the earlier first, and forgets the others, and those of tasks that
   *  wait no longer. True if some could not be kept. */
  private keepWhatHolds(waiting: readonly Task[], availability: Availability, nowMicros: number): boolean {
    let broken = false;
    const here = new Set(waiting.map(({ task }) => task));
    const inOrder = [...this.plans].sort(
      ([left, first], [right, second]) => first.startMicros - second.startMicros || left - right,
    );
    for (const [task, plan] of inOrder) {
      const taken: Window[] = [];
      let holds = here.has(task) && plan.startMicros >= nowMicros;
      for (const { window } of holds ? plan.parts : []) {
        holds = availability.holdsWindow(window);
        if (!holds) break;
        availability.take(window);
        taken.push(window);
      }
      if (holds) continue;
      for (const window of taken) availability.giveBack(window);
      this.plans.delete(task);
      broken = true;
    }
    return broken;
  }

  /** Takes what is planned for now; nothing, and undefined, if the columns have no room where the plan has: sums of fractions of a
   *  CPU milli depend on their order in the last bit. */
  private start({ parts }: Plan, head: Task | undefined, nowMicros: number, queueLength: number): Begun[] | undefined {
    const rule = head === undefined ? 'in order' : 'backfilled';
    const facts = { rule, shadowMicros: head === undefined ? -1 : this.startOf(head), queueLength } as const;
    const { attemptCount, decisionCount } = this.placer;
    const begun: Begun[] = [];
    for (const { task, window } of parts) {
      const found = this.placer.findAt(window.kind, window.machines);
      if (found !== undefined) {
        begun.push(this.placer.reserve(task, found, nowMicros, facts, window.deviceMasks));
        continue;
      }
      for (const { attempt } of begun.reverse()) this.placer.release(attempt);
      this.placer.attemptCount = attemptCount;
      this.placer.decisionCount = decisionCount;
      return undefined;
    }
    return begun;
  }

  private tellWaits(task: Task, listener: PlanListener): void {
    if (!task.explained) this.placer.index.consider(task.kind);
    listener.waits(task);
  }

  private planOne(task: Task, availability: Availability, nowMicros: number): Plan | undefined {
    const { kind } = task;
    const length = lengthOf(task);
    const startMicros = availability.earliestTogether(kind, nowMicros, length, this.found);
    if (startMicros === Number.POSITIVE_INFINITY) return undefined;
    const isFree = (machine: number): boolean => availability.fits(kind, machine, nowMicros, length);
    const best = startMicros === nowMicros ? this.placer.find(kind, (machine) => !isFree(machine)) : undefined;
    return {
      startMicros,
      parts: [{ task, window: windowOf(task, best ?? [...this.found], startMicros, availability) }],
    };
  }
}

/** The earliest time at which all members fit, each beside those before it, the most demanding first; found by trying each time at
 *  which something changes. */
function planGang(members: readonly Task[], availability: Availability): Plan | undefined {
  const inOrder = [...members].sort(byDemand);
  const found: number[] = [];
  for (const startMicros of availability.changeTimes()) {
    const parts: { readonly task: Task; readonly window: Window }[] = [];
    for (const task of inOrder) {
      if (availability.earliestTogether(task.kind, startMicros, lengthOf(task), found) !== startMicros) break;
      const window = windowOf(task, [...found], startMicros, availability);
      availability.take(window);
      parts.push({ task, window });
    }
    for (const { window } of parts) availability.giveBack(window);
    if (parts.length === inOrder.length) return { startMicros, parts };
  }
  return undefined;
}

function windowOf(task: Task, machines: readonly number[], startMicros: number, availability: Availability): Window {
  const { kind } = task;
  const length = lengthOf(task);
  const deviceMasks = machines.map((machine) => availability.chooseDevices(kind, machine, startMicros, length));
  return { kind, machines, deviceMasks, startMicros, endMicros: startMicros + length };
}

/** How long the task will run by its estimate: at least a microsecond. */
function lengthOf(task: Task): number {
  return Math.max(1, task.estimateMicros - task.progressMicros);
}
