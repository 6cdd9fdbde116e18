// The figure of the availability page as SVG: how fast displaced work runs again, and what share of each year's requests was
// not served, beside the goals.

import { init } from 'echarts';
import { goals, type StudyFigures } from './study-results.ts';

/** After Okabe and Ito (2008), told apart by colour-blind readers too. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#b5488f', '#c48a00', '#56a8dc'];
const ink = '#17202a';
const inkSoft = '#505b66';
// Without quotes: the server-side renderer writes the text into an attribute as it is.
const fontFamily = 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif';
const panels = [
  { left: '5%', width: '42%' },
  { left: '56%', width: '42%' },
] as const;
/** Where a year without a miss is drawn: a logarithmic axis has no zero. */
const floorShare = 1e-9;

export function availabilityFigure({ recoveries, years, lives }: StudyFigures): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 1120, height: 420 });
  const axis = { nameTextStyle: { color: inkSoft, fontSize: 12 }, axisLabel: { color: inkSoft, fontSize: 12 } };
  const heading = (text: string, left: string): object => ({
    text,
    left,
    top: 12,
    textStyle: { fontSize: 14, fontWeight: 600, color: ink },
  });
  const horizontal = (gridIndex: number, name: string, extra: object): object => ({
    ...axis,
    type: 'value',
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
  const goalLine = (mark: object, label: string): object => ({
    silent: true,
    symbol: 'none',
    lineStyle: { color: inkSoft, type: 'dashed', width: 1.5 },
    label: { formatter: label, color: inkSoft, fontSize: 12, position: 'insideEndTop' },
    data: [mark],
  });
  const yearCount = Math.max(...years.map((life) => life.length));
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily, color: ink },
    title: [
      heading('Share of displaced work that runs again, by seconds since the fault', panels[0].left),
      heading('Share of a year’s requests not served, a colour for each life', panels[1].left),
    ],
    legend: {
      data: recoveries.map(({ name }) => ({ name, icon: 'roundRect' })),
      left: panels[0].left,
      top: 38,
      itemGap: 40,
      itemWidth: 16,
      itemHeight: 4,
      textStyle: { color: ink, fontSize: 12 },
    },
    grid: panels.map((panel) => ({ ...panel, top: 76, bottom: 54 })),
    xAxis: [
      horizontal(0, 'seconds', { min: 0, max: 35, interval: 5 }),
      horizontal(1, 'year', {
        min: 0,
        max: yearCount + 1,
        interval: 1,
        axisLabel: { color: inkSoft, fontSize: 12, formatter: (year: number) => yearText(year, yearCount) },
      }),
    ],
    yAxis: [
      vertical(0, { type: 'value', min: 0, max: 1 }),
      vertical(1, {
        type: 'log',
        logBase: 10,
        min: floorShare,
        max: 1e-4,
        axisLabel: { color: inkSoft, fontSize: 12, formatter: shareText },
      }),
    ],
    series: [
      ...recoveries.map(({ name, seconds }, index) => ({
        type: 'line',
        name,
        step: 'end',
        symbol: 'none',
        silent: true,
        data: steps(seconds),
        xAxisIndex: 0,
        yAxisIndex: 0,
        lineStyle: { color: colours[index], width: 2 },
        itemStyle: { color: colours[index] },
        ...(index === 0 ? { markLine: goalLine({ xAxis: goals.worstRecoverySeconds }, 'goal 30 s') } : {}),
      })),
      ...years.map((life, index) => ({
        type: 'scatter',
        name: lives[index]?.name ?? '',
        silent: true,
        symbolSize: 7,
        data: life.map(({ servedShare }, year) => [
          year + 1 + 0.12 * (index - (years.length - 1) / 2),
          Math.max(floorShare, 1 - servedShare),
        ]),
        xAxisIndex: 1,
        yAxisIndex: 1,
        itemStyle: { color: colours[index % colours.length] },
      })),
      {
        type: 'line',
        name: 'goal',
        symbol: 'none',
        silent: true,
        data: [
          [0, 1 - goals.servedShare],
          [yearCount + 1, 1 - goals.servedShare],
        ],
        xAxisIndex: 1,
        yAxisIndex: 1,
        lineStyle: { color: inkSoft, type: 'dashed', width: 1.5 },
        endLabel: { show: false },
        markPoint: {
          symbol: 'circle',
          symbolSize: 0,
          silent: true,
          label: { formatter: 'goal: 99.999% served', color: inkSoft, fontSize: 12, position: 'top', distance: 8 },
          data: [{ coord: [yearCount - 1, 1 - goals.servedShare] }],
        },
      },
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  const title = 'How fast displaced work runs again, and the share of requests not served by year';
  return `${svg.replace(/^<svg ([^>]*)>/, `<svg role="img" $1>\n<title>${title}</title>`)}\n`;
}

function yearText(year: number, count: number): string {
  return year >= 1 && year <= count ? String(year) : '';
}

function shareText(value: number): string {
  return value === floorShare ? 'none' : `1e${Math.round(Math.log10(value))}`;
}

/** At most some hundred steps of the distribution. */
function steps(seconds: readonly number[]): [number, number][] {
  const every = Math.max(1, Math.ceil(seconds.length / 400));
  const points: [number, number][] = [[0, 0]];
  seconds.forEach((value, index) => {
    if (index % every === 0 || index === seconds.length - 1)
      points.push([Number(value.toFixed(3)), Number(((index + 1) / seconds.length).toFixed(4))]);
  });
  return points;
}
