// The page of the targets beside arrivals and demand: what must hold, the tables, and how to read them.

import { markdownTable } from '../../../reports/tables/markdown.ts';
import { type Check, checkList } from '../../../reports/tables/table.ts';
import { type DurationOptions, type DurationScores, durationMethods } from '../durations.ts';
import { loadRowsTable, percent, squaredErrorCheck } from './load-page.ts';
import type { LoadRow } from './load-table.ts';

export interface DurationRow extends DurationScores {
  readonly options: DurationOptions;
}

export function targetsChecks(durations: DurationRow | undefined, queues: readonly LoadRow[]): Check[] {
  const checks: Check[] = [];
  if (durations !== undefined) {
    const { squared, absolute, coverage80, coverage95 } = durations;
    const naive = durationMethods.filter((name) => name !== 'shrunk');
    const best = (errors: DurationScores['squared']): number => Math.min(...naive.map((name) => errors[name]));
    checks.push(
      {
        requirement: 'Durations: error of the logarithm below every naive forecast’s, squared',
        found: `${squared.shrunk.toFixed(3)} against ${best(squared).toFixed(3)}`,
        holds: squared.shrunk < best(squared),
      },
      {
        requirement: 'Durations: the same, absolute',
        found: `${absolute.shrunk.toFixed(3)} against ${best(absolute).toFixed(3)}`,
        holds: absolute.shrunk < best(absolute),
      },
      {
        requirement: 'Durations: intervals of 80% and 95% hold 75 to 85% and 92 to 98%',
        found: `${percent(coverage80)} and ${percent(coverage95)}`,
        holds: coverage80 > 0.75 && coverage80 < 0.85 && coverage95 > 0.92 && coverage95 < 0.98,
      },
    );
  }
  // Minutes ahead a queue is what it is; what a forecast can be asked for lies farther away.
  for (const horizon of [...new Set(queues.map((row) => row.horizon))].filter((one) => one >= 60)) {
    const rows = queues.filter((row) => row.horizon === horizon);
    checks.push(squaredErrorCheck(`Queue length, ${horizon} minutes ahead`, rows));
  }
  return checks;
}

export function targetsPage(
  durations: DurationRow | undefined,
  queues: readonly LoadRow[],
  checks: readonly Check[],
): string {
  const parts = [
    '# Forecasts of durations and of queue lengths',
    'Made by `npm run tables:targets`; what it writes depends on the code and the data alone. Arrivals and demand stand on ' +
      '[the page of forecasters](forecast.md).',
    '## What must hold',
    checkList(checks),
  ];
  if (durations !== undefined) parts.push(...durationSection(durations));
  if (queues.length > 0) parts.push(...queueSection(queues));
  return `${parts.join('\n\n')}\n`;
}

function durationSection(row: DurationRow): string[] {
  return [
    '## Durations by class',
    `Jobs of Microsoft’s Philly trace; a class is a virtual cluster and a number of GPUs. ${row.tasks} jobs of the week from 23 October 2017 ` +
      'are the test: each is forecast when it is submitted, from the jobs that have ended by then. Errors are of the natural logarithm of the ' +
      'seconds: 0.69 is a factor of two. `shrunk` is the smoothed mean of the class, drawn towards its virtual cluster and that towards all ' +
      `(half-life ${row.options.halfLife} jobs, strength ${row.options.strength}, chosen on the week before).`,
    markdownTable(
      ['forecast', 'RMSE', 'MAE'],
      durationMethods.map((name) => [name, row.squared[name].toFixed(3), row.absolute[name].toFixed(3)]),
    ),
    `Intervals by conformal prediction on the latest errors, each level moved by how often it held: those of 80% held ${percent(row.coverage80)}, ` +
      `those of 95% ${percent(row.coverage95)}. The ends of the 80% interval differ by a factor of ${row.factor80.toFixed(0)} in the middle: who ` +
      'submits tells little of how long a job runs, and much more than nothing. `scenarios/data/philly/philly.durations.safetensors` is the ' +
      'table as it stood when the week began; the placement `predictive` looks it up.',
  ];
}

function queueSection(rows: readonly LoadRow[]): string[] {
  return [
    '## Queue length',
    'Jobs that wait in virtual clusters of Helios, minute by minute, May 2020 (those in which anybody waited in one of fifty minutes); the ' +
      'last seven days are the test, with an origin every ten minutes; the season is a day. Methods as on the page of forecasters.',
    loadRowsTable(rows, false),
    absoluteRemark(rows),
  ];
}

function absoluteRemark(rows: readonly LoadRow[]): string {
  const share = (of: (row: LoadRow) => boolean): string => `${rows.filter(of).length} of ${rows.length} rows`;
  const squared = share((row) => row.squared.persistence <= row.squared.ensemble);
  const absolute = share((row) => row.absolute.persistence <= row.absolute.median);
  return (
    `Persistence is as good or better in ${squared} by squared error and in ${absolute} by absolute error: for most minutes a queue stays ` +
    'as it is, most often empty, and intervals of 80% hold more than they promise, because they cannot be narrower than nothing.'
  );
}
