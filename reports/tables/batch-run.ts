// One run of tables 2 and 3: a window of batch jobs through the kernel's own messages until every job has ended, and when and
// where each started. The world knows the true run times; the kernel saw estimates only.

import { assert } from '../../core/base/assert.ts';
import { buildWorld, type SeededInputs } from '../../sim/experiment/build-world.ts';
import type { Scenario } from '../../sim/experiment/scenario.ts';
import type { WorldObserver } from '../../sim/world/observer.ts';
import type { World } from '../../sim/world/world.ts';

/** A job as it ran. Times in microseconds of the trace's clock. */
export interface BatchJob {
  readonly name: string;
  readonly arrivalMicros: number;
  readonly durationMicros: number;
  readonly startMicros: number;
  /** The world's machine indices. */
  readonly machines: readonly number[];
}

/** Longer than any window. */
const limitMicros = 1e15;

/** The jobs in order of arrival. `ended` may look at the world after the last one. */
export function runBatch(
  scenario: Scenario,
  inputs: SeededInputs,
  policy: string,
  seed: number,
  ended?: (world: World) => void,
): BatchJob[] {
  const jobs: { -readonly [Key in keyof BatchJob]: BatchJob[Key] }[] = [];
  const observer: WorldObserver = {
    taskArrived(submission, { name, durationMicros }, nowMicros) {
      assert(submission === jobs.length + 1, 'submissions count from 1');
      jobs.push({ name, arrivalMicros: nowMicros, durationMicros, startMicros: -1, machines: [] });
    },
    workStarted(dispatch, machines, nowMicros) {
      const job = jobs[dispatch.submission - 1];
      assert(job !== undefined && job.startMicros < 0, 'a job that arrived starts once');
      job.startMicros = nowMicros;
      job.machines = machines;
    },
  };
  const world = buildWorld(scenario, inputs, policy, seed, [observer]);
  world.runUntilDone(limitMicros);
  assert(world.done && jobs.every((job) => job.startMicros >= 0), 'every job has ended');
  ended?.(world);
  return jobs;
}

/** Mean of `max(1, (wait + run)/max(run, 10 s))` (Feitelson), as RLScheduler has it. */
export function boundedSlowdownMean(jobs: readonly BatchJob[]): number {
  let sum = 0;
  for (const { arrivalMicros, startMicros, durationMicros } of jobs) {
    sum += Math.max(1, (startMicros - arrivalMicros + durationMicros) / Math.max(durationMicros, 10_000_000));
  }
  return sum / jobs.length;
}

/** Mean of `(wait + run)/run`. */
export function slowdownMean(jobs: readonly BatchJob[]): number {
  let sum = 0;
  for (const { arrivalMicros, startMicros, durationMicros } of jobs) {
    sum += (startMicros - arrivalMicros + durationMicros) / durationMicros;
  }
  return sum / jobs.length;
}

/** Mean wait, seconds. */
export function waitMeanSeconds(jobs: readonly BatchJob[]): number {
  let sum = 0;
  for (const { arrivalMicros, startMicros } of jobs) sum += startMicros - arrivalMicros;
  return sum / jobs.length / 1e6;
}
