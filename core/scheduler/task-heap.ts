// A binary heap of tasks in queue order. Each task knows its own position, so that a task that is cancelled or backfilled
// leaves from the middle in logarithmic time.

import { assert } from '../base/assert.ts';
import { runsBefore, type Task } from './task.ts';

export class TaskHeap {
  /** In heap order; read it, do not write it. */
  readonly items: Task[] = [];

  get size(): number {
    return this.items.length;
  }

  /** The first task in queue order, or undefined. */
  peek(): Task | undefined {
    return this.items[0];
  }

  push(task: Task): void {
    assert(task.queueIndex === -1, 'task is in a heap already');
    this.items.push(task);
    this.siftUp(task, this.items.length - 1);
  }

  remove(task: Task): void {
    const index = task.queueIndex;
    assert(this.items[index] === task, 'task is not in this heap');
    task.queueIndex = -1;
    const last = this.items.pop() as Task;
    if (last === task) return;
    if (index > 0 && runsBefore(last, this.items[(index - 1) >> 1] as Task)) this.siftUp(last, index);
    else this.siftDown(last, index);
  }

  private siftUp(task: Task, from: number): void {
    let index = from;
    while (index > 0) {
      const parent = this.items[(index - 1) >> 1] as Task;
      if (!runsBefore(task, parent)) break;
      this.items[index] = parent;
      parent.queueIndex = index;
      index = (index - 1) >> 1;
    }
    this.items[index] = task;
    task.queueIndex = index;
  }

  private siftDown(task: Task, from: number): void {
    const size = this.items.length;
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= size) break;
      if (child + 1 < size && runsBefore(this.items[child + 1] as Task, this.items[child] as Task)) child++;
      const smaller = this.items[child] as Task;
      if (!runsBefore(smaller, task)) break;
      this.items[index] = smaller;
      smaller.queueIndex = index;
      index = child;
    }
    this.items[index] = task;
    task.queueIndex = index;
  }
}
