// What all charts share: the shape of a figure, how an ECharts option is written down as JSON, axes and tooltips in the
// report's typography. An option may hold `var(--name)` colours and `call(…)`s of the page's script, which are resolved in the
// browser, so that one option serves both colour schemes.

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Option = { readonly [key: string]: Json };

export interface Variant {
  /** Text of the choice. */
  readonly label: string;
  readonly option: Option;
}

export interface Figure {
  /** Unique in the page; letters and hyphens. */
  readonly id: string;
  readonly title: string;
  /** How to read it, one or two sentences. */
  readonly caption: string;
  /** What a reader who cannot see it is told. */
  readonly label: string;
  readonly heightPixels: number;
  /** Many marks are faster on a canvas; few are sharper in SVG. */
  readonly renderer: 'svg' | 'canvas';
  /** The first is shown; more than one makes a select. */
  readonly variants: readonly Variant[];
  /** What the select chooses, such as `metric`. */
  readonly chooses?: string;
  /** A time axis that the reader can zoom: its whole extent and the steps between ticks to choose from, seconds. */
  readonly zoom?: { readonly from: number; readonly to: number; readonly steps: readonly number[] };
  /** Key under the title: colours by CSS variable. */
  readonly key?: readonly { readonly color: string; readonly label: string }[];
}

/** A function of the page's script by name, with its arguments; it is called in the browser and its result put here. */
export function call(name: string, ...args: readonly Json[]): Json {
  return { $call: name, args: [...args] };
}

/** Families that look alike on every system; the page's style names the same. */
export const fontFamily =
  '-apple-system, BlinkMacSystemFont, "Segoe UI", Inter, Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, system-ui, sans-serif';

export const ink = 'var(--ink)';
export const inkSoft = 'var(--ink-soft)';

/** Options that every chart begins with. */
export const base: Option = {
  animation: false,
  backgroundColor: 'transparent',
  textStyle: { fontFamily, fontSize: 12, color: inkSoft },
};

const axisName = { color: inkSoft, fontSize: 12, fontWeight: 'normal' };

/** A horizontal axis with its title below. */
export function xAxis(name: string, extra: Option = {}): Option {
  return {
    type: 'value',
    name,
    nameLocation: 'middle',
    nameGap: 30,
    nameTextStyle: axisName,
    axisLine: { show: true, lineStyle: { color: 'var(--rule)' } },
    axisTick: { show: false },
    splitLine: { show: false },
    ...extra,
    axisLabel: { color: inkSoft, fontSize: 12, hideOverlap: true, ...((extra.axisLabel as Option | undefined) ?? {}) },
  };
}

/** A vertical axis; its unit stands in its labels or in the figure's title, so that no name is turned on its side. */
export function yAxis(extra: Option = {}): Option {
  return {
    type: 'value',
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { show: true, lineStyle: { color: 'var(--grid)' } },
    ...extra,
    axisLabel: { color: inkSoft, fontSize: 12, ...((extra.axisLabel as Option | undefined) ?? {}) },
  };
}

export function tooltip(extra: Option): Option {
  return {
    confine: true,
    backgroundColor: 'var(--page)',
    borderColor: 'var(--rule)',
    borderWidth: 1,
    padding: [8, 12],
    textStyle: { color: ink, fontSize: 12, fontFamily },
    extraCssText: 'box-shadow:0 4px 16px rgba(0,0,0,.14);border-radius:6px;',
    ...extra,
  };
}

/** Four significant digits are enough for a picture and keep the file small. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
