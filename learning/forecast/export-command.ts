// `sira forecast`: fits a forecaster to the demand that a scenario's workload makes, or to its arrivals, and exports it for the kernel
// to run.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import { microsPerSecond } from '../../core/base/time.ts';
import { type DurationModel, durationsExtension, writeDurations } from '../../core/policy/forecast/duration-model.ts';
import { forecasterExtension, writeForecasterArtifact } from '../../core/policy/forecast/forecaster-artifact.ts';
import type { Command, CommandCall } from '../../core/ports/command.ts';
import type { Workload } from '../../sim/workload/workload.ts';
import { DurationForecaster, type TimedTask } from './durations.ts';
import { ensemble } from './ensemble.ts';
import { exportForecaster } from './export-forecaster.ts';
import type { Forecaster, SeriesShape } from './forecaster.ts';
import { holtWinters } from './holt-winters.ts';
import { everyStep, lagLinear } from './lag-linear.ts';
import { persistence, seasonalNaive } from './naive.ts';

const levels = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99];

/** The model: several, each weighted by how well it did on the last fifth of what is known. */
export function demandForecaster(horizon: number, season: number, length: number): Forecaster {
  const linear = lagLinear({
    ...{ steps: everyStep(horizon), shrinkage: 0.03, towards: 'persistence', stride: 1, logarithm: false },
    loss: 'squared',
  });
  return ensemble({
    members: [persistence, ...(season > 1 ? [seasonalNaive()] : []), linear, holtWinters],
    validationLength: Math.max(horizon, Math.floor(length / 5)),
    horizon,
    stride: 1,
    sharpness: 4,
    loss: 'squared',
    judged: 'last-step',
  });
}

export const forecastCommand: Command = {
  name: 'forecast',
  summary: 'fit a forecaster to the demand of a workload, and export it for the kernel',
  description:
    'Counts what the workload of a scenario asks for at once in each interval, on a cluster where nobody waits, fits persistence, the ' +
    'last season, a linear model on lags and exponential smoothing to it, weighs them by their errors on the last fifth, calibrates ' +
    'quantiles on the same, and writes one file that `scaling.forecaster` of a policy may name. Prints the error beside persistence’s. ' +
    'With `--target arrivals` it counts the tasks that come in each interval instead (machines are scaled by demand, not by it). ' +
    'With `--target durations` it learns instead how long tasks of each class run, for `durations` of a policy.',
  arguments: [{ name: 'scenario', description: 'a scenario file', required: true, many: false }],
  options: [
    { flags: '-o, --output <file>', description: `where to write, such as demand${forecasterExtension}` },
    { flags: '--data <file>', description: 'a trace to learn from, instead of the scenario’s own' },
    {
      flags: '--target <target>',
      description: 'what to forecast',
      choices: ['demand', 'arrivals', 'durations'],
      defaultValue: 'demand',
    },
    { flags: '--resource <resource>', description: 'whose demand', choices: ['gpu', 'cpu'], defaultValue: 'gpu' },
    { flags: '--interval <duration>', description: 'length of an interval', defaultValue: '1min' },
    { flags: '--season <intervals>', description: 'intervals of a season; 0 if there is none', defaultValue: '0' },
    { flags: '--horizon <intervals>', description: 'intervals to look ahead', defaultValue: '10' },
    {
      flags: '--until <duration>',
      description: 'learn from what arrives before this; default: the scenario’s warm-up, if it has one',
    },
    { flags: '--seed <number>', description: 'seed of the workload', defaultValue: '1' },
  ],
  examples: [
    {
      line: 'sira forecast scenarios/lublin.yaml --target arrivals --interval 1h --season 24 --horizon 24 -o arrivals.forecaster.safetensors',
      meaning: 'learn how many batch jobs come in each hour',
    },
    {
      line: 'sira forecast scenarios/predictive-scaling.yaml --data scenarios/data/nab/requests-train.csv.gz --season 48 -o demand.forecaster.safetensors',
      meaning: 'learn four weeks of requests, a day of 48 intervals each',
    },
  ],
  async run(call, { terminal, line }) {
    const [{ loadScenario }, { openInputs }, { micros }, { workloadSeries }] = await Promise.all([
      import('../../sim/experiment/load-scenario.ts'),
      import('../../sim/experiment/build-world.ts'),
      import('../../sim/experiment/quantities.ts'),
      import('./workload-series.ts'),
    ]);
    const loaded = loadScenario(call.arguments[0] as string);
    const data = text(call, 'data');
    const { source } = loaded.workload;
    if (data !== undefined && source.format === 'synthetic')
      throw new SiraError(
        'SIRA_USAGE',
        'the scenario’s workload is generated: it has no file that --data could stand for',
      );
    const path = data ?? (source.format === 'synthetic' ? undefined : source.file);
    const file = path === undefined ? undefined : resolve(path);
    const scenario =
      file === undefined || source.format === 'synthetic'
        ? loaded
        : { ...loaded, workload: { ...loaded.workload, source: { ...source, file } } };
    const seed = whole(call, 'seed', 0);
    const { workload } = openInputs(scenario, seed);
    const intervalMicros = micros(text(call, 'interval') ?? '1min');
    const until = text(call, 'until');
    const untilMicros =
      until !== undefined
        ? micros(until)
        : data === undefined && loaded.warmUpMicros > 0
          ? loaded.warmUpMicros
          : endOf(workload);
    if (text(call, 'target') === 'durations') {
      const model = learnDurations(workload, untilMicros, loaded.name, line);
      const output = text(call, 'output') ?? `${loaded.name}${durationsExtension}`;
      writeFileSync(output, writeDurations(model));
      const entries = [...model.medianSeconds].map(([key, seconds]) => `${key || 'all'}: ${seconds.toFixed(1)} s`);
      terminal.write(`Medians: ${entries.join('; ')}.\nWritten: ${output}\n`);
      return 0;
    }
    const resource = text(call, 'resource') === 'cpu' ? 'cpu' : 'gpu';
    const target = text(call, 'target') === 'arrivals' ? 'arrivals' : 'demand';
    const unit = target === 'arrivals' ? 'tasks' : `${resource}Milli`;
    const series = workloadSeries(workload, { target, resource, intervalMicros, untilMicros });
    const season = whole(call, 'season', 0);
    const horizon = whole(call, 'horizon', 1);
    const shape: SeriesShape = { periods: season > 1 ? [season] : [], lowerBound: 0 };
    const forecaster = demandForecaster(horizon, season, series.length);
    const calibrationLength = Math.max(2 * horizon, Math.floor(series.length / 5));
    if (series.length < forecaster.lengthMin(shape) + calibrationLength + 2 * horizon)
      throw new SiraError(
        'SIRA_USAGE',
        `${series.length} intervals are too few for a season of ${season} and ${horizon} steps ahead`,
        {},
        'Learn from more, or ask for shorter intervals, a shorter season or a nearer horizon.',
      );
    const model = exportForecaster(forecaster, series, shape, {
      ...{ name: `${loaded.name}-${target}`, target, unit, intervalMicros, horizon, levels },
      calibrationLength,
      lineage: {
        command: line,
        dataSha256: file === undefined ? {} : { workload: sha256(file.replaceAll('{seed}', String(seed))) },
      },
    });
    const output = text(call, 'output') ?? `${loaded.name}${forecasterExtension}`;
    writeFileSync(output, writeForecasterArtifact(model));
    const { rootMeanSquaredError, persistenceRootMeanSquaredError } = model.manifest.lineage.evaluation;
    terminal.write(
      [
        `${series.length} intervals of ${target === 'demand' ? `${resource} demand` : target}; the last ${calibrationLength} were kept to judge by.`,
        `Members: ${model.members.map(({ kind, weight }) => `${kind} ${weight.toFixed(3)}`).join(', ')}.`,
        `${horizon} intervals ahead: RMSE ${rootMeanSquaredError!.toFixed(1)} ${unit}, persistence ${persistenceRootMeanSquaredError!.toFixed(1)}.`,
        `Written: ${output}\n`,
      ].join('\n'),
    );
    return 0;
  },
};

