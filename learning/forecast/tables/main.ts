// `npm run tables:forecast`: every forecaster beside its baselines on M4 Hourly, Helios and Azure, as a page, a document and a figure.
// Exit code 1 if a check does not hold. What must be read from beside the project and is absent is left out, with a word.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { checkList } from '../../../reports/tables/table.ts';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import { forecastFigure } from './forecast-figure.ts';
import { forecastChecks, forecastPage } from './forecast-page.ts';
import { azureRequests, heliosDemand } from './load-series.ts';
import { type LoadRow, type LoadTask, loadRow } from './load-table.ts';
import { m4File, readM4 } from './m4.ts';
import { type M4Row, m4Forecasters, m4Gru, m4Table } from './m4-table.ts';

const program = new Command('tables:forecast')
  .description('Measures every forecaster beside its baselines on M4 Hourly, Helios and Azure.')
  .option('-o, --output <folder>', 'where to write', join(projectRoot(), 'reports', 'forecast'))
  .addHelpText('after', '\nExample:\n  npm run tables:forecast -- -o /tmp/forecast')
  .parse();
const { output } = program.opts<{ output: string }>();

const started = performance.now();
const m4 = await m4Rows();
const loads = await loadRows();
const checks = forecastChecks(m4, loads);
mkdirSync(output, { recursive: true });
const document = { command: 'npm run tables:forecast', checks, m4, loads };
writeFileSync(join(output, 'forecast.json'), `${JSON.stringify(document, rounded, 1)}\n`);
writeFileSync(join(output, 'forecast.md'), forecastPage(m4, loads, checks));
writeFileSync(join(output, 'forecast.svg'), forecastFigure(m4, loads));
console.log(checkList(checks));
console.log(
  `${((performance.now() - started) / 1000).toFixed(0)} s; written to ${relative(process.cwd(), output) || '.'}`,
);
process.exitCode = checks.every(({ holds }) => holds) ? 0 : 1;

async function m4Rows(): Promise<M4Row[]> {
  const file = m4File(projectRoot());
  if (file === undefined) {
    console.error('M4 Hourly is not in ../shared/data/m4; its licence keeps it out of the project. Left out.');
    return [];
  }
  const series = readM4(file);
  const recurrent = await withProgress('training', (progress) => m4Gru(series, progress));
  return withProgress('M4 Hourly', async (progress) => m4Table(series, [...m4Forecasters(), recurrent], progress));
}

async function loadRows(): Promise<LoadRow[]> {
  const azure = azureRequests(projectRoot(), 10);
  const rest = { originStride: 1, trainingStride: 1, period: 6, testLength: 137 };
  const tasks: LoadTask[] = [1, 6, 30].map((horizon) => ({
    ...rest,
    ...{ series: azure, horizon, calibrationLength: 66, validationLength: 45 },
  }));
  const helios = heliosDemand(projectRoot());
  if (helios.length === 0) console.error('Helios is not in ../shared/data/helios-earth. Left out.');
  const week = 7 * 1440;
  for (const series of helios)
    for (const horizon of [10, 60, 360])
      tasks.push({
        ...{ series, horizon, period: 1440, originStride: 10, trainingStride: 7 },
        ...{ testLength: week, calibrationLength: week, validationLength: week },
      });
  return withProgress('load series', async (progress) =>
    tasks.map((task, index) => {
      const row = loadRow(task);
      progress((index + 1) / tasks.length);
      return row;
    }),
  );
}

/** A bar where a person watches, a line for each quarter elsewhere. */
async function withProgress<T>(title: string, work: (progress: (share: number) => void) => Promise<T>): Promise<T> {
  const interactive = process.stderr.isTTY === true;
  const bar = new SingleBar({ format: `${title}  {bar} {percentage}%  {eta_formatted} left`, hideCursor: true });
  if (interactive) bar.start(100, 0);
  let quarter = 0;
  try {
    return await work((share) => {
      if (interactive) bar.update(Math.round(100 * share));
      else if (Math.floor(share * 4) > quarter) {
        quarter = Math.floor(share * 4);
        console.error(`${title}: ${quarter * 25}%`);
      }
    });
  } finally {
    if (interactive) bar.stop();
  }
}

/** Ten digits are more than any of the values has. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(10)) : value;
}
