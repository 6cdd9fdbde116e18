// A sequential test that may be looked at after every observation: are differences between two arms centred at zero? If which
// arm came first is a fair coin for each pair, and the policy makes no difference, each difference is as likely to be d as −d,
// whatever its size, its tail, or what came before. For such differences exp(λS − λ²V/2), S their sum and V the sum of their
// squares, is a non-negative supermartingale for every λ (de la Peña, "A general class of exponential inequalities for
// martingales and ratios", Ann. Probab. 1999, Lemma 6.1; Howard et al., "Time-uniform Chernoff bounds via nonnegative
// supermartingales", Probab. Surv. 2020, Table 3), hence also its mixture over a normal λ of variance 1/ρ (Robbins 1970; Howard
// et al., "Time-uniform, nonparametric, nonasymptotic confidence sequences", Ann. Stat. 2021, eq. 14), and by Ville's inequality
// it ever reaches 1/α with probability at most α. Nothing is asked of distributions. What is done with the answer is the
// caller's business.

import { assert } from '../base/assert.ts';
import { fixedLog } from '../base/fixed-math.ts';

/** A difference counts as this many times the typical one at most: one huge task decides nothing. Odd in the difference, with a
 *  scale that only its size enters, so that the symmetry stays. */
const clip = 3;

/** Everything, in a form that JSON carries. */
export interface SymmetricTestState {
  readonly count: number;
  /** Of the differences as they were, and of their squares. */
  readonly rawSum: number;
  readonly rawSquares: number;
  /** Of the scaled and clipped differences. */
  readonly sum: number;
  readonly squares: number;
}

/** What the observations say at a level. The interval is for the mean difference, and approximate: the test itself is exact. */
export interface SymmetricLook {
  readonly count: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** e to this is the evidence against "no difference". */
  readonly logEvidence: number;
  readonly verdict: 'above' | 'below' | 'cannotTell';
}

export class SymmetricTest {
  private readonly rho: number;
  private count = 0;
  private rawSum = 0;
  private rawSquares = 0;
  private sum = 0;
  private squares = 0;

  /** `countTypical`: the number of differences at which the test is to be most powerful; at least 1. */
  constructor(countTypical: number) {
    assert(countTypical >= 1, 'a test expects at least one difference');
    this.rho = countTypical / 8;
  }

  /** One difference, finite: the second arm's value less the first's. */
  add(difference: number): void {
    assert(Number.isFinite(difference), 'a difference is finite');
    this.count++;
    this.rawSum += difference;
    this.rawSquares += difference * difference;
    if (difference === 0) return;
    const scaled = difference / Math.sqrt(this.rawSquares / this.count);
    const clipped = Math.max(-clip, Math.min(clip, scaled));
    this.sum += clipped;
    this.squares += clipped * clipped;
  }

  /** `alpha`: probability, in (0, 1), with which "above" or "below" is ever answered although nothing differs, over all looks. */
  look(alpha: number): SymmetricLook {
    assert(alpha > 0 && alpha < 1, 'a level lies between 0 and 1');
    const { count, rho, sum, squares } = this;
    const logEvidence = (fixedLog(rho / (rho + squares)) + (sum * sum) / (squares + rho)) / 2;
    const isDecided = logEvidence >= -fixedLog(alpha);
    const mean = count === 0 ? 0 : this.rawSum / count;
    const scale = count === 0 ? 0 : Math.sqrt(this.rawSquares / count);
    const bound = Math.sqrt((squares + rho) * (fixedLog((squares + rho) / rho) - 2 * fixedLog(alpha)));
    const half = count === 0 ? Number.POSITIVE_INFINITY : (scale * bound) / count;
    return {
      count,
      mean,
      low: mean - half,
      high: mean + half,
      logEvidence,
      verdict: isDecided ? (sum > 0 ? 'above' : 'below') : 'cannotTell',
    };
  }

  save(): SymmetricTestState {
    const { count, rawSum, rawSquares, sum, squares } = this;
    return { count, rawSum, rawSquares, sum, squares };
  }

  restore(state: SymmetricTestState): void {
    this.count = state.count;
    this.rawSum = state.rawSum;
    this.rawSquares = state.rawSquares;
    this.sum = state.sum;
    this.squares = state.squares;
  }
}
