// The waiting tasks in three parts. *Active*: worth trying in the next cycle. *Back-off*: not before a certain time.
// *Unschedulable*: known not to fit until a machine is freed. Tasks that ask for the same thing fit or do not fit together,
// so the queue keeps one line per request kind and parks whole lines: a thousand waiting tasks of forty kinds cost forty
// looks at a freed machine, not a thousand. Where tasks of higher priority may evict others, what fits depends on the priority
// as well, and lines are one per kind and priority. A gang stands in a line of its own, with its first member.

import { assert } from '../base/assert.ts';
import type { QueueSortPlugin } from './framework.ts';
import { runsBefore, type Task } from './task.ts';
import { TaskHeap } from './task-heap.ts';

/** Waiting tasks that fit or do not fit together. */
class Line {
  readonly heap = new TaskHeap();
  parked = false;
  /** Position in the active or the parked list, −1 when the line is empty. */
  index = -1;
}

export interface BackingOff {
  readonly task: Task;
  readonly untilMicros: number;
}

/** A queue in a form that JSON carries: task numbers, in queue order. */
export interface TaskQueueSnapshot {
  readonly active: readonly number[];
  /** The first task by number of each parked line, rising. */
  readonly parked: readonly number[];
  readonly backingOff: readonly { readonly task: number; readonly untilMicros: number }[];
}

export class TaskQueue {
  private readonly order: QueueSortPlugin;
  private readonly byPriority: boolean;
  /** By kind; kept when they are empty, since most are filled again. */
  private readonly lines = new Map<number, Line>();
  /** Lines that are not empty, by kind and priority (`byPriority`), or by gang. */
  private readonly keyedLines = new Map<string, Line>();
  private readonly active: Line[] = [];
  private readonly parked: Line[] = [];
  /** Sorted by (untilMicros, task). */
  private readonly backingOff: BackingOff[] = [];
  private count = 0;
  /** Scratch: tasks being looked at, and their keys. */
  private readonly looked: Task[] = [];
  private keys = new Float64Array(64);

  /** `byPriority`: whether a task fits depends on its priority too. */
  constructor(order: QueueSortPlugin, byPriority = false) {
    this.order = order;
    this.byPriority = byPriority;
  }

  /** Tasks in all three parts. */
  get size(): number {
    return this.count;
  }

  get activeLineCount(): number {
    return this.active.length;
  }

  get parkedLineCount(): number {
    return this.parked.length;
  }

  /** Adds a waiting task. A task whose line is parked joins it: what does not fit its twin does not fit it. */
  add(task: Task, nowMicros: number): void {
    // Orders that rank all tasks at once compute keys when they are looked at.
    task.queueKey = this.order.rank === undefined ? this.order.key(task, nowMicros) : 0;
    const line = this.lineOf(task);
    line.heap.push(task);
    if (line.index === -1) this.link(line, false);
    this.count++;
  }

  /** Takes a task out of the active or the unschedulable part. */
  remove(task: Task): void {
    const line = this.lineOf(task);
    line.heap.remove(task);
    this.count--;
    if (line.heap.size > 0) return;
    this.unlink(line);
    if (this.byPriority || task.gang !== undefined) this.keyedLines.delete(keyOf(task));
  }

  /** Forgets the lines in which nobody stands. */
  forgetEmpty(): void {
    for (const [kind, line] of this.lines) if (line.heap.size === 0) this.lines.delete(kind);
  }

  contains(task: Task): boolean {
    return task.queueIndex !== -1;
  }

  /** QueueSort: the first active task, or undefined. Keys that change with time are computed anew. */
  select(nowMicros: number): Task | undefined {
    return this.first(this.active, nowMicros, undefined);
  }

  /** The first task over active and unschedulable ones. */
  head(nowMicros: number): Task | undefined {
    return this.first(this.parked, nowMicros, this.first(this.active, nowMicros, undefined));
  }

  /** True if `left` comes before `right` by the order as of now. */
  precedes(left: Task, right: Task, nowMicros: number): boolean {
    if (this.order.dynamic) this.renew([left, right], 2, nowMicros);
    return runsBefore(left, right);
  }

  /** Marks the waiting task's whole line unschedulable. */
  park(task: Task): void {
    const line = this.lineOf(task);
    if (line.parked || line.index === -1) return;
    this.unlink(line);
    this.link(line, true);
  }

  /** Makes every parked line active for which `mayFit` holds; it is asked about any one task of the line. */
  unpark(mayFit: (task: Task) => boolean): void {
    for (let index = this.parked.length - 1; index >= 0; index--) {
      const line = this.parked[index] as Line;
      if (!mayFit(line.heap.items[0] as Task)) continue;
      this.unlink(line);
      this.link(line, false);
    }
  }

  /** Moves an active task to the back-off part. */
  backOff(task: Task, untilMicros: number): void {
    this.remove(task);
    this.count++;
    let index = this.backingOff.length;
    while (index > 0) {
      const before = this.backingOff[index - 1] as BackingOff;
      if (before.untilMicros < untilMicros || (before.untilMicros === untilMicros && before.task.task < task.task))
        break;
      index--;
    }
    this.backingOff.splice(index, 0, { task, untilMicros });
  }

  /** When the next back-off ends, `Infinity` if none does. */
  get nextBackoffMicros(): number {
    return this.backingOff[0]?.untilMicros ?? Number.POSITIVE_INFINITY;
  }

