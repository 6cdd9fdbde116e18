// The figure of table 1 as SVG: allocation and fragmentation over arrivals, this kernel's thin lines on the published curves.

import { drawFigure, figureInk, figureInkSoft } from '../panel-figure.ts';
import type { PackingCurves } from './packing-run.ts';

/** After Okabe and Ito (2008), told apart by colour-blind readers too; the baseline is grey. */
const colours = ['#6f7883', '#56a8dc', '#b5488f', '#c48a00', '#009e73', '#d55e00'];

const width = 1120;
const height = 470;

/** Curves by policy, in the order of `policies`. */
export function packingFigure(
  workload: string,
  policies: readonly string[],
  here: ReadonlyMap<string, PackingCurves>,
  published: ReadonlyMap<string, PackingCurves>,
): string {
  const lines = (key: keyof PackingCurves, grid: number): object[] =>
    policies.flatMap((policy, index) => {
      const points = (curves: PackingCurves | undefined): [number, number][] =>
        (curves?.[key] ?? []).map((value, percent) => [percent, Number(value.toFixed(3))]);
      const shared = { type: 'line', symbol: 'none', xAxisIndex: grid, yAxisIndex: grid, silent: true, clip: true };
      const color = colours[index % colours.length] as string;
      return [
        {
          ...shared,
          name: `${policy}, published`,
          data: points(published.get(policy)),
          lineStyle: { color, width: 7, opacity: 0.28 },
          itemStyle: { color },
        },
        {
          ...shared,
          name: policy,
          data: points(here.get(policy)),
          lineStyle: { color, width: 1.5 },
          itemStyle: { color },
        },
      ];
    });
  const axis = {
    nameTextStyle: { color: figureInkSoft, fontSize: 12 },
    axisLabel: { color: figureInkSoft, fontSize: 12 },
  };
  const horizontal = (grid: number, min: number): object => ({
    ...axis,
    type: 'value',
    gridIndex: grid,
    min,
    max: 130,
    interval: 10,
    name: 'GPUs asked for by arrivals, % of the cluster',
    nameLocation: 'middle',
    nameGap: 28,
    splitLine: { show: false },
    axisLine: { lineStyle: { color: '#b9c0c7' } },
  });
  const vertical = (grid: number, extra: object): object => ({
    ...axis,
    type: 'value',
    gridIndex: grid,
    splitLine: { lineStyle: { color: '#eceef0' } },
    axisLine: { show: false },
    ...extra,
  });
  const heading = (text: string, left: string): object => ({
    text,
    left,
    top: 40,
    textStyle: { fontSize: 13, fontWeight: 'normal', color: figureInkSoft },
  });
  return drawFigure(
    `GPU allocation and fragmentation over arrivals on ${workload}, published and here`,
    width,
    height,
    {
      title: [
        {
          text: `openb ${workload}: wide bands published, thin lines this kernel`,
          left: '4%',
          top: 10,
          textStyle: { fontSize: 15, fontWeight: 600, color: figureInk },
        },
        heading('GPUs allocated, % of the cluster', '4%'),
        heading('GPUs fragmented, % of the cluster', '54%'),
      ],
      legend: {
        data: policies.map((name) => ({ name, icon: 'roundRect' })),
        bottom: 8,
        itemGap: 30,
        itemWidth: 18,
        itemHeight: 4,
        textStyle: { color: figureInk, fontSize: 12 },
      },
      grid: [
        { left: '4%', width: '43%', top: 70, bottom: 90 },
        { left: '54%', width: '43%', top: 70, bottom: 90 },
      ],
      xAxis: [horizontal(0, 70), horizontal(1, 0)],
      yAxis: [vertical(0, { min: 70, max: 100 }), vertical(1, { min: 0 })],
      series: [...lines('allocation', 0), ...lines('fragmentation', 1)],
    },
  );
}
