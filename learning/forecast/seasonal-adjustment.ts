// Seasonal adjustment as M4's benchmarks do it: a test for seasonality by autocorrelation, then classical multiplicative
// decomposition by moving averages (Makridakis, Spiliotis and Assimakopoulos 2020, appendix A). Series with values of zero or less,
// for which ratios make no sense, are decomposed additively.

export interface SeasonalAdjustment {
  /** The series without its season; the series itself if it has none. */
  readonly adjusted: Float64Array;
  /** Takes the season out of the value at `index`, counted from the series' beginning. */
  adjust(value: number, index: number): number;
  /** Puts the season back. */
  restore(value: number, index: number): number;
}

/** Adjusts `series` for a season of `period` samples, if the test finds one. */
export function seasonalAdjustment(series: Float64Array, period: number): SeasonalAdjustment {
  if (!isSeasonal(series, period)) return { adjusted: series, adjust: (value) => value, restore: (value) => value };
  const multiplicative = series.every((value) => value > 0);
  const season = seasonalIndices(series, period, multiplicative);
  const adjust = (value: number, index: number): number => {
    const part = season[index % period]!;
    return multiplicative ? value / part : value - part;
  };
  return {
    adjusted: series.map(adjust),
    adjust,
    restore(value, index) {
      const part = season[index % period]!;
      return multiplicative ? value * part : value + part;
    },
  };
}

/** Whether the autocorrelation at lag `period` exceeds its 90% limit (Bartlett's formula); never with fewer than three seasons. */
export function isSeasonal(series: Float64Array, period: number): boolean {
  if (period < 2 || series.length < 3 * period) return false;
  const correlations = autocorrelations(series, period);
  let squares = 1;
  for (let lag = 1; lag < period; lag++) squares += 2 * correlations[lag]! * correlations[lag]!;
  return Math.abs(correlations[period]!) > 1.645 * Math.sqrt(squares / series.length);
}

/** Autocorrelations at lags 0 … `lagMax`; zeros for a constant series. */
export function autocorrelations(series: Float64Array, lagMax: number): Float64Array {
  const count = series.length;
  let mean = 0;
  for (let index = 0; index < count; index++) mean += series[index]!;
  mean /= count;
  const result = new Float64Array(lagMax + 1);
  for (let lag = 0; lag <= lagMax; lag++) {
    let sum = 0;
    for (let index = lag; index < count; index++) sum += (series[index]! - mean) * (series[index - lag]! - mean);
    result[lag] = sum;
  }
  const variance = result[0]!;
  for (let lag = 0; lag <= lagMax; lag++) result[lag] = variance > 0 ? result[lag]! / variance : 0;
  return result;
}

/** One factor (mean 1) or summand (mean 0) for each sample of a season. */
function seasonalIndices(series: Float64Array, period: number, multiplicative: boolean): Float64Array {
  const trend = centredMovingAverage(series, period);
  const sums = new Float64Array(period);
  const counts = new Float64Array(period);
  for (let index = 0; index < series.length; index++) {
    const level = trend[index]!;
    if (Number.isNaN(level)) continue;
    sums[index % period] = sums[index % period]! + (multiplicative ? series[index]! / level : series[index]! - level);
    counts[index % period] = counts[index % period]! + 1;
  }
  let mean = 0;
  for (let at = 0; at < period; at++) {
    sums[at] = sums[at]! / counts[at]!;
    mean += sums[at]! / period;
  }
  return sums.map((value) => (multiplicative ? value / mean : value - mean));
}

/** Over one whole season around each value, the ends of an even season at half weight; NaN where it does not fit. */
export function centredMovingAverage(series: Float64Array, period: number): Float64Array {
  const result = new Float64Array(series.length).fill(Number.NaN);
  const half = Math.floor(period / 2);
  const even = period % 2 === 0;
  for (let index = half; index + half < series.length; index++) {
    let sum = 0;
    for (let at = index - half; at <= index + half; at++) {
      const edge = even && (at === index - half || at === index + half);
      sum += edge ? series[at]! / 2 : series[at]!;
    }
    result[index] = sum / period;
  }
  return result;
}
