// The scaling of a policy, with its forecaster read from its file.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import type { ScalingRule } from '../../core/scheduler/framework.ts';
import { scalingRule } from '../../core/scheduler/scaling-rule.ts';
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
export function buildScaling(fields: ScalingFields, { hasGpus, wakeMicros, folder, file }: ScalingWorld): ScalingRule {
  const invalid = (detail: string, advice: string): SiraError =>
    new SiraError('SIRA_SCENARIO_INVALID', detail, { file, field: 'scaling' }, advice);
  if (wakeMicros === undefined)
    throw invalid('machines that never sleep cannot be scaled', 'Add `power.sleep`, or leave out `scaling`.');
  const { forecaster } = fields;
  return scalingRule(
    {
      resource: fields.resource ?? (hasGpus ? 'gpu' : 'cpu'),
      intervalMicros: micros(fields.interval ?? '10s'),
      spareShare: fields.spare ?? 0,
      keepMicros: micros(fields.keep ?? '1min'),
      machinesMin: fields.machinesMin ?? 1,
      level: fields.level ?? 0.9,
      wakeMicros,
      ...(forecaster === undefined
        ? {}
        : { forecaster: { file: resolve(folder, forecaster), bytes: readArtifact(forecaster, folder) } }),
    },
    invalid,
  );
}

/** The bytes of a file that a policy names; SIRA_FILE_MISSING if there is none. */
export function readArtifact(name: string, folder: string): Uint8Array {
  const path = resolve(folder, name);
  try {
    return readFileSync(path);
  } catch {
    throw new SiraError('SIRA_FILE_MISSING', `a policy names ${path}, and it cannot be read`, { file: path });
  }
}
