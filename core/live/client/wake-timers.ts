// Wakes of protocol machines: each at its time or later, never before, because a machine that is woken too early goes on waiting
// for a wake that has been. Timers of the platform may be early by a fraction of a millisecond.

import type { LiveClock } from '../live-clock.ts';

export class WakeTimers {
  private readonly clock: LiveClock;
  private readonly wake: () => void;
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(clock: LiveClock, wake: () => void) {
    this.clock = clock;
    this.wake = wake;
  }

  /** One more wake; it replaces none. It keeps no process alive. */
  at(timeMicros: number): void {
    const millis = Math.max(0, Math.ceil((timeMicros - this.clock.now()) / 1000));
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      if (this.clock.now() < timeMicros) this.at(timeMicros);
      else this.wake();
    }, millis);
    timer.unref();
    this.timers.add(timer);
  }

  clear(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }
}
