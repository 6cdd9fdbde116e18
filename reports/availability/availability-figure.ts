// The figure of the availability page as SVG: how fast displaced work runs again, and what share of each year's requests was
// not served, beside the goals.

import {
  axisLabels,
  figureColours,
  figureInkSoft,
  goalLine,
  horizontalAxis,
  panelFigure,
  verticalAxis,
} from '../panel-figure.ts';
import { goals, type StudyFigures } from './study-results.ts';

/** Where a year without a miss is drawn: a logarithmic axis has no zero. */
const floorShare = 1e-9;

export function availabilityFigure({ recoveries, years, lives }: StudyFigures): string {
  const yearCount = Math.max(...years.map((life) => life.length));
  return panelFigure({
    title: 'How fast displaced work runs again, and the share of requests not served by year',
    height: 420,
    panels: [
      { heading: 'Share of displaced work that runs again, by seconds since the fault', left: '5%', width: '42%' },
      { heading: 'Share of a year’s requests not served, a colour for each life', left: '56%', width: '42%' },
    ],
    legend: recoveries.map(({ name }) => name),
    legendGap: 40,
    xAxis: [
      horizontalAxis(0, 'seconds', { type: 'value', min: 0, max: 35, interval: 5 }),
      horizontalAxis(1, 'year', {
        type: 'value',
        min: 0,
        max: yearCount + 1,
        interval: 1,
        axisLabel: axisLabels((year) => yearText(year, yearCount)),
      }),
    ],
    yAxis: [
      verticalAxis(0, { type: 'value', min: 0, max: 1 }),
      verticalAxis(1, { type: 'log', logBase: 10, min: floorShare, max: 1e-4, axisLabel: axisLabels(shareText) }),
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
        lineStyle: { color: figureColours[index], width: 2 },
        itemStyle: { color: figureColours[index] },
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
        itemStyle: { color: figureColours[index % figureColours.length] },
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
        lineStyle: { color: figureInkSoft, type: 'dashed', width: 1.5 },
        endLabel: { show: false },
        markPoint: {
          symbol: 'circle',
          symbolSize: 0,
          silent: true,
          label: {
            formatter: 'goal: 99.999% served',
            color: figureInkSoft,
            fontSize: 12,
            position: 'top',
            distance: 8,
          },
          data: [{ coord: [yearCount - 1, 1 - goals.servedShare] }],
        },
      },
    ],
  });
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
