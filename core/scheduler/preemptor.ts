// Preempt, the plug-in point: makes room for a task that fits nowhere by stopping running ones of lower priority, and gives it
// that room when they are gone. Whom to stop is chosen in choose-victims.ts, the room is kept by held-machines.ts; who tells the
// victims, and what becomes of them, is the kernel's part.

import type { KernelSettingTable } from '../config/kernel-setting-table.ts';
import type { Settings } from '../config/settings.ts';
import { chooseVictims, type Eviction, victimsByMachine, wouldFit } from './choose-victims.ts';
import type { DecisionRecord } from './decision.ts';
import { HeldMachines, type HeldMachinesSnapshot } from './held-machines.ts';
import type { Begun } from './place-gang.ts';
import type { Placer } from './placer.ts';
import type { Attempt, Task } from './task.ts';

export class Preemptor {
  private readonly placer: Placer;
  private readonly settings: Settings<KernelSettingTable>;
  private readonly held: HeldMachines;
  private readonly isGone = (attempt: number): boolean => !this.placer.attempts.has(attempt);

  constructor(placer: Placer, settings: Settings<KernelSettingTable>) {
    this.placer = placer;
    this.settings = settings;
    this.held = new HeldMachines(placer.cluster);
  }

  /** Tasks that wait for their victims to leave. */
  get size(): number {
    return this.held.size;
  }

  /** Chooses victims for `task` and holds their machines; undefined if evicting makes no room. Each victim counts as evicted.
   *  Gangs evict nobody: the room for all their members would have to be held at once. */
  evict(
    task: Task,
    nowMicros: number,
    queueLength: number,
  ): { readonly eviction: Eviction; readonly record: DecisionRecord } | undefined {
    if (task.gang !== undefined) return undefined;
    const { attempts, cluster } = this.placer;
    const eviction = chooseVictims(task, attempts.values(), cluster, nowMicros, this.preemptionsMax);
    if (eviction === undefined) return undefined;
    const record = this.placer.explain(task, { outcome: 'evicts', rule: 'in order', eviction, queueLength });
    this.held.hold(task, eviction);
    for (const victim of eviction.victims) victim.task.preemptions++;
    return { eviction, record };
  }

  /** Takes out a task whose victims are gone, and gives it its machines; `begun` is undefined if one was lost meanwhile. */
  takeReady(
    nowMicros: number,
    queueLength: number,
  ): { readonly task: Task; readonly machines: readonly number[]; readonly begun: Begun | undefined } | undefined {
    const wait = this.held.takeReady(this.isGone);
    if (wait === undefined) return undefined;
    const { task } = wait;
    const machines = this.placer.findAt(task.kind, wait.machines);
    const facts = { rule: 'after eviction', queueLength } as const;
    const begun = machines === undefined ? undefined : this.placer.reserve(task, machines, nowMicros, facts);
    return { task, machines: wait.machines, begun };
  }

  /** Whether `task`, or a member of its gang, might get room on `machine`, where something has changed: as it is, or by evicting.
   *  `running`: all attempts, if tasks may evict. */
  mayFit({ kind, priority, gang }: Task, machine: number, running: readonly Attempt[] | undefined): boolean {
    const { index, cluster } = this.placer;
    if (gang !== undefined) return gang.members.some((member) => index.canFit(member.kind, machine));
    if (index.canFit(kind, machine)) return true;
    if (running === undefined) return false;
    const there = running.filter((attempt) => attempt.machines.includes(machine));
    const victims = victimsByMachine(priority, there, this.preemptionsMax).get(machine);
    return victims !== undefined && wouldFit(kind, machine, victims, cluster);
  }

  /** Takes out a task that is not wanted any more; the machines that are open again, or undefined if it does not wait here. */
  withdraw(task: Task): readonly number[] | undefined {
    return this.held.withdraw(task);
  }

  /** Takes out all tasks that wait here, with the machines that are open again. */
  withdrawAll(): ReturnType<HeldMachines['withdrawAll']> {
    return this.held.withdrawAll();
  }

  save(): HeldMachinesSnapshot {
    return this.held.save();
  }

  restore(snapshot: HeldMachinesSnapshot, tasks: ReadonlyMap<number, Task>): void {
    this.held.restore(snapshot, tasks);
  }

  private get preemptionsMax(): number {
    return this.settings.get('scheduler.preemptionsMax');
  }
}
