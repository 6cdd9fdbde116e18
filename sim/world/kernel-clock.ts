// The time that a simulated shell stamps inputs with, made as the live one's is (core/live/live-clock.ts). Within a process it is a monotonic clock's: a wall clock may be set at any moment, and
// a step ahead would end every lease at once, while agents still work under theirs. Only where a process begins does the wall clock
// count, and if that went back meanwhile, time goes on from the last input of the journal: it never falls, and never stands still.

import { assert } from '../../core/base/assert.ts';

export class KernelClock {
  private offsetMicros: number;

  /** What the two clocks show when the process begins. */
  constructor(wallMicros: number, monotonicMicros: number) {
    this.offsetMicros = wallMicros - monotonicMicros;
  }

  /** Added to the monotonic clock. */
  get aheadMicros(): number {
    return this.offsetMicros;
  }

  /** The time of an input now. */
  at(monotonicMicros: number): number {
    return monotonicMicros + this.offsetMicros;
  }

  /** When the monotonic clock shows that it is `timeMicros`. */
  monotonicAt(timeMicros: number): number {
    return timeMicros - this.offsetMicros;
  }

  /** The journal holds an input of `timeMicros`: time goes on from there. */
  notBefore(timeMicros: number, monotonicMicros: number): void {
    assert(Number.isSafeInteger(timeMicros), 'times are whole microseconds');
    this.offsetMicros = Math.max(this.offsetMicros, timeMicros - monotonicMicros);
  }
}
