// The Gantt view: what ran on which machine and when, one policy at a time. Tasks that share a machine are stacked in lanes;
// all policies show the same machines, as many as can be read.

import type { GanttBar, PolicyResult, ResultDocument } from '../../sim/experiment/results.ts';
import { formatDuration } from '../format.ts';
import type { Ranking } from '../ranking.ts';
import { base, call, type Figure, type Json, type Option, tooltip, xAxis, yAxis } from './chart.ts';
import { tickSeconds, tickSteps } from './time-figures.ts';

const lanesMax = 200;
const lanePixels = 6;
const heightMaxPixels = 900;
/** So that each machine's name has room. */
const bandLanesMin = 2;
const bandGapLanes = 0.6;

/** Sizes of tasks by GPU milli: the upper bound of each level, its label. */
const levels = [
  { upTo: 999, label: 'a share of a GPU' },
  { upTo: 1999, label: '1 GPU' },
  { upTo: 3999, label: '2–3' },
  { upTo: 7999, label: '4–7' },
  { upTo: Number.POSITIVE_INFINITY, label: '8 or more' },
] as const;

const keyOfLevels = levels.map(({ label }, index) => ({ color: `level-${index + 1}`, label }));

export function ganttFigure(document: ResultDocument, ranking: Ranking): Figure | undefined {
  const policies = ranking.policies.map(({ policy }) => policy).filter(({ gantt }) => gantt.length > 0);
  if (policies.length === 0) return undefined;
  const without = policies.some(({ gantt }) => gantt.some(({ gpuMilli }) => gpuMilli === 0));
  const withGpus = policies.some(({ gantt }) => gantt.some(({ gpuMilli }) => gpuMilli > 0));
  const { machines, total } = chooseMachines(policies);
  const variants = policies.map((policy) => ({ policy, layout: layOut(policy.gantt, machines) }));
  const lanes = Math.max(...variants.map(({ layout }) => layout.laneCount));
  const horizon = Math.max(
    document.measuredSeconds,
    ...variants.flatMap(({ layout }) => layout.placed.map(({ bar }) => bar.endSeconds)),
  );
  // Bars that ended before the first one of the record are not in it, so that what came before is not the whole picture.
  const firstEnd = Math.min(...policies.flatMap(({ gantt }) => gantt.map(({ endSeconds }) => endSeconds)));
  const step = tickSeconds(horizon - firstEnd);
  const from = firstEnd > 0.1 * horizon ? Math.floor(firstEnd / step) * step : 0;
  const fewer = machines.length < total ? ` ${machines.length} of the ${total} recorded machines are shown.` : '';
  const part = from > 0 ? `, from ${formatDuration(from)} to ${formatDuration(horizon)} of the measured window` : '';
  return {
    id: 'schedule',
    title: 'What ran where',
    caption: `Seed ${document.seeds[0]}${part}. One band a machine, one bar a task.${fewer} Drag to move, hold Ctrl and scroll to zoom, or use the slider.`,
    label: 'Gantt chart: the tasks on each machine over the measured window.',
    heightPixels: Math.round(Math.min(heightMaxPixels, Math.max(220, lanes * lanePixels)) + 96),
    renderer: 'canvas',
    variants: variants.map(({ policy, layout }) => ({ label: policy.name, option: option(layout, from, horizon) })),
    chooses: 'policy',
    zoom: { from, to: horizon, steps: tickSteps },
    ...(withGpus ? { key: [...(without ? [{ color: 'level-0', label: 'no GPU' }] : []), ...keyOfLevels] } : {}),
  };
}

interface Layout {
  readonly laneCount: number;
  readonly bands: readonly { readonly machine: string; readonly from: number; readonly to: number }[];
  readonly placed: readonly { readonly bar: GanttBar; readonly lane: number; readonly band: number }[];
}

/** Machines in natural order, spread over all recorded ones, as long as the lanes of every policy fit. */
function chooseMachines(policies: readonly PolicyResult[]): { machines: string[]; total: number } {
  const names = new Set(policies.flatMap(({ gantt }) => gantt.map(({ machine }) => machine)));
  const all = [...names].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  for (let stride = 1; ; stride++) {
    const machines = all.filter((_, index) => index % stride === 0);
    if (machines.length <= 1 || policies.every(({ gantt }) => layOut(gantt, machines).laneCount <= lanesMax))
      return { machines, total: all.length };
  }
}

