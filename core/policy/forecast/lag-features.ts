// What a linear forecaster looks at: the last values at the same phase of each season, the last value and its like a season ago,
// and means of recent stretches. Few enough to be fitted to one series, and the same for every series of one shape.

import type { SeriesShape } from './forecaster.ts';

export interface LagFeaturesState {
  readonly capacity: number;
  readonly values: readonly number[];
  readonly sums: readonly number[];
}

/** Gives the features of one series for any moment and step; running sums are kept. Grows by `append`, forgetting what lies too far
 *  back. */
export class LagFeatures {
  readonly count: number;
  /** Which feature is the last value; the first is the value at the same phase of the shortest season. */
  readonly lastAt: number;
  /** Values that must lie before a moment. */
  readonly history: number;
  /** Values over which the level is taken. */
  private readonly levelLength: number;
  private values: Float64Array;
  private readonly periods: readonly number[];
  private readonly windows: readonly number[];
  private sums: Float64Array;
  /** Values held. */
  length: number;

  constructor(values: Float64Array, shape: Pick<SeriesShape, 'periods'>) {
    this.values = values.slice();
    this.length = values.length;
    this.periods = shape.periods;
    const shortest = shape.periods[0];
    this.windows = shortest === undefined ? [2, 4, 8, 16, 32] : [Math.max(2, Math.round(shortest / 4))];
    this.levelLength = shape.periods.at(-1) ?? 32;
    this.history = LagFeatures.historyOf(shape);
    this.lastAt = 2 * shape.periods.length;
    this.count = LagFeatures.countOf(shape);
    this.sums = new Float64Array(values.length + 1);
    for (let index = 0; index < values.length; index++) this.sums[index + 1] = this.sums[index]! + values[index]!;
  }

  /** Features that go on from the latest values of others, once those were {@link compact}ed. */
  static resume(values: Float64Array, shape: Pick<SeriesShape, 'periods'>): LagFeatures {
    const features = new LagFeatures(values, shape);
    features.makeRoom();
    return features;
  }

  /** Forgets what no forecast looks at; answers the values that are left. */
  compact(): Float64Array {
    this.makeRoom();
    return this.values.slice(0, this.length);
  }

  save(): LagFeaturesState {
    const { values, sums, length } = this;
    return {
      capacity: values.length,
      values: Array.from(values.subarray(0, length)),
      sums: Array.from(sums.subarray(0, length + 1)),
    };
  }

  restore({ capacity, values, sums }: LagFeaturesState): void {
    this.values = new Float64Array(capacity);
    this.values.set(values);
    this.sums = new Float64Array(capacity + 1);
    this.sums.set(sums);
    this.length = values.length;
  }

  append(value: number): void {
    if (this.length === this.values.length) this.makeRoom();
    this.values[this.length] = value;
    this.sums[this.length + 1] = this.sums[this.length]! + value;
    this.length += 1;
  }

  /** Keeps what a forecast looks at, with as much room again. */
  private makeRoom(): void {
    const kept = Math.min(this.length, this.history + 1);
    const values = new Float64Array(Math.max(2 * kept, 64));
    values.set(this.values.subarray(this.length - kept, this.length));
    this.sums = new Float64Array(values.length + 1);
    for (let index = 0; index < kept; index++) this.sums[index + 1] = this.sums[index]! + values[index]!;
    this.values = values;
    this.length = kept;
  }

  valueAt(index: number): number {
    return this.values[index]!;
  }

  static historyOf(shape: Pick<SeriesShape, 'periods'>): number {
    return 2 * (shape.periods.at(-1) ?? 16) + 1;
  }

  static countOf(shape: Pick<SeriesShape, 'periods'>): number {
    return shape.periods.length === 0 ? 8 : 2 + shape.periods.length * 6;
  }

  /** Mean before `moment`, the number of values known, over the longest season. */
  level(moment: number): number {
    return this.mean(moment, 0, this.levelLength);
  }

  /** Writes the features for the value `step` ≥ 1 after the first `moment` values into `into`, as (feature − `level`) / `scale`. */
  write(moment: number, step: number, level: number, scale: number, into: Float64Array): void {
    const { values, periods, windows } = this;
    let at = 0;
    const last = moment - 1;
    for (const period of periods) {
      const same = last + step - period * Math.ceil(step / period);
      into[at++] = values[same]!;
      into[at++] = values[same - period]!;
    }
    into[at++] = values[last]!;
    if (periods.length === 0) {
      into[at++] = values[last - 1]!;
      into[at++] = values[last - 2]!;
    }
    for (const period of periods) {
      into[at++] = values[last - period]!;
      into[at++] = this.mean(moment, 0, period);
      into[at++] = this.mean(moment, period, 2 * period);
    }
    for (const window of windows) into[at++] = this.mean(moment, 0, window);
    for (const period of periods) into[at++] = this.mean(moment, period, period + windows[0]!);
    for (let index = 0; index < at; index++) into[index] = (into[index]! - level) / scale;
  }

  /** Mean of the values from `to` before `moment` up to `from` before it. */
  private mean(moment: number, from: number, to: number): number {
    return (this.sums[moment - from]! - this.sums[moment - to]!) / (to - from);
  }
}
