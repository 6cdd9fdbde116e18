// The scaling of a policy, with its forecaster read from its file.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import { readForecasterArtifact } from '../../core/policy/forecast/forecaster-artifact.ts';
import type { ForecasterModel } from '../../core/policy/forecast/forecaster-model.ts';
import type { ScalingForecast, ScalingRule } from '../../core/scheduler/framework.ts';
import { micros } from './quantities.ts';
import type { ScalingFields } from './scenario-fields.ts';

export interface ScalingWorld {
  readonly hasGpus: boolean;
  /** How long machines take to wake up; undefined if they never sleep. */
  readonly wakeMicros: number | undefined;
  /** Where paths begin, and the scenario's own file. */
  readonly folder: string;
  readonly file: string;
}

/** SIRA_SCENARIO_INVALID for a forecaster that cannot be used here; SIRA_FILE_MISSING, SIRA_POLICY_INVALID for its file. */
export function buildScaling(fields: ScalingFields, world: ScalingWorld): ScalingRule {
  const { hasGpus, wakeMicros, file } = world;
  if (wakeMicros === undefined)
    throw invalid(file, 'machines that never sleep cannot be scaled', 'Add `power.sleep`, or leave out `scaling`.');
  const model =
    fields.forecaster === undefined ? undefined : readArtifact(fields.forecaster, world.folder, readForecasterArtifact);
  const resource = model === undefined ? (fields.resource ?? (hasGpus ? 'gpu' : 'cpu')) : resourceOf(model, file);
  const intervalMicros = model?.manifest.intervalMicros ?? micros(fields.interval ?? '10s');
  return {
    intervalMicros,
    resource,
    spareShare: fields.spare ?? 0,
    keepMicros: micros(fields.keep ?? '1min'),
    machinesMin: fields.machinesMin ?? 1,
    ...(model === undefined ? {} : { forecast: forecastOf(model, fields, { ...world, wakeMicros, intervalMicros }) }),
  };
}

function forecastOf(
  model: ForecasterModel,
  { forecaster = '', level = 0.9 }: ScalingFields,
  world: ScalingWorld & { readonly wakeMicros: number; readonly intervalMicros: number },
): ScalingForecast {
  const { horizon, levels } = model.manifest;
  // Whoever is asked now is awake after `wakeMicros`, and is needed until the next look helps.
  const steps = Math.ceil(world.wakeMicros / world.intervalMicros) + 1;
  if (steps > horizon)
    throw invalid(
      world.file,
      `the forecaster looks ${horizon} steps ahead, and a machine that is asked for now helps after ${steps}`,
      'Export one with a longer horizon.',
    );
  const which = levels.findIndex((one) => one >= level);
  if (which < 0)
    throw invalid(
      world.file,
      `the forecaster has levels ${levels.join(', ')}, none from ${level} on`,
      'Ask for a lower one.',
    );
  return { file: resolve(world.folder, forecaster), model, steps, level: which };
}

function resourceOf({ manifest }: ForecasterModel, file: string): 'gpu' | 'cpu' {
  if (manifest.target === 'demand' && manifest.unit === 'gpuMilli') return 'gpu';
  if (manifest.target === 'demand' && manifest.unit === 'cpuMilli') return 'cpu';
  throw invalid(
    file,
    `the forecaster "${manifest.name}" is of ${manifest.target} in ${manifest.unit}`,
    'Scaling needs one of demand, in gpuMilli or cpuMilli.',
  );
}

/** What a file that a policy names holds; SIRA_FILE_MISSING if there is none. */
export function readArtifact<T>(name: string, folder: string, read: (bytes: Uint8Array) => T): T {
  const path = resolve(folder, name);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch {
    throw new SiraError('SIRA_FILE_MISSING', `a policy names ${path}, and it cannot be read`, { file: path });
  }
  return read(bytes);
}

function invalid(file: string, detail: string, advice: string): SiraError {
  return new SiraError('SIRA_SCENARIO_INVALID', detail, { file, field: 'scaling' }, advice);
}
