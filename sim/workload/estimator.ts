// What the submitter says about a task's run time, which is all that the kernel is told. Errors come from a stream of their
// own, one draw a task in order of arrival, so every policy hears the same.

import { RandomStream } from '../../core/base/random.ts';
import { sampleLognormal } from '../engine/distributions.ts';
import type { EstimateSpec } from './spec.ts';

/** The estimate for the next task, whole microseconds, at least 1. Both durations are the trace's, bounded; never endless. */
export type Estimator = (durationMicros: number, traceEstimateMicros: number | undefined) => number;

export function createEstimator(spec: EstimateSpec, seed: number): Estimator {
  if (spec.kind === 'trace') return (duration, traceEstimate) => traceEstimate ?? duration;
  if (spec.kind === 'exact') return (duration) => duration;
  const random = new RandomStream(seed, 'workload.estimates');
  const { sigma } = spec;
  return (duration) => {
    const estimate = Math.round(duration * sampleLognormal(random, 0, sigma));
    return Math.max(1, Math.min(estimate, Number.MAX_SAFE_INTEGER));
  };
}

/** One sentence for the report. */
export function estimateNote(spec: EstimateSpec, traceHasEstimates: boolean): string {
  if (spec.kind === 'lognormal') {
    return `The kernel is told run times with an error: true × exp(${spec.sigma}·z), z standard normal by task.`;
  }
  if (spec.kind === 'exact') return 'The kernel is told the true run times (an oracle).';
  return traceHasEstimates
    ? "The kernel is told the trace's own estimates of run times."
    : 'The trace has no estimates of run times: the kernel is told the true ones (an oracle).';
}
