// The promise of gangs: the kernel hands out the first attempts of all members in one breath, or of none.

import type { Dispatch } from '../../core/kernel/effects.ts';
import type { WorkloadTask } from '../workload/workload.ts';
import type { Fail } from './violation.ts';

export class GangOracle {
  private readonly fail: Fail;
  private readonly gangOf = new Map<number, string>();
  private readonly sizes = new Map<string, number>();
  /** Members handed out, by gang, while some are missing. */
  private readonly begun = new Map<string, Set<number>>();
  private readonly started = new Set<number>();

  constructor(fail: Fail) {
    this.fail = fail;
  }

  taskArrived(submission: number, { gang }: WorkloadTask): void {
    if (gang === undefined) return;
    this.gangOf.set(submission, gang.name);
    this.sizes.set(gang.name, gang.size);
  }

  /** The kernel is done with the input before. */
  kernelInput(nowMicros: number): void {
    for (const [gang, members] of this.begun) {
      const [submission] = members;
      const what = `gang ${gang} begins with ${members.size} of ${this.sizes.get(gang)} members`;
      this.fail('gangs', what, nowMicros, { submission });
    }
  }

  dispatched({ submission }: Dispatch): void {
    const gang = this.gangOf.get(submission);
    if (gang === undefined || this.started.has(submission)) return;
    this.started.add(submission);
    const members = this.begun.get(gang) ?? new Set<number>();
    members.add(submission);
    if (members.size < (this.sizes.get(gang) as number)) this.begun.set(gang, members);
    else this.begun.delete(gang);
  }
}
