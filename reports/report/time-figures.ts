// Utilization, queue length, running tasks and fragmentation over the measured window.

import type { ResultDocument, TimeSeries } from '../../sim/experiment/results.ts';
import { call, type Figure, type Option, rounded, type Variant } from './chart.ts';
import { lineOption } from './line-chart.ts';

type SeriesName = Exclude<keyof TimeSeries, 'timeSeconds'>;

/** Utilization of GPUs and CPU; whichever the cluster has. */
export function utilizationFigure(document: ResultDocument): Figure {
  const gpu = document.cluster.gpus > 0;
  const variants = [
    ...(gpu ? [{ label: 'GPU', option: option(document, 'gpuUtilizationPercent', 'percent') }] : []),
    { label: 'CPU', option: option(document, 'cpuUtilizationPercent', 'percent') },
  ];
  return {
    id: 'utilization',
    title: gpu ? 'Utilization, % of capacity' : 'CPU utilization, % of capacity',
    caption: `Mean over ${seeds(document)}. The vertical axis does not start at zero.`,
    label: `Line chart of ${gpu ? 'GPU and CPU' : 'CPU'} utilization over the measured window, one line a policy.`,
    heightPixels: 340,
    renderer: 'svg',
    variants,
    chooses: 'resource',
  };
}

export function queueFigure(document: ResultDocument): Figure {
  return {
    id: 'queue',
    title: 'Queue, tasks',
    caption: `Mean over ${seeds(document)}. A queue that keeps growing means that the policy does not keep up with the arrivals.`,
    label: 'Line chart of the number of waiting or running tasks over the measured window, one line a policy.',
    heightPixels: 340,
    renderer: 'svg',
    variants: [
      { label: 'waiting', option: option(document, 'queueLength', 'count') },
      { label: 'running', option: option(document, 'runningTasks', 'count') },
    ],
    chooses: 'tasks',
  };
}

/** Undefined where there is no fragmentation to draw. */
export function fragmentationFigure(document: ResultDocument): Figure | undefined {
  if (document.policies.every(({ series }) => series.fragmentationPercent.length === 0)) return undefined;
  return {
    id: 'fragmentation',
    title: 'Fragmentation, % of GPU capacity',
    caption: 'Free GPU capacity that the typical task cannot use. Lower is better.',
    label: 'Line chart of fragmentation over the measured window, one line a policy.',
    heightPixels: 300,
    renderer: 'svg',
    variants: [{ label: 'fragmentation', option: option(document, 'fragmentationPercent', 'percent') }],
  };
}

function seeds(document: ResultDocument): string {
  return document.seeds.length === 1 ? 'one seed' : `${document.seeds.length} seeds`;
}

function option(document: ResultDocument, name: SeriesName, kind: 'percent' | 'count'): Variant['option'] {
  const lines = document.policies
    .filter(({ series }) => series[name].length > 0)
    .map((policy) => ({
      policy: policy.name,
      points: policy.series.timeSeconds.map(
        (time, index) => [rounded(time), rounded(policy.series[name][index])] as const,
      ),
    }));
  const horizon = Math.max(0, ...lines.flatMap(({ points }) => points.map(([time]) => time)));
  const y: Option =
    kind === 'percent'
      ? { scale: true, max: call('percentCeiling'), axisLabel: { formatter: call('number', 'auto', '%') } }
      : { min: 0, axisLabel: { formatter: call('number', 'auto', '') } };
  return lineOption(document, lines, {
    x: {
      name: 'time since the start of measurement',
      min: 0,
      max: horizon,
      interval: tickSeconds(horizon),
      axisLabel: { formatter: call('duration') },
    },
    y,
    formatX: call('duration'),
    formatY: kind === 'percent' ? call('number', 1, '%') : call('number', 1, ''),
    descending: kind === 'percent' && name !== 'fragmentationPercent',
    named: true,
  });
}

const steps = [
  1e-3, 1e-2, 0.1, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400, 172_800,
  604_800, 2_592_000,
];

/** A step of time that gives four to nine ticks and is round in seconds, minutes, hours or days. */
export function tickSeconds(horizonSeconds: number): number {
  return steps.find((step) => horizonSeconds / step <= 8) ?? horizonSeconds / 8;
}
