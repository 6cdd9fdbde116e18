// The promise: no task physically runs in two places at once, no attempt runs twice, and nothing runs for a task whose end
// its submitter has taken. Work on a hanging machine whose lease ran out stands still and does not count.

import type { TaskEnded } from '../../core/kernel/effects.ts';
import type { WorldObserver } from '../world/observer.ts';
import { withRoom } from './column.ts';
import type { PhysicalWork, PhysicalWorkListener } from './physical-work.ts';
import type { Fail } from './violation.ts';

export class OwnerOracle implements WorldObserver, PhysicalWorkListener {
  private readonly fail: Fail;
  /** The attempt that runs, by submission; 0 for none. */
  private running = new Int32Array(0);
  /** Bit a: attempt a has begun. */
  private begunAttempts = new Int32Array(0);

  constructor(fail: Fail) {
    this.fail = fail;
  }

  begun({ dispatch, machines }: PhysicalWork, nowMicros: number): void {
    const { submission, attempt } = dispatch;
    const word = attempt >>> 5;
    this.begunAttempts = withRoom(this.begunAttempts, word);
    const bit = 1 << (attempt & 31);
    if (((this.begunAttempts[word] as number) & bit) !== 0) {
      this.fail(
        'one owner',
        `attempt ${attempt} of submission ${submission} begins a second time`,
        nowMicros,
        dispatch,
      );
    }
    this.begunAttempts[word] = (this.begunAttempts[word] as number) | bit;
    this.running = withRoom(this.running, submission);
    const other = this.running[submission];
    if (other !== 0) {
      const what = `submission ${submission} begins as attempt ${attempt} on machine ${machines[0]} while attempt ${other} of it runs`;
      this.fail('one owner', what, nowMicros, dispatch);
    }
    this.running[submission] = attempt;
  }

  gone({ dispatch }: PhysicalWork): void {
    this.running[dispatch.submission] = 0;
  }

  taskEnded(end: TaskEnded, nowMicros: number): void {
    const attempt = this.running[end.submission] ?? 0;
    if (attempt !== 0) {
      this.fail(
        'one owner',
        `submission ${end.submission} ended as ${end.outcome} while attempt ${attempt} of it runs`,
        nowMicros,
        { ...end, attempt },
      );
    }
  }
}
