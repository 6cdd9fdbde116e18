// From what a person asks of scaling to the rule that a profile carries: the forecaster's own interval and resource, how many steps ahead
// are looked at, which of its levels is wanted. Where words and files come from is the business of whoever reads them.

import { toBase64 } from '../base/base64.ts';
import type { SiraError } from '../base/errors.ts';
import { readForecasterArtifact } from '../policy/forecast/forecaster-artifact.ts';
import type { ForecasterModel } from '../policy/forecast/forecaster-model.ts';
import type { ScalingForecast, ScalingRule } from './framework.ts';

export interface ScalingWish {
  /** Of a forecaster, its own. */
  readonly resource: 'gpu' | 'cpu';
  /** Of a forecaster, its own. */
  readonly intervalMicros: number;
  /** Kept awake beyond what is wanted, as a share of it. */
  readonly spareShare: number;
  readonly keepMicros: number;
  readonly machinesMin: number;
  /** How long machines take to wake up. */
  readonly wakeMicros: number;
  readonly forecaster?: { readonly file: string; readonly bytes: Uint8Array } | undefined;
  /** Quantile of the demand that is wanted, in (0, 1). */
  readonly level: number;
}

/** SIRA_TENSOR_INVALID, SIRA_POLICY_INVALID for bytes that are no forecaster; `invalid` makes the error for one that does not fit. */
export function scalingRule(
  { forecaster, level, wakeMicros, ...wish }: ScalingWish,
  invalid: (detail: string, advice: string) => SiraError,
): ScalingRule {
  if (forecaster === undefined) return wish;
  const { file, bytes } = forecaster;
  const model = readForecasterArtifact(bytes);
  const { intervalMicros } = model.manifest;
  const resource = resourceOf(model, invalid);
  const forecast: ScalingForecast = { file, artifact: toBase64(bytes), ...reach(model, level, wakeMicros, invalid) };
  return { ...wish, resource, intervalMicros, forecast };
}

function reach(
  { manifest: { horizon, levels, intervalMicros } }: ForecasterModel,
  level: number,
  wakeMicros: number,
  invalid: (detail: string, advice: string) => SiraError,
): Pick<ScalingForecast, 'steps' | 'level'> {
  // Whoever is asked now is awake after `wakeMicros`, and is needed until the next look helps.
  const steps = Math.ceil(wakeMicros / intervalMicros) + 1;
  if (steps > horizon)
    throw invalid(
      `the forecaster looks ${horizon} steps ahead, and a machine that is asked for now helps after ${steps}`,
      'Export one with a longer horizon.',
    );
  const which = levels.findIndex((one) => one >= level);
  if (which < 0)
    throw invalid(`the forecaster has levels ${levels.join(', ')}, none from ${level} on`, 'Ask for a lower one.');
  return { steps, level: which };
}

function resourceOf(
  { manifest: { name, target, unit } }: ForecasterModel,
  invalid: (detail: string, advice: string) => SiraError,
): 'gpu' | 'cpu' {
  if (target === 'demand' && unit === 'gpuMilli') return 'gpu';
  if (target === 'demand' && unit === 'cpuMilli') return 'cpu';
  throw invalid(
    `the forecaster "${name}" is of ${target} in ${unit}`,
    'Scaling needs one of demand, in gpuMilli or cpuMilli.',
  );
}