/** Puts each bar in the first lane of its machine that is free at its start. */
function layOut(bars: readonly GanttBar[], machines: readonly string[]): Layout {
  const byMachine = new Map<string, GanttBar[]>(machines.map((machine) => [machine, []]));
  for (const bar of bars) byMachine.get(bar.machine)?.push(bar);
  const bands: { machine: string; from: number; to: number }[] = [];
  const placed: { bar: GanttBar; lane: number; band: number }[] = [];
  let laneCount = 0;
  for (const machine of machines) {
    const freeAt: number[] = [];
    const ordered = [...byMachine.get(machine)!].sort(
      (a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds,
    );
    for (const bar of ordered) {
      let lane = freeAt.findIndex((time) => time <= bar.startSeconds);
      if (lane === -1) lane = freeAt.length;
      freeAt[lane] = bar.endSeconds;
      placed.push({ bar, lane: laneCount + lane, band: bands.length });
    }
    const height = Math.max(bandLanesMin, freeAt.length);
    bands.push({ machine, from: laneCount, to: laneCount + height });
    laneCount += height + bandGapLanes;
  }
  return { laneCount, bands, placed };
}

function option({ laneCount, bands, placed }: Layout, from: number, horizon: number): Option {
  const middles = bands.map(({ from, to }) => (from + to) / 2);
  return {
    ...base,
    grid: {
      left: call(
        'labelSpace',
        bands.map(({ machine }) => machine),
        11,
      ),
      right: 20,
      top: 6,
      bottom: 78,
    },
    tooltip: tooltip({
      trigger: 'item',
      formatter: call(
        'ganttTooltip',
        bands.map(({ machine }) => machine),
      ),
    }),
    xAxis: xAxis('time since the start of measurement', {
      min: from,
      max: horizon,
      interval: tickSeconds(horizon - from),
      splitLine: { show: true, lineStyle: { color: 'var(--grid)' } },
      axisLabel: { formatter: call('duration'), alignMaxLabel: 'right' },
    }),
    yAxis: yAxis({
      min: 0,
      max: laneCount,
      inverse: true,
      splitLine: { show: false },
      axisLabel: {
        customValues: middles,
        fontSize: 11,
        hideOverlap: true,
        formatter: call(
          'lookup',
          middles,
          bands.map(({ machine }) => machine),
        ),
      },
    }),
    dataZoom: [
      { type: 'inside', xAxisIndex: 0, filterMode: 'weakFilter', zoomOnMouseWheel: 'ctrl', moveOnMouseWheel: false },
      {
        type: 'slider',
        xAxisIndex: 0,
        filterMode: 'weakFilter',
        height: 16,
        bottom: 8,
        borderColor: 'var(--rule)',
        backgroundColor: 'transparent',
        fillerColor: 'rgba(120,140,160,.18)',
        handleStyle: { color: 'var(--page)', borderColor: 'var(--ink-faint)' },
        moveHandleSize: 0,
        showDataShadow: false,
        showDetail: false,
        brushSelect: false,
      },
    ],
    series: [
      {
        type: 'custom',
        silent: true,
        renderItem: call('ganttBand'),
        data: bands.map(({ from, to }, index) => [0, from, to, index % 2]) as Json,
        encode: { x: 0, y: [1, 2] },
        tooltip: { show: false },
      },
      {
        type: 'custom',
        renderItem: call('ganttBar'),
        encode: { x: [0, 1], y: 2 },
        clip: true,
        data: placed.map(({ bar, lane, band }) => ({
          value: [tidy(bar.startSeconds), tidy(bar.endSeconds), lane, bar.gpuMilli, band, levelOf(bar.gpuMilli)],
          name: bar.task,
        })),
      },
    ],
  };
}

/** 1 to 5 by the GPUs that a task holds, 0 for none. */
function levelOf(gpuMilli: number): number {
  return gpuMilli > 0 ? levels.findIndex(({ upTo }) => gpuMilli <= upTo) + 1 : 0;
}

/** Six digits: a second in a fortnight. */
function tidy(seconds: number): number {
  return Number(seconds.toPrecision(6));
}
