// The figure of the kernel's benchmark as SVG: what a placement costs as the cluster grows, how fast events are handled as the
// run grows, and what stays in memory.

import { init } from 'echarts';

export interface KernelFigure {
  /** Microseconds a placement, by number of machines. */
  readonly cost: readonly { readonly name: string; readonly points: readonly Point[] }[];
  /** Events a second, by number of tasks. */
  readonly speed: readonly Point[];
  /** Live megabytes, by millions of tasks ended. */
  readonly memory: readonly Point[];
}

export type Point = readonly [number, number];

/** After Okabe and Ito (2008), told apart by colour-blind readers too. */
const colours = ['#0072b2', '#009e73', '#d55e00'];
const ink = '#17202a';
const inkSoft = '#505b66';
// Without quotes: the server-side renderer writes the text into an attribute as it is.
const fontFamily = 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif';
const panels = [
  { left: '5%', width: '31%' },
  { left: '43%', width: '24%' },
  { left: '74%', width: '23%' },
] as const;

export function kernelFigure(figure: KernelFigure): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 1120, height: 400 });
  const axis = { nameTextStyle: { color: inkSoft, fontSize: 12 }, axisLabel: { color: inkSoft, fontSize: 12 } };
  const horizontal = (gridIndex: number, name: string, extra: object): object => ({
    ...axis,
    gridIndex,
    name,
    nameLocation: 'middle',
    nameGap: 28,
    splitLine: { show: false },
    axisLine: { lineStyle: { color: '#b9c0c7' } },
    ...extra,
  });
  const vertical = (gridIndex: number, extra: object): object => ({
    ...axis,
    gridIndex,
    splitLine: { lineStyle: { color: '#eceef0' } },
    axisLine: { show: false },
    ...extra,
  });
  const heading = (text: string, left: string): object => ({
    text,
    left,
    top: 12,
    textStyle: { fontSize: 14, fontWeight: 600, color: ink },
  });
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
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily, color: ink },
    title: [
      heading('Microseconds a placement', panels[0].left),
      heading('Kernel events a second', panels[1].left),
      heading('Live memory, MB', panels[2].left),
    ],
    legend: {
      data: figure.cost.map(({ name }) => ({ name, icon: 'roundRect' })),
      left: panels[0].left,
      top: 40,
      itemGap: 16,
      itemWidth: 16,
      itemHeight: 4,
      textStyle: { color: ink, fontSize: 12 },
    },
    grid: panels.map((panel) => ({ ...panel, top: 76, bottom: 54 })),
    xAxis: [
      horizontal(0, 'machines', {
        ...power,
        ...extent(figure.cost.flatMap(({ points }) => points)),
        axisLabel: counts,
      }),
      horizontal(1, 'tasks in the run', { ...power, ...extent(figure.speed), axisLabel: counts }),
      horizontal(2, 'million tasks ended', { type: 'value', min: 0 }),
    ],
    yAxis: [
      vertical(0, { ...power, axisLabel: counts }),
      vertical(1, { type: 'value', min: 0, axisLabel: counts }),
      vertical(2, { type: 'value', min: 0 }),
    ],
    series: [
      ...figure.cost.map(({ name, points }, index) => line(name, points, 0, colours[index % colours.length] as string)),
      line('events a second', figure.speed, 1, colours[0] as string),
      line('live memory', figure.memory, 2, colours[0] as string),
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  const title = 'Cost of a placement by cluster size, speed by length of the run, memory over a million tasks';
  return `${svg.replace(/^<svg ([^>]*)>/, `<svg role="img" $1>\n<title>${title}</title>`)}\n`;
}

/** Without decimals, large numbers by their unit. */
const counts = {
  color: inkSoft,
  fontSize: 12,
  formatter: (value: number): string =>
    value >= 1e6 ? `${value / 1e6} M` : value >= 1e4 ? `${value / 1e3} k` : value.toLocaleString('en'),
};

/** A logarithmic axis from the first to the last point. */
function extent(points: readonly Point[]): { readonly min: number; readonly max: number } {
  const values = points.map(([x]) => x);
  return { min: Math.min(...values), max: Math.max(...values) };
}
