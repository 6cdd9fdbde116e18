// Who gives way when the queue is full: the waiting task of the lowest priority, of several the one that came last. A task that was
// started once has cost something, and a member of a gang would take its companions with it: neither is given up. Finding the task
// costs a few steps, and so does remembering one, however many wait.

import type { Task } from '../scheduler/task.ts';

interface Lane {
  readonly priority: number;
  /** In order of submission; some may be started or ended by now. */
  tasks: Task[];
}

const compactMin = 1024;

export class SheddableTasks {
  /** By priority, rising. */
  private lanes: Lane[] = [];
  private count = 0;
  private compactAt = compactMin;

  /** A task has been accepted; they come in order of their numbers. */
  note(task: Task): void {
    if (!mayGive(task)) return;
    if (this.count >= this.compactAt) this.compact();
    this.laneOf(task.priority).tasks.push(task);
    this.count++;
  }

  /** The task to give up for one of this priority; undefined if none is less important. */
  lowest(priority: number): Task | undefined {
    for (;;) {
      const [lane] = this.lanes;
      if (lane === undefined || lane.priority >= priority) return undefined;
      for (;;) {
        const task = lane.tasks.at(-1);
        if (task === undefined) break;
        if (mayGive(task)) return task;
        lane.tasks.pop();
        this.count--;
      }
      this.lanes.shift();
    }
  }

  private laneOf(priority: number): Lane {
    let low = 0;
    let high = this.lanes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.lanes[middle] as Lane).priority < priority) low = middle + 1;
      else high = middle;
    }
    const found = this.lanes[low];
    if (found?.priority === priority) return found;
    const lane: Lane = { priority, tasks: [] };
    this.lanes.splice(low, 0, lane);
    return lane;
  }

  /** Forgets what has been started or has ended: what is left is at most what waits. */
  private compact(): void {
    this.count = 0;
    for (const lane of this.lanes) {
      lane.tasks = lane.tasks.filter(mayGive);
      this.count += lane.tasks.length;
    }
    this.lanes = this.lanes.filter(({ tasks }) => tasks.length > 0);
    this.compactAt = Math.max(compactMin, 2 * this.count);
  }
}

/** Once it may not, it never may again. */
function mayGive({ state, attempts, gangSize }: Task): boolean {
  return state === 'waiting' && attempts === 0 && gangSize === 0;
}
