// `npm run tables:targets`: forecasts of durations by class (Philly) and of queue lengths (Helios) beside naive ones, as a page and a
// document; and the durations that the kernel looks up in scenarios/predictive-placement.yaml, learned from the jobs that had ended
// before its week. Exit code 1 if a check does not hold. What is absent beside the project is left out, with a word.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { durationsExtension, writeDurations } from '../../../core/policy/forecast/duration-model.ts';
import { checkList } from '../../../reports/tables/table.ts';
import { projectRoot } from '../../../sim/experiment/project-root.ts';
import {
  chooseDurationOptions,
  DurationForecaster,
  type DurationOptions,
  playDurations,
  type TimedTask,
} from '../durations.ts';
import { heliosQueue } from './load-series.ts';
import { type LoadRow, loadRow } from './load-table.ts';
import { phillyFile, phillyTasks, weekSeconds } from './philly-durations.ts';
import { type DurationRow, targetsChecks, targetsPage } from './targets-page.ts';

const command = 'npm run tables:targets';
const day = 86_400;
const program = new Command('tables:targets')
  .description('Measures forecasts of durations and queue lengths beside naive ones.')
  .option('-o, --output <folder>', 'where to write', join(projectRoot(), 'reports', 'forecast'))
  .parse();
const { output } = program.opts<{ output: string }>();

const durations = durationRow();
const queues = queueRows();
const checks = targetsChecks(durations, queues);
mkdirSync(output, { recursive: true });
const document = { command, checks, durations, queues };
const rounded = (_: string, value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(10)) : value;
writeFileSync(join(output, 'targets.json'), `${JSON.stringify(document, rounded, 1)}\n`);
writeFileSync(join(output, 'targets.md'), targetsPage(durations, queues, checks));
console.log(checkList(checks));
process.exitCode = checks.every(({ holds }) => holds) ? 0 : 1;

function durationRow(): DurationRow | undefined {
  const file = phillyFile(projectRoot());
  if (file === undefined) {
    console.error('The Philly trace is not in ../shared/data/philly. Left out.');
    return undefined;
  }
  const tasks = phillyTasks(file);
  const before = tasks.filter(({ submittedSeconds }) => submittedSeconds < weekSeconds);
  // Chosen on the week before the test's.
  const options = chooseDurationOptions(before, weekSeconds - 7 * day);
  const known = tasks.filter(({ submittedSeconds }) => submittedSeconds < weekSeconds + 7 * day);
  const { scores } = playDurations(known, weekSeconds, options);
  exportWeek(before, options, file);
  return { options, ...scores };
}

function exportWeek(before: readonly TimedTask[], options: DurationOptions, file: string): void {
  const forecaster = new DurationForecaster(options);
  const ended = before
    .filter(({ submittedSeconds, seconds }) => submittedSeconds + seconds <= weekSeconds)
    .toSorted((left, right) => left.submittedSeconds + left.seconds - right.submittedSeconds - right.seconds);
  for (const task of ended) forecaster.ended(task);
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  const model = forecaster.exported('philly', { command, trace: sha256 });
  const path = join(projectRoot(), 'scenarios', 'data', 'philly', `philly${durationsExtension}`);
  writeFileSync(path, writeDurations(model));
}

function queueRows(): LoadRow[] {
  const helios = heliosQueue(projectRoot());
  if (helios.length === 0) console.error('Helios is not in ../shared/data/helios-earth. Left out.');
  const week = 7 * 1440;
  // Where nobody ever waits there is nothing to forecast.
  const waited = helios.filter(({ values }) => values.filter((value) => value > 0).length > values.length / 50);
  return waited.flatMap((series) =>
    [10, 60, 360].map((horizon) => {
      const row = loadRow({
        ...{ series, horizon, period: 1440, originStride: 10, trainingStride: 17 },
        ...{ testLength: week, calibrationLength: week, validationLength: week },
      });
      console.error(`${series.name}, ${horizon} minutes ahead`);
      return row;
    }),
  );
}
