// Phi-accrual failure detection (Hayashibara, Défago, Yared, Katayama: "The φ accrual failure detector", SRDS 2004): how
// implausible an agent's silence is, given the intervals between its heartbeats so far. The intervals are taken as normal,
// with the logistic approximation of the normal distribution and the acceptable pause of Akka's detector. Mean and variance
// are exponentially weighted (Finch, "Incremental calculation of weighted mean and variance", 2009, equations 124 and 143)
// instead of a window: one row is three numbers. This file says how suspicious a silence is; what follows from it is the
// registry's business.

import { assert } from '../base/assert.ts';
import { fixedExp, fixedLog10 } from '../base/fixed-math.ts';
import { grownFloats } from './grown-column.ts';

export interface PhiAccrualSettings {
  /** The interval agents are asked to keep: the estimate's start, with a quarter of it as standard deviation. */
  readonly heartbeatIntervalMicros: number;
  /** Silence tolerated on top of the mean: garbage collections, one lost heartbeat. */
  readonly acceptablePauseMicros: number;
  /** The standard deviation is never taken as smaller: perfectly regular heartbeats must not make a detector nervous. */
  readonly standardDeviationMicrosMin: number;
  /** Weight of the newest interval, in (0, 1]; 2 / (n + 1) weighs about as a window of n intervals. */
  readonly smoothing: number;
  /** Suspicion begins here: φ = 8 errs once in 10⁸ silences, if the intervals were normal. */
  readonly threshold: number;
}

/** φ of a silence that lies `deviations` standard deviations beyond the expected interval: −log₁₀(1 − Φ(deviations)),
 *  Φ the normal distribution in the approximation 1 / (1 + exp(−y (1.5976 + 0.070566 y²))). Strictly increasing. */
export function phiOfDeviations(deviations: number): number {
  const logit = deviations * (1.5976 + 0.070566 * deviations * deviations);
  // log₁₀(1 + e^logit), written so that it neither overflows nor underflows far out.
  if (logit <= 0) return fixedLog10(1 + fixedExp(logit));
  return logit * Math.LOG10E + fixedLog10(1 + fixedExp(-logit));
}

/** Inverse of {@link phiOfDeviations} by bisection: the smallest double found whose φ reaches `threshold`. */
function deviationsOfPhi(threshold: number): number {
  let low = -40;
  let high = 1;
  while (phiOfDeviations(high) < threshold) high *= 2;
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2;
    if (phiOfDeviations(middle) >= threshold) high = middle;
    else low = middle;
  }
  return high;
}

/** JSON-able state: one number a row in each column. */
export interface PhiAccrualState {
  readonly lastMicros: readonly number[];
  readonly meanMicros: readonly number[];
  readonly variance: readonly number[];
}

/** The detector of many agents: columns, one row an agent. Rows are the caller's; it grows the columns before using them. */
export class PhiAccrual {
  private settings: PhiAccrualSettings;
  /** Time of the latest heartbeat. */
  lastMicros = new Float64Array(0);
  meanMicros = new Float64Array(0);
  /** Microseconds squared. */
  variance = new Float64Array(0);
  private thresholdDeviations: number;
  private duplicateMicros: number;

  constructor(settings: PhiAccrualSettings) {
    checkSettings(settings);
    this.settings = settings;
    this.thresholdDeviations = deviationsOfPhi(settings.threshold);
    this.duplicateMicros = settings.heartbeatIntervalMicros / 16;
  }

  /** Other settings from now on, for the first `rows`. Who beat at a shorter interval than is asked now has done nothing wrong by
   *  beating later; who beat at a longer one will teach that it beats sooner. */
  configure(settings: PhiAccrualSettings, rows: number): void {
    checkSettings(settings);
    const interval = settings.heartbeatIntervalMicros;
    const isLonger = interval > this.settings.heartbeatIntervalMicros;
    this.settings = settings;
    this.thresholdDeviations = deviationsOfPhi(settings.threshold);
    this.duplicateMicros = interval / 16;
    for (let row = 0; isLonger && row < rows; row++) {
      if ((this.meanMicros[row] as number) >= interval) continue;
      this.meanMicros[row] = interval;
      this.variance[row] = Math.max(this.variance[row] as number, (interval / 4) * (interval / 4));
    }
  }

