// When to try again what found the queue full: tasks leave it at some pace, and so many others were sent away since the last one
// left. Advice, so that a crowd comes back one after the other and not at once; nobody is promised a place.

/** While nothing is known of the pace. */
const firstMicros = 1_000_000;
const leastMicros = 100_000;
const mostMicros = 60_000_000;
const gain = 1 / 4;

export interface RetryAdviceState {
  readonly left: number;
  readonly leftMicros: number;
  readonly spacingMicros: number;
  readonly sentAway: number;
}

export class RetryAdvice {
  private left = 0;
  private leftMicros = 0;
  private spacingMicros = 0;
  private sentAway = 0;

  /** Somebody is sent away. `left`: how many tasks have left the queue for a machine so far. Returns how long to wait. */
  sendAway(left: number, nowMicros: number): number {
    if (left > this.left) {
      const spacing = (nowMicros - this.leftMicros) / (left - this.left);
      if (this.leftMicros > 0)
        this.spacingMicros += (this.spacingMicros === 0 ? 1 : gain) * (spacing - this.spacingMicros);
      this.left = left;
      this.leftMicros = nowMicros;
      this.sentAway = 0;
    }
    this.sentAway++;
    return this.micros;
  }

  /** What the last one was told, or would be. */
  get micros(): number {
    const spacing = this.spacingMicros === 0 ? firstMicros : this.spacingMicros;
    return Math.round(Math.min(mostMicros, Math.max(leastMicros, spacing * Math.max(1, this.sentAway))));
  }

  save(): RetryAdviceState {
    const { left, leftMicros, spacingMicros, sentAway } = this;
    return { left, leftMicros, spacingMicros, sentAway };
  }

  restore(state: RetryAdviceState | undefined): void {
    if (state === undefined) return;
    this.left = state.left;
    this.leftMicros = state.leftMicros;
    this.spacingMicros = state.spacingMicros;
    this.sentAway = state.sentAway;
  }
}
