// The forecast page: what must hold, the tables, and how to read them.

import { markdownTable } from '../../../reports/tables/markdown.ts';
import { type Check, checkList } from '../../../reports/tables/table.ts';
import { loadRowsTable, percent, squaredErrorCheck } from './load-page.ts';
import type { LoadRow } from './load-table.ts';
import type { M4Row } from './m4-table.ts';

export function forecastChecks(m4: readonly M4Row[], loads: readonly LoadRow[]): Check[] {
  const checks: Check[] = [];
  if (m4.length > 0) {
    const row = (name: string): M4Row => m4.find((one) => one.name === name)!;
    const seasonal = row('seasonal-naive');
    const singles = m4.filter(({ name }) => name !== 'ensemble').toSorted((left, right) => left.owa - right.owa);
    const best = singles[0]!;
    const all = row('ensemble');
    checks.push(
      {
        requirement: 'M4: the seasonal naive forecast has the known errors, sMAPE 14.570 and MASE 1.228',
        found: `${seasonal.smape.toFixed(3)} and ${seasonal.mase.toFixed(3)}`,
        holds: seasonal.smape.toFixed(3) === '14.570' && seasonal.mase.toFixed(3) === '1.228',
      },
      {
        requirement: 'M4: the best single model has an OWA below 0.60',
        found: `${best.name}, ${best.owa.toFixed(4)}`,
        holds: best.owa < 0.6,
      },
      {
        requirement: 'M4: the ensemble has an OWA below 0.52',
        found: all.owa.toFixed(4),
        holds: all.owa < 0.52,
      },
      {
        requirement: 'M4: intervals of 80% and 95% hold 75 to 85% and 92 to 98%',
        found: [best, all]
          .map((one) => `${one.name} ${percent(one.coverage80!)} and ${percent(one.coverage95!)}`)
          .join(', '),
        holds: [best, all].every((one) => within(one.coverage80!, 0.75, 0.85) && within(one.coverage95!, 0.92, 0.98)),
      },
    );
  }
  for (const [label, rows] of groups(loads)) {
    for (const [horizon, at] of byHorizon(rows)) checks.push(squaredErrorCheck(`${label}, ${horizon} ahead`, at));
  }
  return checks;
}

export function forecastPage(m4: readonly M4Row[], loads: readonly LoadRow[], checks: readonly Check[]): string {
  const parts = [
    '# Forecasters beside their baselines',
    'Made by `npm run tables:forecast`; what it writes depends on the code and the data alone.',
    '![Accuracy on M4 Hourly and on load series](forecast.svg)',
    '## What must hold',
    checkList(checks),
  ];
  if (m4.length > 0) parts.push(...m4Section(m4));
  for (const [label, rows] of groups(loads)) parts.push(...loadSection(label, rows));
  parts.push('## How intervals are made', intervalsText);
  return `${parts.join('\n\n')}\n`;
}

function m4Section(rows: readonly M4Row[]): string[] {
  const share = (value: number | undefined): string => (value === undefined ? '–' : percent(value));
  return [
    '## M4 Hourly',
    'The 414 hourly series of the M4 competition; the last 48 hours of each training series are the test, everything before is ' +
      'known. sMAPE in percent, MASE against the seasonal naive error of one day in the sample, OWA against Naive2 on the same split. ' +
      'Coverage is the share of the values that the intervals of 80% and 95% held, width that of the 80% interval in MASE’s unit.',
    markdownTable(
      ['method', 'sMAPE', 'MASE', 'OWA', 'in 80%', 'in 95%', 'width'],
      rows.map((row) => [
        row.name,
        row.smape.toFixed(3),
        row.mase.toFixed(3),
        row.owa.toFixed(4),
        share(row.coverage80),
        share(row.coverage95),
        row.width80 === undefined ? '–' : row.width80.toFixed(2),
      ]),
    ),
    'On this split statsforecast reaches (sMAPE / MASE): seasonal naive 14.570 / 1.228, Holt-Winters 17.205 / 1.171, AutoTheta ' +
      '19.065 / 2.509, MSTL (24, 168) 13.238 / 1.133. In the competition itself, on its own test part, OWA was 0.627 for the seasonal ' +
      'naive forecast, 1.006 for Theta, 0.440 for the winner (ES-RNN) and 0.410 for the best hourly method; other 48 hours, so not to ' +
      'be compared to the last digit. `theta` and `holt-winters` know the week here, as all methods but `naive-2` and `seasonal-naive` ' +
      'do; `seasonal-naive-2` repeats the last week. `gru` is one network for all series, trained for ten epochs on the wasm backend, so ' +
      'that the row is the same everywhere; it is no member of the ensemble.',
  ];
}

