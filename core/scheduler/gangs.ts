// Gangs: tasks that are submitted one by one and must start together, all or none. A gang gathers until its last member is
// there (PreFilter in Kubernetes' coscheduling plug-in), then stands in the queue with its first member; one that never
// becomes whole is given up. Once it has started its members are tasks like any other: one that is lost is placed again alone.

import { assert } from '../base/assert.ts';
import type { Task } from './task.ts';

/** What a submission says of its gang: same submitter, name and size, same gang. */
export interface GangReference {
  readonly name: string;
  /** Members, itself included. */
  readonly size: number;
}

export interface Gang {
  /** Number over all gangs. */
  readonly gang: number;
  readonly key: string;
  readonly size: number;
  /** When its first member came. */
  readonly sinceMicros: number;
  /** In the order in which they came; the first one stands for all in the queue. */
  readonly members: Task[];
}

export interface GangsSnapshot {
  readonly count: number;
  /** In order of number; whole gangs too, as long as they have not started. */
  readonly gangs: readonly (Omit<Gang, 'members'> & { readonly members: readonly number[] })[];
}

export class Gangs {
  /** Members that wait and do not stand in the queue themselves. */
  hiddenCount = 0;
  /** Gangs that have not started, by number. */
  private readonly waiting = new Map<number, Gang>();
  /** Those of them that miss a member, by key, in order of their first member's coming. */
  private readonly gathering = new Map<string, Gang>();
  private count = 0;

  /** A member comes. Returns its gang if that is whole now. */
  join(task: Task, { name, size }: GangReference, nowMicros: number): Gang | undefined {
    const key = `${task.submitter} ${size} ${name}`;
    let gang = this.gathering.get(key);
    if (gang === undefined) {
      gang = { gang: ++this.count, key, size, sinceMicros: nowMicros, members: [] };
      this.gathering.set(key, gang);
      this.waiting.set(gang.gang, gang);
    }
    gang.members.push(task);
    task.gang = gang;
    this.hiddenCount++;
    if (gang.members.length < size) return undefined;
    this.gathering.delete(key);
    this.hiddenCount--;
    return gang;
  }

  isWhole(gang: Gang): boolean {
    return gang.members.length === gang.size;
  }

  /** The task that stands in the queue for this one; undefined while its gang gathers. */
  standing(task: Task): Task | undefined {
    if (task.gang === undefined) return task;
    return this.isWhole(task.gang) ? task.gang.members[0] : undefined;
  }

  /** The task with the others of its gang, which is no more. */
  separate(task: Task): readonly Task[] {
    if (task.gang === undefined) return [task];
    const { members } = task.gang;
    this.dissolve(task.gang);
    return members;
  }

  /** The gang has started, or is given up: its members are tasks like any other. */
  dissolve(gang: Gang): void {
    assert(this.waiting.delete(gang.gang), 'a gang is dissolved once');
    if (this.isWhole(gang)) this.hiddenCount++;
    else this.gathering.delete(gang.key);
    this.hiddenCount -= gang.members.length;
    for (const task of gang.members) task.gang = undefined;
  }

  /** Since when the longest gathering gang misses a member, `Infinity` if none does. */
  get oldestMicros(): number {
    // Asked at every input.
    if (this.gathering.size === 0) return Number.POSITIVE_INFINITY;
    for (const { sinceMicros } of this.gathering.values()) return sinceMicros;
    return Number.POSITIVE_INFINITY;
  }

  /** The longest gathering gang. */
  get oldest(): Gang | undefined {
    for (const gang of this.gathering.values()) return gang;
    return undefined;
  }

  save(): GangsSnapshot {
    const gangs = [...this.waiting.values()].map((gang) => ({
      ...gang,
      members: gang.members.map(({ task }) => task),
    }));
    return { count: this.count, gangs };
  }

  restore(snapshot: GangsSnapshot, tasks: ReadonlyMap<number, Task>): void {
    this.count = snapshot.count;
    for (const saved of snapshot.gangs) {
      const members = saved.members.map((number) => {
        const task = tasks.get(number);
        assert(task !== undefined, 'snapshot names an unknown task');
        return task;
      });
      const gang: Gang = { ...saved, members };
      for (const task of members) task.gang = gang;
      this.waiting.set(gang.gang, gang);
      this.hiddenCount += members.length;
      if (this.isWhole(gang)) this.hiddenCount--;
      else this.gathering.set(gang.key, gang);
    }
  }
}
