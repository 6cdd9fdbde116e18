// Live and simulated times side by side: the share of tasks that took no longer, as SVG.

import { drawFigure, figureColours, figureInk } from '../panel-figure.ts';
import { type Fidelity, fidelityKinds } from './judge-fidelity.ts';

const pointsMax = 400;

export function fidelityFigure({ kinds }: Fidelity): string {
  const axisLabel = { color: '#505b66', fontSize: 11 };
  return drawFigure('Live and simulated times side by side: the share of tasks that took no longer', 1120, 380, {
    title: kinds.map(({ kind }, index) => ({
      text: `${kind}, ms`,
      left: `${5 + 32 * index}%`,
      top: 8,
      textStyle: { fontSize: 14, fontWeight: 600, color: figureInk },
    })),
    legend: { data: ['live', 'simulated'], bottom: 6, textStyle: { color: figureInk, fontSize: 12 } },
    grid: fidelityKinds.map((_, index) => ({ left: `${5 + 32 * index}%`, width: '27%', top: 44, bottom: 66 })),
    xAxis: fidelityKinds.map((_, gridIndex) => ({ type: 'value', gridIndex, axisLabel, splitLine: { show: false } })),
    yAxis: fidelityKinds.map((_, gridIndex) => ({ type: 'value', gridIndex, min: 0, max: 1, axisLabel })),
    series: kinds.flatMap(({ live, simulated }, index) =>
      [live, simulated].map((times, side) => ({
        ...{ name: side === 0 ? 'live' : 'simulated', type: 'line', step: 'end', symbol: 'none', silent: true },
        ...{ xAxisIndex: index, yAxisIndex: index },
        itemStyle: { color: figureColours[side] },
        lineStyle: { color: figureColours[side], width: side === 0 ? 3 : 1.5, type: side === 0 ? 'solid' : 'dashed' },
        data: pointsOf(times),
      })),
    ),
  });
}

function pointsOf(times: readonly number[]): (readonly [number, number])[] {
  const count = Math.min(pointsMax, times.length);
  return Array.from({ length: count }, (_, index) => {
    const place = Math.ceil(((index + 1) * times.length) / count) - 1;
    return [Number(((times[place] as number) / 1000).toFixed(3)), (place + 1) / times.length] as const;
  });
}
