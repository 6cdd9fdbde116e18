// What the submitter says about a task's run time, which is all that the kernel is told. Errors come from a stream of their
// own, one draw a task in order of arrival, so every policy hears the same.

import { fixedExp, fixedLog } from '../../core/base/fixed-math.ts';
import { RandomStream } from '../../core/base/random.ts';
import type { EstimateSpec } from './spec.ts';

/** The estimate for the next task, whole microseconds, at least 1. Both durations are the trace's, bounded; never endless. */
export type Estimator = (durationMicros: number, traceEstimateMicros: number | undefined) => number;

export function createEstimator(spec: EstimateSpec, seed: number): Estimator {
  if (spec.kind === 'trace') return (duration, traceEstimate) => traceEstimate ?? duration;
  if (spec.kind === 'exact') return (duration) => duration;
  const random = new RandomStream(seed, 'workload.estimates');
  const { sigma } = spec;
  return (duration) => {
    const estimate = Math.round(duration * fixedExp(sigma * nextNormal(random)));
    return Math.max(1, Math.min(estimate, Number.MAX_SAFE_INTEGER));
  };
}

/** A standard normal number: Marsaglia's polar method (SIAM Review 6(3), 1964), of which one of the pair is used. */
export function nextNormal(random: RandomStream): number {
  for (;;) {
    const x = 2 * random.nextFloat() - 1;
    const y = 2 * random.nextFloat() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * fixedLog(square)) / square);
  }
}

/** An exponential number of mean 1 (inversion). */
export function nextExponential(random: RandomStream): number {
  return -fixedLog(1 - random.nextFloat());
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
