// The figure of the forecast page as SVG: what each method reaches on M4 Hourly, how its error grows with the hours ahead, and how
// much of persistence's error is left on the load series.

import { drawFigure, figureInk, figureInkSoft } from '../../../reports/panel-figure.ts';
import type { LoadRow } from './load-table.ts';
import type { M4Row } from './m4-table.ts';

/** After Okabe and Ito (2008), told apart by colour-blind readers too; baselines are grey. */
const colours: Readonly<Record<string, string>> = {
  'naive-2': '#9aa3ab',
  persistence: '#c3c9ce',
  'seasonal-naive': '#6f7883',
  'seasonal-naive-2': '#b9a44c',
  theta: '#56a8dc',
  'holt-winters': '#b5488f',
  'lag-linear': '#009e73',
  ensemble: '#d55e00',
  gru: '#7a5ccc',
};

export function forecastFigure(m4: readonly M4Row[], loads: readonly LoadRow[]): string {
  // Persistence would squeeze all others; the table has it.
  const shown = m4.filter(({ name }) => name !== 'persistence');
  const bars = shown.toSorted((left, right) => right.owa - left.owa);
  const axis = {
    nameTextStyle: { color: figureInkSoft, fontSize: 12 },
    axisLabel: { color: figureInkSoft, fontSize: 12 },
  };
  const grids = [
    { left: '10%', width: '19%', top: 70, bottom: 60 },
    { left: '36%', width: '27%', top: 70, bottom: 60 },
    { left: '70%', width: '28%', top: 70, bottom: 96 },
  ];
  const heading = (text: string, left: string): object => ({
    ...{ text, left, top: 38 },
    textStyle: { fontSize: 13, fontWeight: 'normal', color: figureInkSoft },
  });
  const loadNames = loads.map(({ series, horizon }) => `${series.replace(/-.*/, '')} +${horizon}`);
  return drawFigure('Accuracy of the forecasters on M4 Hourly and on load series', 1120, 430, {
    title: [
      {
        text: 'Forecasts beside their baselines',
        left: '2%',
        top: 8,
        textStyle: { fontSize: 15, fontWeight: 600, color: figureInk },
      },
      heading('M4 Hourly: OWA, lower is better', '2%'),
      heading('M4 Hourly: error by hours ahead (MASE)', '34%'),
      heading('Load: RMSE as a share of persistence’s', '68%'),
    ],
    grid: grids,
    legend: {
      data: shown.map(({ name }) => ({ name, icon: 'roundRect' })),
      bottom: 6,
      left: '2%',
      itemWidth: 16,
      itemHeight: 4,
      itemGap: 28,
      textStyle: { color: figureInk, fontSize: 12 },
    },
    xAxis: [
      { ...axis, type: 'value', gridIndex: 0, splitLine: { lineStyle: { color: '#eceef0' } } },
      { ...axis, type: 'value', gridIndex: 1, min: 1, max: 48, interval: 8, splitLine: { show: false } },
      {
        ...axis,
        type: 'category',
        gridIndex: 2,
        data: loadNames,
        axisLabel: { ...axis.axisLabel, rotate: 50, interval: 0, fontSize: 11 },
      },
    ],
    yAxis: [
      { ...axis, type: 'category', gridIndex: 0, data: bars.map(({ name }) => name), axisTick: { show: false } },
      { ...axis, type: 'value', gridIndex: 1, min: 0, max: 4, splitLine: { lineStyle: { color: '#eceef0' } } },
      { ...axis, type: 'value', gridIndex: 2, min: 0, max: 1.1, splitLine: { lineStyle: { color: '#eceef0' } } },
    ],
    series: [
      {
        type: 'bar',
        xAxisIndex: 0,
        yAxisIndex: 0,
        barWidth: 16,
        data: bars.map(({ name, owa }) => ({ value: Number(owa.toFixed(4)), itemStyle: { color: colours[name] } })),
        label: { show: true, position: 'right', formatter: '{c}', color: figureInk, fontSize: 12 },
        silent: true,
      },
      ...shown.map(({ name, errorBySteps }) => ({
        type: 'line',
        name,
        xAxisIndex: 1,
        yAxisIndex: 1,
        symbol: 'none',
        silent: true,
        clip: true,
        data: errorBySteps.map((value, step) => [step + 1, Number(value.toFixed(3))]),
        lineStyle: { color: colours[name], width: name === 'ensemble' ? 2.5 : 1.5 },
        itemStyle: { color: colours[name] },
      })),
      {
        type: 'bar',
        xAxisIndex: 2,
        yAxisIndex: 2,
        barWidth: 12,
        silent: true,
        data: loads.map(({ squared }) => Number((squared.ensemble / squared.persistence).toFixed(3))),
        itemStyle: { color: colours.ensemble },
        markLine: {
          symbol: 'none',
          silent: true,
          label: { show: false },
          lineStyle: { color: figureInkSoft },
          data: [{ yAxis: 1 }],
        },
      },
    ],
  });
}
