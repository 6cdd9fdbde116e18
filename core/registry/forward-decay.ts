// Forgetting without touching what is to be forgotten: the weight of what is new doubles every half-life, so that the old
// counts half (Cormode, Shkapenyuk, Srivastava & Xu, "Forward Decay", ICDE 2009). Before weights grow too large, all of them
// are divided by a power of two, which rounds nothing.

import { assert } from '../base/assert.ts';
import { fixedPow } from '../base/fixed-math.ts';

/** After so many half-lives weights are divided by that power of two. */
const rescaleHalfLives = 64;

export interface ForwardDecayState {
  readonly epochMicros: number;
  readonly nowMicros: number;
}

export class ForwardDecay {
  /** Weight of what comes now. */
  scale = 1;
  private halfLifeMicros: number;
  private epochMicros = 0;
  private nowMicros = 0;

  constructor(halfLifeMicros: number) {
    assert(halfLifeMicros >= 1, 'a half-life is a time');
    this.halfLifeMicros = halfLifeMicros;
  }

  /** Time goes on. Returns what all weights must be multiplied by first; 1 nearly always. */
  moveTo(nowMicros: number): number {
    this.nowMicros = nowMicros;
    const halfLives = Math.floor((nowMicros - this.epochMicros) / this.halfLifeMicros);
    const steps = Math.floor(halfLives / rescaleHalfLives) * rescaleHalfLives;
    this.epochMicros += steps * this.halfLifeMicros;
    this.computeScale();
    // Beyond a thousand half-lives everything is forgotten.
    return steps > 1000 ? 0 : fixedPow(2, -steps);
  }

  /** Another half-life from the time of the last {@link moveTo} on: what was forgotten by then stays so, no weight changes. */
  setHalfLife(halfLifeMicros: number): void {
    assert(halfLifeMicros >= 1, 'a half-life is a time');
    const halfLives = (this.nowMicros - this.epochMicros) / this.halfLifeMicros;
    this.epochMicros = this.nowMicros - halfLives * halfLifeMicros;
    this.halfLifeMicros = halfLifeMicros;
    this.computeScale();
  }

  save(): ForwardDecayState {
    return { epochMicros: this.epochMicros, nowMicros: this.nowMicros };
  }

  restore(state: ForwardDecayState): void {
    this.epochMicros = state.epochMicros;
    this.nowMicros = state.nowMicros;
    this.computeScale();
  }

  private computeScale(): void {
    this.scale = fixedPow(2, (this.nowMicros - this.epochMicros) / this.halfLifeMicros);
  }
}
