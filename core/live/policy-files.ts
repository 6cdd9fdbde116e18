// The policy of a start document with what its files hold in place of their names, since a journal holds all that decides: a learned
// policy, durations of classes, a forecaster to scale by.

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { toBase64 } from '../base/base64.ts';
import { SiraError } from '../base/errors.ts';
import { parseDurationMicros } from '../base/time.ts';
import { reasonOf, type YamlSource } from '../documents/yaml-source.ts';
import { readDurations } from '../policy/forecast/duration-model.ts';
import type { Profile, ScalingRule } from '../scheduler/framework.ts';
import { scalingRule } from '../scheduler/scaling-rule.ts';
import type { StartFields } from './start-settings.ts';

/** As start.schema.json describes it. */
export type WrittenStart = Omit<StartFields, 'policy'> & { readonly policy?: WrittenPolicy };

type WrittenPolicy = Partial<Omit<Profile, 'scaling'>> & { readonly scaling?: ScalingFields };

interface ScalingFields {
  readonly resource?: 'gpu' | 'cpu';
  readonly interval?: string;
  readonly spare?: number;
  readonly keep?: string;
  readonly machinesMin?: number;
  readonly wake?: string;
  readonly forecaster?: string;
  readonly level?: number;
}

/** Adds to `problems` what cannot be read or used. */
export function policyFromFiles(
  source: YamlSource,
  { artifact, durations, scaling, ...policy }: WrittenPolicy,
  problems: SiraError[],
): Partial<Profile> {
  /** What `make` makes of the file at a field; undefined if there is none, or none that will do. */
  const from = <Value>(path: readonly string[], name: string | undefined, make: (bytes: Uint8Array) => Value) => {
    if (name === undefined) return undefined;
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(resolve(dirname(source.file), name));
    } catch (error) {
      problems.push(new SiraError('SIRA_FILE_MISSING', `${reasonOf(error)}: ${name}`, source.place(path)));
      return undefined;
    }
    try {
      return make(bytes);
    } catch (error) {
      if (!(error instanceof SiraError)) throw error;
      problems.push(new SiraError(error.code, error.message, source.place(path), error.remedy));
      return undefined;
    }
  };
  const weights = from(['policy', 'artifact'], artifact, toBase64);
  const medians = from(['policy', 'durations'], durations, (bytes) => {
    readDurations(bytes);
    return toBase64(bytes);
  });
  const forecasterPath = ['policy', 'scaling', 'forecaster'];
  const rule =
    scaling?.forecaster === undefined
      ? scaling && ruleOf(scaling)
      : from(forecasterPath, scaling.forecaster, (bytes) => ruleOf(scaling, bytes));
  return {
    ...policy,
    ...(weights === undefined ? {} : { artifact: weights }),
    ...(medians === undefined ? {} : { durations: medians }),
    ...(rule === undefined ? {} : { scaling: rule }),
  };
}

function ruleOf(fields: ScalingFields, bytes?: Uint8Array): ScalingRule {
  const { resource = 'cpu', interval = '10s', spare = 0, keep = '1min', machinesMin = 1 } = fields;
  const { wake = '30s', level = 0.9, forecaster: file = '' } = fields;
  // The schema has seen to it that these are durations.
  const micros = (text: string): number => Math.max(1, parseDurationMicros(text) as number);
  return scalingRule(
    {
      ...{
        resource,
        intervalMicros: micros(interval),
        spareShare: spare,
        keepMicros: micros(keep),
        machinesMin,
        level,
      },
      wakeMicros: micros(wake),
      ...(bytes === undefined ? {} : { forecaster: { file, bytes } }),
    },
    (detail, advice) => new SiraError('SIRA_SETTING_INVALID', detail, {}, advice),
  );
}