function loadSection(label: string, rows: readonly LoadRow[]): string[] {
  const text =
    label === 'Helios'
      ? 'GPUs that running and pending jobs ask for in four virtual clusters, minute by minute, May 2020; the last seven days are the ' +
        'test, with an origin every ten minutes; steps are minutes, the season is a day.'
      : 'Requests to an Azure LLM service (code) in each ten seconds of 57 minutes; the last 40% are the test, with an origin every ten ' +
        'seconds; steps are tens of seconds, the season is a minute. Arrivals are extremely bursty.';
  return [
    `## ${label}`,
    `${text} The mean is asked of the ensemble (persistence, linear on lags with and without the season, exponential smoothing) and ` +
      'judged by the root mean squared error; the median is asked of the linear model fitted to absolute errors and judged by the mean ' +
      'absolute error.',
    loadRowsTable(rows, true),
    label === 'Helios'
      ? 'Demand moves in steps and stays for long: as a rule the next minutes bring no change at all, so persistence is the median, and ' +
        'no method has a smaller absolute error worth the name. What can be won is in the mean and in the width of the intervals, and ' +
        'more of it the farther ahead. Six hours ahead the intervals of 95% hold less than that: a week of one pattern is followed by ' +
        'another, and whether a forecast held is known only six hours later.'
      : azureRemark(rows),
  ];
}

/** Who has the smaller absolute error where, as the rows have it. */
export function azureRemark(rows: readonly LoadRow[]): string {
  const seconds = (some: readonly LoadRow[]): string => some.map(({ horizon }) => `${10 * horizon}`).join(' and ');
  const lost = rows.filter(({ absolute }) => absolute.persistence <= absolute.median);
  const won = rows.filter((row) => !lost.includes(row));
  const text =
    lost.length === 0
      ? 'The median has the smaller absolute error everywhere. '
      : `At ${seconds(lost)} s ahead persistence has the smaller absolute error: most stretches are nearly empty, and so is the ` +
        `next${won.length === 0 ? '' : `; at ${seconds(won)} s the median has`}. `;
  const squares = rows.every(({ squared }) => squared.ensemble < squared.persistence);
  return text + (squares ? 'Where squares count, as they do for capacity, persistence loses everywhere.' : '');
}

const intervalsText =
  'By conformal prediction: errors of the very model on a stretch that it was not fitted to, step by step. On the load series the ' +
  'latest errors replace the oldest as time goes on, and each level moves by how often it held (adaptive conformal inference, step ' +
  '0.01). On M4 there is one forecast a series, and the few overlapping origins of one series understate its errors; the intervals are ' +
  'stretched by the factor that would have held on the 48 hours before the test, over all series.';

function groups(rows: readonly LoadRow[]): [string, LoadRow[]][] {
  const helios = rows.filter(({ series }) => series.startsWith('vc'));
  const azure = rows.filter(({ series }) => series.startsWith('azure'));
  return (
    [
      ['Helios', helios],
      ['Azure', azure],
    ] as [string, LoadRow[]][]
  ).filter(([, list]) => list.length > 0);
}

function byHorizon(rows: readonly LoadRow[]): [number, LoadRow[]][] {
  const horizons = [...new Set(rows.map(({ horizon }) => horizon))];
  return horizons.map((horizon) => [horizon, rows.filter((row) => row.horizon === horizon)]);
}

function within(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}
