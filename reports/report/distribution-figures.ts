// Empirical distributions of wait, bounded slowdown and completion, as shares of tasks at or below a value, or above it on a
// logarithmic scale, where the tail is seen. All policies are evaluated on one grid, so that a tooltip compares them at one value.

import type { Distribution, ResultDocument } from '../../sim/experiment/results.ts';
import { call, type Figure, rounded, type Variant } from './chart.ts';
import { type Line, lineOption } from './line-chart.ts';

type DistributionName = 'wait' | 'slowdown' | 'completion';

const gridPoints = 240;
const decadesMax = 8;

const titles: Readonly<Record<DistributionName, { title: string; axis: string; caption: string }>> = {
  wait: {
    title: 'Wait',
    axis: 'wait, log scale',
    caption:
      'Arrival to start. Tasks that waited less than the axis shows, or not at all, are counted at its left edge.',
  },
  slowdown: {
    title: 'Bounded slowdown',
    axis: 'bounded slowdown, log scale',
    caption: 'Time in the system over run time, short tasks counted as 10 s; 1 is no wait at all.',
  },
  completion: { title: 'Completion', axis: 'completion time, log scale', caption: 'Arrival to end.' },
};

/** The three figures; one without any observation is left out. */
export function distributionFigures(document: ResultDocument): Figure[] {
  return (['wait', 'slowdown', 'completion'] as const).flatMap((name) => {
    const lines = distributionLines(document, name);
    if (lines === undefined) return [];
    const { title, axis, caption } = titles[name];
    return {
      id: `distribution-${name}`,
      title: `${title}, share of tasks`,
      caption: `${caption} Pooled over seeds.`,
      label: `Empirical distribution of ${title.toLowerCase()} on a logarithmic axis, one line a policy.`,
      heightPixels: 360,
      renderer: 'svg' as const,
      variants: [
        { label: 'at or below', option: option(document, name, axis, lines, false) },
        { label: 'above (log scale)', option: option(document, name, axis, lines, true) },
      ],
      chooses: 'share',
    };
  });
}

function distributionLines(
  document: ResultDocument,
  name: DistributionName,
): { lines: Line[]; low: number; high: number } | undefined {
  const present = document.policies.filter((policy) => policy[name].value.length > 0);
  const positive = present.flatMap((policy) => policy[name].value.filter((value) => value > 0));
  if (positive.length === 0) return undefined;
  const high = Math.log10(Math.max(...positive));
  const low = Math.max(
    Math.log10(Math.min(...positive)),
    high - decadesMax,
    firstRise(
      present.map((policy) => policy[name]),
      high,
    ) - 0.3,
  );
  // A single value still needs an axis of some width.
  const [from, to] = high - low < 0.1 ? [low - 0.5, high + 0.5] : [low, high];
  const grid = Array.from({ length: gridPoints }, (_, index) => from + ((to - from) * index) / (gridPoints - 1));
  const lines = present.map((policy) => ({
    policy: policy.name,
    ...(policy[name].value.length < thinnedFrom ? { step: 'end' as const } : {}),
    points: grid.map(
      (exponent) => [Number(exponent.toFixed(4)), shareAtOrBelow(policy[name], 10 ** exponent * (1 + 1e-9))] as const,
    ),
  }));
  return { lines, low: from, high: to };
}

/** The exponent up to which all curves are flat: nobody wants to see the milliseconds in which two tasks of a day started. */
function firstRise(distributions: readonly Distribution[], high: number): number {
  for (let exponent = high - decadesMax; exponent < high; exponent += 0.05) {
    const rises = (distribution: Distribution) =>
      shareAtOrBelow(distribution, 10 ** exponent) - shareAtOrBelow(distribution, 10 ** (high - decadesMax)) > 0.01;
    if (distributions.some(rises)) return exponent - 0.05;
  }
  return high;
}

/** Below this many points a distribution is whole and its steps are real; above, it was thinned and is joined up. */
const thinnedFrom = 40;

/** Share of observations ≤ `value`, in [0, 1]; between the points of a thinned distribution interpolated by the logarithm. */
export function shareAtOrBelow({ probability, value: values }: Distribution, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return 0;
  const [left, right] = [values[low - 1], values[low]];
  if (values.length < thinnedFrom || right === undefined || left <= 0) return probability[low - 1];
  const fraction = Math.log(value / left) / Math.log(right / left);
  return probability[low - 1] + fraction * (probability[low] - probability[low - 1]);
}

function option(
  document: ResultDocument,
  name: DistributionName,
  axis: string,
  { lines, low, high }: { lines: Line[]; low: number; high: number },
  tail: boolean,
): Variant['option'] {
  const floor = Math.min(
    1,
    ...lines.flatMap(({ points }) => points.map(([, share]) => 1 - share).filter((share) => share > 1e-9)),
  );
  const ticks = (name === 'slowdown' ? ratioTicks : durationTicks)
    .map(Math.log10)
    .filter((tick) => tick >= low - 1e-9 && tick <= high + 1e-9);
  const format = name === 'slowdown' ? call('powerNumber') : call('powerDuration');
  return lineOption(
    document,
    lines.map((line) => ({
      ...line,
      points: line.points.map(
        ([x, share]) =>
          [x, tail ? rounded(Math.log10(Math.max(1 - share, floor / 1.5))) : rounded(share * 100)] as const,
      ),
    })),
    {
      x: {
        name: axis,
        min: low,
        max: high,
        axisLabel: { customValues: ticks, formatter: format },
        axisTick: { show: true, customValues: ticks, lineStyle: { color: 'var(--rule)' } },
      },
      y: tail
        ? { min: Math.floor(Math.log10(floor)), max: 0, interval: 1, axisLabel: { formatter: call('powerPercent') } }
        : { min: startPercent(lines), max: 100, interval: 25, axisLabel: { formatter: call('number', 0, '%') } },
      formatX: format,
      formatY: tail ? call('powerPercent') : call('number', 1, '%'),
      descending: !tail,
      named: false,
    },
  );
}

/** Quarters below which no line comes are left out. */
function startPercent(lines: readonly Line[]): number {
  const lowest = Math.min(1, ...lines.flatMap(({ points }) => points.map(([, share]) => share)));
  return Math.min(75, Math.floor(lowest * 4) * 25);
}

const durationTicks = [
  1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 60, 600, 3600, 21_600, 86_400, 604_800, 2_592_000, 31_536_000,
];
const ratioTicks = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000, 1_000_000, 10_000_000];