  grow(rows: number): void {
    this.lastMicros = grownFloats(this.lastMicros, rows);
    this.meanMicros = grownFloats(this.meanMicros, rows);
    this.variance = grownFloats(this.variance, rows);
  }

  /** Forgets what was learnt of `row` and counts from `nowMicros`. */
  start(row: number, nowMicros: number): void {
    const interval = this.settings.heartbeatIntervalMicros;
    this.lastMicros[row] = nowMicros;
    this.meanMicros[row] = interval;
    this.variance[row] = (interval / 4) * (interval / 4);
  }

  /** A heartbeat came: learns the interval. Intervals below a sixteenth of the configured one are a network's duplicates
   *  and teach nothing. */
  heartbeat(row: number, nowMicros: number): void {
    const interval = nowMicros - (this.lastMicros[row] as number);
    this.lastMicros[row] = nowMicros;
    if (interval < this.duplicateMicros) return;
    const difference = interval - (this.meanMicros[row] as number);
    const increment = this.settings.smoothing * difference;
    this.meanMicros[row] = (this.meanMicros[row] as number) + increment;
    this.variance[row] = (1 - this.settings.smoothing) * ((this.variance[row] as number) + difference * increment);
  }

  /** A heartbeat came after a silence that says nothing of the usual interval (a suspicion, a paused kernel). */
  touch(row: number, nowMicros: number): void {
    this.lastMicros[row] = nowMicros;
  }

  /** The first whole microsecond at which φ reaches the threshold, if no heartbeat comes. Costs one square root: φ itself
   *  need not be computed to know when it is too high. */
  overdueMicros(row: number): number {
    return Math.ceil(
      (this.lastMicros[row] as number) +
        this.expectedMicros(row) +
        this.thresholdDeviations * this.standardDeviationMicros(row),
    );
  }

  /** φ of `row` at `nowMicros`: 0 and up, 0.3 when the expected interval has just passed. */
  phi(row: number, nowMicros: number): number {
    const silence = nowMicros - (this.lastMicros[row] as number);
    return phiOfDeviations((silence - this.expectedMicros(row)) / this.standardDeviationMicros(row));
  }

  save(rows: number): PhiAccrualState {
    return {
      lastMicros: Array.from(this.lastMicros.subarray(0, rows)),
      meanMicros: Array.from(this.meanMicros.subarray(0, rows)),
      variance: Array.from(this.variance.subarray(0, rows)),
    };
  }

  /** Columns must have been grown to the state's rows. */
  restore(state: PhiAccrualState): void {
    this.lastMicros.set(state.lastMicros);
    this.meanMicros.set(state.meanMicros);
    this.variance.set(state.variance);
  }

  private expectedMicros(row: number): number {
    return (this.meanMicros[row] as number) + this.settings.acceptablePauseMicros;
  }

  private standardDeviationMicros(row: number): number {
    const least = this.settings.standardDeviationMicrosMin;
    const variance = this.variance[row] as number;
    // Regular heartbeats spare the root.
    return variance <= least * least ? least : Math.sqrt(variance);
  }
}

function checkSettings(settings: PhiAccrualSettings): void {
  assert(settings.heartbeatIntervalMicros > 0, 'the heartbeat interval must be positive');
  assert(settings.acceptablePauseMicros >= 0, 'the acceptable pause must not be negative');
  assert(settings.standardDeviationMicrosMin > 0, 'the least standard deviation must be positive');
  assert(settings.smoothing > 0 && settings.smoothing <= 1, 'the smoothing must lie in (0, 1]');
  assert(settings.threshold > 0 && settings.threshold < 1e6, 'the threshold must lie in (0, 10⁶)');
}
