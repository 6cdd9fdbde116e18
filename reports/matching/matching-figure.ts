// The learning curves as SVG: right answers over outcomes, mean over seeds.

import { drawFigure, figureInk, figureInkSoft } from '../panel-figure.ts';
import { interval } from './matching-page.ts';
import type { MatchingDocument } from './matching-variants.ts';

/** After Okabe and Ito (2008), told apart by colour-blind readers too. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#6f7883', '#b5488f', '#56a8dc'];
/** Where a logarithmic axis has what was before the first outcome. */
const zeroAt = 100;

export function matchingFigure(document: MatchingDocument): string {
  const axis = {
    nameTextStyle: { color: figureInkSoft, fontSize: 12 },
    axisLabel: { color: figureInkSoft, fontSize: 12 },
  };
  return drawFigure('Right answers of discovery over outcomes learned from', 1120, 480, {
    title: {
      text: 'Requests for which the agent found is the fastest that can serve them, % (mean over seeds)',
      left: '4%',
      top: 10,
      textStyle: { fontSize: 15, fontWeight: 600, color: figureInk },
    },
    legend: { bottom: 8, itemGap: 26, itemWidth: 18, itemHeight: 4, textStyle: { color: figureInk, fontSize: 12 } },
    grid: { left: '5%', right: '4%', top: 60, bottom: 90 },
    xAxis: {
      ...axis,
      type: 'log',
      min: zeroAt,
      max: 40_000,
      name: `outcomes learned from (${zeroAt} stands for none)`,
      nameLocation: 'middle',
      nameGap: 28,
      splitLine: { show: false },
      axisLine: { lineStyle: { color: '#b9c0c7' } },
    },
    yAxis: { ...axis, type: 'value', min: 0, max: 100, splitLine: { lineStyle: { color: '#eceef0' } } },
    series: document.variants.map((variant, index) => ({
      name: variant.name,
      type: 'line',
      symbol: 'circle',
      symbolSize: 5,
      silent: true,
      itemStyle: { color: colours[index % colours.length] },
      lineStyle: {
        color: colours[index % colours.length],
        width: index === 0 ? 3 : 1.5,
        type: index < 2 ? 'solid' : 'dashed',
      },
      data: (variant.runs[0]?.points ?? []).map(({ outcomes }, point) => [
        Math.max(zeroAt, outcomes),
        Number((100 * (interval(variant, point, 'right').mean ?? 0)).toFixed(2)),
      ]),
      ...(index === 0
        ? {
            markLine: {
              silent: true,
              symbol: 'none',
              data: [{ yAxis: 95 }],
              label: { formatter: 'goal 95%', color: figureInkSoft, position: 'insideEndBottom' },
              lineStyle: { color: figureInkSoft, type: 'dotted' },
            },
          }
        : {}),
    })),
  });
}
