// The trail of a run's effects for comparing two runs: a digest at every thousandth effect, and, on demand, the effects of
// one stretch in words. Two runs are the same if their trails are; if not, the first stretch that differs is run again.

import { Digest } from '../../core/base/digest.ts';
import { digestEffect } from '../../core/kernel/effect-digest.ts';
import type { Effect } from '../../core/kernel/effects.ts';
import type { WorldObserver } from '../world/observer.ts';

/** Effects between two checkpoints. */
export const checkpointDistance = 1000;

export interface Trail {
  /** Effects in all. */
  readonly effects: number;
  /** Digest after each `checkpointDistance` effects, and after the last. */
  readonly checkpoints: readonly string[];
  /** The effects asked for, one line each. */
  readonly words: readonly string[];
}

export class EffectTrace implements WorldObserver {
  private readonly digest = new Digest();
  private readonly checkpoints: string[] = [];
  private readonly words: string[] = [];
  private readonly from: number;
  private count = 0;

  /** Keeps in words the `checkpointDistance` effects from number `from` on (0-based); −1 for none. */
  constructor(from: number) {
    this.from = from;
  }

  kernelEffect(effect: Effect, nowMicros: number): void {
    digestEffect(this.digest, effect);
    // When it happened belongs to what happened.
    this.digest.addInteger(nowMicros);
    if (this.from >= 0 && this.count >= this.from && this.count < this.from + checkpointDistance) {
      this.words.push(`effect ${this.count} at ${nowMicros} µs: ${JSON.stringify(effect)}`);
    }
    this.count++;
    if (this.count % checkpointDistance === 0) this.checkpoints.push(this.digest.toHex());
  }

  trail(): Trail {
    return { effects: this.count, checkpoints: [...this.checkpoints, this.digest.toHex()], words: this.words };
  }
}

/** Number of the first effect of the first stretch in which two trails differ, or undefined if they are the same. */
export function firstDifferingStretch(left: Trail, right: Trail): number | undefined {
  const length = Math.max(left.checkpoints.length, right.checkpoints.length);
  for (let index = 0; index < length; index++) {
    if (left.checkpoints[index] !== right.checkpoints[index]) return index * checkpointDistance;
  }
  return undefined;
}

/** The first line in which the two trails' words differ, as a pair; a side that has ended says so. */
export function firstDifferingEffect(left: Trail, right: Trail): readonly [string, string] | undefined {
  const length = Math.max(left.words.length, right.words.length);
  for (let index = 0; index < length; index++) {
    if (left.words[index] !== right.words[index])
      return [left.words[index] ?? 'no further effect', right.words[index] ?? 'no further effect'];
  }
  return undefined;
}
