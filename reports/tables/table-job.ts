// The unit of work of the tables: all policies on one seed of one scenario, so that files are read once. Jobs and results are
// plain data and cross to worker threads and back.

import { join } from 'node:path';
import { openInputs } from '../../sim/experiment/build-world.ts';
import { loadScenario } from '../../sim/experiment/load-scenario.ts';
import { projectRoot } from '../../sim/experiment/project-root.ts';
import type { Scenario } from '../../sim/experiment/scenario.ts';
import { type BatchJob, boundedSlowdownMean, runBatch } from './batch-run.ts';
import { readPackingArrivals } from './packing-arrivals.ts';
import { type PackingRun, runPacking, runPackingCurves } from './packing-run.ts';
import type { BatchTrace, PackingWorkload } from './published.ts';

export interface PackingJob {
  readonly table: 1;
  readonly workload: PackingWorkload;
  /** `published`: those that the authors' simulator made from its seeds, with curves; `own`: this project's. */
  readonly orders: 'published' | 'own';
  readonly seed: number;
}

export interface WindowJob {
  readonly table: 2;
  readonly trace: BatchTrace;
  /** First job of the window, counted from 1. */
  readonly seed: number;
}

export interface EasyJob {
  readonly table: 3;
  readonly seed: number;
}

export type TableJob = PackingJob | WindowJob | EasyJob;

export interface SlowdownRun {
  readonly policy: string;
  readonly seed: number;
  readonly boundedSlowdown: number;
}

export type PackingResult = { readonly table: 1; readonly job: PackingJob; readonly runs: readonly PackingRun[] };
export type SlowdownResult = { readonly table: 2; readonly job: WindowJob; readonly runs: readonly SlowdownRun[] };
export type EasyResult = { readonly table: 3; readonly jobs: readonly BatchJob[] };
export type TableJobResult = PackingResult | SlowdownResult | EasyResult;

/** Policy of `batsim-easy.yaml` that table 3 is about. */
const easyPolicy = 'easy';

export function runTableJob(job: TableJob): TableJobResult {
  const { seed } = job;
  switch (job.table) {
    case 1: {
      const scenario = packingScenario(job.workload, job.orders);
      const inputs = openInputs(scenario, seed);
      const arrivals = job.orders === 'published' ? readPackingArrivals(scenario, inputs.machines, seed) : undefined;
      const runs = scenario.policies.map(({ name }) =>
        arrivals === undefined
          ? runPacking(scenario, inputs, name, seed)
          : runPackingCurves(scenario, inputs, name, seed, arrivals),
      );
      return { table: 1, job, runs };
    }
    case 2: {
      const scenario = scenarioOf(job.trace);
      const inputs = openInputs(scenario, seed);
      const runs = scenario.policies.map(({ name }) => ({
        policy: name,
        seed,
        boundedSlowdown: boundedSlowdownMean(runBatch(scenario, inputs, name, seed)),
      }));
      return { table: 2, job, runs };
    }
    case 3: {
      const scenario = scenarioOf('batsim-easy');
      return { table: 3, jobs: runBatch(scenario, openInputs(scenario, seed), easyPolicy, seed) };
    }
  }
}

/** What a person is told while the job runs. */
export function nameOfJob(job: TableJob): string {
  switch (job.table) {
    case 1:
      return `table 1, ${job.workload}, ${job.orders} orders, seed ${job.seed}`;
    case 2:
      return `table 2, ${job.trace}, window at job ${job.seed}`;
    case 3:
      return 'table 3';
  }
}

/** `scenarios/NAME.yaml`. */
export function scenarioOf(name: string): Scenario {
  return loadScenario(join(projectRoot(), 'scenarios', `${name}.yaml`));
}

/** `openb-packing.yaml` on another pod list, with its published orders or with orders of our own seeds. */
export function packingScenario(workload: PackingWorkload, orders: 'published' | 'own'): Scenario {
  const scenario = scenarioOf('openb-packing');
  const { cluster } = scenario;
  const { source, arrivals } = scenario.workload;
  if (cluster.format !== 'openb' || source.format !== 'openb' || arrivals.kind !== 'inflated') {
    throw new TypeError('openb-packing.yaml packs openb pods');
  }
  const own = orders === 'own';
  const renamed = (file: string | undefined): string | undefined =>
    own ? undefined : file?.replace(/default-(?=\{seed\})/, `${workload}-`);
  return {
    ...scenario,
    cluster: { ...cluster, shuffle: own, order: renamed(cluster.order) },
    workload: {
      ...scenario.workload,
      source: { ...source, file: source.file.replace(/default(?=\.csv$)/, workload) },
      arrivals: { ...arrivals, order: renamed(arrivals.order) },
    },
  };
}
