// Pictures of what trained placements reach.

import { figureColours, goalLine, horizontalAxis, panelFigure, verticalAxis } from '../../../reports/panel-figure.ts';
import { mean } from '../../../reports/tables/markdown.ts';
import { packingWorkloads } from '../../../reports/tables/published.ts';
import { completionBoundSeconds } from '../../env/agents/sustained-load.ts';
import { type AgentRow, agentHeuristics, shownFactors } from './agent-rows.ts';
import type { PackingRows } from './placement-rows.ts';

/** Allocation by pod list: FGD, and each training seed as a point. */
export function packingGainFigure({ orders }: PackingRows): string {
  const of = (workload: string) => orders.filter((row) => row.workload === workload);
  const seeds = orders[0]?.learned.map((_, index) => index) ?? [];
  return panelFigure({
    title: 'GPU allocation of FGD and of the learned placement by pod list',
    height: 380,
    panels: [
      { heading: 'GPUs allocated, percent: mean over the published orders', left: '5%', width: '52%' },
      { heading: 'More than FGD on the same order, points', left: '64%', width: '33%' },
    ],
    legend: ['FGD', 'learned, five training seeds'],
    xAxis: [
      horizontalAxis(0, 'pod list', { type: 'category', data: packingWorkloads }),
      horizontalAxis(1, 'pod list', {
        type: 'category',
        data: packingWorkloads,
        axisLabel: { rotate: 20, fontSize: 11 },
      }),
    ],
    yAxis: [verticalAxis(0, { type: 'value', min: 93, max: 97 }), verticalAxis(1, { type: 'value', min: 0 })],
    series: [
      {
        type: 'bar',
        name: 'FGD',
        barWidth: '30%',
        itemStyle: { color: '#b9c0c7' },
        data: packingWorkloads.map((workload) => mean(of(workload).map((row) => row.fgd))),
      },
      {
        type: 'bar',
        name: 'learned, five training seeds',
        barWidth: '30%',
        itemStyle: { color: figureColours[0] },
        data: packingWorkloads.map((workload) => mean(of(workload).map((row) => mean(row.learned)))),
      },
      ...seeds.map((seed) => ({
        type: 'scatter',
        xAxisIndex: 1,
        yAxisIndex: 1,
        symbolSize: 8,
        itemStyle: { color: figureColours[0], opacity: 0.7 },
        data: packingWorkloads.map((workload) => mean(of(workload).map((row) => row.learned[seed]! - row.fgd))),
      })),
    ],
  });
}

/** The 99th percentile of completion by load, and the load that is sustained. */
export function agentsFigure(rows: readonly AgentRow[]): string {
  const names = [...agentHeuristics, 'learned'];
  const colourOf = (policy: string): string => figureColours[names.indexOf(policy as 'learned')]!;
  return panelFigure({
    title: '99th percentile of completion by load, and the load sustained, by placement',
    height: 400,
    panels: [
      { heading: '99th percentile of completion, seconds', left: '6%', width: '50%' },
      { heading: `Load sustained within ${completionBoundSeconds} s, times the trace`, left: '66%', width: '31%' },
    ],
    legend: names,
    xAxis: [
      horizontalAxis(0, 'load, times the trace', { type: 'value', min: 0, max: shownFactors.at(-1) }),
      horizontalAxis(1, 'placement', { type: 'category', data: names }),
    ],
    yAxis: [verticalAxis(0, { type: 'value', min: 0, max: 120 }), verticalAxis(1, { type: 'value', min: 0 })],
    series: [
      ...rows.map((row, index) => ({
        type: 'line',
        name: row.policy,
        showSymbol: false,
        lineStyle: { width: row.policy === 'learned' ? 1.2 : 2.2 },
        itemStyle: { color: colourOf(row.policy) },
        data: shownFactors.map((factor, place) => [factor, row.completion[place]!]),
        ...(index === 0 ? { markLine: goalLine({ yAxis: completionBoundSeconds }, 'bound') } : {}),
      })),
      ...rows.map((row) => ({
        type: 'scatter',
        xAxisIndex: 1,
        yAxisIndex: 1,
        symbolSize: 8,
        itemStyle: { color: colourOf(row.policy), opacity: 0.75 },
        data: [[row.policy, mean(row.sustained)]],
      })),
    ],
  });
}
