import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import { absoluteError, seasonalScale, symmetricError } from '../accuracy.ts';
import { azureRemark } from './forecast-page.ts';
import { azureRequests } from './load-series.ts';
import { type LoadRow, loadRow } from './load-table.ts';
import { m4File, readM4 } from './m4.ts';
import { m4Forecasters, m4Shape } from './m4-table.ts';

interface Published {
  readonly checks: readonly { readonly requirement: string; readonly holds: boolean }[];
  readonly m4: readonly { readonly name: string; readonly smape: number; readonly mase: number }[];
  readonly loads: readonly { readonly series: string; readonly horizon: number }[];
}

const published = JSON.parse(readFileSync(`${projectRoot()}/reports/forecast/forecast.json`, 'utf8')) as Published;

test('every check of the published page holds', () => {
  expect(published.checks.filter(({ holds }) => !holds)).toEqual([]);
  expect(published.checks.length).toBeGreaterThanOrEqual(10);
  expect(published.m4.map(({ name }) => name)).toEqual([...m4Forecasters().map(({ name }) => name), 'gru']);
});

test('the page says of every interval at which persistence has the smaller absolute error that it has', () => {
  const page = readFileSync(`${projectRoot()}/reports/forecast/forecast.md`, 'utf8');
  const azure = published.loads.filter(({ series }) => series.startsWith('azure')) as unknown as readonly LoadRow[];
  expect(page).toContain(azureRemark(azure));
  for (const { horizon, absolute } of azure)
    if (absolute.persistence <= absolute.median)
      expect(azureRemark(azure)).toMatch(new RegExp(`\\b${10 * horizon}\\b.*persistence has`));
});

test('the published row of Azure is what the code computes now', () => {
  const row = loadRow({
    ...{ series: azureRequests(projectRoot(), 10), period: 6, horizon: 6, testLength: 137 },
    ...{ calibrationLength: 66, validationLength: 45, originStride: 1, trainingStride: 1 },
  });
  const before = published.loads.find(({ series, horizon }) => series === row.series && horizon === 6);
  expect(
    JSON.parse(JSON.stringify(row, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(10)) : value))),
  ).toEqual(before);
});

const file = m4File(projectRoot());
describe.skipIf(file === undefined)(
  'M4 Hourly (in ../shared/data/m4, whose licence keeps it out of the project)',
  () => {
    test('the published errors of the quick methods are what the code computes now', () => {
      const series = readM4(file!);
      expect(series).toHaveLength(414);
      for (const name of ['naive-2', 'seasonal-naive', 'theta']) {
        const forecaster = m4Forecasters().find((one) => one.name === name)!;
        let smape = 0;
        let mase = 0;
        for (const { values } of series) {
          const known = values.slice(0, -48);
          const forecast = forecaster.fit(known, m4Shape).forecast(48);
          smape += symmetricError(values.slice(-48), forecast) / 414;
          mase += absoluteError(values.slice(-48), forecast) / seasonalScale(known, 24) / 414;
        }
        const row = published.m4.find((one) => one.name === name)!;
        expect(smape, name).toBeCloseTo(row.smape, 6);
        expect(mase, name).toBeCloseTo(row.mase, 6);
      }
    });

    test('the linear model keeps its lead on a sample of the series', () => {
      const sample = readM4(file!).filter((_, index) => index % 12 === 0);
      const errorOf = (name: string): number => {
        const forecaster = m4Forecasters().find((one) => one.name === name)!;
        let mase = 0;
        for (const { values } of sample) {
          const known = values.slice(0, -48);
          mase +=
            absoluteError(values.slice(-48), forecaster.fit(known, m4Shape).forecast(48)) / seasonalScale(known, 24);
        }
        return mase / sample.length;
      };
      expect(errorOf('lag-linear')).toBeLessThan(0.85 * errorOf('seasonal-naive'));
      expect(errorOf('ensemble')).toBeLessThan(0.85 * errorOf('seasonal-naive'));
    });
  },
);
