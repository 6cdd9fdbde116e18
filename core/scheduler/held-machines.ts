// Who waits for victims to leave: a task that evicts others has its machines held until all of them are gone, so that
// nobody else takes the room on the way (Kubernetes nominates a node; here the whole machine is closed, for the length of a
// message and its answer, or until the silent agent counts as dead). Such a task is in no other part of the queue.

import { assert } from '../base/assert.ts';
import type { Eviction } from './choose-victims.ts';
import { type ClusterState, holdForTask } from './cluster-state.ts';
import type { Task } from './task.ts';

interface Wait {
  readonly task: Task;
  readonly machines: readonly number[];
  /** Attempt numbers. */
  readonly victims: readonly number[];
}

export type HeldMachinesSnapshot = readonly (Omit<Wait, 'task'> & { readonly task: number })[];

export class HeldMachines {
  private readonly cluster: ClusterState;
  /** By task number, in order of eviction. */
  private readonly waits = new Map<number, Wait>();

  constructor(cluster: ClusterState) {
    this.cluster = cluster;
  }

  /** Tasks that wait for their machines. */
  get size(): number {
    return this.waits.size;
  }

  hold(task: Task, { machines, victims }: Eviction): void {
    assert(!this.waits.has(task.task), 'a task evicts once at a time');
    this.waits.set(task.task, { task, machines, victims: victims.map((victim) => victim.attempt) });
    for (const machine of machines) this.cluster.setHold(machine, holdForTask, true);
  }

  /** Takes out a task whose victims are all gone, the earliest, and opens its machines; undefined if there is none. */
  takeReady(isGone: (attempt: number) => boolean): Wait | undefined {
    for (const wait of this.waits.values()) {
      if (!wait.victims.every(isGone)) continue;
      this.open(wait);
      return wait;
    }
    return undefined;
  }

  /** Takes out everything; machines are open again. */
  withdrawAll(): readonly Pick<Wait, 'task' | 'machines'>[] {
    const waits = [...this.waits.values()];
    for (const wait of waits) this.open(wait);
    return waits;
  }

  /** Takes out a task that is not wanted any more; the machines that are open again, or undefined if it does not wait here. */
  withdraw(task: Task): readonly number[] | undefined {
    const wait = this.waits.get(task.task);
    if (wait !== undefined) this.open(wait);
    return wait?.machines;
  }

  save(): HeldMachinesSnapshot {
    return [...this.waits.values()].map(({ task, machines, victims }) => ({ task: task.task, machines, victims }));
  }

  /** The holds themselves come back with the cluster's columns. */
  restore(snapshot: HeldMachinesSnapshot, tasks: ReadonlyMap<number, Task>): void {
    for (const { task: number, machines, victims } of snapshot) {
      const task = tasks.get(number);
      assert(task !== undefined, 'snapshot names an unknown task');
      this.waits.set(number, { task, machines, victims });
    }
  }

  private open({ task, machines }: Wait): void {
    this.waits.delete(task.task);
    for (const machine of machines) this.cluster.setHold(machine, holdForTask, false);
  }
}
