// The pictures of a loop, as SVG: what was recorded and what was fitted to it, what training and gate found, what canary and live gain
// came to. A picture of what was not reached is left out.

import { errorFunction } from 'simple-statistics';
import {
  axisLabels,
  figureColours,
  goalLine,
  horizontalAxis,
  panelFigure,
  verticalAxis,
} from '../../reports/panel-figure.ts';
import type { LoopResults } from './loop-results.ts';

export interface LoopFigure {
  readonly name: string;
  readonly caption: string;
  readonly svg: string;
}

type Point = readonly [number, number];

const pointsMax = 200;
const [blue, orange, green, purple] = figureColours;
const leftPanel = { left: '5%', width: '42%' };
const rightPanel = { left: '55%', width: '42%' };
const line = { type: 'line', showSymbol: false, silent: true } as const;
const percentAxis = { axisLabel: axisLabels((value) => `${Math.round(100 * value)}%`) };

export function loopFigures(results: LoopResults): LoopFigure[] {
  return [recordFigure(results), learningFigure(results), liveFigure(results)].filter((figure) => figure !== undefined);
}

function recordFigure({ arrivals, services, world }: LoopResults): LoopFigure | undefined {
  if (arrivals === undefined || services === undefined || world === undefined) return undefined;
  const perSecond = Math.round(1 / arrivals.intervalSeconds);
  const seconds = Math.floor(arrivals.counts.length / perSecond);
  const sum = (values: readonly number[], at: number): number =>
    values.slice(at * perSecond, (at + 1) * perSecond).reduce((total, value) => total + value, 0);
  const bars = Array.from({ length: seconds }, (_, at) => ({
    value: [at, sum(arrivals.counts, at)],
    itemStyle: { color: sum(arrivals.rushShare, at) > perSecond / 2 ? orange : blue },
  }));
  const colours = [blue, green, purple];
  const { calmPerSecond, rushPerSecond } = world.work.arrivals;
  const svg = panelFigure({
    title: 'Arrivals by second and service times by class, as recorded and as fitted',
    height: 330,
    panels: [
      { heading: 'Arrivals a second: calm (blue) and rush (orange), as fitted', ...leftPanel },
      { heading: 'Served within so many seconds: rows, and fitted (dashed)', ...rightPanel },
    ],
    xAxis: [
      horizontalAxis(0, 'seconds', { type: 'value', max: seconds }),
      horizontalAxis(1, 'service, seconds', { type: 'log', min: 0.02, max: 20 }),
    ],
    yAxis: [verticalAxis(0, { type: 'value' }), verticalAxis(1, { type: 'value', max: 1, ...percentAxis })],
    series: [
      {
        ...{ type: 'bar', data: bars, barWidth: '85%', silent: true },
        markLine: {
          ...goalLine({ yAxis: calmPerSecond }, ''),
          data: [{ yAxis: calmPerSecond }, { yAxis: rushPerSecond }],
          label: { formatter: ({ value }: { value: number }) => value.toFixed(0), position: 'end' },
        },
      },
      ...services.flatMap(({ name, seconds: measured }, index) => {
        const fitted = world.work.classes.find((each) => each.name === name);
        const color = colours[index % colours.length];
        const curve = { ...line, xAxisIndex: 1, yAxisIndex: 1, itemStyle: { color } };
        return [
          { ...curve, name, step: 'end', lineStyle: { color, width: 3 }, data: sharesOf(measured) },
          ...(fitted === undefined
            ? []
            : [
                {
                  ...{ ...curve, lineStyle: { color: '#17202a', width: 1.2, type: 'dashed' } },
                  data: lognormalShares(fitted.medianSeconds, fitted.sigma),
                },
              ]),
        ];
      }),
    ],
  });
  const caption =
    'What the rows of telemetry tell of the work, and the model that everything after was trained and judged in.';
  return { name: 'world', caption, svg };
}

