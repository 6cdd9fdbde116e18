// Utilization, queue length, running tasks and fragmentation over the measured window, and with the warm-up where there is one.

import type { ResultDocument, TimeSeries } from '../../sim/experiment/results.ts';
import { plural } from '../format.ts';
import { call, type Figure, type Option, rounded, type Variant } from './chart.ts';
import { lineOption } from './line-chart.ts';

type SeriesName = Exclude<keyof TimeSeries, 'timeSeconds'>;

/** Utilization of GPUs and CPU; whichever the cluster has. */
export function utilizationFigure(document: ResultDocument): Figure {
  const gpu = document.cluster.gpus > 0;
  const main = gpu ? ('gpuUtilizationPercent' as const) : ('cpuUtilizationPercent' as const);
  return {
    id: 'utilization',
    title: gpu ? 'Utilization, % of capacity' : 'CPU utilization, % of capacity',
    caption: `Mean over ${plural(document.seeds.length, 'seed')}. The vertical axis does not start at zero.`,
    label: `Line chart of ${gpu ? 'GPU and CPU' : 'CPU'} utilization over the measured window, one line a policy.`,
    heightPixels: 340,
    renderer: 'svg',
    variants: [
      ...(gpu ? [variant(document, 'GPU', 'gpuUtilizationPercent')] : []),
      variant(document, 'CPU', 'cpuUtilizationPercent'),
      ...withWarmUp(document, gpu ? 'GPU, with the warm-up' : 'with the warm-up', main),
    ],
    chooses: 'show',
  };
}

export function queueFigure(document: ResultDocument): Figure {
  return {
    id: 'queue',
    title: 'Tasks',
    caption: `Mean over ${plural(document.seeds.length, 'seed')}. A queue that keeps growing means that the policy does not keep up with the arrivals.`,
    label: 'Line chart of the number of waiting or running tasks over the measured window, one line a policy.',
    heightPixels: 340,
    renderer: 'svg',
    variants: [
      variant(document, 'waiting', 'queueLength'),
      variant(document, 'running', 'runningTasks'),
      ...withWarmUp(document, 'waiting, with the warm-up', 'queueLength'),
    ],
    chooses: 'show',
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
    variants: [variant(document, 'fragmentation', 'fragmentationPercent')],
  };
}

/** Undefined where nobody measured energy. */
export function powerFigure(document: ResultDocument): Figure | undefined {
  if (document.policies.every(({ series }) => series.powerWatts === undefined)) return undefined;
  return {
    id: 'power',
    title: 'Power, watts of all machines',
    caption:
      'Idling, work, sleep and waking, by the power model of the scenario; what a task was given is taken to be busy. Lower is better.',
    label: 'Line chart of the power that all machines draw over the measured window, one line a policy.',
    heightPixels: 300,
    renderer: 'svg',
    variants: [variant(document, 'power', 'powerWatts')],
  };
}

function withWarmUp(document: ResultDocument, label: string, name: SeriesName): Variant[] {
  return document.warmUpSeconds > 0 ? [variant(document, label, name, true)] : [];
}

function variant(document: ResultDocument, label: string, name: SeriesName, warmUp = false): Variant {
  const percent = name !== 'queueLength' && name !== 'runningTasks' && name !== 'powerWatts';
  const utilization = name === 'gpuUtilizationPercent' || name === 'cpuUtilizationPercent';
  const from = warmUp ? -document.warmUpSeconds : 0;
  const lines = document.policies
    .filter(({ series }) => (series[name]?.length ?? 0) > 0)
    .map((policy) => ({
      policy: policy.name,
      points: policy.series.timeSeconds
        .map(
          (time, index) =>
            [rounded(time - document.warmUpSeconds), rounded((policy.series[name] ?? [])[index] ?? 0)] as const,
        )
        .filter(([time]) => time >= from),
    }));
  const horizon = Math.max(0, ...lines.flatMap(({ points }) => points.map(([time]) => time)));
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value));
  const option = lineOption(document, lines, {
    x: {
      name: 'time since the start of measurement',
      min: from,
      max: horizon,
      interval: tickSeconds(horizon - from),
      axisLabel: { formatter: call('duration'), alignMaxLabel: 'right' },
    },
    y: percent
      ? percentAxis(values, utilization && !warmUp)
      : { min: 0, axisLabel: { formatter: call('number', 'auto', '') } },
    formatX: call('duration'),
    formatY: call('number', 1, percent ? '%' : ''),
    descending: utilization,
    named: true,
    ...(warmUp ? { shaded: { from, to: 0, label: 'warm-up' } } : {}),
  });
  return { label, option };
}

const percentSteps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 25];

/** Ticks that include the ends and never pass 100%; from zero unless `cropped`. */
export function percentAxis(values: readonly number[], cropped: boolean): Option {
  const low = cropped ? Math.min(100, ...values) : 0;
  const high = Math.min(100, Math.max(0, ...values));
  const step = percentSteps.find((candidate) => Math.ceil(high / candidate) - Math.floor(low / candidate) <= 5) ?? 25;
  // A constant needs an axis of some height: a step above it, or below where 100% is the end.
  const top = Math.min(Math.max(Math.ceil(high / step), Math.floor(low / step) + 1), Math.floor(100 / step + 1e-9));
  const max = top * step;
  const min = Math.min(Math.floor(low / step), top - 1) * step;
  const decimals = step < 1 ? 1 : 0;
  return {
    min: Number(min.toFixed(1)),
    max: Number(max.toFixed(1)),
    interval: step,
    axisLabel: { formatter: call('number', decimals, '%') },
  };
}

/** Steps of time, seconds, that people count in. */
export const tickSteps: readonly number[] = [
  1e-3, 1e-2, 0.1, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400, 172_800,
  604_800, 2_592_000,
];

/** A step of time that gives four to nine ticks and is round in seconds, minutes, hours or days. */
export function tickSeconds(spanSeconds: number): number {
  return tickSteps.find((step) => spanSeconds / step <= 8) ?? spanSeconds / 8;
}
