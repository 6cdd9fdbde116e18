// When has something changed, of which it is known how often it looks strange while nothing has? Each window of observations looks
// strange or not. While nothing has changed the chance of that is at most `rareShare`, whatever came before; the likelihood
// ratio against a chance of `commonShare` then is an e-value, and its CUSUM, M ← max(M, 1)·e, is an e-detector: raising
// the alarm where M reaches A lets at least A windows pass on average until a false one (Shin, Ramdas and Rinaldo, "E-detectors: a
// nonparametric framework for sequential change detection", New England Journal of Statistics in Data Science 2023, theorem 2.4).
// Nothing is asked of distributions. What a strange window is, is the caller's to say.

import { assert } from '../base/assert.ts';
import { fixedLog } from '../base/fixed-math.ts';

/** Chance of a strange window that it is made to notice: with a change, most are. */
const commonShare = 0.8;

export class ChangeDetector {
  private readonly logStrange: number;
  private readonly logPlain: number;
  private readonly logAlarm: number;
  /** ln M. */
  private logEvidence = 0;

  /** `rareShare`: chance of a strange window without a change, above 0, at most 0.5. `runLength`: windows until a false alarm,
   *  on average, at least; above 1. */
  constructor(rareShare: number, runLength: number) {
    assert(rareShare > 0 && rareShare <= 0.5, 'strange is what is rare');
    assert(runLength > 1, 'alarms are further apart than a window');
    this.logStrange = fixedLog(commonShare / rareShare);
    this.logPlain = fixedLog((1 - commonShare) / (1 - rareShare));
    this.logAlarm = fixedLog(runLength);
  }

  /** One window more; true if there is enough evidence of a change. */
  add(isStrange: boolean): boolean {
    this.logEvidence = Math.max(0, this.logEvidence) + (isStrange ? this.logStrange : this.logPlain);
    return this.logEvidence >= this.logAlarm;
  }

  /** Windows in a row, all strange, that raise the alarm where nothing spoke for it before. */
  get quickestWindows(): number {
    return Math.ceil(this.logAlarm / this.logStrange);
  }

  save(): number {
    return this.logEvidence;
  }

  restore(logEvidence: number): void {
    this.logEvidence = logEvidence;
  }
}
