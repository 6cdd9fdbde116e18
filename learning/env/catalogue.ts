// Environments by name, with what a training needs of each beside stepping it: episodes that no training sees, and the files that
// it depends on.

import { resolve } from 'node:path';
import { BatchEnvironment } from './batch/batch-environment.ts';
import { readBatchJobs, sliceJobs } from './batch/batch-jobs.ts';
import type { BatchBackfill } from './batch/batch-simulation.ts';
import { type JobRange, variedWindows } from './batch/batch-windows.ts';
import { fittedWindows } from './batch/fitted-windows.ts';
import { CartPole } from './cart-pole.ts';
import { DeepRm } from './deep-rm/deep-rm.ts';
import { drawSequence, readSequences } from './deep-rm/job-sequences.ts';
import type { Environment } from './environment.ts';
import { readFittedWorld } from './fitted-world.ts';

export interface BatchSpec {
  readonly kind: 'batch';
  /** Standard Workload Format; relative paths start at the document. */
  readonly trace: string;
  readonly processors: number;
  readonly backfill: BatchBackfill;
  readonly fallback: string;
  readonly candidatesMax: number;
  /** See {@link BatchEnvironment}. */
  readonly reference?: string;
  /** Jobs that training may see, counted from 0. */
  readonly ranges: readonly JobRange[];
  readonly variation: {
    readonly sizeMin: number;
    readonly sizeMax: number;
    readonly blockMin: number;
    readonly blockMax: number;
    readonly runSigma: number;
  };
  /** Windows of the tests. */
  readonly tests: { readonly starts: readonly number[]; readonly size: number };
}

export interface DeepRmSpec {
  readonly kind: 'deep-rm';
  /** Probability of a job a step. */
  readonly rate: number;
  /** The tests' sequences. */
  readonly sequences: string;
}

export interface CartPoleSpec {
  readonly kind: 'cart-pole';
  readonly testEpisodes: number;
}

/** Work as telemetry tells of it, on machines that are all alike and pass over what does not fit. */
export interface FittedSpec {
  readonly kind: 'fitted';
  /** What `sira loop` fitted to the rows of a kernel; relative paths start at the document. */
  readonly world: string;
  readonly fallback: string;
  readonly candidatesMax: number;
  /** See {@link BatchEnvironment}. */
  readonly reference?: string;
  /** Run times below this count as this in the slowdown. */
  readonly slowdownFloorSeconds: number;
  /** Tasks of an episode. */
  readonly tasks: number;
  /** Episodes are drawn at rates from the fitted one times the least to times the most of these. */
  readonly rateFactors: readonly [number, number];
  readonly testEpisodes: number;
}

export type EnvironmentSpec = BatchSpec | DeepRmSpec | CartPoleSpec | FittedSpec;

/** What training works with. */
export interface OpenedEnvironment {
  create(): Environment;
  /** Episodes that no training sees, as functions that begin them in an environment made by `create`. */
  readonly tests: readonly ((environment: Environment) => void)[];
  /** Absolute. */
  readonly files: readonly string[];
  /** Order that the shield falls back to. */
  readonly fallback: string;
  /** By which the tests' mean of the first metric is weighted, or undefined for equal weights. */
  readonly weight?: string;
}

/** `folder` is where relative paths start. Throws what reading the files throws, and SIRA_SCENARIO_INVALID if a test's window
 *  shares a job with the ranges that training may see. */
export function openEnvironment(spec: EnvironmentSpec, folder: string): OpenedEnvironment {
  switch (spec.kind) {
    case 'batch':
      return openBatch(spec, resolve(folder, spec.trace));
    case 'fitted':
      return openFitted(spec, resolve(folder, spec.world));
    case 'deep-rm': {
      const file = resolve(folder, spec.sequences);
      const sequences = readSequences(file);
      return {
        create: () => new DeepRm((seed) => drawSequence(seed, spec.rate)),
        tests: sequences.map((sequence) => (environment) => (environment as DeepRm).begin(sequence)),
        files: [file],
        fallback: 'sjf',
        weight: 'jobs',
      };
    }
    case 'cart-pole':
      return {
        create: () => new CartPole(),
        // Training draws 32-bit seeds.
        tests: Array.from(
          { length: spec.testEpisodes },
          (_, index) => (environment) => environment.reset(2 ** 40 + index),
        ),
        files: [],
        fallback: 'lean',
      };
  }
}

function openBatch(spec: BatchSpec, file: string): OpenedEnvironment {
  const jobs = readBatchJobs(file);
  const windows = variedWindows(jobs, spec.ranges, spec.variation);
  const options = {
    processorCount: spec.processors,
    backfill: spec.backfill,
    fallback: spec.fallback,
    candidatesMax: spec.candidatesMax,
    windows,
    ...(spec.reference === undefined ? {} : { reference: spec.reference }),
  };
  return {
    create: () => new BatchEnvironment(options),
    tests: spec.tests.starts.map((first) => {
      const window = sliceJobs(jobs, first, spec.tests.size);
      return (environment) => (environment as BatchEnvironment).begin(window);
    }),
    files: [file],
    fallback: spec.fallback,
  };
}

/** Test episodes: beyond the seeds of training and of validation. */
const testSeed = 2 ** 34;

function openFitted(spec: FittedSpec, file: string): OpenedEnvironment {
  const world = readFittedWorld(file);
  const windows = fittedWindows(world.work, spec.tasks, spec.rateFactors);
  const { fallback, candidatesMax, slowdownFloorSeconds, reference } = spec;
  const options = {
    ...{ processorCount: world.slots, backfill: 'skip' as const, fallback, candidatesMax, windows },
    ...{ slowdownFloorSeconds, reference },
  };
  return {
    create: () => new BatchEnvironment(options),
    tests: Array.from(
      { length: spec.testEpisodes },
      (_, index) => (environment) => environment.reset(testSeed + index),
    ),
    files: [file],
    fallback,
  };
}
