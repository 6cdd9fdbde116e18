// The curve of trainings as SVG: what policies are worth on validation episodes, and how sure of themselves they are, by
// iteration; one line a seed.

import { figureColours, horizontalAxis, panelFigure, verticalAxis } from '../../reports/panel-figure.ts';
import type { CurveRow } from './train.ts';

export function trainingFigure(
  name: string,
  metric: string,
  curves: readonly { readonly seed: number; readonly curve: readonly CurveRow[] }[],
): string {
  const line = (panel: number, index: number, data: readonly (readonly [number, number])[]): object => ({
    type: 'line',
    name: `seed ${curves[index]!.seed}`,
    xAxisIndex: panel,
    yAxisIndex: panel,
    showSymbol: panel === 0,
    symbolSize: 5,
    lineStyle: { width: 1.8 },
    itemStyle: { color: figureColours[index % figureColours.length] },
    data,
  });
  const isEvolution = curves.some(({ curve }) => curve.some((row) => row.sigma !== undefined));
  const second = isEvolution ? 'Step of the weights' : 'Entropy of the choices, nats';
  return panelFigure({
    title: `Training of ${name}: ${metric} on validation episodes and ${isEvolution ? 'step' : 'entropy'} by iteration`,
    height: 360,
    panels: [
      { heading: `${name}: ${metric} on validation episodes`, left: '6%', width: '52%' },
      { heading: second, left: '66%', width: '32%' },
    ],
    legend: curves.map(({ seed }) => `seed ${seed}`),
    xAxis: [horizontalAxis(0, 'iteration', { type: 'value' }), horizontalAxis(1, 'iteration', { type: 'value' })],
    yAxis: [verticalAxis(0, { type: 'value', scale: true }), verticalAxis(1, { type: 'value', min: 0 })],
    series: curves.flatMap(({ curve }, index) => [
      line(
        0,
        index,
        curve.filter((row) => Number.isFinite(row.validation)).map((row) => [row.iteration, row.validation] as const),
      ),
      line(
        1,
        index,
        curve.map((row) => [row.iteration, row.sigma ?? row.entropy] as const),
      ),
    ]),
  });
}
