// The clock of a simulated agent: it runs a little fast or slow, and may jump ahead, as when its machine was suspended and the clock
// went on. It never goes back: agents count on a monotonic clock, as every system has one. What they promise under it is in
// core/client/agent-client.ts.

import { assert } from '../../core/base/assert.ts';

interface Stretch {
  /** True time, and what the clock showed then. */
  readonly fromMicros: number;
  readonly shownMicros: number;
  /** Microseconds shown for each true one. */
  readonly rate: number;
}

export class AgentClock {
  /** In order; the last one goes on. */
  private readonly stretches: Stretch[] = [{ fromMicros: 0, shownMicros: 0, rate: 1 }];

  /** Shows the true time, and always did. */
  get isTrue(): boolean {
    return this.stretches.length === 1;
  }

  /** What it shows, or showed, at a true time. */
  at(trueMicros: number): number {
    if (this.isTrue) return trueMicros;
    const stretch = this.stretchAt(trueMicros);
    return stretch.shownMicros + Math.floor((trueMicros - stretch.fromMicros) * stretch.rate);
  }

  /** When it will show `shownMicros`, should nothing befall it; never before `nowMicros`. */
  trueTimeOf(shownMicros: number, nowMicros: number): number {
    if (this.isTrue) return Math.max(nowMicros, shownMicros);
    const last = this.stretches.at(-1) as Stretch;
    // One more, since what is shown is rounded down.
    const length = Math.ceil((shownMicros - last.shownMicros) / last.rate) + 1;
    return Math.max(nowMicros, last.fromMicros + length);
  }

  /** It jumps ahead. */
  jump(byMicros: number, nowMicros: number): void {
    assert(byMicros >= 0, 'a monotonic clock does not go back');
    const { rate } = this.stretches.at(-1) as Stretch;
    this.stretches.push({ fromMicros: nowMicros, shownMicros: this.at(nowMicros) + Math.round(byMicros), rate });
  }

  /** From now on it runs at this rate. */
  run(rate: number, nowMicros: number): void {
    assert(rate > 0, 'a clock runs on');
    this.stretches.push({ fromMicros: nowMicros, shownMicros: this.at(nowMicros), rate });
  }

  private stretchAt(trueMicros: number): Stretch {
    for (let index = this.stretches.length - 1; index > 0; index--) {
      const stretch = this.stretches[index] as Stretch;
      if (stretch.fromMicros <= trueMicros) return stretch;
    }
    return this.stretches[0] as Stretch;
  }
}
