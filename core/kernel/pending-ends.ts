// Ends of tasks that their submitter's topic had no room for. Each submitter has a line of its own: one that takes nothing
// any more holds up nobody else's. A line is as long as the tasks that its submitter has had accepted.

import type { TaskEnded } from './effects.ts';

export type PendingEndsState = readonly { readonly submitter: number; readonly ends: readonly TaskEnded[] }[];

export class PendingEnds {
  private readonly lines = new Map<number, TaskEnded[]>();

  /** True if ends of this submitter wait: a further one must wait behind them. */
  has(submitter: number): boolean {
    return this.lines.has(submitter);
  }

  add(submitter: number, ended: TaskEnded): void {
    const line = this.lines.get(submitter);
    if (line === undefined) this.lines.set(submitter, [ended]);
    else line.push(ended);
  }

  /** Hands out each line in order until `publish` says that there is no room. */
  publish(publish: (submitter: number, ended: TaskEnded) => boolean): void {
    for (const [submitter, line] of this.lines) {
      let published = 0;
      while (published < line.length && publish(submitter, line[published] as TaskEnded)) published++;
      if (published === line.length) this.lines.delete(submitter);
      else line.splice(0, published);
    }
  }

  save(): PendingEndsState {
    return [...this.lines].map(([submitter, ends]) => ({ submitter, ends: [...ends] }));
  }

  restore(state: PendingEndsState): void {
    for (const { submitter, ends } of state) this.lines.set(submitter, [...ends]);
  }
}
