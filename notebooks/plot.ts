// Plots for notebooks: one panel, lines, points or bars over two named axes, as SVG by echarts, in the hand of the published figures.

import {
  axisLabels,
  figureColours,
  figureInk,
  horizontalAxis,
  panelFigure,
  verticalAxis,
} from '../reports/panel-figure.ts';

export interface PlotSeries {
  /** In the legend; series of one name have one colour. */
  readonly name: string;
  readonly kind: 'line' | 'steps' | 'dots' | 'bars' | 'dashes';
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** What lies between two lines, such as an interval. */
export interface PlotBand {
  readonly name: string;
  /** x, lower end, upper end. */
  readonly points: readonly (readonly [x: number, low: number, high: number])[];
}

export interface Plot {
  readonly title: string;
  readonly x: PlotAxis;
  readonly y: PlotAxis;
  readonly series: readonly PlotSeries[];
  /** Drawn below all series, in the colour of the last one. */
  readonly band?: PlotBand;
  readonly height?: number;
}

export interface PlotAxis {
  readonly name: string;
  readonly min?: number;
  readonly max?: number;
  readonly logarithmic?: boolean;
  /** Names of the values 0, 1, 2 …, instead of numbers. */
  readonly labels?: readonly string[];
}

const width = 820;

export function plot({ title, x, y, series, band, height = 340 }: Plot): string {
  const names = [...new Set(series.map(({ name }) => name))];
  const colourOf = (name: string): string => figureColours[names.indexOf(name) % figureColours.length] as string;
  const legend = [...names, ...(band === undefined ? [] : [band.name])];
  return panelFigure({
    title,
    width,
    height,
    panels: [{ heading: `${title} (${y.name})`, left: '8%', width: '89%' }],
    ...(legend.length > 1 ? { legend, legendGap: 28 } : {}),
    xAxis: [horizontalAxis(0, x.name, axisOf(x))],
    yAxis: [verticalAxis(0, axisOf(y))],
    series: [
      ...(band === undefined ? [] : bandSeries(band, colourOf(names.at(-1) as string))),
      ...series.map((one) => drawn(one, colourOf(one.name))),
    ],
  });
}

function axisOf({ min, max, logarithmic = false, labels }: PlotAxis): object {
  if (labels !== undefined)
    return { type: 'category', data: labels, axisLabel: { ...axisLabels(String), color: figureInk, interval: 0 } };
  return {
    type: logarithmic ? 'log' : 'value',
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    axisLabel: axisLabels((value) => (logarithmic && value < 0.001 ? value.toExponential(0) : String(value))),
  };
}

function drawn({ name, kind, points }: PlotSeries, colour: string): object {
  const shared = { name, data: points, silent: true, itemStyle: { color: colour } };
  if (kind === 'bars') return { ...shared, type: 'bar', barMaxWidth: 26 };
  if (kind === 'dots')
    return { ...shared, type: 'scatter', symbolSize: 4, itemStyle: { color: colour, opacity: 0.45 } };
  const dash = kind === 'dashes' ? 'dashed' : 'solid';
  return {
    ...{ ...shared, type: 'line', symbol: 'none', lineStyle: { color: colour, width: 2, type: dash } },
    ...(kind === 'steps' ? { step: 'end' } : {}),
  };
}

/** Echarts knows no bands: two lines that are stacked, of which the upper one is filled. */
function bandSeries({ name, points }: PlotBand, colour: string): object[] {
  const line = {
    ...{ type: 'line', stack: name, symbol: 'none', silent: true, lineStyle: { opacity: 0 } },
    itemStyle: { color: colour, opacity: 0.25 },
  };
  return [
    { ...line, name: `${name}, lower end`, data: points.map(([x, low]) => [x, low]) },
    {
      ...{ ...line, name, data: points.map(([x, low, high]) => [x, high - low]) },
      areaStyle: { color: colour, opacity: 0.18 },
    },
  ];
}

/** The share of values that are at most so large, as points of steps; thinned to some hundred. */
export function distributionPoints(values: readonly number[]): [number, number][] {
  const sorted = values.toSorted((left, right) => left - right);
  const every = Math.max(1, Math.ceil(sorted.length / 300));
  return sorted.flatMap((value, index): [number, number][] =>
    index % every === 0 || index === sorted.length - 1 ? [[value, (index + 1) / sorted.length]] : [],
  );
}
