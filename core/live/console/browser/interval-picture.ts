// Relative changes as pictures: where each lies for sure, on one scale, with the line of no change. Less is better in all of them,
// and a tone says whether an interval lies on one side for sure.

import { h, signedPercent } from './dom.ts';

export interface IntervalRow {
  readonly label: string;
  /** Below the label. */
  readonly note?: string;
  readonly middle: number;
  /** Left out of what is known without doubt, such as a measured value. */
  readonly low?: number;
  readonly high?: number;
  /** More than this, for sure, is too much; 0 if left out. */
  readonly atMost?: number | undefined;
  /** A wider interval around it, such as that of a single window. */
  readonly around?: { readonly low: number; readonly high: number } | undefined;
}

/** `better` or `worse` for sure, or neither. */
export function toneOf({ middle, low = middle, high = middle, atMost = 0 }: IntervalRow): string {
  if (high < 0) return 'better';
  return low > atMost ? 'worse' : 'unclear';
}

export function intervalPicture(rows: readonly IntervalRow[]): HTMLElement {
  const ends = rows.flatMap(({ middle, low = middle, high = middle, around, atMost = 0 }) => [
    ...[low, high, atMost],
    ...(around === undefined ? [] : [around.low, around.high]),
  ]);
  const least = Math.min(0, ...ends);
  const margin = Math.max(0.02, 0.06 * (Math.max(0, ...ends) - least));
  const from = least - margin;
  const span = Math.max(0, ...ends) + margin - from;
  const at = (value: number): string => `${Math.max(0, Math.min(100, (100 * (value - from)) / span)).toFixed(2)}%`;
  const width = (low: number, high: number): string => `${Math.max(0.4, (100 * (high - low)) / span).toFixed(2)}%`;
  return h(
    'ul',
    { class: 'intervals' },
    rows.map((row) => {
      const { label, note, middle, low, high, around, atMost } = row;
      const isSure = low === undefined || high === undefined;
      const words = isSure
        ? signedPercent(middle)
        : `${signedPercent(middle)} (${signedPercent(low)} to ${signedPercent(high)})`;
      return h(
        'li',
        { class: `is-${toneOf(row)}` },
        h('span', {}, label, note === undefined ? null : h('small', {}, note)),
        h(
          'span',
          { class: 'track', role: 'img', 'aria-label': `${label}: ${words}` },
          around === undefined
            ? null
            : h('i', { class: 'around', style: `left:${at(around.low)};width:${width(around.low, around.high)}` }),
          isSure ? null : h('i', { class: 'range', style: `left:${at(low)};width:${width(low, high)}` }),
          h('i', { class: 'zero', style: `left:${at(0)}` }),
          atMost === undefined || atMost === 0 ? null : h('i', { class: 'bound', style: `left:${at(atMost)}` }),
          h('i', { class: isSure ? 'point is-measured' : 'point', style: `left:${at(middle)}` }),
        ),
        h('span', { class: 'number' }, words),
      );
    }),
  );
}
