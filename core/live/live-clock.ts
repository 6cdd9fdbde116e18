// The real clock of the live shell: microseconds since 1970, taken once from the system and carried on by the monotonic clock,
// so that a step of the system's clock moves no deadline. It never falls, across restarts neither: a kernel that recovers what
// was stamped later than now goes on from there.

export class LiveClock {
  private baseMicros: number;
  private lastMicros = 0;

  constructor() {
    this.baseMicros = Math.round(Date.now() * 1000 - performance.now() * 1000);
  }

  now(): number {
    const micros = this.baseMicros + Math.round(performance.now() * 1000);
    this.lastMicros = Math.max(this.lastMicros, micros);
    return this.lastMicros;
  }

  /** From now on it shows at least `micros`. Returns by how much it was set forward. */
  atLeast(micros: number): number {
    const behind = Math.max(0, micros - this.now());
    this.baseMicros += behind;
    return behind;
  }
}