function learningFigure({ training, gate }: LoopResults): LoopFigure | undefined {
  if (training === undefined || gate === undefined) return undefined;
  const { curve, heuristics } = training;
  const judged = curve.flatMap(({ iteration, validation }): Point[] =>
    validation === null || Number.isNaN(validation) ? [] : [[iteration, validation]],
  );
  const rows = gate.scenarios.toReversed();
  const svg = panelFigure({
    title: 'The curve of the training, and the change of the mean wait in each scenario of the gate',
    height: 330,
    panels: [
      { heading: 'Mean slowdown on validation episodes, by iteration', ...leftPanel },
      { heading: 'Gate: change of the mean wait, with 95% intervals', left: '62%', width: '35%' },
    ],
    xAxis: [
      horizontalAxis(0, 'iteration', { type: 'value' }),
      horizontalAxis(1, 'candidate against incumbent', { type: 'value', max: 0, ...percentAxis }),
    ],
    yAxis: [
      verticalAxis(0, { type: 'value', min: 1, scale: true }),
      verticalAxis(1, { type: 'category', data: rows.map(({ scenario }) => scenario), splitLine: { show: false } }),
    ],
    series: [
      {
        ...{ ...line, showSymbol: true, symbolSize: 6, data: judged, itemStyle: { color: blue } },
        lineStyle: { color: blue, width: 2 },
      },
      ...rows.map(({ low, high }, index) => ({
        ...{ ...line, xAxisIndex: 1, yAxisIndex: 1, lineStyle: { color: blue, width: 2 } },
        data: [
          [low ?? 0, index],
          [high ?? 0, index],
        ],
      })),
      {
        ...{ type: 'scatter', xAxisIndex: 1, yAxisIndex: 1, symbolSize: 9, itemStyle: { color: blue }, silent: true },
        data: rows.map(({ change }, index) => [change ?? 0, index]),
      },
    ],
  });
  return {
    ...{ name: 'learning', svg },
    caption: `A network trained in the fitted world (mean slowdown on its tests ${training.testMean.toFixed(2)}; shortest first ${heuristics.sjf?.toFixed(2)}, first come, first served ${heuristics.fcfs?.toFixed(2)}), and what the simulation gate made of it on paired seeds.`,
  };
}

function liveFigure({ promotion, gain, forced }: LoopResults): LoopFigure | undefined {
  if (promotion === undefined || gain === undefined) return undefined;
  const told = promotion.points.filter(({ pairs }) => pairs >= 2);
  const bound = (value: number): number => Math.max(-1, Math.min(1, value));
  const canary = (pick: (point: (typeof told)[number]) => number): Point[] =>
    told.map((point) => [point.tasks, bound(pick(point))]);
  const svg = panelFigure({
    title: 'The canary as it went on, and slowdowns live before and after the promotion',
    height: 330,
    panels: [
      { heading: 'Canary: change of the slowdown, and its interval at every look', ...leftPanel },
      { heading: 'Live slowdowns: before (orange) and after (green)', ...rightPanel },
    ],
    xAxis: [
      horizontalAxis(0, 'tasks of the canary', { type: 'value' }),
      horizontalAxis(1, 'slowdown', { type: 'log', min: 0.5 }),
    ],
    yAxis: [
      verticalAxis(0, { type: 'value', min: -1, max: 1, ...percentAxis }),
      verticalAxis(1, { type: 'value', max: 1, ...percentAxis }),
    ],
    series: [
      { ...line, data: canary(({ change }) => change), lineStyle: { color: blue, width: 2.5 } },
      { ...line, data: canary(({ low }) => low), lineStyle: { color: blue, width: 1, type: 'dashed' } },
      {
        ...{ ...line, data: canary(({ high }) => high), lineStyle: { color: blue, width: 1, type: 'dashed' } },
        markLine: goalLine({ yAxis: 0 }, 'no difference'),
      },
      ...(['before', 'after'] as const).map((name) => {
        const color = name === 'before' ? orange : green;
        const data = sharesOf(name === 'before' ? gain.slowdownsBefore : gain.slowdownsAfter);
        const lineStyle = { color, width: 2.5 };
        return { ...line, name, step: 'end', xAxisIndex: 1, yAxisIndex: 1, itemStyle: { color }, lineStyle, data };
      }),
    ],
  });
  const thrown =
    forced === undefined ? '' : ` The bad policy that was forced through had ${forced.candidateTasks} tasks.`;
  return {
    ...{ name: 'live', svg },
    caption: `The canary ends when its sequential test has decided (the interval drawn is approximate, the test exact); the gain is of the same tasks, played again.${thrown}`,
  };
}

/** `sorted` as steps: each value with the share that is no larger. */
function sharesOf(sorted: readonly number[]): Point[] {
  const count = Math.min(pointsMax, sorted.length);
  return Array.from({ length: count }, (_, index) => {
    const place = Math.ceil(((index + 1) * sorted.length) / count) - 1;
    return [Number((sorted[place] as number).toPrecision(4)), (place + 1) / sorted.length] as const;
  });
}

function lognormalShares(median: number, sigma: number): Point[] {
  return Array.from({ length: 41 }, (_, index) => {
    const z = -3 + (6 * index) / 40;
    return [median * Math.exp(sigma * z), (1 + errorFunction(z / Math.SQRT2)) / 2] as const;
  });
}
