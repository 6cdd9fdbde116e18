// Numbers for people: one unit and one number of decimals a column, chosen from the values and their uncertainty, so that
// figures that stand together can be compared at a glance. Used by the terminal table and the HTML report alike.

import type { Estimate, MetricSpec } from '../sim/experiment/results.ts';

/** How the values of one column are shown: `value × factor`, rounded to `decimals`, in `unit`. */
export interface Scale {
  readonly factor: number;
  readonly unit: string;
  readonly decimals: number;
}

const minus = '−';
const digitsMax = 5;

const durations: readonly { readonly unit: string; readonly seconds: number; readonly upTo: number }[] = [
  { unit: 'µs', seconds: 1e-6, upTo: 1e-3 },
  { unit: 'ms', seconds: 1e-3, upTo: 1 },
  { unit: 's', seconds: 1, upTo: 180 },
  { unit: 'min', seconds: 60, upTo: 3 * 3600 },
  { unit: 'h', seconds: 3600, upTo: 3 * 86_400 },
  { unit: 'd', seconds: 86_400, upTo: Number.POSITIVE_INFINITY },
];

/** The scale for estimates that share a column: two significant digits of the typical half interval, at most five digits in all. */
export function scaleOf(metric: Pick<MetricSpec, 'unit'>, estimates: readonly Estimate[]): Scale {
  const means = estimates.map((estimate) => Math.abs(estimate.mean ?? 0)).filter((value) => value > 0);
  const halves = estimates.map((estimate) => halfInterval(estimate) ?? 0).filter((value) => value > 0);
  return scaleOfValues(metric.unit, means, halves);
}

/** As {@link scaleOf}, from magnitudes (all positive, zeros left out) and half intervals in the metric's unit. */
export function scaleOfValues(unit: string, magnitudes: readonly number[], halves: readonly number[]): Scale {
  const largest = Math.max(0, ...magnitudes);
  const duration = unit === 's' && largest > 0 ? durations.find((candidate) => largest < candidate.upTo) : undefined;
  const factor = duration ? 1 / duration.seconds : 1;
  const shown = { factor, unit: duration?.unit ?? unit };
  const room = digitsMax - 1 - magnitudeOf(largest * factor);
  const typicalHalf = [...halves].sort((a, b) => a - b)[Math.floor((halves.length - 1) / 2)];
  let decimals: number;
  if (typicalHalf !== undefined) {
    // One decimal more where it shows a digit of a small mean, but no column is widened for what is nearly zero.
    const digits = Math.max(0, 1 - magnitudeOf(typicalHalf * factor));
    decimals = Math.max(digits, Math.min(leastDecimals(magnitudes, factor), digits + 1));
  } else {
    decimals = magnitudes.every((value) => Number.isInteger(value * factor)) ? 0 : 3 - magnitudeOf(largest * factor);
  }
  return { ...shown, decimals: Math.max(0, Math.min(decimals, room, 4)) };
}

/** Decimals that show at least one digit of the smallest value. */
function leastDecimals(magnitudes: readonly number[], factor: number): number {
  return magnitudes.length === 0 ? 0 : -magnitudeOf(Math.min(...magnitudes) * factor);
}

/** The power of ten of the leading digit. */
function magnitudeOf(value: number): number {
  return value > 0 ? Math.floor(Math.log10(value)) : 0;
}

/** Half the width of the 95% interval, or null where there is none. */
export function halfInterval(estimate: Estimate): number | null {
  return estimate.low === null || estimate.high === null ? null : (estimate.high - estimate.low) / 2;
}

/** The number alone, with thousands separators and a true minus; `–` for null. `signed` puts a plus on positive values. */
export function formatNumber(value: number | null, scale: Pick<Scale, 'factor' | 'decimals'>, signed = false): string {
  if (value === null) return '–';
  const rounded = Number((value * scale.factor).toFixed(scale.decimals));
  const digits = Math.abs(rounded).toLocaleString('en-US', {
    minimumFractionDigits: scale.decimals,
    maximumFractionDigits: scale.decimals,
  });
  if (rounded < 0) return `${minus}${digits}`;
  return signed && rounded > 0 ? `+${digits}` : digits;
}

/** The unit as it follows a number: nothing for a ratio, no space before a percent sign. */
export function unitSuffix(unit: string): string {
  if (unit === '1' || unit === '') return '';
  return unit === '%' ? '%' : ` ${unit}`;
}

/** A number with its unit: `94.02%`, `12.3 min`, `1.39`. */
export function formatQuantity(value: number | null, scale: Scale, signed = false): string {
  return value === null ? '–' : `${formatNumber(value, scale, signed)}${unitSuffix(scale.unit)}`;
}

/** Unit of a difference: percentages differ by percentage points. */
export function differenceUnit(unit: string): string {
  return unit === '%' ? 'points' : unit;
}

/** Mean ± half interval in the column's scale, without the unit. */
export function formatEstimate(estimate: Estimate | undefined, scale: Scale): string {
  if (!estimate || estimate.mean === null) return '–';
  const half = halfInterval(estimate);
  const mean = formatNumber(estimate.mean, scale);
  return half === null ? mean : `${mean} ± ${formatNumber(half, scale)}`;
}

/** A duration in at most two units: `1 d`, `2 h 30 min`, `45 s`, `0.25 s`. */
export function formatDuration(seconds: number): string {
  if (seconds < 0) return `${minus}${formatDuration(-seconds)}`;
  if (seconds === 0) return '0 s';
  if (seconds < 0.0995) return `${trimmed(seconds * 1000)} ms`;
  if (seconds < 99.5) return `${trimmed(seconds)} s`;
  const units = [
    { unit: 'd', seconds: 86_400 },
    { unit: 'h', seconds: 3600 },
    { unit: 'min', seconds: 60 },
    { unit: 's', seconds: 1 },
  ];
  const first = units.findIndex((candidate) => seconds >= candidate.seconds);
  const [large, small] = [units[first], units[first + 1]];
  const rounded = Math.round(seconds / small.seconds) * small.seconds;
  // Rounding may carry into the larger unit, as 59.9 min do.
  const whole = Math.floor(rounded / large.seconds);
  const rest = Math.round((rounded - whole * large.seconds) / small.seconds);
  return rest === 0 ? `${whole} ${large.unit}` : `${whole} ${large.unit} ${rest} ${small.unit}`;
}

function trimmed(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** A p-value as it is customarily written, `p = 0.012` or `p < 0.001`, with spaces at which no line breaks. */
export function formatPValue(pValue: number): string {
  if (pValue < 0.001) return 'p\u00a0<\u00a00.001';
  return `p\u00a0=\u00a0${pValue.toFixed(pValue < 0.1 ? 3 : 2)}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function joinWords(words: readonly string[], conjunction = 'and'): string {
  if (words.length < 2) return words[0] ?? '';
  return `${words.slice(0, -1).join(', ')} ${conjunction} ${words[words.length - 1]}`;
}

/** `1 seed`, `5 seeds`, `1,213 machines`. */
export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