  /** Makes tasks active whose back-off has ended; returns how many. */
  endBackoffs(nowMicros: number): number {
    let ended = 0;
    while (ended < this.backingOff.length && (this.backingOff[ended] as BackingOff).untilMicros <= nowMicros) ended++;
    for (const { task } of this.backingOff.splice(0, ended)) {
      this.count--;
      this.add(task, nowMicros);
    }
    return ended;
  }

  /** A task that backs off until then; tasks are added in the order of those times. */
  addBackingOff(task: Task, untilMicros: number): void {
    this.backingOff.push({ task, untilMicros });
    this.count++;
  }

  /** Everything that waits, taken out: active and unschedulable tasks in order of submission, and those backing off. */
  takeAll(): { readonly active: Task[]; readonly backingOff: readonly BackingOff[] } {
    const active = this.bySubmission();
    for (const task of active) this.remove(task);
    const backingOff = this.backingOff.splice(0);
    this.count -= backingOff.length;
    return { active, backingOff };
  }

  /** Takes a task out of the back-off part; false if it is not there. */
  removeBackingOff(task: Task): boolean {
    const index = this.backingOff.findIndex((entry) => entry.task === task);
    if (index < 0) return false;
    this.backingOff.splice(index, 1);
    this.count--;
    return true;
  }

  /** Active and unschedulable tasks in order of submission. */
  bySubmission(): Task[] {
    const out: Task[] = [];
    for (const lines of [this.active, this.parked]) {
      for (const line of lines) for (const task of line.heap.items) out.push(task);
    }
    return out.sort((left, right) => left.task - right.task);
  }

  /** Active and unschedulable tasks in queue order as of now. */
  inOrder(nowMicros: number): Task[] {
    const waiting: Task[] = [];
    for (const lines of [this.active, this.parked]) {
      for (const line of lines) for (const task of line.heap.items) waiting.push(task);
    }
    if (this.order.dynamic) this.renew(waiting, waiting.length, nowMicros);
    return waiting.sort((left, right) => (runsBefore(left, right) ? -1 : 1));
  }

  save(): TaskQueueSnapshot {
    const waiting = this.bySubmission();
    return {
      active: waiting.map((task) => task.task),
      parked: this.parked
        .map((line) => line.heap.items.reduce((least, { task }) => Math.min(least, task), Number.POSITIVE_INFINITY))
        .sort((left, right) => left - right),
      backingOff: this.backingOff.map(({ task, untilMicros }) => ({ task: task.task, untilMicros })),
    };
  }

  restore(snapshot: TaskQueueSnapshot, tasks: ReadonlyMap<number, Task>, nowMicros: number): void {
    assert(this.count === 0, 'restore into an empty queue');
    const taskOf = (number: number): Task => {
      const task = tasks.get(number);
      assert(task !== undefined, 'snapshot names an unknown task');
      return task;
    };
    for (const number of snapshot.active) this.add(taskOf(number), nowMicros);
    for (const number of snapshot.parked) this.park(taskOf(number));
    for (const { task, untilMicros } of snapshot.backingOff) {
      this.addBackingOff(taskOf(task), untilMicros);
    }
  }

  private first(lines: readonly Line[], nowMicros: number, than: Task | undefined): Task | undefined {
    let best = than;
    if (!this.order.dynamic) {
      for (const line of lines) {
        const task = line.heap.peek() as Task;
        if (best === undefined || runsBefore(task, best)) best = task;
      }
      return best;
    }
    const { looked } = this;
    let count = 0;
    // Keys of ranked tasks hold against each other only: the best so far is ranked again.
    if (best !== undefined) looked[count++] = best;
    for (const line of lines) for (const task of line.heap.items) looked[count++] = task;
    // Where nobody waits there is nothing to decide, nor to count as decided.
    if (count === 0) return best;
    this.renew(looked, count, nowMicros);
    for (let index = 0; index < count; index++) {
      const task = looked[index] as Task;
      if (best === undefined || runsBefore(task, best)) best = task;
    }
    return best;
  }

  /** Computes the keys of the first `count` of `tasks` as of now. */
  private renew(tasks: readonly Task[], count: number, nowMicros: number): void {
    const { order } = this;
    if (order.rank === undefined) {
      for (let index = 0; index < count; index++) {
        const task = tasks[index] as Task;
        task.queueKey = order.key(task, nowMicros);
      }
      return;
    }
    if (this.keys.length < count) this.keys = new Float64Array(2 * count);
    order.rank(tasks, count, nowMicros, this.keys);
    for (let index = 0; index < count; index++) (tasks[index] as Task).queueKey = this.keys[index] as number;
  }

  private lineOf(task: Task): Line {
    if (this.byPriority || task.gang !== undefined) {
      const key = keyOf(task);
      let line = this.keyedLines.get(key);
      if (line === undefined) {
        line = new Line();
        this.keyedLines.set(key, line);
      }
      return line;
    }
    let line = this.lines.get(task.kind.id);
    if (line === undefined) {
      line = new Line();
      this.lines.set(task.kind.id, line);
    }
    return line;
  }

  private link(line: Line, parked: boolean): void {
    const list = parked ? this.parked : this.active;
    line.parked = parked;
    line.index = list.push(line) - 1;
  }

  private unlink(line: Line): void {
    const list = line.parked ? this.parked : this.active;
    const last = list.pop() as Line;
    if (last !== line) {
      list[line.index] = last;
      last.index = line.index;
    }
    line.index = -1;
    line.parked = false;
  }
}

function keyOf({ kind, priority, gang }: Task): string {
  return gang === undefined ? `${kind.id} ${priority}` : `gang ${gang.gang}`;
}
