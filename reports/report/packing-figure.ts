// Where the GPU capacity went, on average: in use, free and usable, free but in pieces that the typical task cannot use.

import type { ResultDocument } from '../../sim/experiment/results.ts';
import type { Ranking } from '../ranking.ts';
import { base, call, type Figure, ink, inkSoft, type Option, rounded, tooltip, xAxis, yAxis } from './chart.ts';

/** Undefined for a cluster without GPUs. */
export function packingFigure(document: ResultDocument, ranking: Ranking): Figure | undefined {
  const rows = ranking.policies.flatMap(({ policy }) => {
    const { gpuUtilizationPercent, fragmentationPercent } = policy.series;
    if (gpuUtilizationPercent.length === 0 || fragmentationPercent.length === 0) return [];
    const measured = (_: number, index: number) => policy.series.timeSeconds[index] > document.warmUpSeconds;
    const used = average(gpuUtilizationPercent.filter(measured));
    const stuck = Math.min(average(fragmentationPercent.filter(measured)), 100 - used);
    return [{ name: policy.name, used, stuck, spare: Math.max(0, 100 - used - stuck) }];
  });
  if (document.cluster.gpus === 0 || rows.length === 0) return undefined;
  return {
    id: 'packing',
    title: 'Where the GPU capacity went, %',
    caption:
      'Mean over the measured window and the seeds. Fragmented capacity is free, but in pieces that the typical task cannot use.',
    label: 'Stacked bars: GPU capacity in use, fragmented and usable, one bar a policy.',
    heightPixels: 76 + 32 * rows.length,
    renderer: 'svg',
    variants: [{ label: 'mean', option: option(rows) }],
    key: [
      { color: 'used', label: 'in use' },
      { color: 'stuck', label: 'free, fragmented' },
      { color: 'spare', label: 'free, usable' },
    ],
  };
}

interface Row {
  readonly name: string;
  readonly used: number;
  readonly stuck: number;
  readonly spare: number;
}

function option(rows: readonly Row[]): Option {
  const part = (name: string, key: 'used' | 'stuck' | 'spare', label: Option): Option => ({
    type: 'bar',
    name,
    stack: 'capacity',
    barWidth: 16,
    itemStyle: { color: `var(--${key})`, borderColor: 'var(--page)', borderWidth: 1 },
    emphasis: { disabled: true },
    data: rows.map((row) => rounded(row[key])),
    label,
  });
  const grid = {
    left: call(
      'labelSpace',
      rows.map(({ name }) => name),
      13,
    ),
    right: 190,
    top: 4,
    bottom: 46,
  };
  const note = rows.map(({ used, stuck }) => `${used.toFixed(1)} in use · ${stuck.toFixed(1)} fragmented`);
  return {
    baseOption: {
      ...base,
      grid,
      tooltip: tooltip({ trigger: 'axis', axisPointer: { type: 'none' }, formatter: call('partsTooltip') }),
      xAxis: xAxis('% of GPU capacity', { min: 0, max: 100, interval: 25 }),
      yAxis: yAxis({
        type: 'category',
        inverse: true,
        data: rows.map(({ name }) => name),
        splitLine: { show: false },
        axisLabel: { color: ink, fontSize: 13 },
      }),
      series: [
        part('in use', 'used', { show: false }),
        part('free, fragmented', 'stuck', { show: false }),
        part('free, usable', 'spare', {
          show: true,
          position: 'right',
          distance: 10,
          color: inkSoft,
          fontSize: 12,
          formatter: call('rowLabel', note),
        }),
      ],
    },
    media: [
      {
        query: { maxWidth: 560 },
        option: { grid: { ...grid, right: 20 }, series: [{}, {}, { label: { show: false } }] },
      },
      { option: { grid, series: [{}, {}, { label: { show: true } }] } },
    ],
  };
}

function average(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
