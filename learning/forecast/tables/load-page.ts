// What the pages of forecasts say of rows of the load table, whatever the load is.

import { markdownTable } from '../../../reports/tables/markdown.ts';
import type { Check } from '../../../reports/tables/table.ts';
import type { LoadRow } from './load-table.ts';

/** One horizon, over its series: the ensemble has the smallest squared error. `what`: `Helios, 10 ahead`. */
export function squaredErrorCheck(what: string, rows: readonly LoadRow[]): Check {
  const mean = (key: keyof LoadRow['squared']): number =>
    rows.reduce((sum, row) => sum + row.squared[key], 0) / rows.length;
  return {
    requirement: `${what}: squared error below persistence’s and the seasonal naive’s (mean over series)`,
    found: `RMSE ${mean('ensemble').toFixed(3)} against ${mean('persistence').toFixed(3)} and ${mean('seasonalNaive').toFixed(3)}`,
    holds: mean('ensemble') < Math.min(mean('persistence'), mean('seasonalNaive')),
  };
}

/** Errors and how often intervals held; with `widths` how wide those of 80% were. */
export function loadRowsTable(rows: readonly LoadRow[], widths: boolean): string {
  return markdownTable(
    [
      'series',
      'ahead',
      'RMSE persistence',
      'seasonal naive',
      'ensemble',
      'MAE persistence',
      'seasonal naive',
      'median',
      'in 80%',
      'in 95%',
      ...(widths ? ['width'] : []),
    ],
    rows.map(({ series, horizon, squared, absolute, coverage80, coverage95, width80 }) => [
      series,
      String(horizon),
      ...[squared.persistence, squared.seasonalNaive, squared.ensemble].map((value) => value.toFixed(3)),
      ...[absolute.persistence, absolute.seasonalNaive, absolute.median].map((value) => value.toFixed(3)),
      percent(coverage80),
      percent(coverage95),
      ...(widths ? [width80.toFixed(2)] : []),
    ]),
  );
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
