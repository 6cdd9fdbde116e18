// Queue, throughput and use over the latest quarter of an hour, redrawn with each sample.

import type { Sample } from './api.ts';
import { byId, count } from './dom.ts';

interface Chart {
  setOption(option: object, settings?: object): void;
  resize(): void;
}

declare const echarts: { init(element: HTMLElement, theme: undefined, options: object): Chart };

const samplesMax = 900;

interface Line {
  readonly name: string;
  readonly colour: string;
  readonly area?: boolean;
  readonly value: (sample: Sample) => number;
}

interface Figure {
  readonly id: string;
  readonly lines: readonly Line[];
  /** Shares are shown in percent. */
  readonly isShare?: boolean;
}

const figures: readonly Figure[] = [
  {
    id: 'queue-chart',
    lines: [
      { name: 'waiting', colour: 'suspect', area: true, value: ({ waiting }) => waiting },
      { name: 'placed', colour: 'accent', value: ({ placed }) => placed },
    ],
  },
  {
    id: 'rate-chart',
    lines: [
      { name: 'completed', colour: 'good', area: true, value: ({ completed }) => completed },
      { name: 'failed, dropped, cancelled', colour: 'bad', value: ({ lost }) => lost },
    ],
  },
  {
    id: 'use-chart',
    isShare: true,
    lines: [
      { name: 'processors', colour: 'accent', area: true, value: ({ cpuUsed }) => cpuUsed },
      { name: 'memory', colour: 'draining', value: ({ memoryUsed }) => memoryUsed },
      { name: 'accelerators', colour: 'good', value: ({ gpuUsed }) => gpuUsed },
    ],
  },
];

export class Charts {
  private readonly charts: Chart[];
  private samples: Sample[] = [];

  constructor() {
    this.charts = figures.map(({ id }) => {
      const element = byId(id);
      const chart = echarts.init(element, undefined, { renderer: 'svg' });
      new ResizeObserver(() => chart.resize()).observe(element);
      return chart;
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  replace(samples: readonly Sample[]): void {
    this.samples = samples.slice(-samplesMax);
    this.draw();
  }

  add(sample: Sample): void {
    this.samples.push(sample);
    if (this.samples.length > samplesMax) this.samples.shift();
    if (!document.hidden) this.draw();
  }

  get latest(): Sample | undefined {
    return this.samples.at(-1);
  }

  /** Completed tasks and decisions a second, over the latest ten. */
  rates(): { readonly completed: number; readonly decisions: number } {
    const last = this.samples.slice(-10);
    const sum = (of: (sample: Sample) => number): number =>
      last.length === 0 ? 0 : last.reduce((total, sample) => total + of(sample), 0) / last.length;
    return { completed: sum(({ completed }) => completed), decisions: sum(({ decisions }) => decisions) };
  }

  draw(): void {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
    for (const [index, figure] of figures.entries()) {
      const shows = (value: number): string => (figure.isShare === true ? `${Math.round(value * 100)}%` : count(value));
      this.charts[index]?.setOption(
        {
          animation: false,
          textStyle: { fontFamily: 'system-ui, sans-serif' },
          grid: { left: 46, right: 14, top: 30, bottom: 24 },
          legend: {
            top: 0,
            left: 0,
            itemWidth: 14,
            itemHeight: 8,
            icon: 'roundRect',
            textStyle: { color: colour('ink-soft') },
          },
          tooltip: {
            trigger: 'axis',
            confine: true,
            backgroundColor: colour('page'),
            borderColor: colour('rule'),
            textStyle: { color: colour('ink') },
            valueFormatter: shows,
          },
          xAxis: {
            type: 'time',
            axisLine: { lineStyle: { color: colour('rule') } },
            axisLabel: { color: colour('ink-faint'), hideOverlap: true, formatter: '{HH}:{mm}:{ss}' },
            splitNumber: 4,
          },
          yAxis: {
            type: 'value',
            min: 0,
            ...(figure.isShare === true ? { max: 1, interval: 0.25 } : { minInterval: 1 }),
            splitNumber: 3,
            axisLabel: { color: colour('ink-faint'), formatter: shows },
            splitLine: { lineStyle: { color: colour('grid') } },
          },
          series: figure.lines.map((line) => ({
            type: 'line',
            name: line.name,
            showSymbol: false,
            sampling: 'max',
            lineStyle: { width: 1.8 },
            itemStyle: { color: colour(line.colour) },
            ...(line.area === true ? { areaStyle: { opacity: 0.14 } } : {}),
            data: this.samples.map((sample) => [sample.timeMicros / 1000, line.value(sample)]),
          })),
        },
        { replaceMerge: ['series'] },
      );
    }
  }
}
