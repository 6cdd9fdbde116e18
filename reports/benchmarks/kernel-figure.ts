// The figure of the kernel's benchmark as SVG: what a placement costs as the cluster grows, how fast events are handled as the
// run grows, and what stays in memory.

import { axisLabels, figureColours, horizontalAxis, panelFigure, verticalAxis } from '../panel-figure.ts';

export interface KernelFigure {
  /** Microseconds a placement, by number of machines. */
  readonly cost: readonly { readonly name: string; readonly points: readonly Point[] }[];
  /** Events a second, by number of tasks. */
  readonly speed: readonly Point[];
  /** Live megabytes, by millions of tasks ended. */
  readonly memory: readonly Point[];
}

export type Point = readonly [number, number];

export function kernelFigure(figure: KernelFigure): string {
  const line = (name: string, points: readonly Point[], grid: number, color: string): object => ({
    type: 'line',
    name,
    data: points.map(([x, y]) => [x, Number(y.toPrecision(4))]),
    xAxisIndex: grid,
    yAxisIndex: grid,
    silent: true,
    symbol: 'circle',
    symbolSize: 7,
    lineStyle: { color, width: 2 },
    itemStyle: { color },
  });
  const power = { type: 'log', logBase: 10 };
  return panelFigure({
    title: 'Cost of a placement by cluster size, speed by length of the run, memory over a million tasks',
    height: 400,
    panels: [
      { heading: 'Microseconds a placement', left: '5%', width: '31%' },
      { heading: 'Kernel events a second', left: '43%', width: '24%' },
      { heading: 'Live memory, MB', left: '74%', width: '23%' },
    ],
    legend: figure.cost.map(({ name }) => name),
    xAxis: [
      horizontalAxis(0, 'machines', {
        ...power,
        ...extent(figure.cost.flatMap(({ points }) => points)),
        axisLabel: counts,
      }),
      horizontalAxis(1, 'tasks in the run', { ...power, ...extent(figure.speed), axisLabel: counts }),
      horizontalAxis(2, 'million tasks ended', { type: 'value', min: 0 }),
    ],
    yAxis: [
      verticalAxis(0, { ...power, axisLabel: counts }),
      verticalAxis(1, { type: 'value', min: 0, axisLabel: counts }),
      verticalAxis(2, { type: 'value', min: 0 }),
    ],
    series: [
      ...figure.cost.map(({ name, points }, index) =>
        line(name, points, 0, figureColours[index % figureColours.length] as string),
      ),
      line('events a second', figure.speed, 1, figureColours[0] as string),
      line('live memory', figure.memory, 2, figureColours[0] as string),
    ],
  });
}

/** Without decimals, large numbers by their unit. */
const counts = axisLabels((value) =>
  value >= 1e6 ? `${value / 1e6} M` : value >= 1e4 ? `${value / 1e3} k` : value.toLocaleString('en'),
);

/** A logarithmic axis from the first to the last point. */
function extent(points: readonly Point[]): { readonly min: number; readonly max: number } {
  const values = points.map(([x]) => x);
  return { min: Math.min(...values), max: Math.max(...values) };
}