/** From the tasks that arrive before `untilMicros`, in the order in which they would end if none waited. */
function learnDurations(workload: Workload, untilMicros: number, name: string, command: string): DurationModel {
  const timed: TimedTask[] = [];
  const tasks = workload.tasks();
  for (let next = tasks.next(); next.done !== true && next.value.arrivalMicros < untilMicros; next = tasks.next()) {
    const { arrivalMicros, durationMicros, taskClass = '', request } = next.value;
    if (durationMicros === Number.POSITIVE_INFINITY) continue;
    const seconds = durationMicros / microsPerSecond;
    timed.push({ submittedSeconds: arrivalMicros / microsPerSecond, seconds, taskClass, gpuCount: request.gpuCount });
  }
  const forecaster = new DurationForecaster({ halfLife: 500, strength: 5 });
  timed.sort((left, right) => left.submittedSeconds + left.seconds - right.submittedSeconds - right.seconds);
  for (const task of timed) forecaster.ended(task);
  return forecaster.exported(name, { command });
}

function endOf(workload: { tasks(): Iterator<{ readonly arrivalMicros: number }> }): number {
  let last = 0;
  const tasks = workload.tasks();
  for (let next = tasks.next(); next.done !== true; next = tasks.next()) last = next.value.arrivalMicros;
  return last;
}

function text(call: CommandCall, name: string): string | undefined {
  const value = call.options[name];
  return typeof value === 'string' ? value : undefined;
}

function whole(call: CommandCall, name: string, least: number): number {
  const value = Number(text(call, name));
  if (!Number.isSafeInteger(value) || value < least)
    throw new SiraError('SIRA_USAGE', `--${name} must be a whole number from ${least} on, not "${text(call, name)}"`);
  return value;
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
